"""What a site document may not say, though its form is right: names that lead nowhere, contradictions, contests.

Style and places (names against the pattern, addresses outside their segment) are findings, as they are after an import:
a site exported from one must come back.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from inventory import kit_places, naming, specs
from inventory.ansible.grouping import PROFILE_PREFIX
from inventory.ansible.nouns import UnknownNoun, names_of
from inventory.automating import automation, scheduled
from inventory.document import claims
from inventory.document.form import Path
from inventory.document.text import Read
from inventory.exports.site.automation import NAMED
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

Problem = tuple[Path, str]


def judge(document: Read, post: Snapshot, stored: Snapshot | None) -> None:
    """Complain in *document* of everything that forbids the site *post*; *stored* is what there is now."""
    for check in (
        _site,
        _references,
        _named_automation,
        _hosts,
        _groups,
        _registers,
        _schedules,
        _kit_places,
        _automation,
    ):
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
    whole = "hosts" in values and not document.is_patch
    hosts = _known(document, "hosts", said if whole else post.host_by_name)
    roles = _known(document, "roles", [role.slug for role in post.roles])
    segments = _known(document, "segments", post.segment_by_name)
    groups = _known(document, "groups", post.group_by_name)
    for name, host in said.items():
        yield from _leads(("hosts", name, "role"), host.get("role"), roles, "role", "roles")
        yield from _leads(("hosts", name, "hypervisor"), host.get("hypervisor"), hosts, "host", "hosts")
        yield from _lead(("hosts", name, "needs"), host, hosts, "host", "hosts")
        for port, interface in host.get("interfaces", {}).items():
            path = ("hosts", name, "interfaces", port)
            yield from _leads((*path, "segment"), interface.get("segment"), segments, "segment", "segments")
            yield from _leads((*path, "switch"), interface.get("switch"), hosts, "host", "hosts")
    for name, segment in values.get("segments", {}).items():
        for key in ("jump_host", "jump_alternative", "wake_relay"):
            yield from _leads(("segments", name, key), segment.get(key), hosts, "host", "hosts")
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


def _named_automation(document: Read, post: Snapshot) -> Iterator[Problem]:
    """The projects that templates take, and the templates that roles and profiles name."""
    projects = _known(document, "projects", post.project_by_name)
    for name, one in document.values.get("templates", {}).items():
        yield from _leads(("templates", name, "project"), one.get("project"), projects, "project", "projects")
    templates = _known(document, "templates", post.template_by_name)
    for noun in ("roles", "profiles"):
        for name, one in document.values.get(noun, {}).items():
            for key in NAMED:
                yield from _leads((noun, name, key), one.get(key), templates, "job template", "templates")


def _lead(path: Path, of: dict[str, list[str]], known: set[str], what: str, noun: str) -> Iterator[Problem]:
    names = of.get(str(path[-1]), [])
    for at, name in enumerate(names):
        yield from _leads((*path, at), name, known, what, noun)
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f"names {name} {count} times; once is enough."


def _leads(path: Path, name: str | None, known: set[str], what: str, noun: str) -> Iterator[Problem]:
    if name and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        yield (
            path,
            f"names the {what} {name}, which is not declared; add it to {noun}, or correct the name.{hint}",
        )


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
        machine = host.machine
        if machine and (problem := specs.data_disk_problem(machine.data_disk, machine.data_disk_serial)):
            yield ("hosts", name, "machine", "data_disk_serial"), f"cannot be: {problem}"
        if host.hypervisor == name:
            yield ("hosts", name, "hypervisor"), "names the host itself; a machine cannot run on itself."
        if name in host.needs:
            yield ("hosts", name, "needs"), "name the host itself; a host cannot need itself."


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
    used: set[tuple[str, str]] = set()
    for at, use in enumerate(post.emergency_uses if "emergency_uses" in document.values else ()):
        if (use.at, use.who) in used:
            yield ("emergency_uses", at), f"{use.who} came in at {use.at} twice; keep one."
        used.add((use.at, use.who))
    yield from _local_ports(document, post)


def _local_ports(document: Read, post: Snapshot) -> Iterator[Problem]:
    """One port is one web page's, whichever hosts carry them."""
    ports: dict[int, str] = {}
    for host in post.hosts if "hosts" in document.values else ():
        for service in host.services:
            port, label = service.local_port, f"{service.label} on {host.name}"
            if port is not None and ports.setdefault(port, label) != label:
                told = f"say {label} has local port {port}, which is {ports[port]}'s; leave it out, and one is given."
                yield ("hosts", host.name, "services"), told


def _schedules(document: Read, post: Snapshot) -> Iterator[Problem]:
    """Whether there are jobs of its kind is not asked: a schedule that cannot be carried out is shown as such."""
    for one in post.schedules if "schedules" in document.values else ():
        path = ("schedules", one.name)
        if problem := scheduled.name_problem(one.name):
            yield path, f"cannot be: {problem}"
        if problem := scheduled.secret_problem(one.parameters):
            yield (*path, "parameters"), f"cannot be: {problem}"
        for field, problem in one.timing.problems():
            yield (*path, field), f"cannot be: {problem}"


def _kit_places(document: Read, post: Snapshot) -> Iterator[Problem]:
    """Whether a place can be reached is seen when a kit is brought there."""
    for place in post.kit_places if "kit_places" in document.values else ():
        for field, told in kit_places.problems(place).items():
            yield ("kit_places", place.name, field), f"cannot be: {' '.join(told)}"


def _automation(document: Read, post: Snapshot) -> Iterator[Problem]:
    """Whether a project has the playbook is not asked: that is seen where it is fetched."""
    for project in post.projects if "projects" in document.values else ():
        for field, told in automation.project_problems(project).items():
            yield ("projects", project.name, field), f"cannot be: {' '.join(told)}"
    templates = document.values.get("templates", {})
    for template in post.templates if "templates" in document.values else ():
        path = ("templates", template.name)
        for field, told in automation.template_problems(template).items():
            yield (*path, field), f"cannot be: {' '.join(told)}"
        asked = templates.get(template.name, {}).get("prompts", [])
        for problem in automation.prompt_problems(asked, template.extra_vars):
            yield (*path, "prompts"), f"cannot be: {problem}"
        for name, _ in template.vault_secrets:
            if problem := automation.vault_id_problem(name):
                yield (*path, "vault_secrets"), f"cannot be: {problem}"
