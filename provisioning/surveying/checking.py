"""Whether a hypervisor can be worked with: one line for each thing that has to be so. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.machine_facts import HypervisorFacts
from provisioning.adapters.base import AdapterError, NotFound, Unauthorized, Untrusted
from provisioning.adapters.proxmox import Reader, certificate, privileges
from provisioning.adapters.proxmox.certificate import Certificate
from provisioning.adapters.proxmox.privileges import Need, Verdict
from provisioning.machines.facts import StorageFacts, Version

PASS, WARN, FAIL = "pass", "warn", "fail"
#: major versions whose API description this is checked against
KNOWN = (8, 9)
#: a certificate is spoken of so long before it expires
SOON = timedelta(days=21)
IMAGES, BACKUP = "images", "backup"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. *way_out* is empty where it passed."""

    what: str
    state: str
    found: str
    way_out: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.found}" + (f" {self.way_out}" if self.way_out else "")


class _Ended(Exception):
    """Nothing further can be looked at."""


def check(
    api: HypervisorFacts, reader: Reader, writing: Callable[[], Reader] | None, now: datetime
) -> Iterator[Line]:
    """The lines, in the order in which they are looked at; they end where nothing further can be seen.

    *reader* looks with the token that reads. *writing* makes one with the token that writes, to ask what it may; None:
    they are one token. What it raises is a failed line.
    """
    try:
        yield from _address(api, reader, now)
        version = yield from _version(reader)
        yield from _node(reader)
        yield from _reading_token(reader, version, separate=writing is not None)
        writer = writing() if writing else reader
        yield from _writing_token(api, writer, version)
        yield from _storages(api, reader)
        yield from _bridge(api, writer)
    except _Ended:
        return
    except AdapterError as fault:
        yield Line("answers", FAIL, f"nothing further was looked at: {fault.sentence}", fault.way_out)


def _address(api: HypervisorFacts, reader: Reader, now: datetime) -> Iterator[Line]:
    access = reader.access
    try:
        found = certificate.shown(access)
    except AdapterError as fault:
        yield Line(
            "address",
            FAIL,
            fault.sentence,
            "Correct the API address, or see that the node runs and is let through.",
        )
        raise _Ended from None
    yield Line("address", PASS, f"{access.host}:{access.port} answers.")
    yield from _trust(api, reader, found)
    yield _expiry(found, now)


def _trust(api: HypervisorFacts, reader: Reader, found: Certificate) -> Iterator[Line]:
    """A token is sent only after the certificate was found good."""
    try:
        reader.version()
    except Untrusted as fault:
        yield Line("certificate", FAIL, *_another(api, found, fault))
        raise _Ended from None
    except AdapterError:
        pass  # whatever else is wrong is said by the next line
    by = [f"the CA in {api.ca_file}"] if api.ca_file else []
    by += ["its fingerprint"] if api.fingerprint else []
    yield Line("certificate", PASS, f"trusted by {' and '.join(by) or 'a CA of this system'}.")


def _another(api: HypervisorFacts, found: Certificate, fault: Untrusted) -> tuple[str, str]:
    if api.fingerprint and found.fingerprint.lower() != api.fingerprint.lower():
        return (
            f"it shows {found.fingerprint}, and declared is {api.fingerprint.upper()}; no token was sent.",
            "Compare at its console: pvenode cert info. Was it renewed, declare the new one; else somebody stands between.",
        )
    if api.ca_file:
        return (
            f"{api.ca_file} did not sign it, or it bears another name or address; no token was sent. {fault.sentence}",
            "Copy /etc/pve/pve-root-ca.pem of that node there, and declare the address that the certificate bears.",
        )
    return (
        f"no CA of this system signed it; it shows {found.fingerprint}. No token was sent.",
        "Compare at its console: pvenode cert info. If it is the same, declare it as the fingerprint, or name its CA file.",
    )


def _expiry(found: Certificate, now: datetime) -> Line:
    day = f"{found.expires:%Y-%m-%d}"
    if found.expires <= now:
        return Line("certificate's end", WARN, f"it expired on {day}.", "Renew it: pvenode cert.")
    if found.expires - now < SOON:
        return Line(
            "certificate's end",
            WARN,
            f"it expires on {day}.",
            "Renew it; a declared fingerprint changes then.",
        )
    return Line("certificate's end", PASS, f"it is good until {day}.")


def _version(reader: Reader) -> Generator[Line, None, Version]:
    """Yields its lines and returns the version."""
    try:
        version = reader.version()
    except Unauthorized as fault:
        yield Line(
            "reading",
            FAIL,
            f"{reader.access.token_id}: {fault.sentence}",
            "Correct its id or what its reference points at, or make it anew on the node.",
        )
        raise _Ended from None
    if version.major in KNOWN:
        yield Line("version", PASS, f"Proxmox VE {version.text}.")
    else:
        known = " and ".join(map(str, KNOWN))
        yield Line(
            "version", WARN, f"Proxmox VE {version.text}.", f"This was tried with {known}; see that it works."
        )
    return version


def _node(reader: Reader) -> Iterator[Line]:
    try:
        reader.check_node()
    except NotFound as fault:
        yield Line("node", FAIL, fault.sentence, "Declare the name that it calls itself.")
        raise _Ended from None
    yield Line("node", PASS, f"{reader.node} is its name.")


def _reading_token(reader: Reader, version: Version, *, separate: bool) -> Iterator[Line]:
    who = reader.access.token_id
    allowed = privileges.allowed_for_reading(version)
    verdict = reader.judge(privileges.for_survey(), allowed)
    excess = verdict if separate else Verdict(verdict.missing)
    yield from _token("reading", who, excess, "Take it away: looking does not need it.")
    if not separate:
        yield Line("reading", WARN, f"{who} reads and writes.", "Declare a second token that may only look.")


def _writing_token(api: HypervisorFacts, writer: Reader, version: Version) -> Iterator[Line]:
    try:
        verdict = _of_writer(api, writer, version)
    except Unauthorized as fault:
        yield Line(
            "writing",
            FAIL,
            f"{writer.access.token_id}: {fault.sentence}",
            "Correct its id or what its reference points at, or make it anew on the node.",
        )
        raise _Ended from None
    yield from _token("writing", writer.access.token_id, verdict, "Take it away: no job of ours needs it.")


def _of_writer(api: HypervisorFacts, writer: Reader, version: Version) -> Verdict:
    """A right on the declared pool will do, and so will one on all of ``/vms``."""
    found = Verdict()
    for path in (f"/pool/{api.pool}", "/vms") if api.pool else ("/vms",):
        needs: tuple[Need, ...] = privileges.for_machine(
            version, path, storages=[api.storage] if api.storage else [], bridge=api.bridge
        )
        verdict = writer.judge(needs, privileges.allowed_for_writing(version))
        if not verdict.missing:
            return verdict
        found = found if found.missing else verdict
    return found


def _token(what: str, who: str, verdict: Verdict, excess_way_out: str) -> Iterator[Line]:
    if not verdict.missing and not verdict.excess:
        yield Line(what, PASS, f"{who} may what it needs, and no more.")
    for need in verdict.missing:
        yield Line(
            what,
            FAIL,
            f"{who} lacks {need}.",
            "Give it, and to the token's owner too; an entry at a deeper path replaces what is handed down.",
        )
    for path, name in verdict.excess:
        yield Line(what, WARN, f"{who} has {name} on {path}, which it does not need.", excess_way_out)


def _storages(api: HypervisorFacts, reader: Reader) -> Iterator[Line]:
    usable = [one for one in reader.storages() if one.enabled and one.active]
    fitting = ", ".join(one.name for one in usable if IMAGES in one.content) or "none"
    found = next((one for one in usable if one.name == api.storage), None)
    if not api.storage:
        yield Line(
            "storage", WARN, f"no default is declared; disks fit on: {fitting}.", "Declare one of them."
        )
    elif found is None:
        yield Line(
            "storage",
            FAIL,
            f"{api.storage} is not active there; disks fit on: {fitting}.",
            "Declare one of them.",
        )
    elif IMAGES not in found.content:
        yield Line(
            "storage",
            FAIL,
            f"{api.storage} takes no disk images; disks fit on: {fitting}.",
            "Declare one of them, or let it take the content “Disk image”.",
        )
    else:
        yield Line("storage", PASS, f"{api.storage} takes disks{_room(found)}.")
    backups = ", ".join(one.name for one in usable if BACKUP in one.content)
    if backups:
        yield Line("backups", PASS, f"fit on: {backups}.")
    else:
        yield Line("backups", WARN, "no active storage takes them.", "Let one take the content “Backup”.")


def _room(storage: StorageFacts) -> str:
    return f", {storage.free // 1024**3} GiB are free" if storage.free is not None else ""


def _bridge(api: HypervisorFacts, writer: Reader) -> Iterator[Line]:
    """With the token that writes: Proxmox VE lists only bridges that the token may use."""
    there = writer.bridges()
    named = ", ".join(there) or "none"
    if not api.bridge:
        yield Line(
            "bridge", WARN, f"no default is declared; there are: {named}.", "Declare the one of the machines."
        )
    elif api.bridge in there:
        yield Line("bridge", PASS, f"{api.bridge} is there.")
    else:
        yield Line(
            "bridge",
            FAIL,
            f"{api.bridge} is not there, or the writing token may not use it; it sees: {named}.",
            "Correct the bridge, or give SDN.Use on it.",
        )
