"""Must show: a SQLite file that is gone is not made anew by who serves, and what went out before stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from inventory.changes import change
from inventory.models import Site, Token
from inventory.serving import database, mirror
from tests.serving.conftest import client_of

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/export/lab/list"


@pytest.fixture
def router(site: Site) -> Client:
    """Fetched once already."""
    router = client_of(Token(name="router", site=site))
    assert router.get(URL).status_code == 200
    return router


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The place of a database that is not there."""
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite: a server's files are its own")
    connection.close()
    place = tmp_path / "unmounted.sqlite3"
    monkeypatch.setitem(connection.settings_dict, "NAME", str(place))
    yield place
    connection.close()


def require_the_mirror(router: Client) -> None:
    answer = router.get(URL)
    assert (answer.status_code, answer["Mgmtplane-Degraded"]) == (200, "database")
    ready = router.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["database"].startswith("does not answer")
    assert router.get("/admin/login/").status_code == 503


def test_a_file_that_is_gone_is_not_made_anew(router: Client, elsewhere: Path) -> None:
    require_the_mirror(router)
    with pytest.raises(OperationalError, match="is gone"):
        database.reach()
    assert not elsewhere.exists()


def test_a_file_that_is_put_back_is_not_taken_up_by_who_serves_readers_alone(router: Client) -> None:
    """It may be of an older version, or half a restore: whoever prepares it begins anew."""
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite: a server's files are its own")
    database.hold_back()
    try:
        require_the_mirror(router)
    finally:
        database.forget()
        mirror.note_back()
    assert "Mgmtplane-Degraded" not in router.get(URL)


def test_an_empty_file_is_not_the_database_that_served_before(router: Client, elsewhere: Path) -> None:
    elsewhere.touch()
    require_the_mirror(router)


def test_a_new_installation_reaches_its_empty_file(elsewhere: Path, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "new"
    elsewhere.touch()
    database.reach()


@pytest.mark.parametrize("size", [None, 0, 100])
def test_a_file_that_is_gone_or_empty_is_lost_where_files_went_out_of_it(
    size: int | None, router: Client, elsewhere: Path, settings, tmp_path: Path
) -> None:
    if size is not None:
        elsewhere.write_bytes(b"x" * size)
    assert database.lost() == (None if size else elsewhere)
    settings.DATA_DIR = tmp_path / "new"
    assert database.lost() is None


def test_a_new_database_does_not_empty_the_mirror_and_one_with_a_site_does(
    router: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("flush", interactive=False, verbosity=0)
    look_when_due(monkeypatch)
    assert mirror.newest("lab", "list", None) is not None
    assert mirror.token(Token.digest_of(router.defaults["HTTP_AUTHORIZATION"].split()[1])) is not None
    with change(Site(slug="other", root_domain="example.net")):
        pass
    look_when_due(monkeypatch)
    assert mirror.newest("lab", "list", None) is None


def look_when_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "_kept_at", float("-inf"))
    mirror.keep_when_due()
