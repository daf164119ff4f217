"""Must show, of a PostgreSQL that is frozen: who asks it is told within seconds, and goes on when it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections

from inventory.serving import database
from mgmtplane.databases.postgresql import Frozen, base
from tests.serving.postgresql import Postgresql, postgresql

#: seconds, on a busy machine as well
SOON = 3 * base.PATIENCE


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    with postgresql() as server:
        yield server


@pytest.fixture
def own(server: Postgresql, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Any]:
    """A connection as the application keeps it."""
    declared = {
        **connections["default"].settings_dict,
        "ENGINE": "mgmtplane.databases.postgresql",
        "NAME": "postgres",
        "USER": "mgmtplane",
        "PASSWORD": "",
        "HOST": "127.0.0.1",
        "PORT": server.port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 2},
    }
    own = base.DatabaseWrapper(declared)
    monkeypatch.setattr(database, "connection", own)
    with django_db_blocker.unblock():
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield own
        server.thaw()
        own.close()


def took(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_a_kept_connection_is_asked_for_two_seconds(server: Postgresql, own: Any) -> None:
    server.freeze()

    def ask() -> None:
        with pytest.raises(Frozen, match="does not answer"):
            database.reach()

    assert took(ask) < SOON
    server.thaw()
    database.reach()
    with own.cursor() as cursor:
        assert cursor.execute("SELECT 2").fetchone() == (2,)


def test_djangos_own_look_at_a_connection_ends(server: Postgresql, own: Any) -> None:
    server.freeze()
    assert not own.is_usable()
    own.errors_occurred = True
    assert took(own.close_if_unusable_or_obsolete) < SOON
    assert own.connection is None


def test_a_new_connection_is_waited_for_as_it_says(server: Postgresql, own: Any) -> None:
    own.close()
    server.freeze()

    def ask() -> None:
        with pytest.raises(OperationalError):
            database.reach()

    assert took(ask) < SOON


def test_a_query_that_is_under_way_ends(server: Postgresql, own: Any) -> None:
    def ask() -> None:
        with pytest.raises(Frozen), database.impatient(), own.cursor() as cursor:
            server.freeze()
            cursor.execute("SELECT 1")

    assert took(ask) < 3 * SOON


def test_a_query_that_takes_its_time_does_not(own: Any) -> None:
    with database.impatient(), own.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert own.is_usable()


def test_a_page_that_is_being_made_ends(server: Postgresql, own: Any) -> None:
    def ask() -> None:
        with pytest.raises(OperationalError), database.unless_frozen(), own.cursor() as cursor:
            cursor.execute("SELECT 1")
            server.freeze()
            cursor.execute("SELECT 1")

    assert took(ask) < 3 * SOON


def test_a_page_may_take_its_time(own: Any) -> None:
    with database.unless_frozen(), own.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert own.is_usable()


def test_a_query_whose_own_process_is_stuck_ends_later(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ANSWER", 3.0)
    with pytest.raises(Frozen), database.impatient(), own.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


def test_a_server_that_began_anew_is_reached_with_a_new_connection(server: Postgresql, own: Any) -> None:
    server.stop()
    server.start()
    database.reach()
    with own.cursor() as cursor:
        assert cursor.execute("SELECT 2").fetchone() == (2,)


def test_what_answers_in_time_keeps_its_connection(own: Any) -> None:
    held = own.connection
    for _ in range(3):
        database.reach(thoroughly=True)
    assert own.connection is held and own.is_usable()
