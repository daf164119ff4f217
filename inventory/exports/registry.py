"""The formats by name. A format is a function from a Snapshot to a Document; adding one is adding a module here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from inventory.findings import Finding
from inventory.snapshot import AuthorityMode, Snapshot


class UnknownFormat(LookupError):
    """Nobody wrote this format; the message lists those there are."""


@dataclass(frozen=True)
class Document:
    """What one export of one Snapshot is: relative path → bytes, and what was left out and why.

    A single file has one entry; its name is what a download is called.
    """

    files: Mapping[str, bytes]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Export:
    """One format. ``render`` is pure: no clock, no database, sorted output, final newline."""

    name: str
    title: str
    purpose: str
    #: of the single file; a format of several files is a directory on disk and a .tar.gz over HTTP
    content_type: str
    filename: str
    is_directory: bool
    render: Callable[[Snapshot, AuthorityMode | None], Document]
    #: it is a copy of everything declared, the ledger of held identities included, and good for an empty site too
    is_whole: bool = False


#: The module of each format defines ``EXPORT``. Order: as listed to people.
MODULES = {
    "site": "inventory.exports.site",
    "ansible": "inventory.exports.ansible",
    "ansible-tree": "inventory.exports.ansible_tree",
    "kea": "inventory.exports.kea",
    "dnsmasq": "inventory.exports.dnsmasq",
    "isc-dhcp": "inventory.exports.isc_dhcp",
    "opnsense": "inventory.exports.opnsense",
    "vyos": "inventory.exports.vyos",
    "bind": "inventory.exports.bind",
    "unbound": "inventory.exports.unbound",
    "hosts": "inventory.exports.hosts",
    "pxe": "inventory.exports.pxe",
    "ssh-config": "inventory.exports.ssh_config",
    "known-hosts": "inventory.exports.known_hosts",
    "power-scripts": "inventory.exports.power_scripts",
    "prometheus": "inventory.exports.prometheus",
    "csv": "inventory.exports.csv",
}


@cache
def get_export(name: str) -> Export:
    if name not in MODULES:
        raise UnknownFormat(f"There is no format “{name}”. There are: {', '.join(MODULES)}.")
    export: Export = importlib.import_module(MODULES[name]).EXPORT
    return export


def all_exports() -> tuple[Export, ...]:
    return tuple(get_export(name) for name in MODULES)
