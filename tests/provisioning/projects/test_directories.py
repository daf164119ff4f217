"""A directory as a project: its content is its commit, and a run gets a copy of exactly that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from provisioning.projects import Limits, Moved, Outside, ProjectError, lay_out, obtain, playbooks, trees
from tests.provisioning.projects.conftest import PLAYBOOK, Project


def of(code: Path) -> Project:
    return Project(location=str(code))


def test_the_commit_says_what_the_directory_holds(code, data_dir):
    first = obtain(of(code), site="lab", data_dir=data_dir)
    assert first.commit.startswith("tree:") and len(first.commit) == 69
    assert obtain(of(code), site="lab", data_dir=data_dir).commit == first.commit


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "site.yml").write_text(PLAYBOOK + " "),
        lambda code: (code / "site.yml").chmod(0o755),
        lambda code: (code / "site.yml").rename(code / "other.yml"),
        lambda code: (code / "roles").mkdir(),
        lambda code: (code / "link.yml").symlink_to("site.yml"),
    ],
    ids=["content", "mode", "name", "folder", "link"],
)
def test_whatever_changes_in_it_changes_the_commit(code, data_dir, change):
    before = obtain(of(code), site="lab", data_dir=data_dir).commit
    change(code)
    assert obtain(of(code), site="lab", data_dir=data_dir).commit != before


@pytest.mark.parametrize("name", [".git", "__pycache__", ".venv", ".mypy_cache"])
def test_what_programs_leave_there_is_no_part_of_it(code, data_dir, name, tmp_path):
    before = obtain(of(code), site="lab", data_dir=data_dir)
    (code / name).mkdir()
    (code / name / "left").write_text("behind")
    assert obtain(of(code), site="lab", data_dir=data_dir).commit == before.commit
    lay_out(before, tmp_path / "run")
    assert os.listdir(tmp_path / "run") == ["site.yml"]


def test_a_run_gets_a_copy_with_modes_and_links(code, data_dir, tmp_path):
    (code / "roles" / "base").mkdir(parents=True)
    (code / "roles" / "base" / "run.sh").write_text("#!/bin/sh\n")
    (code / "roles" / "base" / "run.sh").chmod(0o755)
    (code / "link.yml").symlink_to("site.yml")
    lay_out(obtain(of(code), site="lab", data_dir=data_dir), tmp_path / "run")
    assert (tmp_path / "run" / "site.yml").read_text() == PLAYBOOK
    assert os.access(tmp_path / "run" / "roles" / "base" / "run.sh", os.X_OK)
    assert os.readlink(tmp_path / "run" / "link.yml") == "site.yml"
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_what_changed_since_it_was_planned_is_not_run(code, data_dir, tmp_path):
    planned = obtain(of(code), site="lab", data_dir=data_dir)
    (code / "site.yml").write_text(PLAYBOOK.replace("ping", "reboot"))
    with pytest.raises(Moved, match="has changed since this was planned"):
        obtain(of(code), site="lab", data_dir=data_dir, at=planned.commit)
    with pytest.raises(Moved, match="has changed since this was planned"):
        lay_out(planned, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_there_already_is_not_written_into(code, data_dir, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("keep")
    with pytest.raises(ProjectError, match="exists already"):
        lay_out(obtain(of(code), site="lab", data_dir=data_dir), tmp_path / "run")
    assert (tmp_path / "run" / "mine").read_text() == "keep"


@pytest.mark.parametrize(
    ("target", "name"), [("/etc/passwd", "site.yml"), ("../secret", "vars.yml"), ("..", "roles")]
)
def test_a_link_that_leads_out_of_it_is_refused_by_name(code, data_dir, tmp_path, target, name):
    (code / name).unlink(missing_ok=True)
    (code / name).symlink_to(target)
    with pytest.raises(Outside, match=f"links that lead out of it: {name}"):
        lay_out(obtain(of(code), site="lab", data_dir=data_dir), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_pipe_in_it_is_refused_by_name(code, data_dir):
    os.mkfifo(code / "pipe")
    with pytest.raises(ProjectError, match="pipe is neither file, folder nor link"):
        obtain(of(code), site="lab", data_dir=data_dir)


def test_a_directory_that_vanished_is_named(code, data_dir, tmp_path):
    planned = obtain(of(code), site="lab", data_dir=data_dir)
    shutil.rmtree(code)
    with pytest.raises(ProjectError, match=f"There is no directory {code}"):
        obtain(of(code), site="lab", data_dir=data_dir)
    with pytest.raises(ProjectError, match=f"The directory {code}.* is gone"):
        lay_out(planned, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("location", ["relative", "", "-rf", "/nowhere/at/all", "/etc/passwd", "/etc\0"])
def test_what_is_no_directory_of_this_machine_is_refused(location, data_dir):
    with pytest.raises(ProjectError):
        obtain(Project(location=location), site="lab", data_dir=data_dir)


def test_what_this_application_keeps_for_itself_is_no_project(data_dir):
    (data_dir / "tokens").mkdir()
    for location in (data_dir, data_dir / "tokens", data_dir.parent, Path("/")):
        with pytest.raises(ProjectError, match="keeps for itself"):
            obtain(Project(location=str(location)), site="lab", data_dir=data_dir)


def test_too_many_files_or_bytes_are_no_project(code, data_dir):
    (code / "more.yml").write_text("x" * 2000)
    with pytest.raises(ProjectError, match="more than 1 files"):
        obtain(of(code), site="lab", data_dir=data_dir, limits=Limits(files=1))
    with pytest.raises(ProjectError, match="more than 0 MiB"):
        obtain(of(code), site="lab", data_dir=data_dir, limits=Limits(bytes=1000))


def test_a_full_disk_is_said_and_nothing_is_left(code, data_dir, tmp_path, monkeypatch):
    def full(descriptor: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    planned = obtain(of(code), site="lab", data_dir=data_dir)
    monkeypatch.setattr(trees.os, "write", full)
    with pytest.raises(ProjectError, match="No space left on device"):
        lay_out(planned, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_playbooks_are_those_files_that_hold_plays(code, data_dir):
    (code / "more").mkdir()
    (code / "more" / "all.yaml").write_text("- import_playbook: ../site.yml\n")
    (code / "vault.yml").write_text(
        "- hosts: all\n  vars:\n    key: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n"
    )
    (code / "roles" / "base" / "tasks").mkdir(parents=True)
    (code / "roles" / "base" / "tasks" / "main.yml").write_text(
        "- hosts: no play, but a task's odd argument\n"
    )
    (code / "vars.yml").write_text("hosts: [a, b]\n")
    (code / "tasks.yml").write_text("- ansible.builtin.ping:\n")
    (code / "broken.yml").write_text("- hosts: [\n")
    (code / "passwd.yml").symlink_to("/etc/passwd")
    assert playbooks(obtain(of(code), site="lab", data_dir=data_dir)) == [
        "more/all.yaml",
        "site.yml",
        "vault.yml",
    ]
