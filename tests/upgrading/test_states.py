"""What earlier landed states declared is the same thing now, whichever way it comes: as a database, or as a backup."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtplane.upgrading import inside
from mgmtplane.upgrading.comparing import Difference, compare
from tests.provisioning.backups.test_round_trip import environment, manage
from tests.shared_data import REPOSITORY
from tests.upgrading import states

pytestmark = pytest.mark.timeout(300)


def rendered(data: Path, into: Path) -> Path:
    words = [sys.executable, inside.__file__, "render", str(into)]
    subprocess.run(words, cwd=REPOSITORY, env=environment(data), check=True, capture_output=True)
    return into


def require_the_same(before: Path, after: Path) -> None:
    """Nothing differs but that there is room, left empty, for what could not be declared; jump hosts have other names."""
    found = compare(before, after)
    assert found.exports > 50
    for one in found.differences:
        if one.format == "csv":
            require_only_new_columns(*(folder.joinpath(*one.where) for folder in (before, after)))
        elif one.format == "ssh-config":
            require_only_whole_names_of_jump_hosts(
                *(folder.joinpath(*one.where) for folder in (before, after))
            )
        else:
            require_only_empty_keys(one)


def require_only_new_columns(before: Path, after: Path) -> None:
    """The columns of then come first and say the same; the new ones are empty."""
    (old_names, *old), (new_names, *new) = (
        list(csv.reader(path.open(newline=""))) for path in (before, after)
    )
    assert new_names[: len(old_names)] == old_names
    added = [""] * (len(new_names) - len(old_names))
    assert new == [row + added for row in old]


def require_only_whole_names_of_jump_hosts(before: Path, after: Path) -> None:
    """Where a label of this site alone stood, the name or address stands that the label led to."""
    old, new = (path.read_text().splitlines() for path in (before, after))
    assert len(old) == len(new)
    stanzas = [line.split()[1:] for line in new if line.startswith("Host ")]
    for was, now in zip(old, new, strict=True):
        if was == now:
            continue
        assert was.split()[:1] == now.split()[:1] == ["ProxyJump"], (was, now)
        label, name = was.split()[1], now.split()[1]
        assert any({label, name} <= {*one} for one in stanzas) or leads_to(new, label) == name


def leads_to(lines: list[str], label: str) -> str:
    """The HostName of a label's stanza."""
    begin = next(
        number for number, line in enumerate(lines) if label in line.split() and "Host" in line.split()
    )
    return next(line.split()[1] for line in lines[begin:] if line.split()[:1] == ["HostName"])


def require_only_empty_keys(one: Difference) -> None:
    assert one.format == "site", one.words
    lines = [line.strip() for line in one.words.splitlines()[3:]]
    changed = [line for line in lines if line.startswith(("+", "-"))]
    assert all(re.fullmatch(r"\+(|# .*|\w+: (\{\}|\[\]))", line) for line in changed), one.words


@pytest.mark.parametrize("name", states.names())
def test_a_database_of_then_makes_the_same_exports_now(name, tmp_path):
    state = states.unpack(name, tmp_path)
    manage(state / "data", "migrate", "-v0")
    require_the_same(state / "before", rendered(state / "data", tmp_path / "after"))
    manage(state / "data", "check")


def test_a_backup_of_then_makes_the_same_exports_now(tmp_path):
    found = 0
    for name in states.names():
        state = states.unpack(name, tmp_path / name)
        for archive in (state / "data" / "backups").glob("*.tar"):
            found += 1
            data = tmp_path / name / "restored"
            words = ("backup", "restore", str(archive), "--without-secrets")
            with_differences = subprocess.run(
                [sys.executable, "manage.py", *words],
                cwd=REPOSITORY,
                env=environment(data),
                check=False,
                capture_output=True,
                text=True,
            )
            assert "Traceback" not in with_differences.stderr, with_differences.stderr
            require_the_same(state / "before", rendered(data, tmp_path / name / "after"))
    assert found
