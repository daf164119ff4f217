"""What a refusal of ``make upgrade`` leaves: the way back of the upgrade before, and nothing to be led astray by."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mgmtplane import upgrades
from mgmtplane.parsers import database_url
from mgmtplane.upgrading import databases, going, sources
from mgmtplane.upgrading.comparing import compare
from mgmtplane.upgrading.going import Upgrade
from mgmtplane.upgrading.journal import DONE, PREPARING, RETURNED, RETURNING, Desk, Journal, Refused, Source
from mgmtplane.upgrading.programs import Program
from mgmtplane.upgrading.returning import Back
from tests.upgrading.application import git
from tests.upgrading.conftest import source

FACTS = {"vendor": "postgresql", "name": "x", "waiting": [], "unknown": [], "others": [], "backs_up": True}


def upgrade(clone: Path, desk: Desk, said: list[str]) -> Upgrade:
    return Upgrade(clone, desk, given="", wheels=None, accept="", say=said.append)


@pytest.fixture
def found(monkeypatch) -> dict[str, Any]:
    """What the version before says of the database."""
    facts = {**FACTS, "others": ["ada from this machine (process 7)"]}
    monkeypatch.setattr(going, "facts_of", lambda program, desk: facts)
    return facts


def test_refused_at_the_look_the_upgrade_before_can_be_gone_back_from(clone, desk, found):
    desk.note_installed(source(clone, "b"))
    before = desk.write(Journal(DONE, source(clone, "a"), source(clone, "b"), venv_exchanged=True))
    (desk.folder / going.BEFORE).mkdir()
    with pytest.raises(Refused, match="Others are connected to the database: ada"):
        upgrade(clone, desk, []).run()
    assert desk.read() == before
    assert (desk.folder / going.BEFORE).is_dir() and not desk.tool.exists()


def test_the_look_is_with_the_environment_that_runs(clone, desk, found, monkeypatch):
    """Of an upgrade before that exchanged it ``.venv.previous`` is an older one's."""
    pythons = []

    def facts_of(program, desk):
        pythons.append(program.python)
        return found

    monkeypatch.setattr(going, "facts_of", facts_of)
    (clone / ".venv.previous").mkdir()
    desk.note_installed(source(clone, "b"))
    desk.write(Journal(DONE, source(clone, "a"), source(clone, "b"), venv_exchanged=True))
    with pytest.raises(Refused):
        upgrade(clone, desk, []).run()
    assert pythons == [clone / ".venv/bin/python"]


def test_a_refused_upgrade_is_over_once_the_newer_version_starts(clone, desk):
    desk.write(Journal(PREPARING, source(clone, "b"), source(clone, "c")))
    upgrades.end_prepared(desk.data)
    upgrades.note_source(clone, desk.data)
    assert desk.read().state == RETURNED and desk.installed() == source(clone, "c")
    with pytest.raises(Refused, match="There is no upgrade to go back from"):
        Back(clone, desk, -1, print).run()
    assert sources.here(clone) == source(clone, "c")


def test_starting_leaves_an_upgrade_that_is_done(clone, desk):
    desk.write(Journal(DONE, source(clone, "b"), source(clone, "c")))
    upgrades.end_prepared(desk.data)
    assert desk.read().state == DONE


@pytest.mark.parametrize(("ran", "comes_from"), [("a", "a"), ("b", "b")])
def test_a_killed_one_comes_from_the_same_version_unless_another_ran_since(
    clone, desk, found, ran, comes_from
):
    desk.write(Journal(PREPARING, source(clone, "a"), source(clone, "b")))
    desk.note_installed(source(clone, ran))
    said: list[str] = []
    with pytest.raises(Refused, match="Others are connected"):
        upgrade(clone, desk, said).run()
    assert said[0] == f"from {source(clone, comes_from)} to {source(clone, 'c')}"


def test_a_killed_one_from_a_directory_comes_from_there(clone, desk, found, tmp_path):
    desk.write(Journal(PREPARING, Source(directory=str(tmp_path)), source(clone, "c")))
    desk.note_installed(source(clone, "a"))  # of a clone that ran over these data once
    said: list[str] = []
    with pytest.raises(Refused, match="Others are connected"):
        upgrade(clone, desk, said).run()
    assert said[0] == f"from {tmp_path} to {source(clone, 'c')}"


def test_who_has_the_database_open_is_seen_through_a_link(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    with contextlib.closing(sqlite3.connect(place / "database.sqlite3")):
        (tmp_path / "data").symlink_to(place)
        link = tmp_path / "data" / "database.sqlite3"
        hold = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(link)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
            assert databases.who_has_open(link) == [holder.pid]
            holder.communicate()


@pytest.mark.parametrize("name", ["plane #2", "100%20", "a?b=c"])
def test_the_copy_lies_where_it_is_said_to_whatever_the_path_has(tmp_path, name):
    database = tmp_path / name / "database.sqlite3"
    copy = Program(tmp_path, Path(sys.executable), tmp_path, -1).beside(tmp_path / name, database)
    assert database_url(copy.more["DATABASE_URL"])["NAME"] == str(database)


def test_the_command_to_accept_gets_exactly_what_was_rehearsed(clone):
    old, new = source(clone, "b"), source(clone, "c")
    assert sources.command_again(clone, old, new) == f"git merge --ff-only {new.commit}"
    assert sources.command_again(clone, new, old) == f"git reset --keep {old.commit}"
    git(clone, "checkout", "--quiet", "c")
    assert sources.command_again(clone, old, sources.here(clone)) == f"git checkout {new.commit}"
    git(clone, "checkout", "--quiet", "-b", "release", "a")
    assert sources.command_again(clone, old, sources.here(clone)) == "git checkout release"
    assert sources.command_again(clone, Source(directory="/v1"), new) == ""


def made(folder: Path, address: str, serial: int) -> Path:
    """One zone below *folder*."""
    place = folder / "lab" / "declared" / "bind"
    place.mkdir(parents=True)
    text = f"example.net. 300 IN SOA ns. mail. {serial} 1 2 3 4\nvm01 IN A {address}\n"
    (place / "example.net").write_text(text)
    return folder


def test_a_zone_that_differs_is_the_same_difference_a_minute_later(tmp_path):
    """Published for the first time it has the seconds since 1970 for a serial."""
    before = made(tmp_path / "before", "192.0.2.1", 7)
    found = compare(before, made(tmp_path / "after", "192.0.2.2", 1700000000))
    later = compare(before, made(tmp_path / "later", "192.0.2.2", 1700000060))
    other = compare(before, made(tmp_path / "other", "192.0.2.3", 1700000060))
    assert found.fingerprint == later.fingerprint != other.fingerprint


def test_going_back_where_exports_are_not_what_they_were_can_be_wanted(clone, desk, monkeypatch):
    living = desk.data / "mgmtplane.sqlite3"
    desk.write(
        Journal(RETURNING, source(clone, "b"), source(clone, "c"), vendor="sqlite", database=str(living))
    )
    sqlite3.connect(desk.folder / going.KEPT).close()
    before = made(desk.folder / going.BEFORE, "192.0.2.1", 7)
    now = desk.folder / going.PROOF

    def render(program, into):
        shutil.rmtree(into, ignore_errors=True)
        made(into, "192.0.2.2", 7)

    monkeypatch.setattr(going, "render", render)
    with pytest.raises(Refused, match="exports are not what they were: lab/declared/bind") as refused:
        Back(clone, desk, -1, print).run()
    assert f"They were {before} and are {now}" in str(refused.value)
    assert desk.read().state == RETURNING
    accept = str(refused.value).partition("make upgrade-back ACCEPT=")[2]
    said: list[str] = []
    Back(clone, desk, -1, said.append, accept=accept).run()
    assert "exports are what was accepted" in said[-1]
    assert desk.read().state == RETURNED and sources.here(clone) == source(clone, "b")
