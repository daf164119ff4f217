"""``make upgrade`` where a tarball lies beside the version before, and where the database is PostgreSQL."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from mgmtplane.upgrading.comparing import compare
from tests.serving.postgresql import postgresql
from tests.upgrading import states
from tests.upgrading.application import Application
from tests.upgrading.test_upgrade import is_new, render

CLOCK = "from django_celery_beat.models import CrontabSchedule; CrontabSchedule.objects.create(hour='4')"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.whole
def test_a_tarball_in_a_directory_of_its_own(tmp_path):
    data = states.unpack("7853dbd", tmp_path / "state") / "data"
    old = Application(tmp_path / "v1", data)
    old.manage("migrate", "-v0")
    new = Application(tmp_path / "v 2", data)
    new.move_on()
    for one in (old, new):
        shutil.rmtree(one.clone / ".git")
    before = render(old, tmp_path / "before")

    assert "Name it: make upgrade FROM=COMMIT, or FROM=/its/directory" in new.make("upgrade", code=2)
    said = new.make("upgrade", f"FROM={old.clone}")
    assert "exports are unchanged" in said and is_new(new)

    said = new.make("upgrade-back")
    assert f"The previous version lies in {old.clone} as before; start that one." in said
    assert not is_new(old)
    assert not compare(before, render(old, tmp_path / "after")).differences
    old.manage("check")


def test_from_a_version_whose_backups_failed_beside_its_clock(tmp_path):
    """Its encoder knew no time zones, and the clock's own row has one."""
    data = states.unpack("7853dbd", tmp_path / "state") / "data"
    application = Application(tmp_path / "clone", data)
    module = application.clone / "provisioning/backups/tables.py"
    right = module.read_text()
    wrong = right.replace(" if isinstance(value, WRITTEN) else column.get_prep_value(value)", "")
    assert wrong != right
    module.write_text(wrong)
    old = application.commit("As it was")
    application.manage("migrate", "-v0")
    application.manage("shell", "-c", CLOCK)
    assert "ZoneInfo" in application.manage("backup", "create", code=1)
    before = render(application, tmp_path / "before")

    module.write_text(right)
    application.move_on()
    said = application.make("upgrade", f"FROM={old}")
    assert "exports are unchanged" in said and is_new(application)
    application.manage("backup", "create")
    application.make("upgrade-back")
    assert application.head == old and not is_new(application)
    assert not compare(before, render(application, tmp_path / "after")).differences


def test_postgresql_up_and_back(tmp_path):
    with postgresql() as server:
        application = Application(tmp_path / "clone", tmp_path / "data", DATABASE_URL=server.url)
        application.manage("migrate", "-v0")
        application.manage("demo")
        application.manage("upgrade", "status")
        before = render(application, tmp_path / "before")
        application.move_on()
        said = application.make("upgrade", f"FROM={application.old}")
        assert "exports are unchanged" in said and "exports are what they were" in said
        application.manage("dbshell", "--", "-c", "SELECT * FROM upgraded_1")

        words = ("--site", "lab", "--segment", "management", "--host", "dash-vm01", "--interface", "eth7")
        application.manage("allocate", "address", *words)
        with psycopg.connect(server.url):
            assert "Others are connected to the database" in application.make("upgrade-back", code=2)
        said = application.make("upgrade-back")
        assert (
            "The database is what it was on" in said
            and "what was declared since the upgrade is kept in" in said
        )
        assert application.head == application.old
        assert "9999_after" not in application.manage("showmigrations", "inventory")
        application.manage("migrate", "--check")
        assert not compare(before, render(application, tmp_path / "after")).differences
        (kept,) = (tmp_path / "data" / "upgrade" / "undone").glob("*.tar")
        application.manage("backup", "check", str(kept))
