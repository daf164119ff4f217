"""``make upgrade-back``: nobody else uses the database, and nothing is dropped that is not kept."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtplane.upgrading import going
from mgmtplane.upgrading.going import Upgrade
from mgmtplane.upgrading.journal import DONE, MIGRATING, RETURNED, RETURNING, Desk, Journal, Refused
from mgmtplane.upgrading.programs import Program
from mgmtplane.upgrading.returning import LOSE, Back
from tests.upgrading.conftest import source


class Versions:
    """Both versions as programs that do nothing: what was asked of them, and what fails."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing: set[str] = set()
        self.others: list[str] = []

    def run(self, program: Program, words: list[str]) -> str:
        way = " ".join(words[:3]) if words[0] == "manage.py" else words[1]
        way = way.removeprefix("manage.py ")
        self.asked.append(way)
        if way in self.failing:
            raise Refused(f"{way} of {program.source} failed")
        if way == "facts":
            Path(words[2]).write_text(json.dumps({"others": self.others}))
        elif way in ("reached", "render"):
            Path(words[2]).touch()
        return ""

    @property
    def dropped(self) -> bool:
        return "empty" in self.asked


@pytest.fixture
def versions(monkeypatch) -> Versions:
    found = Versions()
    monkeypatch.setattr(Program, "_run", lambda program, words: found.run(program, words))
    monkeypatch.setattr(going, "render", lambda program, into: into.mkdir(exist_ok=True))
    return found


@pytest.fixture
def upgraded(clone, desk) -> Desk:
    """An upgrade of PostgreSQL that is done."""
    kept = str(desk.folder / "backup" / "kept.tar")
    desk.write(Journal(DONE, source(clone, "b"), source(clone, "c"), vendor="postgresql", archive=kept))
    (desk.folder / going.BEFORE).mkdir()
    return desk


def back(clone: Path, desk: Desk, accept: str = "") -> list[str]:
    said: list[str] = []
    Back(clone, desk, -1, said.append, accept=accept).run()
    return said


def test_what_cannot_be_kept_is_not_dropped(clone, upgraded, versions):
    versions.failing = {"backup create"}
    said: list[str] = []
    with pytest.raises(Refused, match=r"cannot be kept: .* make upgrade-back ACCEPT=lose"):
        Back(clone, upgraded, -1, said.append).run()
    assert not versions.dropped and upgraded.read().state == DONE
    assert not [line for line in said if "is kept in" in line]


def test_it_is_lost_where_somebody_says_so_and_not_said_to_be_kept(clone, upgraded, versions):
    versions.failing = {"backup create"}
    said = back(clone, upgraded, accept=LOSE)
    assert versions.dropped and upgraded.read().state == RETURNED
    assert "what was declared since the upgrade is lost, as ACCEPT says" in said
    assert not [line for line in said if "is kept in" in line]


def test_it_is_kept_though_nobody_knows_how_far_the_newer_version_had_come(clone, upgraded, versions):
    versions.failing = {"reached"}
    said = back(clone, upgraded)
    assert "how far the newer version had come cannot be read" in said[0]
    assert "what was declared since the upgrade is kept in" in said[1]
    order = [versions.asked.index(way) for way in ("backup create", "backup check", "empty", "put_back")]
    assert order == sorted(order)


def test_nothing_is_dropped_for_a_backup_that_is_damaged(clone, upgraded, versions):
    versions.failing = {"backup check"}
    with pytest.raises(Refused, match=r"kept\.tar is not as it was made, so no table was dropped"):
        back(clone, upgraded)
    assert not versions.dropped and upgraded.read().state == DONE


@pytest.mark.parametrize("state", [MIGRATING, DONE, RETURNING])
def test_what_others_are_connected_to_is_left_alone(clone, upgraded, versions, state):
    upgraded.move(state=state)
    versions.others = ["ada from 192.0.2.7 (process 7)"]
    with pytest.raises(Refused, match=r"Others are connected to the database: ada from 192\.0\.2\.7"):
        back(clone, upgraded)
    assert versions.asked == ["facts"] and upgraded.read().state == state


@pytest.mark.parametrize("state", [MIGRATING, DONE, RETURNING])
def test_a_file_that_somebody_has_open_is_left_alone(clone, upgraded, versions, state):
    database = upgraded.data / "mgmtplane.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE one (a integer)")
    upgraded.move(state=state, vendor="sqlite", database=str(database))
    hold = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
        with pytest.raises(Refused, match=f"The database is open in process {holder.pid}"):
            back(clone, upgraded)
        holder.communicate()
    assert versions.asked == [] and upgraded.read().state == state


@pytest.mark.parametrize(("untouched", "state"), [(True, RETURNED), (False, MIGRATING)])
def test_a_migration_that_fails_goes_back_by_itself_where_nothing_can_have_been_declared(
    clone, upgraded, versions, untouched, state
):
    """Between two schemas no backup can be made."""
    versions.failing = {"migrate --noinput", "backup create"}
    said: list[str] = []
    upgrade = Upgrade(clone, upgraded, given="", wheels=None, accept="", say=said.append)
    with pytest.raises(Refused, match="migrate --noinput of"):
        upgrade._migrate(untouched=untouched)
    assert versions.dropped == untouched and upgraded.read().state == state
    assert not [line for line in said if "is kept in" in line or "is lost" in line]
