"""A container image with Ansible, made of this machine's own programs: no registry is asked."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import ansible

NAME = "localhost/mgmtplane-test-ansible:1"
PROGRAMS = (
    "python3",
    "dash",
    "env",
    "id",
    "cat",
    "ls",
    "mkdir",
    "rm",
    "chmod",
    "sleep",
    "uname",
    "true",
    "false",
    "ssh",
)
PACKAGES = (
    "ansible",
    "jinja2",
    "markupsafe",
    "yaml",
    "cryptography",
    "cffi",
    "packaging",
    "resolvelib",
    "_cffi_backend",
)
ANSIBLE = """#!/usr/bin/python3
import sys
from ansible.cli.playbook import main
sys.argv[0] = "ansible-playbook"
sys.exit(main())
"""


def make(path: Path) -> None:
    """Write the file system of the image to *path*, a tar file for ``podman import``."""
    libraries: set[Path] = set()
    with tarfile.open(path, "w") as tar:
        for source, target in _files():
            tar.add(source, target)
            if source.suffix in ("", ".so") or ".so" in source.name:
                libraries |= _libraries(source)
        for library in sorted(libraries):
            tar.add(library.resolve(), "usr/" + str(library).removeprefix("/usr").lstrip("/"))
        for name, target in (
            ("bin", "usr/bin"),
            ("lib", "usr/lib"),
            ("lib64", "usr/lib64"),
            ("usr/bin/sh", "dash"),
        ):
            _add(tar, name, tarfile.SYMTYPE, linkname=target)
        for name in ("tmp", "run", "proc", "sys", "dev", "root", "etc", "var"):
            _add(tar, name, tarfile.DIRTYPE)
        _add(tar, "etc/passwd", tarfile.REGTYPE, b"root:x:0:0:root:/root:/bin/sh\n")
        _add(tar, "usr/bin/ansible-playbook", tarfile.REGTYPE, ANSIBLE.encode())


def _files() -> Iterator[tuple[Path, str]]:
    for name in PROGRAMS:
        yield Path("/usr/bin", name).resolve(), f"usr/bin/{name}"
    version = os.readlink("/usr/bin/python3")
    for path in (*Path("/usr/lib", version).rglob("*"), *Path("/usr/lib/locale/C.utf8").rglob("*")):
        if path.is_file() and not {"__pycache__", "test"} & set(path.parts):
            yield path.resolve(), str(path)[1:]
    packages = Path(ansible.__file__).parents[1]
    for name in PACKAGES:
        known = packages.glob(f"{name}-*.dist-info/*")
        for path in (*packages.glob(f"{name}*.so"), *(packages / name).rglob("*"), *known):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, f"usr/lib/python3/dist-packages/{path.relative_to(packages)}"


def _libraries(path: Path) -> set[Path]:
    said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
    return {Path(found) for found in re.findall(r"(/\S+) \(0x", said)}


def _add(tar: tarfile.TarFile, name: str, kind: bytes, content: bytes = b"", linkname: str = "") -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, 0o755, len(content), linkname
    tar.addfile(member, io.BytesIO(content))
