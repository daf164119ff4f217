"""Rows as lines, and back: of every table that a running installation fills, those of its clock included."""

from __future__ import annotations

import datetime
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django_celery_beat import models as clock
from django_celery_beat import schedulers

from mgmtplane.celery import app
from provisioning.backups import tables

pytestmark = pytest.mark.django_db


def rows() -> dict[str, list[Any]]:
    return {
        model._meta.label_lower: list(model._base_manager.order_by("pk").values_list())
        for model in tables.kept()
    }


def test_what_the_clock_writes_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedulers, "close_old_connections", lambda: None)  # this one is in memory
    schedulers.DatabaseScheduler(app=app)  # as beat begins
    assert clock.CrontabSchedule.objects.exists()
    clock.CrontabSchedule.objects.create(hour="3", timezone=zoneinfo.ZoneInfo("Europe/Berlin"))
    clock.ClockedSchedule.objects.create(
        clocked_time=datetime.datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=datetime.UTC)
    )
    clock.SolarSchedule.objects.create(event="sunrise", latitude="52.520008", longitude="13.404954")
    before = rows()
    counts = tables.dump(tmp_path)
    assert counts == {label: len(found) for label, found in before.items()}

    with transaction.atomic():
        assert tables.load(tmp_path, apps) == counts
    assert rows() == before
