"""A git repository by path as a project: its own mirror, the declared ref, exactly one commit."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from provisioning.adapters import commands
from provisioning.adapters.base import AdapterError
from provisioning.adapters.git_faults import NoRef, NoRepository, NotOurs
from provisioning.engine.faults import in_words
from provisioning.projects import Limits, Obtained, Outside, ProjectError, lay_out, obtain, places, playbooks
from tests.components import unavailable
from tests.provisioning.projects.conftest import PLAYBOOK, Project, Repository


def of(repository: Repository, ref: str = "", name: str = "lab") -> Project:
    return Project(name, "git", str(repository.path), ref)


@pytest.fixture
def get(data_dir: Path) -> Any:
    def obtained(project: Project, **given: Any) -> Obtained:
        return obtain(project, site="lab", data_dir=data_dir, **given)

    return obtained


# --- which commit ---


def test_without_a_ref_it_is_the_default_branch(repository, get):
    commit = repository.commit()
    repository.git("branch", "other", "HEAD^")
    assert get(of(repository)).commit == commit


def test_a_branch_is_followed(repository, get):
    repository.git("switch", "--quiet", "--create", "work")
    first = repository.commit()
    assert get(of(repository, "work")).commit == first
    second = repository.commit()
    assert get(of(repository, "work")).commit == second
    assert get(of(repository, "main")).commit == repository.git("rev-parse", "main")


@pytest.mark.parametrize("options", [[], ["-a", "-m", "signed off"]], ids=["plain", "annotated"])
def test_a_tag_is_its_commit(repository, get, options):
    tagged = repository.commit()
    repository.git("tag", *options, "v1")
    repository.commit()
    assert get(of(repository, "v1")).commit == tagged
    assert get(of(repository, "refs/tags/v1")).commit == tagged


def test_a_commit_is_itself_wherever_the_branches_are(repository, get):
    first = repository.git("rev-parse", "HEAD")
    repository.commit()
    assert get(of(repository, first)).commit == first


def test_a_branch_that_was_rewritten_is_followed_and_the_old_commit_stays(
    repository, get, data_dir, tmp_path
):
    old = repository.commit(site_yml=PLAYBOOK + "# old\n")
    assert get(of(repository, "main")).commit == old
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    new = repository.commit(site_yml=PLAYBOOK + "# new\n")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    assert get(of(repository, "main")).commit == new
    places_of = places.place_of(data_dir, "lab", "lab")
    Repository(places_of.mirror).git("gc", "--quiet", "--prune=now")
    lay_out(get(of(repository, "main"), at=old), tmp_path / "run")
    assert (tmp_path / "run" / "site.yml").read_text().endswith("# old\n")


def test_a_commit_that_is_here_needs_nobody(repository, get, tmp_path):
    commit = get(of(repository)).commit
    project = of(repository)
    shutil.rmtree(repository.path)
    assert get(project, at=commit).commit == commit
    assert get(Project("lab", "git", project.location, commit)).commit == commit
    lay_out(get(project, at=commit), tmp_path / "run")
    assert (tmp_path / "run" / "site.yml").read_text() == PLAYBOOK


def test_a_fetch_that_fails_says_so_and_the_last_one_is_taken_only_on_request(repository, get):
    project, commit = of(repository), get(of(repository)).commit
    shutil.rmtree(repository.path)
    with pytest.raises(NoRepository, match=f"There is no repository at {repository.path}"):
        get(project)
    assert get(project, last_fetched=True).commit == commit


def test_what_was_fetched_from_elsewhere_is_not_the_last_one(repository, get):
    get(of(repository))
    with pytest.raises(ProjectError, match="Nothing was fetched yet for project lab from there"):
        get(Project("lab", "git", "/somewhere/else"), last_fetched=True)
    with pytest.raises(ProjectError, match="Nothing was fetched yet"):
        get(of(repository, "main"), last_fetched=True)


def test_a_frozen_commit_that_is_on_no_branch_any_more_is_named(repository, get):
    get(of(repository))
    with pytest.raises(NoRef, match=r"has no commit 1{40}, on no branch and under no tag"):
        get(of(repository), at="1" * 40)


# --- what a run gets ---


def test_a_run_gets_exactly_that_commit(repository, get, tmp_path):
    (repository.path / "run.sh").write_text("#!/bin/sh\n")
    (repository.path / "run.sh").chmod(0o755)
    (repository.path / "link.yml").symlink_to("site.yml")
    (repository.path / ".gitattributes").write_text("site.yml export-ignore\n")
    repository.commit()
    planned = get(of(repository))
    repository.commit(site_yml="changed")
    lay_out(planned, tmp_path / "run")
    assert sorted(os.listdir(tmp_path / "run")) == [".gitattributes", "link.yml", "run.sh", "site.yml"]
    assert (tmp_path / "run" / "site.yml").read_text() == PLAYBOOK
    assert os.access(tmp_path / "run" / "run.sh", os.X_OK)
    assert os.readlink(tmp_path / "run" / "link.yml") == "site.yml"
    assert os.listdir(tmp_path) == ["data", "upstream", "run"] or len(os.listdir(tmp_path)) == 3


def test_a_link_to_somebody_elses_file_is_refused(repository, get, tmp_path):
    (repository.path / "passwd.yml").symlink_to("/etc/passwd")
    repository.commit()
    with pytest.raises(Outside, match=r"links that lead out of it: passwd.yml"):
        lay_out(get(of(repository)), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert playbooks(get(of(repository))) == ["site.yml"]


def test_no_hook_no_filter_and_no_submodule_of_it_does_anything(repository, get, tmp_path, data_dir):
    mark = tmp_path / "ran"
    (repository.path / ".gitattributes").write_text("* filter=evil\n")
    (repository.path / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = https://192.0.2.1/x\n')
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},x")
    repository.git("add", ".gitattributes", ".gitmodules")
    repository.git("commit", "--quiet", "-m", "with a submodule")
    mirror = get(of(repository)).folder / "mirror.git"
    repository.git("commit", "--quiet", "--allow-empty", "-m", "More")
    repository.git("config", "filter.evil.smudge", f"touch {mark}")
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        for folder in (repository.path / ".git" / "hooks", mirror / "hooks"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
            (folder / hook).chmod(0o755)
    lay_out(get(of(repository)), tmp_path / "run")
    assert not mark.exists()
    assert not os.listdir(tmp_path / "run" / "x")


def test_no_configuration_of_the_user_is_read(repository, get, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    (tmp_path / ".gitconfig").write_text(
        f'[url "ext::touch {mark}"]\n\tinsteadOf = {repository.path}\n[core]\n\tfsmonitor = touch {mark}\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert get(of(repository)).commit == repository.git("rev-parse", "HEAD")
    assert not mark.exists()


def test_everything_of_the_mirror_is_for_its_user_alone(repository, get, data_dir):
    lay_out(get(of(repository)), data_dir / "run")
    open_to_others = [
        path
        for top in ("projects", "run")
        for path in (data_dir / top).rglob("*")
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_the_playbooks_of_a_commit_are_listed_without_a_copy(repository, get):
    (repository.path / "more").mkdir()
    (repository.path / "more" / "all.yml").write_text("- import_playbook: ../site.yml\n")
    repository.commit(vars_yml="hosts: none\n")
    planned = get(of(repository))
    repository.git("rm", "--quiet", "site.yml")
    repository.commit()
    assert playbooks(planned) == ["more/all.yml", "site.yml"]
    assert playbooks(get(of(repository))) == ["more/all.yml"]


# --- what it refuses ---


def test_a_repository_that_is_not_there_is_named(get, tmp_path):
    with pytest.raises(NoRepository, match="There is no repository at"):
        get(Project("lab", "git", str(tmp_path / "nowhere")))
    (tmp_path / "folder").mkdir()
    with pytest.raises(NoRepository, match="There is no repository at"):
        get(Project("lab", "git", str(tmp_path / "folder")))


def test_a_ref_that_is_not_there_is_named(repository, get):
    with pytest.raises(NoRef, match="has no branch or tag called work") as caught:
        get(of(repository, "work"))
    assert "see which branches" in in_words(caught.value).lower()


def test_a_short_commit_is_no_ref(repository, get):
    short = repository.git("rev-parse", "--short=10", "HEAD")
    with pytest.raises(NoRef, match="A commit is declared by all 40 of its digits"):
        get(of(repository, short))


def test_a_branch_and_a_tag_of_one_name_are_told_apart_by_a_person(repository, get):
    repository.git("tag", "main")
    with pytest.raises(ProjectError, match="Declare refs/heads/main or refs/tags/main"):
        get(of(repository, "main"))
    assert get(of(repository, "refs/heads/main")).commit == repository.git("rev-parse", "HEAD")


def test_an_empty_repository_is_named(tmp_path, get):
    path = tmp_path / "empty"
    path.mkdir()
    Repository(path).git("init", "--quiet", "--bare", ".")
    for ref in ("", "main"):
        with pytest.raises(ProjectError, match=f"The repository {path} is empty"):
            get(Project("lab", "git", str(path), ref))


def test_a_tag_of_a_file_is_no_commit(repository, get):
    repository.git("tag", "file", "HEAD:site.yml")
    with pytest.raises(ProjectError, match="refs/tags/file leads to no commit"):
        get(of(repository, "file"))


def test_a_git_file_that_points_elsewhere_is_refused(repository, get, tmp_path):
    repository.git("worktree", "add", "--quiet", str(tmp_path / "work"))
    with pytest.raises(ProjectError, match=r"its .git is a file or a link that points elsewhere"):
        get(Project("lab", "git", str(tmp_path / "work")))


def test_another_users_repository_is_refused_with_both_ways_out(repository, get):
    if os.geteuid():
        unavailable("needs root: only root can give a folder to another user")
    for path in (repository.path, repository.path / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(NotOurs, match="belongs to another user of this machine") as caught:
        get(of(repository))
    assert "chown" in in_words(caught.value) and "ssh" in in_words(caught.value)


def test_a_repository_inside_the_data_directory_is_none_of_ours(get, data_dir, repository):
    get(of(repository))
    with pytest.raises(ProjectError, match="keeps for itself"):
        get(Project("lab", "git", str(places.place_of(data_dir, "lab", "lab").mirror)))


def test_a_repository_that_is_too_large_is_stopped(repository, get, data_dir, tmp_path):
    (repository.path / "disk.img").write_bytes(os.urandom(3 << 20))
    repository.commit()
    with pytest.raises(ProjectError, match="The repository is larger than 1 MiB"):
        get(of(repository), limits=Limits(bytes=1 << 20))
    with pytest.raises(ProjectError, match="more than 2 MiB"):
        planned = get(of(repository), limits=Limits(bytes=4 << 20))
        lay_out(Obtained(planned.commit, planned.folder, Limits(bytes=2 << 20)), tmp_path / "run")


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".", "..", "-rf", "Ä Ö", "x" * 300, "a\nb", ""])
def test_a_project_of_an_odd_name_lies_in_its_own_folder(repository, get, data_dir, name):
    folder = get(of(repository, name=name)).folder
    assert folder.parent == data_dir / "projects" / "lab"
    assert get(of(repository, name="lab")).folder != folder


# --- two at once, and deaths ---


def test_two_that_update_at_the_same_time_both_get_it(repository, get):
    found: list[object] = []

    def update() -> None:
        try:
            found.append(get(of(repository)).commit)
        except (AdapterError, ProjectError) as fault:
            found.append(fault)

    threads = [threading.Thread(target=update) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [repository.git("rev-parse", "HEAD")] * 4


def test_who_waits_too_long_for_another_is_told(repository, get, data_dir):
    place = places.place_of(data_dir, "lab", "lab")
    with (
        places.locked(place.lock, seconds=1, check=lambda: None, what="it"),
        pytest.raises(ProjectError, match="Somebody else is at project lab") as caught,
    ):
        get(of(repository), limits=Limits(seconds=0.3))
    assert caught.value.retryable


def test_what_a_killed_git_left_does_not_stop_the_next(repository, get, data_dir):
    commit = get(of(repository)).commit
    mirror = places.place_of(data_dir, "lab", "lab").mirror
    (mirror / "refs" / "mgmtplane" / f"{commit}.lock").touch()
    (mirror / "config.lock").touch()
    (mirror / "objects" / "pack" / "tmp_pack_left").write_bytes(b"half")
    assert get(of(repository)).commit == commit
    assert not (mirror / "objects" / "pack" / "tmp_pack_left").exists()


def test_a_cancelled_fetch_ends_git_and_leaves_nothing_broken(repository, get, monkeypatch):
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    monkeypatch.setattr(commands, "LOOK_EVERY", 0.001)
    with pytest.raises(Stop):
        get(of(repository), check=stop)
    assert get(of(repository)).commit == repository.git("rev-parse", "HEAD")


def test_a_git_that_hangs_is_ended_with_its_children(tmp_path):
    program = commands.Program({}, seconds=1)
    with pytest.raises(commands.TooLong, match="sh took longer than 1 s and was ended"):
        program.run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait"], cwd=tmp_path)
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 60
    while lives(child):
        assert time.monotonic() < until, "its child goes on"
        time.sleep(0.05)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_full_disk_is_said(repository, get, data_dir, full_disk):
    (repository.path / "large").write_bytes(os.urandom(4 << 20))
    repository.commit()
    with pytest.raises(AdapterError, match="The disk of the data directory is full") as caught:
        obtain(of(repository), site="lab", data_dir=full_disk)
    assert "room" in in_words(caught.value)
