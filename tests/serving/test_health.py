"""/healthz, /readyz, /metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.test import Client

from inventory import rules
from inventory.api import health, reading
from inventory.changes import change
from inventory.findings import Finding
from inventory.models import Site, Token
from tests.serving.conftest import client_of


def test_healthz_needs_nothing() -> None:  # no database: the fixture is not asked for
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert Client().head("/healthz").content == b""
    assert Client().post("/healthz").status_code == 405


@pytest.fixture
def ready(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(health, "_migrated", False)
    return lambda: Client().get("/readyz")


@pytest.mark.django_db
def test_readyz_is_200_when_all_is_there(ready: Any) -> None:
    response = ready()
    assert response.status_code == 200, response.content
    assert response.json() == {
        "ready": True,
        "database": "ok",
        "data_directory": "ok",
        "migrations": "ok",
        "broker": "ok",
        "copy": "ok",
        "workers": "ok",
        "backup": "ok",
        "drill": "ok",
        "kits": "ok",
    }


@pytest.mark.django_db
def test_readyz_names_what_is_missing(ready: Any, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "nowhere"
    settings.BROKER_DIR = tmp_path / "nowhere"
    response = ready()
    assert response.status_code == 503
    body = response.json()
    assert body["ready"] is False
    assert body["data_directory"] == "does not exist; see DATA_DIR"
    assert body["broker"].startswith("has no writable folder")


@pytest.mark.django_db
def test_what_cannot_be_looked_at_is_not_known_and_stops_no_answer(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale() -> str:
        raise OSError(116, "Stale file handle")

    monkeypatch.setitem(health.NOTES, "backup", stale)
    response = ready()
    assert (response.status_code, response.json()["backup"]) == (200, "is not known (OSError)")


@pytest.mark.django_db
def test_a_full_disk_is_not_ready(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE", 1 << 80)
    response = ready()
    assert response.status_code == 503
    assert response.json()["data_directory"].startswith("has less than 1 MiB left")


@pytest.mark.django_db
def test_readyz_shows_nobody_the_way_in(ready: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "amqp://user:s3cret@127.0.0.1:1//"

    def away(*_: Any) -> Any:
        raise OperationalError("connection to 192.0.2.1 failed for user s3cret")

    monkeypatch.setattr(health.connection, "cursor", away)
    response = ready()
    assert response.status_code == 503
    assert "s3cret" not in response.content.decode()
    assert response.json()["database"] == "does not answer (OperationalError); see DATABASE_URL"
    assert response.json()["broker"].startswith("does not answer (")
    assert issubclass(OperationalError, DatabaseError)


@pytest.mark.django_db
def test_missing_migrations_are_not_ready(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one", "two"])
    assert ready().json()["migrations"] == "are missing, 2 of them; run manage.py migrate"
    monkeypatch.undo()


@pytest.mark.django_db
def test_a_database_that_is_away_is_a_503_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: Any) -> Any:
        raise OperationalError("FATAL: password of s3cret")

    monkeypatch.setattr(reading, "reader_of", away)
    response = Client().get("/export/lab/list")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "away or busy" in response.json()["error"]
    assert "s3cret" not in response.content.decode() + caplog.text


@pytest.mark.django_db
def test_metrics_count_hosts_and_findings(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("x", "error", "host alpha", "m", "h")
    monkeypatch.setattr(rules, "judge", lambda *_: (finding,))
    text = Client().get("/metrics").content.decode()
    assert 'mgmtplane_site_revision{site="lab"} 1.0' in text
    assert 'mgmtplane_hosts{site="lab",status="active"} 2.0' in text
    assert 'mgmtplane_findings{severity="error",site="lab"} 1.0' in text or (
        'mgmtplane_findings{site="lab",severity="error"} 1.0' in text
    )


@pytest.mark.django_db
def test_metrics_are_for_this_machine_and_for_who_shows_a_token(site: Site, settings: Any) -> None:
    with change(Site(slug="other"), why="made for a test"):
        pass
    stranger = Client(REMOTE_ADDR="192.0.2.9")
    assert stranger.get("/metrics").status_code == 401
    proxied = {"X-Forwarded-For": "192.0.2.9"}
    assert Client().get("/metrics", headers=proxied).status_code == 401
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert Client().get("/metrics").status_code == 401
    bearer = client_of(Token(name="prometheus"))
    assert 'site="other"' in bearer.get("/metrics", REMOTE_ADDR="192.0.2.9").content.decode()
    bearer = client_of(Token(name="of lab", site=site))
    text = bearer.get("/metrics").content.decode()
    assert 'site="lab"' in text
    assert 'site="other"' not in text
