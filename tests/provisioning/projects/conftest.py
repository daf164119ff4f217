"""A project as values, a folder of this application's own, and a folder with a playbook."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.components import unavailable

PLAYBOOK = "- hosts: all\n  tasks:\n    - ansible.builtin.ping:\n"


@dataclass(frozen=True)
class Project:
    name: str = "lab"
    source: str = "directory"
    location: str = ""
    ref: str = ""
    key: str = ""


@dataclass(frozen=True)
class Repository:
    """A repository that somebody else works in."""

    path: Path

    def git(self, *arguments: str) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(["git", *arguments], cwd=self.path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, subject: str = "More", **files: str) -> str:
        """Write *files* (``site_yml`` is site.yml), commit all; the commit."""
        for name, content in files.items():
            (self.path / name.replace("_", ".")).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One commit on main, with a playbook."""
    path = tmp_path / "upstream"
    path.mkdir()
    made = Repository(path)
    made.git("init", "--quiet", "--initial-branch=main", ".")
    made.commit("First", site_yml=PLAYBOOK)
    return made


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "site.yml").write_text(PLAYBOOK)
    return folder


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 2 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "small", str(place)], check=False
    )
    if mounted.returncode:
        unavailable("needs permission to mount a tmpfs of 2 MiB")
    yield place
    subprocess.run(["umount", str(place)], check=True)
