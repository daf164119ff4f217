"""Collections and roles as people keep them: built by the real ansible-galaxy."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

COMMAND = [sys.executable, str(Path(sys.executable).with_name("ansible-galaxy"))]


def source(folder: Path, name: str, version: str = "1.0.0", needs: Mapping[str, str] | None = None) -> Path:
    """The source of collection *name* below *folder*, with one role ``hello``."""
    space, short = name.split(".")
    place = folder / space / short
    (place / "roles" / "hello" / "tasks").mkdir(parents=True)
    (place / "roles" / "hello" / "tasks" / "main.yml").write_text(
        f"- ansible.builtin.debug:\n    msg: {name} {version}\n"
    )
    (place / "README.md").write_text("Read me.\n")
    wanted = "".join(f"  {one}: '{range_}'\n" for one, range_ in (needs or {}).items())
    (place / "galaxy.yml").write_text(
        f"namespace: {space}\nname: {short}\nversion: {version}\nreadme: README.md\nauthors: [Ada]\nlicense: [MIT]\n"
        f"description: For tests.\n" + (f"dependencies:\n{wanted}" if wanted else "")
    )
    return place


def tarball(
    folder: Path, scratch: Path, name: str, version: str = "1.0.0", needs: Mapping[str, str] | None = None
) -> Path:
    """A tarball of collection *name* in *folder*."""
    place = source(scratch / f"{name}-{version}", name, version, needs)
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*COMMAND, "collection", "build", str(place), "--output-path", str(folder)],
        capture_output=True,
        text=True,
        env={"HOME": str(scratch), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return folder / f"{name.replace('.', '-')}-{version}.tar.gz"


def role(folder: Path, name: str) -> Path:
    """The role *name* in *folder*."""
    place = folder / name
    for part, text in (("tasks", "- ansible.builtin.ping:\n"), ("meta", "galaxy_info: {author: Ada}\n")):
        (place / part).mkdir(parents=True)
        (place / part / "main.yml").write_text(text)
    return place


def role_tarball(folder: Path, scratch: Path, name: str) -> Path:
    made = folder / f"{name}.tar.gz"
    with tarfile.open(made, "w:gz") as opened:
        opened.add(role(scratch, name), arcname=name)
    return made
