"""What housekeeping removes of runs, and what it leaves."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import states
from provisioning.models import FrozenInput, PlaybookRun, RunEvent
from provisioning.runs import places, pruning
from tests.provisioning.runs.factories import HostFactory, RunFactory, events, frozen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.DATA_DIR, settings.RUN_KEEP_DAYS = tmp_path, 10


def run_of(site, days: int, **more) -> PlaybookRun:
    RunFactory(job__site=site, job__finished=timezone.now() - timedelta(days=days), **more)
    run = PlaybookRun.objects.latest("pk")
    events(run, [{"text": "said"}])
    HostFactory(run=run, ok=1)
    return run


def test_output_goes_after_its_days_and_the_numbers_of_hosts_stay(site):
    old, young = run_of(site, 11), run_of(site, 9)
    going = run_of(site, 11, job__state=states.RUNNING)
    assert pruning.prune()[0] == 1
    assert set(RunEvent.objects.values_list("run", flat=True)) == {young.pk, going.pk}
    old.refresh_from_db()
    assert old.pruned is not None and old.hosts.count() == 1
    assert pruning.prune()[0] == 0


def test_an_input_goes_when_no_run_names_it_any_more(site):
    run = run_of(site, 1)
    frozen("nobody's")
    frozen("new")
    FrozenInput.objects.exclude(pk=frozen("new").pk).update(created=timezone.now() - timedelta(days=1))
    assert pruning.prune()[1] == 1
    assert set(FrozenInput.objects.all()) == {run.inventory, frozen("new")}


def test_folders_that_a_dead_worker_left_go(site):
    going = run_of(site, 0, job__state=states.RUNNING)
    kept, left = places.folder_of(going.pk), places.folder_of(run_of(site, 1).pk)
    plan, old_plan = (places.all_of_them() / f"{places.PLANNING}{name}" for name in ("new", "old"))
    for folder in (kept, left, plan, old_plan):
        (folder / "project").mkdir(parents=True)
    os.utime(old_plan, (time.time() - 7200, time.time() - 7200))
    assert pruning.prune()[2] == 2
    assert {folder.name for folder in places.all_of_them().iterdir()} == {kept.name, plan.name}
