"""What a site document may not say, though its form is right: names that lead nowhere, contradictions, contests.

Style and places (names against the pattern, addresses outside their segment) are findings, as they are after an import:
a site exported from one must come back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from inventory import naming
from inventory.ansible.grouping import PROFILE_PREFIX
from inventory.ansible.nouns import UnknownNoun, names_of
from inventory.document import claims
from inventory.document.form import Path
from inventory.document.text import Read
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

Problem = tuple[Path, str]


def judge(document: Read, post: Snapshot, stored: Snapshot | None) -> None:
    """Complain in *document* of everything that forbids the site *post*; *stored* is what there is now."""
    for check in (_site, _references, _hosts, _groups, _registers):
        for path, message in check(document, post):
            document.complain(path, message)
    for path, message in claims.problems(document, post, stored):
        document.complain(path, message)


# --- the site ---


def _site(document: Read, post: Snapshot) -> Iterator[Problem]:
    site = post.site
    first, last = site.vmid_first, site.vmid_last
    if "facts" in document.values and ((first is None) != (last is None) or (first or 0) > (last or 0)):
        yield (
            ("facts", "vmid_first"),
            "and vmid_last: give both ends of the range, the first before the last.",
        )
    if "mapping" in document.values:
        try:
            names_of(site.mapping)
        except UnknownNoun as error:
            yield ("mapping",), f"cannot be: {error}"
    if "naming" in document.values:
        for message in naming.check(site.naming):
            yield ("naming",), f"cannot be: {message}"


# --- names that lead somewhere ---


def _known(document: Read, noun: str, names: Collection[str]) -> set[str]:
    """What may be referred to; what is malformed was meant to be there."""
    return {*names, *(str(path[1]) for path in document.malformed if path[:1] == (noun,) and len(path) > 1)}


def _references(document: Read, post: Snapshot) -> Iterator[Problem]:
    values = document.values
    said = values.get("hosts", {})
    hosts = _known(document, "hosts", said if "hosts" in values else post.host_by_name)
    roles = _known(document, "roles", [role.slug for role in post.roles])
    segments = _known(document, "segments", post.segment_by_name)
    groups = _known(document, "groups", post.group_by_name)
    for name, host in said.items():
        yield from _leads(("hosts", name, "role"), host.get("role"), roles, "role", "roles")
        yield from _leads(("hosts", name, "hypervisor"), host.get("hypervisor"), hosts, "host", "hosts")
        for port, interface in host.get("interfaces", {}).items():
            path = ("hosts", name, "interfaces", port)
            yield from _leads((*path, "segment"), interface.get("segment"), segments, "segment", "segments")
            yield from _leads((*path, "switch"), interface.get("switch"), hosts, "host", "hosts")
    for name, group in values.get("groups", {}).items():
        yield from _lead(("groups", name, "children"), group, groups, "group", "groups")
        yield from _lead(("groups", name, "hosts"), group, hosts, "host", "hosts")
    for name, profile in values.get("profiles", {}).items():
        yield from _lead(("profiles", name, "hosts"), profile, hosts, "host", "hosts")
    for at, one in enumerate(values.get("authority", ())):
        yield from _leads(
            ("authority", at, "bootstrap_host"), one.get("bootstrap_host"), hosts, "host", "hosts"
        )
    labels = {service.label for host in post.hosts for service in host.services}
    for name, service in values.get("aliases", {}).items():
        if service not in labels and ("hosts",) not in {path[:1] for path in document.malformed}:
            yield (
                ("aliases", name),
                f"points at the service {service}, which no host carries; add it to a host.",
            )


def _lead(path: Path, of: dict[str, list[str]], known: set[str], what: str, noun: str) -> Iterator[Problem]:
    names = of.get(str(path[-1]), [])
    for at, name in enumerate(names):
        yield from _leads((*path, at), name, known, what, noun)
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f"names {name} {count} times; once is enough."


def _leads(path: Path, name: str | None, known: set[str], what: str, noun: str) -> Iterator[Problem]:
    if name and name not in known:
        yield path, f"names the {what} {name}, which is not declared; add it to {noun}, or correct the name."


# --- hosts ---


def _hosts(document: Read, post: Snapshot) -> Iterator[Problem]:
    for name in document.values.get("hosts", {}):
        host = post.host_by_name[name]
        primary = [interface.name for interface in host.interfaces if interface.primary]
        if len(primary) > 1:
            path = ("hosts", name, "interfaces", primary[1], "primary")
            yield path, f"is set, and {primary[0]} is the primary interface already; a host has one."
        for interface in host.interfaces:
            yield from _interface(interface)
        yield from _services(host)
        if host.hypervisor == name:
            yield ("hosts", name, "hypervisor"), "names the host itself; a machine cannot run on itself."


def _interface(interface: InterfaceFacts) -> Iterator[Problem]:
    path = ("hosts", interface.host, "interfaces", interface.name)
    if interface.addressing == "static" and not interface.addresses:
        yield (
            (*path, "addressing"),
            "is static without an address; give ipv4 or ipv6, or leave addressing out.",
        )
    if interface.addressing != "static" and interface.ipv4:
        yield (*path, "addressing"), f"is {interface.addressing} with an IPv4 address; leave one of them out."


def _services(host: HostFacts) -> Iterator[Problem]:
    seen = Counter(service.label for service in host.services)
    for at, service in enumerate(host.services):
        if seen[service.label] > 1:
            yield ("hosts", host.name, "services", at), f"{service.label} stands twice; keep one."


# --- groups ---


def _groups(document: Read, post: Snapshot) -> Iterator[Problem]:
    values = document.values
    for name in values.get("groups", {}):
        if name in ("all", "_meta"):
            what = (
                "is the site itself; write its variables under `variables`"
                if name == "all"
                else "is no group to Ansible"
            )
            yield ("groups", name), f"{what}, and take it out here."
        profile = name.removeprefix(PROFILE_PREFIX)
        if profile != name and profile in {one.name for one in post.profiles}:
            yield ("groups", name), f"hides the workload profile {profile} from Ansible; rename one of them."
    if "groups" in values:
        yield from _circles({group.name: group.children for group in post.groups})


def _circles(below: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Every group that lies below itself, by the way it does."""
    done: set[str] = set()
    for start in below:
        way: list[str] = []
        todo = [(start, False)]
        while todo:
            name, leave = todo.pop()
            if leave:
                way.pop()
                done.add(name)
            elif name in way:
                circle = [*way[way.index(name) :], name]
                yield (
                    ("groups", name, "children"),
                    f"form a circle: {' → '.join(circle)}; take one of them out.",
                )
            elif name not in done:
                way.append(name)
                todo.append((name, True))
                todo += [(child, False) for child in below.get(name, ())]


# --- lists ---


def _registers(document: Read, post: Snapshot) -> Iterator[Problem]:
    by_code: dict[str, list[str]] = defaultdict(list)
    for role in post.roles if "roles" in document.values else ():
        by_code[role.code].append(role.slug)
    for code, slugs in by_code.items():
        if code and len(slugs) > 1:
            yield (
                ("roles", slugs[1], "code"),
                f"{code} is the code of role {slugs[0]} already; a code names one role.",
            )
    seen: set[tuple[str, str]] = set()
    for at, one in enumerate(post.overrides if "severities" in document.values else ()):
        if (one.finding, one.subject) in seen:
            yield ("severities", at), f"{one.finding} is lowered twice for the same subject; keep one."
        seen.add((one.finding, one.subject))
