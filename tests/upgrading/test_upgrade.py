"""``make upgrade`` in a clone: proven, asked about, gone back from; killed anywhere it goes on or back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from mgmtplane.upgrading import inside
from mgmtplane.upgrading.comparing import compare
from mgmtplane.upgrading.going import Upgrade
from mgmtplane.upgrading.journal import Desk, Refused
from tests.scale import share
from tests.upgrading import states
from tests.upgrading.application import AFTERWARDS, Application, git

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: at so many moments it is killed
POINTS = share(20)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A data directory of the version before, with the demo's sites."""
    data = states.unpack("7853dbd", tmp_path_factory.mktemp("state")) / "data"
    shutil.rmtree(data / "backups")
    application = Application(tmp_path_factory.mktemp("maker") / "clone", data)
    application.manage("migrate", "-v0")
    return data


@pytest.fixture
def application(kept, tmp_path) -> Application:
    shutil.copytree(kept, tmp_path / "data")
    application = Application(tmp_path / "clone", tmp_path / "data")
    desk = Desk(application.data)
    from mgmtplane.upgrading.sources import here

    desk.note_installed(here(application.clone))  # as make up does
    return application


def is_new(application: Application) -> bool:
    with contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'upgraded_1'").fetchall())


def require_old(application: Application, exports: Path) -> None:
    """The data are the version before's, to every export."""
    assert not is_new(application)
    git(application.clone, "checkout", "--quiet", "-B", "main", application.old)
    now = application.data.parent / "now"
    shutil.rmtree(now, ignore_errors=True)
    render(application, now)
    assert not compare(exports, now).differences


def render(application: Application, into: Path) -> Path:
    import subprocess

    words = [str(application.clone / ".venv/bin/python"), inside.__file__, "render", str(into)]
    subprocess.run(
        words, cwd=application.clone, env=application.environment(), check=True, capture_output=True
    )
    return into


def test_up_and_back_in_one_command_each(application, tmp_path):
    before = render(application, tmp_path / "before")
    new = application.move_on()
    said = application.make("upgrade")
    assert "exports are unchanged" in said and "exports are what they were" in said
    assert f"done: {new[:10]} (main)" in said
    assert is_new(application)
    assert json.loads((application.data / "source.json").read_text()) == {"commit": new, "branch": "main"}
    assert "is done; make upgrade-back goes back" in application.manage("upgrade", "status")
    assert "Get another first (git pull)" in application.make("upgrade")

    words = ("--site", "lab", "--segment", "management", "--host", "dash-vm01", "--interface", "eth7")
    application.manage("allocate", "address", *words)
    said = application.manage("upgrade", "back")
    assert "what was declared since the upgrade is kept in" in said
    assert "The database is what it was on" in said and f"{application.old[:10]} (main) again" in said
    assert (
        application.head == application.old and git(application.clone, "branch", "--show-current") == "main"
    )
    require_old(application, before)
    (undone,) = (application.data / "upgrade" / "undone").glob("*.tar")
    assert undone.stat().st_mode & 0o077 == 0
    assert "There is no upgrade to go back from" in application.make("upgrade-back", code=2)
    for path in (application.data / "upgrade").rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0 or path.parts[-3:-1] or "tool" in path.parts


def test_of_an_installation_whose_zones_nobody_asked_for(tmp_path):
    """Rendering them publishes their first serials, which is no write of somebody's."""
    application = Application(tmp_path / "clone", tmp_path / "data")
    application.manage("migrate", "-v0")
    application.manage("demo")
    application.move_on()
    said = application.make("upgrade", f"FROM={application.old}")
    assert "exports are unchanged" in said and "exports are what they were" in said
    assert is_new(application)


def test_what_is_written_while_it_asks_is_not_lost(application):
    """A command of the version that ran last, in the moment in which somebody thinks about the answer."""
    application.move_on(other_exports=True)
    command = application.make("upgrade", code=2).partition("To have exactly that: ")[2].splitlines()[0]
    git(application.clone, *command.partition(", then ")[0].split()[1:])
    while_it_asks = Upgrade._accept

    def write(self, found):
        while_it_asks(self, found)
        with (
            contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database,
            database,
        ):
            database.execute("UPDATE inventory_site SET revision = revision + 1")

    with pytest.MonkeyPatch.context() as patch:
        for name, value in application.environment().items():
            patch.setenv(name, value)
        patch.delenv("DJANGO_SETTINGS_MODULE", raising=False)  # of this test's own process
        patch.setattr(Upgrade, "_accept", write)
        upgrade = Upgrade(
            application.clone,
            Desk(application.data),
            given="",
            wheels=None,
            accept=command.partition("ACCEPT=")[2],
            say=lambda line: None,
        )
        before = revisions(application)
        with pytest.raises(Refused, match="Somebody wrote the database since it was looked at"):
            upgrade.run()
    assert not is_new(application) and application.head == application.old
    assert revisions(application) == {slug: number + 1 for slug, number in before.items()}


def revisions(application: Application) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database:
        return dict(database.execute("SELECT slug, revision FROM inventory_site"))


def test_gone_back_it_is_above_what_consumers_saw_and_repeats_no_job(application):
    for kind in ("housekeeping", "backup_application"):
        application.manage("job", kind, "--why", "look", "--by", "ada")
    application.move_on()
    application.make("upgrade")
    words = ("--site", "lab", "--segment", "management", "--host", "dash-vm01", "--interface", "eth7")
    application.manage("allocate", "address", *words)
    seen = revisions(application)
    with contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database, database:
        database.execute(
            "UPDATE provisioning_job SET state = 'succeeded', attempt = 1 WHERE kind = 'housekeeping'"
        )
    said = application.make("upgrade-back")
    assert f"lab: what was revision {seen['lab'] - 1} is revision {seen['lab'] + 1} now" in said
    assert "1 jobs that the newer version went on with are over" in said
    assert revisions(application) == {**seen, "lab": seen["lab"] + 1}
    with contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database:
        states = dict(database.execute("SELECT kind, state FROM provisioning_job"))
        assert states == {"housekeeping": "cancelled", "backup_application": "queued"}
        ((why,),) = database.execute("SELECT why FROM inventory_change WHERE source = 'upgrade'").fetchall()
    assert "Gone back by make upgrade-back" in why


@pytest.mark.whole
def test_where_exports_would_differ_nobody_is_asked_and_nothing_happens(application, tmp_path):
    before = render(application, tmp_path / "before")
    new = application.move_on(other_exports=True)
    said = application.make("upgrade", code=2)
    assert "hosts of lab, declared: hosts" in said and "words for a hosts file" in said
    assert "The database was not touched. Exports would change, and nobody is here to ask" in said
    assert application.head == application.old
    require_old(application, before)

    command = said.partition("To have exactly that: ")[2].splitlines()[0]
    assert command.startswith(f"git merge --ff-only {new}, then make upgrade ACCEPT=")
    git(application.clone, "merge", "--quiet", "--ff-only", new)
    assert "Exports would change" in application.make("upgrade", "ACCEPT=000000000000", code=2)
    git(application.clone, "merge", "--quiet", "--ff-only", new)
    assert "done: " in application.make(*command.partition("make ")[2].split())
    assert is_new(application)


@pytest.mark.whole
def test_a_version_that_does_not_migrate_is_given_up_on_the_copy(application, tmp_path):
    before = render(application, tmp_path / "before")
    application.move_on(broken=True)
    said = application.make("upgrade", code=2)
    assert "The database was not touched." in said and "NONSENSE" in said
    require_old(application, before)


@pytest.mark.whole
def test_what_runs_is_left_running(application, tmp_path):
    application.move_on()
    with Desk(application.data).alone():
        said = application.make("upgrade", code=2)
    assert f"It is running over {application.data} (process {os.getpid()}). Stop it first" in said
    with contextlib.closing(sqlite3.connect(application.data / "mgmtplane.sqlite3")) as database:
        database.execute("SELECT 1 FROM sqlite_master").fetchall()
        said = application.make("upgrade", code=2)
    assert f"The database is open in process {os.getpid()}" in said
    assert not is_new(application)


@pytest.mark.whole
def test_an_edited_clone_and_a_version_that_nobody_knows_are_refused(application):
    application.move_on()
    (application.clone / "Makefile").write_text((application.clone / "Makefile").read_text() + "\n")
    assert "Files were edited in" in application.make("upgrade", code=2)
    git(application.clone, "checkout", "--quiet", "Makefile")
    assert "is neither a commit of" in application.make("upgrade", "FROM=nonsense", code=2)
    (application.data / "source.json").unlink()
    assert "Which version ran before is written down nowhere" in application.make("upgrade", code=2)


def killed(application: Application, seconds: float, *words: str) -> None:
    """Start it, kill everything of it after *seconds*."""
    process = application.start(*words)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_killed_at_twenty_points_it_goes_on_or_back(application, tmp_path):
    """Every other time a rerun converges; the other times one command goes back, itself killed once."""
    before = render(application, tmp_path / "before")
    pristine = tmp_path / "pristine"
    shutil.copytree(application.data, pristine)
    new = application.move_on()
    began = time.monotonic()
    application.make("upgrade")
    took = time.monotonic() - began
    for point in range(POINTS):
        shutil.rmtree(application.data)
        shutil.copytree(pristine, application.data)
        git(application.clone, "checkout", "--quiet", "-B", "main", new)
        killed(application, took * (point + 1) / (POINTS + 1), "upgrade")
        state = Desk(application.data).read().state
        assert state != "returned" or not is_new(application)
        if point % 2:
            application.make("upgrade")
            assert is_new(application) and Desk(application.data).read().state == "done", f"point {point}"
            assert not compare(before, render(application, tmp_path / f"after{point}")).differences
        elif state != "returned":
            killed(application, took * (point % 5) / 10, "upgrade-back")
            if Desk(application.data).read().state != "returned":
                back(application)
            require_old(application, before)


def back(application: Application) -> None:
    """With the copy that the upgrade left, wherever the source stands: what `up` says where make knows nothing."""
    tool = Desk(application.data).tool
    import subprocess

    done = subprocess.run(
        [str(application.clone / ".venv/bin/python"), "-m", "upgrading", "back"],
        cwd=application.clone,
        env=application.environment(PYTHONPATH=str(tool)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.whole
def test_nothing_starts_in_the_middle_of_one(application):
    application.move_on()
    application.make("upgrade")
    Desk(application.data).move(state="migrating")
    said = application.manage("up", code=2, PORT="1")
    assert "was interrupted, and the database may be between the two" in said
    assert AFTERWARDS in application.manage("showmigrations", "inventory")
    assert "going on with the upgrade" in application.make("upgrade")
    assert Desk(application.data).read().state == "done"
