"""What each machine boots from the network, as declared. Pure.

The declared place is ``mgmtplane_pxe``, a variable of an interface, a host, a group, a profile or the site; the nearest
one counts. It is ``{local: true}`` (boot from the disk), or a kernel::

    mgmtplane_pxe:
      kernel: fedora/43/vmlinuz          # a path on the boot server, or tftp:// or http(s)://
      initrd: fedora/43/initrd.img       # or a list
      args: inst.ks=http://… quiet       # or a list

An interface without one that has a ``pxe_file`` is handed on to that file by loaders of another kind. A machine that
boots the wrong thing may be installed anew: nothing is guessed, and nothing is written for a MAC that is unknown,
disputed, or of a host that is retired.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory import bootstrap
from inventory.dhcp.reasons import boot_of
from inventory.disputes import disputes
from inventory.exports.reserved import Reserved, has, is_declared
from inventory.findings import Finding, in_reading_order
from inventory.identity import mac_problem
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, SegmentFacts, Snapshot

VARIABLE = "mgmtplane_pxe"
KEYS = frozenset({"kernel", "initrd", "args", "local"})
#: A path on the boot server, or a URL. Nothing that a loader splits, expands or quotes at.
PATH = re.compile(r"(?!-)(?:(?:tftp|https?)://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/)?[A-Za-z0-9_.~/%+=@:-]+\Z")
#: An argument of a kernel: printable, without quotes, backslash, blank, and ``$`` and backtick, which loaders expand.
WORD = re.compile(r"[!#%&()*+,./0-9:;<=>?@A-Z\[\]^_a-z{|}~-]+\Z")
#: Words that iPXE takes for the end of the command.
SEPARATORS = frozenset({"||", "&&", ";"})
#: Characters that a kernel takes (x86: COMMAND_LINE_SIZE is 2048).
LONGEST_ARGUMENTS = 1900


@dataclass(frozen=True, slots=True)
class Kernel:
    kernel: str
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOn:
    """Another boot program, from a TFTP server."""

    server: str
    file: str


class Local:
    """The machine's own disk."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local)

    def __hash__(self) -> int:
        return 0


What = Kernel | HandOn | Local


@dataclass(frozen=True, slots=True)
class Boot:
    mac: str
    host: str
    interface: str
    what: What


class Unclear(ValueError):
    """Why a declaration says nothing that could be booted."""


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """What of the declared boots cannot be written."""
    if not is_declared(snapshot, VARIABLE):
        return ()
    return tuple(finding for finding in plan(snapshot)[1] if finding.id == "pxe-unclear")


def plan(
    snapshot: Snapshot, authority: AuthorityMode | None = None
) -> tuple[tuple[Boot, ...], tuple[Finding, ...]]:
    """One boot for each MAC that has one, sorted by MAC, and what is left out."""
    return _Planner(bootstrap.served(snapshot, authority)).plan()


class _Planner:
    def __init__(self, served: bootstrap.Served) -> None:
        self.snapshot = served.snapshot
        self.declared = Reserved(served.snapshot, VARIABLE)
        self.findings: list[Finding] = list(served.findings)
        self.boots: dict[str, Boot] = {}
        #: disputed MACs that were to boot, as findings name them
        self.contested: set[str] = set()

    def plan(self) -> tuple[tuple[Boot, ...], tuple[Finding, ...]]:
        for host in self.snapshot.live_hosts:
            for interface in sorted(host.interfaces, key=lambda i: (i is not host.primary, i.name)):
                self._take(host, interface)
        self.findings += [f for f in disputes(self.snapshot, "mac") if f.subject in self.contested]
        boots = tuple(self.boots[mac] for mac in sorted(self.boots))
        return boots, in_reading_order(self.findings)

    def _take(self, host: HostFacts, interface: InterfaceFacts) -> None:
        try:
            what = self._what(host, interface)
        except Unclear as unclear:
            self._say(interface, str(unclear))
            return
        if what is None:
            return
        mac = interface.mac
        if mac is None or mac_problem(mac):
            if interface is host.primary or has(interface.variables, VARIABLE):
                self._say(interface, "is to boot from the network, and its MAC is unknown or no interface's")
            return
        if self.snapshot.is_disputed("mac", mac):
            self.contested.add(f"MAC {mac}")
            return
        boot = Boot(mac, host.name, interface.name, what)
        kept = self.boots.setdefault(mac, boot)
        if kept.what != what:
            self._say(
                interface, f"has the MAC of {kept.interface}, which boots something else and is the one taken"
            )

    def _what(self, host: HostFacts, interface: InterfaceFacts) -> What | None:
        declared = self.declared.of(host, interface)
        if declared is not None:
            return read(declared)
        if not interface.pxe_file:
            return None
        segment = self.snapshot.segment_of(interface) or SegmentFacts("")
        boot, _ = boot_of(interface, segment)  # what DHCP cannot hand out is a finding of its own
        server = boot.server_name or boot.next_server
        return HandOn(server, boot.file) if server and boot.file else None

    def _say(self, interface: InterfaceFacts, why: str) -> None:
        hint = f"Write {VARIABLE} as kernel, initrd and args in plain characters, or as local: true."
        self.findings.append(
            Finding("pxe-unclear", "warning", interface.subject, f"{why}; it has no boot file.", hint)
        )


def read(declared: Any) -> What | None:
    """The meaning of ``mgmtplane_pxe``; None for an empty one. Raises Unclear."""
    if not isinstance(declared, Mapping):
        raise Unclear(f"has {VARIABLE}, which is no mapping")
    unknown = sorted(str(key) for key in set(declared) - KEYS)
    if unknown:
        raise Unclear(f"has {VARIABLE} with {', '.join(unknown)!r}, which means nothing here")
    if not declared:
        return None
    local = declared.get("local", False)
    if not isinstance(local, bool) or (local and len(declared) > 1):
        raise Unclear(f"has {VARIABLE} with local, which is true and stands alone, or is left out")
    if local:
        return Local()
    (kernel,) = _paths([declared.get("kernel")], "kernel")
    initrd = declared.get("initrd", [])
    return Kernel(
        kernel,
        tuple(_paths(initrd if isinstance(initrd, list) else [initrd], "initrd")),
        tuple(_words(declared.get("args", []))),
    )


def _paths(values: list[Any], name: str) -> list[str]:
    for value in values:
        if not isinstance(value, str) or not PATH.match(value) or ".." in value.split("/"):
            raise Unclear(f"has {VARIABLE} with a {name} that is no plain path or URL")
    return values


def _words(args: Any) -> list[str]:
    listed = args if isinstance(args, list) else [args]
    if not all(isinstance(arg, str) for arg in listed):
        raise Unclear(f"has {VARIABLE} with args that are no text")
    words = [word for arg in listed for word in arg.split()]
    for word in words:
        if not WORD.match(word) or "{{" in word or "{%" in word or word in SEPARATORS:
            raise Unclear(f"has {VARIABLE} with an argument that a boot loader would read as its own syntax")
    if sum(map(len, words)) + len(words) > LONGEST_ARGUMENTS:
        raise Unclear(f"has {VARIABLE} with more than {LONGEST_ARGUMENTS} characters of arguments")
    return words
