"""``manage.py``: what a person reads when the database does not answer."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.shared_data import REPOSITORY

DOCUMENT = """
mgmtplane: 1
site: lab
facts: {root_domain: example.net}
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "DATA_DIR")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env={**clean, "DJANGO_SETTINGS_MODULE": "mgmtplane.settings", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "command",
    [
        ["allocate", "host", "--site", "lab", "--form", "vm"],
        ["reidentify", "ns-vm01/eth0", "--site", "lab", "--why", "it was cloned"],
        ["free", "vmid", "200", "--site", "lab", "--why", "gone"],
        ["findings", "--site", "lab"],
        ["declare", "{}/lab.yml", "--apply"],
        ["declare", "{}/lab.yml"],
        ["import_csv", "{}/hosts.csv", "--site", "lab", "--apply"],
        ["import_ansible", "{}/tree", "--site", "lab", "--apply"],
        ["export", "hosts", "--site", "lab"],
    ],
    ids=" ".join,
)
def test_a_database_that_is_not_there_or_was_never_prepared_is_told_in_a_sentence(command, tmp_path):
    tmp_path.chmod(0o700)
    command = [word.format(tmp_path) for word in command]
    (tmp_path / "lab.yml").write_text(DOCUMENT)
    (tmp_path / "hosts.csv").write_text("name,form\npi01,pi\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "hosts.yml").write_text("all: {hosts: {pi01: {}}}\n")
    done = run(*command, DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"manage.py {command[0]}: there is no database")
    assert "Run manage.py migrate" in done.stderr
    database = tmp_path / "mgmtplane.sqlite3"
    assert not database.exists()
    database.touch(0o600)
    done = run(*command, DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"manage.py {command[0]}: the database is not prepared for this version")
    assert "Run manage.py migrate" in done.stderr


def test_a_database_that_is_away_is_told_in_a_sentence(tmp_path):
    tmp_path.chmod(0o700)
    away = "postgresql://mgmtplane@127.0.0.1:1/mgmtplane"
    done = run("findings", "--site", "lab", DATA_DIR=str(tmp_path), DATABASE_URL=away)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "manage.py findings: the database failed" in done.stderr
    assert "then run the command again" in done.stderr


def test_whoever_asks_gets_the_traceback(tmp_path):
    tmp_path.chmod(0o700)
    assert "Traceback" in run("findings", "--site", "lab", "--traceback", DATA_DIR=str(tmp_path)).stderr
