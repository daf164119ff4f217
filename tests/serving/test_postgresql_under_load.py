"""Must show, of a server: PostgreSQL stopped, one that takes no changes, and one with a table that is held, under load."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.serving.load import FORMATS, Server
from tests.serving.postgresql import Postgresql, postgresql
from tests.serving.test_under_load import ONSET, refused, under_load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

Served = tuple[Server, str, str]


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def server(database, tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("postgresql")
    server = Server(folder / "data", {"DATABASE_URL": database.url})
    server.manage("migrate", "-v0")
    server.manage("demo")
    server.manage("collectstatic", "--noinput", "-v0")
    reading, writing = server.token("router", "read"), server.token("builder", "write")
    with server.running(folder / "log"):
        for format in FORMATS:
            assert server.ask("GET", f"/export/lab/{format}", reading)[0] == 200
        yield server, reading, writing


def test_a_server_that_is_stopped(server, database):
    def begin() -> Callable[[], None]:
        database.stop()
        return database.start

    # A change whose commit was not answered may be there: of each writer one, when the server went.
    load, facts = under_load(server, begin, doubtful=2)
    told = load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=8)
    assert set(told) == {"database"}
    assert refused(load, facts) == {503}
    assert facts["ready"][0] == 503 and b"does not answer" in facts["ready"][2]


def test_a_server_that_is_frozen(server, database):
    """Its connections stay, and nothing comes: who asks then, and who was being answered, waits for seconds."""

    def begin() -> Callable[[], None]:
        database.freeze()
        return database.thaw

    # A change that was sent is carried out when the server goes on.
    load, facts = under_load(server, begin, doubtful=2, seconds=20)
    told = load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=15)
    assert set(told) == {"database"}
    assert facts["ready"][0] == 503 and b"does not answer" in facts["ready"][2]
    under_way = [one for one in load.writes if one.at <= facts["began"] < one.at + one.seconds]
    assert all(one.status == 503 and one.seconds < 15 for one in under_way), under_way
    assert refused(load, facts) == {503}


def test_a_server_that_takes_no_changes(server, database):
    def begin() -> Callable[[], None]:
        database.set_read_only(True)
        return lambda: database.set_read_only(False)

    load, facts = under_load(server, begin)
    load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=8)
    assert refused(load, facts) == {503}
    assert facts["ready"][0] == 503 and b"read-only" in facts["ready"][2]


def test_a_table_that_somebody_holds_alone(server, database):
    """Not even reading is possible, though the server answers: readers wait two seconds, twice, and writers 20."""

    def begin() -> Callable[[], None]:
        holder = psycopg.connect(database.url)
        holder.execute("LOCK TABLE inventory_site IN ACCESS EXCLUSIVE MODE")
        return holder.close

    # Of each writer one: it was taken, and its answer then waited for the table.
    load, facts = under_load(server, begin, doubtful=2, seconds=24)
    told = load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=8)
    assert set(told) == {"database"}
    assert refused(load, facts) == {503}
    assert facts["ready"][0] == 503 and b"does not answer" in facts["ready"][2]
