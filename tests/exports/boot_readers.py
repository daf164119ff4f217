"""Strict readers of boot files, from the loaders' manuals. Each gives (kernel, initrds, arguments), a file, or "disk"."""

from __future__ import annotations

import re
import shlex

PATH = r"[A-Za-z0-9_.~/%+=@:-]+"


def read_pxelinux(text: str):
    lines = _lines(text)
    assert lines.pop(0) == "DEFAULT boot"
    if lines[0] == "PROMPT 0":
        lines.pop(0)
    assert lines.pop(0) == "LABEL boot"
    if lines == ["  LOCALBOOT 0"]:
        return "disk"
    if lines[0] == "  COM32 pxechn.c32":
        return re.fullmatch(r"  APPEND ([0-9a-z.-]+)::([^ ]+)", lines[1])[2]
    kernel = re.fullmatch(rf"  KERNEL ({PATH})", lines.pop(0))[1]
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    if lines and lines[0].startswith("  INITRD "):
        initrd = tuple(lines.pop(0).removeprefix("  INITRD ").split(","))
        assert all(re.fullmatch(PATH, one) for one in initrd)
    if lines:
        args = tuple(lines.pop(0).removeprefix("  APPEND ").split(" "))
    assert not lines
    return _common(kernel), tuple(map(_common, initrd)), args


def read_grub(text: str):
    """Quoted as a shell quotes: GRUB's own syntax for single quotes is the same."""
    lines = _lines(text)
    assert not any("$" in line or "`" in line or line.endswith("\\") for line in lines)
    if lines == ["exit"]:
        return "disk"
    if lines[0].startswith("chainloader"):
        assert lines[1:] == ["boot"]
        (_, file) = shlex.split(lines[0])
        return re.fullmatch(r"\(tftp,([0-9a-z.-]+)\)/(.+)", file)[2]
    assert lines[:2] == ["set timeout=0", "menuentry 'boot' {"]
    assert lines[-1] == "}"
    command, kernel, *args = shlex.split(lines[2])
    assert command == "linux"
    initrd: tuple[str, ...] = ()
    if len(lines) == 5:
        command, *rest = shlex.split(lines[3])
        assert command == "initrd"
        initrd = tuple(map(_common, rest))
    return _common(kernel), initrd, tuple(args)


def read_ipxe(text: str):
    first, *lines = text.splitlines()
    assert first == "#!ipxe"
    lines = _lines("\n".join(lines) + "\n")
    assert not any(
        "$" in line or line.endswith("\\") or {"||", "&&", ";"} & set(line.split()) for line in lines
    )
    if lines == ["exit"]:
        return "disk"
    if lines[0].startswith("chain "):
        return re.fullmatch(r"chain tftp://([0-9a-z.-]+)/([^ ]+)", lines[0])[2]
    assert lines[-1] == "boot"
    command, kernel, *args = lines[0].split(" ")
    assert command == "kernel"
    initrd = []
    for number, line in enumerate(lines[1:-1]):
        initrd.append(re.fullmatch(rf"initrd --name initrd{number} ({PATH})", line)[1])
        assert args.pop(0) == f"initrd=initrd{number}"
    return _common(kernel), tuple(map(_common, initrd)), tuple(args)


def _lines(text: str) -> list[str]:
    assert text.isascii()
    assert text.endswith("\n")
    lines = text.splitlines()
    assert all(line.isprintable() for line in lines)
    comment = lines.pop(0)
    assert re.fullmatch(r"# [A-Za-z0-9._: -]*[A-Za-z0-9._:-]", comment), comment
    return lines


def _common(path: str) -> str:
    """One spelling for what each loader writes in its own way."""
    if found := re.fullmatch(r"\((tftp|http),([^)]+)\)/(.*)", path):
        return f"{found[1]}://{found[2]}/{found[3]}"
    if found := re.fullmatch(r"([^/]+)::(.*)", path):
        return f"tftp://{found[1]}/{found[2]}"
    return path if "://" in path else path.lstrip("/")
