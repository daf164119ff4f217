"""What nobody needs any more is removed; what somebody may still need is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from inventory.changes import change
from provisioning import requests, runner
from provisioning.adapters.commands import go_on
from provisioning.adapters.git_faults import NoRef
from provisioning.clockwork import chores
from provisioning.projects import cache, lay_out, obtain, places, requirements, tidying
from tests.provisioning.projects import galaxy
from tests.provisioning.projects.conftest import PLAYBOOK, Project
from tests.provisioning.projects.declared import declare, update

LONG_AGO = 400 * 86_400


def age(path: Path) -> None:
    os.utime(path, (time.time() - LONG_AGO,) * 2)


def tidy(data_dir: Path, *declared: tuple[str, str]) -> tidying.Tidied:
    return tidying.tidy(data_dir, declared, unused=3600.0, kept=86_400.0, check=go_on)


def test_old_commits_go_with_their_objects_and_the_newest_stays(repository, data_dir, tmp_path):
    project = Project("lab", "git", str(repository.path), "main")
    repository.commit(site_yml=PLAYBOOK + "# old\n")
    old = obtain(project, site="lab", data_dir=data_dir)
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    repository.commit(site_yml=PLAYBOOK + "# waited for\n")
    waited = obtain(project, site="lab", data_dir=data_dir)
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    repository.commit(site_yml=PLAYBOOK + "# new\n")
    new = obtain(project, site="lab", data_dir=data_dir)
    mirror = places.place_of(data_dir, "lab", "lab").mirror
    for one in (old, new):
        age(mirror / "refs" / "mgmtplane" / one.commit)
    assert tidy(data_dir, ("lab", "lab")).commits == 2
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    with pytest.raises(NoRef, match="has no commit"):
        obtain(project, site="lab", data_dir=data_dir, at=old.commit)
    for one in (waited, new):
        lay_out(one, tmp_path / one.commit)
    assert obtain(project, site="lab", data_dir=data_dir, last_fetched=True).commit == new.commit


def test_a_mirror_of_a_project_that_is_gone_goes_once_nobody_can_wait_for_it(repository, data_dir):
    obtain(Project("lab", "git", str(repository.path)), site="lab", data_dir=data_dir)
    place = places.place_of(data_dir, "lab", "lab")
    assert tidy(data_dir).mirrors == 0 and place.mirror.is_dir()
    age(place.lock)
    assert tidy(data_dir, ("lab", "lab")).mirrors == 0 and place.mirror.is_dir()
    age(place.lock)
    assert tidy(data_dir, ("lab", "other")).mirrors == 1 and not place.folder.exists()


def test_what_somebody_is_at_is_left_for_the_next_time(repository, data_dir):
    obtain(Project("lab", "git", str(repository.path)), site="lab", data_dir=data_dir)
    place = places.place_of(data_dir, "lab", "lab")
    with places.locked(place.lock, seconds=1, check=go_on, what="it"):
        age(place.lock)
        assert tidy(data_dir).mirrors == 0
    assert place.mirror.is_dir()


def test_who_waits_at_a_lock_that_is_removed_makes_it_anew(data_dir):
    lock = data_dir / "projects" / "lab" / "lab" / "lock"
    with places.locked(lock, seconds=1, check=go_on, what="it"):
        lock.unlink()
        with places.locked(lock, seconds=1, check=go_on, what="it") as mine:
            assert os.path.samestat(os.fstat(mine), lock.stat())


def test_collections_that_no_run_has_used_for_long_go(code, data_dir, tmp_path):
    (tmp_path / "offline").mkdir()
    galaxy.tarball(tmp_path / "offline", tmp_path, "acme.tools")
    (code / "requirements.yml").write_text("collections: [acme.tools]\n")
    place = requirements(code, data_dir=data_dir, offline=str(tmp_path / "offline")).collections[0].parent
    assert place.parent == data_dir / cache.CACHE
    assert tidy(data_dir).caches == 0
    age(place)
    requirements(code, data_dir=data_dir, offline=str(tmp_path / "offline"))
    assert tidy(data_dir).caches == 0
    age(place)
    assert tidy(data_dir).caches == 1 and not place.exists()


def test_what_a_dead_worker_left_goes_after_a_day(data_dir):
    for left in (data_dir / "projects" / ".work" / "left", data_dir / "requirements" / "new-left"):
        (left / "inner").mkdir(parents=True)
        (left / "inner").chmod(0o500)
        (left / "inner" / "file").touch() if os.geteuid() == 0 else None
    assert tidy(data_dir).left == 0
    for left in (data_dir / "projects" / ".work" / "left", data_dir / "requirements" / "new-left"):
        age(left)
    assert tidy(data_dir).left == 2
    assert list((data_dir / "requirements").iterdir()) == []


def test_nothing_to_tidy_is_no_fault(data_dir):
    assert str(tidy(data_dir)).startswith("removed 0 mirrors")


@pytest.mark.django_db
def test_housekeeping_does_it_every_hour(site, repository, settings, data_dir):
    settings.DATA_DIR = data_dir
    row = declare(site, str(repository.path))
    update(site)
    assert chores.tidy_projects in chores.CHORES
    age(places.place_of(data_dir, "lab", "lab").lock)
    chores.tidy_projects()
    assert places.place_of(data_dir, "lab", "lab").mirror.is_dir()
    with change(site, by="fixture", why="gone"):
        row.delete()
    age(places.place_of(data_dir, "lab", "lab").lock)
    job = requests.request("housekeeping", site=None, parameters={}, by="ada", why="tidy")
    runner.run(job.pk)
    assert not places.place_of(data_dir, "lab", "lab").folder.exists()
