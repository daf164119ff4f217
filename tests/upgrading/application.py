"""A clone of this application with a version to come from and one to go to, and ``make upgrade`` run in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.shared_data import REPOSITORY

MIGRATION = """from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("inventory", "{last}")]
    operations = [migrations.RunSQL("CREATE TABLE upgraded_{number} (one integer)", "DROP TABLE upgraded_{number}")]
"""
AFTERWARDS = "9999_after"


def git(clone: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *identity, "-C", str(clone), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Application:
    """The clone at *clone* over *data*; ``old`` and ``new`` are its commits, on the branch ``main``."""

    def __init__(self, clone: Path, data: Path, **variables: str) -> None:
        self.clone, self.data, self.variables = clone, data, variables
        clone.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "-C", str(REPOSITORY), "ls-files", "-z"], check=True, capture_output=True, text=True
        )
        for name in listed.stdout.split("\0"):
            if name and not name.startswith(("tests/", "docs/")) and (REPOSITORY / name).exists():
                (clone / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, clone / name, follow_symlinks=False)
        git(clone, "init", "--quiet")
        self.old = self.commit("The version before")
        self._pretend_installed()

    def _pretend_installed(self) -> None:
        """An environment that is this one: nothing is installed where requirements are the same."""
        python = self.clone / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        wanted = hashlib.sha256((self.clone / "requirements.txt").read_bytes()).hexdigest()
        (self.clone / ".venv" / ".installed").write_text(f"{wanted}  -\n")

    def commit(self, why: str) -> str:
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", "-m", why)
        return git(self.clone, "rev-parse", "HEAD")

    def move_on(self, *, other_exports: bool = False, broken: bool = False) -> str:
        """A newer version: with another table; with another text in an export; with a migration that fails."""
        folder = self.clone / "inventory" / "migrations"
        last = sorted(path.stem for path in folder.glob("0*.py"))[-1]
        text = MIGRATION.format(last=last, number=1)
        (folder / f"{AFTERWARDS}.py").write_text(
            text.replace("CREATE TABLE", "CREATE NONSENSE") if broken else text
        )
        if other_exports:
            module = self.clone / "inventory" / "exports" / "hosts.py"
            module.write_text(module.read_text().replace("names for a hosts", "words for a hosts"))
        return self.commit("The next version")

    @property
    def head(self) -> str:
        return git(self.clone, "rev-parse", "HEAD")

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.data),
            "DATA_DIR": str(self.data),
            **self.variables,
            **variables,
        }

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """``make …`` as a process group of its own."""
        return subprocess.Popen(
            ["make", "--no-print-directory", *words],
            cwd=self.clone,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *words: str, code: int = 0, **variables: str) -> str:
        process = self.start(*words, **variables)
        said, _ = process.communicate(timeout=400)
        assert process.returncode == code, said
        return said

    def manage(self, *words: str, code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            [str(self.clone / ".venv/bin/python"), "manage.py", *words],
            cwd=self.clone,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr
