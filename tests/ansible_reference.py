"""Asks the real `ansible-inventory`: the judge of what an inventory means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from inventory import vault

ANSIBLE = Path(sys.executable).with_name("ansible-inventory")
Listing = dict[str, Any]


def listing(source: Path, home: Path, *, export: bool = False, password_file: Path | None = None) -> Listing:
    """What `ansible-inventory -i source --list [--export]` prints, vault values opened."""
    command = [str(ANSIBLE), "-i", str(source), "--list", *(["--export"] if export else [])]
    if password_file:
        command += ["--vault-password-file", str(password_file)]
    config = home / "empty.cfg"
    config.touch()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "ANSIBLE_CONFIG": str(config), "ANSIBLE_LOCAL_TEMP": str(home),
        "LC_ALL": "C.UTF-8", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1", "ANSIBLE_NOCOLOR": "1",
    }  # fmt: skip
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=90)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert b"Failed to parse" not in done.stderr, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    return opened(found, password_file.read_bytes().strip() if password_file else None)


def opened(value: Any, password: bytes | None) -> Any:
    """*value* with every sealed value in plain text."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_vault"} and password:
            return vault.decrypt(value["__ansible_vault"], password).decode()
        return {key: opened(inner, password) for key, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner, password) for inner in value]
    return value


def hosts_of(found: Listing) -> dict[str, dict[str, Any]]:
    """Host → variables, for every host that any group names."""
    named = {host for group, body in found.items() if group != "_meta" for host in body.get("hosts", [])}
    return {host: found["_meta"]["hostvars"].get(host, {}) for host in sorted(named)}


def groups_of(found: Listing) -> dict[str, tuple[set[str], set[str]]]:
    """Group → (hosts, children); groups with neither do not show."""
    return {
        group: (set(body.get("hosts", [])), set(body.get("children", [])))
        for group, body in found.items()
        if group != "_meta" and (body.get("hosts") or body.get("children"))
    }


def as_script(document: bytes, path: Path) -> Path:
    """An inventory script that prints *document*, as one that fetches it would."""
    data = path.with_suffix(".json")
    data.write_bytes(document)
    path.write_text(f"#!/bin/sh\nexec cat {data}\n")
    path.chmod(0o755)
    return path
