"""Who claims what in a site document: contests are refused unless they are known ones; assigned MACs stay."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.disputes import WORDS
from inventory.document import facts, identities
from inventory.document.form import Path
from inventory.document.text import Read
from inventory.identity import dns_name
from inventory.snapshot import HostFacts, IdentityFacts, Snapshot, claims_of

Key = tuple[str, str]  # kind, value
Problem = tuple[Path, str]


def problems(document: Read, post: Snapshot, stored: Snapshot | None) -> Iterator[Problem]:
    if "hosts" not in document.values:
        return
    told = facts.identities(document.values)
    if document.is_patch:
        yield from _taken(document, post, stored)
    else:
        yield from _contests(document, post, stored, told)
    yield from _quarantined(post, stored, told)
    if stored is not None:
        yield from _assigned(document, post, stored)


def _contests(
    document: Read, post: Snapshot, stored: Snapshot | None, told: tuple[IdentityFacts, ...]
) -> Iterator[Problem]:
    """Two hosts with one value: an error, unless the document or the database has that dispute already."""
    waiting: dict[Key, set[str]] = {}
    for line in told:
        if line.state == "disputed":
            waiting.setdefault((line.kind, line.value), set()).add(line.host)
    known = stored.claimants if stored else {}
    for key, hosts in sorted(post.claimants.items()):
        if set(hosts) <= set(known.get(key, ())) or len(set(hosts) - waiting.get(key, set())) <= 1:
            continue
        (kind, value), (first, *others) = key, hosts
        there = document.line(*_place(post, first, key))
        for other in others:
            message = (
                f"claims the {WORDS[kind]} {value}, which is {first}'s on line {there}; give one of them another, or list "
                f"the contest under identities: disputed: {kind}."
            )
            yield _place(post, other, key), message


def _taken(document: Read, post: Snapshot, stored: Snapshot | None) -> Iterator[Problem]:
    """What a patch gives to a host though another has it. Disputes that there are already stay."""
    known = stored.claimants if stored else {}
    named = document.values["hosts"]
    for key, hosts in sorted(post.claimants.items()):
        coming = [name for name in hosts if name in named and name not in known.get(key, ())]
        if not coming:
            continue
        (kind, value), before = key, [name for name in hosts if _claimed(stored, name, key)]
        holder = before[0] if before else coming[0]
        line = document.line(*_place(post, holder, key)) if holder in named else 0
        where = f" on line {line}" if line else ""
        for name in coming:
            if name != holder and not _claimed(stored, name, key):
                message = (
                    f"claims the {WORDS[kind]} {value}, which is {holder}'s{where}; give one of them another, or "
                    f"change {holder} first."
                )
                yield _place(post, name, key), message


def _claimed(stored: Snapshot | None, name: str, key: Key) -> bool:
    host = stored.host_by_name.get(name) if stored else None
    if stored is None or host is None or host.is_retired:
        return False
    return any((kind, value) == key for kind, value, _ in claims_of([host], stored.segment_by_name))


def _quarantined(
    post: Snapshot, stored: Snapshot | None, told: tuple[IdentityFacts, ...]
) -> Iterator[Problem]:
    """A withheld value goes to nobody but the host that gave it up."""
    lines = (*(stored.identities if stored else ()), *told)
    withheld: dict[Key, IdentityFacts] = {
        (line.kind, line.value): line
        for line in lines
        if line.state == "quarantined" and not identities.has_passed(line)
    }
    if not withheld:
        return
    waiting = {(line.kind, line.value, line.host) for line in lines if line.state == "disputed"}
    for kind, value, host in sorted(set(claims_of(post.live_hosts, post.segment_by_name))):
        line = withheld.get((kind, value))
        if line is None or line.host == host or (kind, value, host) in waiting:
            continue
        until = f" until {line.until[:10]}" if line.until else ""
        message = (
            f"claims the {WORDS[kind]} {value}, which was {line.host}'s and is in quarantine{until}; give it another, "
            "or free it from quarantine first."
        )
        yield _place(post, host, (kind, value)), message


def _assigned(document: Read, post: Snapshot, stored: Snapshot) -> Iterator[Problem]:
    """A MAC that was generated here is in DHCP, boot files and hypervisors: it changes by an action that shows them."""
    for host in stored.live_hosts:
        if host.name not in document.values["hosts"]:
            continue
        now = {interface.name: interface for interface in post.host_by_name[host.name].interfaces}
        for before in host.interfaces:
            after = now.get(before.name)
            if after is None or before.mac_kind != "assigned" or not before.mac or after.mac == before.mac:
                continue
            message = (
                f"{before.mac} was assigned here and cannot be edited; re-identify the interface: `manage.py reidentify "
                f"--site {post.site.slug} {host.name} {before.name} --why …`."
            )
            yield ("hosts", host.name, "interfaces", before.name, "mac"), message


def _place(post: Snapshot, name: str, key: Key) -> Path:
    """Where in the document *name* claims the value."""
    kind, value = key
    host = post.host_by_name[name]
    if kind == "vmid":
        return "hosts", name, "vmid"
    for interface in host.interfaces:
        path = ("hosts", name, "interfaces", interface.name)
        if kind == "mac" and interface.mac == value:
            return (*path, "mac")
        if kind == "ip" and value in interface.addresses:
            return (*path, "ipv4" if interface.ipv4 == value else "ipv6")
    if kind == "name":
        return _named_place(post, host, value)
    return "hosts", name


def _named_place(post: Snapshot, host: HostFacts, value: str) -> Path:
    for at, service in enumerate(host.services):
        if (dns_name(service.label) or service.label) == value:
            return "hosts", host.name, "services", at
    for interface in host.interfaces:
        label = post.interface_label(host, interface)
        if interface.a_record and label != host.name and (dns_name(label) or label) == value:
            return "hosts", host.name, "interfaces", interface.name, "a_record"
    return "hosts", host.name
