"""Generated sites that a database can hold: those of ``tests.exports.sites`` with every noun of the document added.

What is taken out is what the door never lets in: NUL and half characters in text, addresses with a zone, names that are
too long for their column, two primary interfaces.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from hypothesis import strategies as st

from inventory import vault
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    GroupFacts,
    HostFacts,
    HypervisorFacts,
    IdentityFacts,
    InterfaceFacts,
    OverrideFacts,
    ProfileFacts,
    RoleFacts,
    SealedFile,
    SegmentFacts,
    ServiceFacts,
    Snapshot,
    ZoneSerial,
)
from tests.exports.sites import snapshots, texts

VAULT = vault.encrypt(b"a secret", b"example")
PASSED = "2026-03-01T00:00:00+00:00"
MOMENTS = [f"2026-0{month}-01T00:00:00.00000{month}+00:00" for month in range(1, 9)]


def clean(text: str, longest: int) -> str:
    """*text* as a column holds it."""
    return "".join(char for char in text if char != "\0" and not "\ud800" <= char <= "\udfff")[:longest]


names = st.sampled_from(
    ("web", "db", "y", "1e3", "null", "a b", "ä", "[x]", "a: b", "#", "0x1f", "-", "pi01")
)
leaves: st.SearchStrategy = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
leaves |= texts.map(lambda text: clean(text, 2000))
leaves |= st.sampled_from(("yes", "1_000", "12:30:45", "2026-01-02", "~", "=", "a\nb\n"))
leaves |= st.sampled_from(({"__ansible_unsafe": "{{ a }}"}, {"__ansible_vault": VAULT}))
data = st.dictionaries(
    names,
    st.recursive(
        leaves,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(names, below, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)  # fmt: skip


@st.composite
def whole_sites(draw: st.DrawFn) -> Snapshot:
    site = draw(snapshots())
    segments = {name: draw(_segments(one, name)) for one in site.segments if (name := clean(one.name, 63))}
    roles = draw(_roles())
    hosts: dict[str, HostFacts] = {}
    for number, one in enumerate(site.hosts):
        if name := clean(one.name, 180):
            hosts[name] = draw(_hosts(one, name, number, set(segments), roles))
    hosts = {name: draw(_carried(host, hosts)) for name, host in hosts.items()}
    known = sorted(hosts)
    groups, profiles = draw(_groups(known)), draw(_profiles(known))
    authorities = draw(_authorities(known))
    carried = sorted({service.label for host in hosts.values() for service in host.services})
    pairs = st.dictionaries(names, st.sampled_from(carried), max_size=2) if carried else st.just({})
    aliases = tuple(AliasFacts(*pair) for pair in sorted(draw(pairs).items()))
    root = (
        site.site.root_domain
        if site.site.root_domain.isascii() and len(site.site.root_domain) < 100
        else "home.arpa"
    )
    facts = replace(
        site.site, root_domain=root, name=clean(site.site.name, 200), variables=draw(data), organisation="de",
        environment=draw(st.sampled_from(("", "10", "0e"))), mac_encoding=draw(st.sampled_from(("role", "vmid"))),
        vmid_first=100, vmid_last=draw(st.sampled_from((100, 999))),
        naming=draw(st.sampled_from(({}, {"standard": "role-form"}))),
        mapping=draw(st.sampled_from(({}, {"host.form": "kind"}))), block=draw(st.sampled_from(("", "10.0.0.0/8"))),
    )  # fmt: skip
    made = Snapshot(
        facts, authority=authorities[-1] if authorities else None, authorities=authorities,
        segments=tuple(segments[name] for name in sorted(segments)), hosts=tuple(hosts[name] for name in known),
        groups=groups, profiles=profiles, roles=roles, aliases=aliases, overrides=draw(_overrides()),
        sealed=(SealedFile("group", "all", "group_vars/all/vault.yml", VAULT),) if draw(st.booleans()) else (),
        serials={"lab.example.net": ZoneSerial(draw(st.integers(1, 2**31)), "another content")},
    )  # fmt: skip
    return replace(made, identities=tuple(draw(_ledger(made))))


@st.composite
def _segments(draw: st.DrawFn, one: SegmentFacts, name: str) -> SegmentFacts:
    servers = tuple(s for s in one.dns_servers if _is_address(s))[:3]
    return replace(
        one,
        name=name,
        vlan=draw(st.none() | st.integers(0, 4094)),
        dns_servers=servers,
        search_domains=tuple(text for one in one.search_domains if (text := clean(one, 253)))[:3],
        next_server=one.next_server if one.next_server and _is_address(one.next_server) else None,
        gateway6=one.gateway6 if one.gateway6 and _is_address(one.gateway6) else None,
        suffix=draw(st.sampled_from(("", "mgmt", "stor"))),
        trust=clean(one.trust, 40),
        variables=draw(data),
        static_range=one.pool,
    )


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and str(ipaddress.ip_address(text)) == text
    except ValueError:
        return False


@st.composite
def _roles(draw: st.DrawFn) -> tuple[RoleFacts, ...]:
    slugs = sorted(draw(st.sets(names, max_size=4)))
    return tuple(
        RoleFacts(slug, code=f"{number:02x}" if draw(st.booleans()) else "", title=clean(draw(texts), 200))
        for number, slug in enumerate(slugs)
    )


@st.composite
def _hosts(
    draw: st.DrawFn, one: HostFacts, name: str, number: int, segments: set[str], roles: tuple[RoleFacts, ...]
) -> HostFacts:
    ports: dict[str, InterfaceFacts] = {}
    for interface in one.interfaces:
        if port := clean(interface.name, 64):
            ports[port] = _interface(interface, name, port, segments, draw(data), is_first=not ports)
    services: dict[tuple[str, str], ServiceFacts] = {}
    labels: set[str] = set()
    for service in one.services:
        key = clean(service.name, 190), clean(service.tenant, 63)
        label = ".".join(part for part in key if part)
        if key[0] and label not in labels:
            labels.add(label)
            services[key] = ServiceFacts(
                key[0], name, key[1], draw(st.none() | st.integers(0, 65535)), draw(names), "/m"
            )
    return replace(
        one,
        name=name,
        notes=clean(one.notes, 2000),
        role=draw(st.sampled_from(["", *(role.slug for role in roles)])),
        plane=draw(st.sampled_from(("management", "tenant"))),
        platform=clean(draw(texts), 100),
        location=draw(names),
        vmid=draw(st.none() | st.integers(100, 103)),
        form=draw(st.sampled_from(("", "hv", "vm", "rt", "odd"))),
        proxmox=draw(
            st.none() | st.builds(HypervisorFacts, node=names, secret=st.sampled_from(("", "env:TOKEN")))
        ),
        access=draw(data),
        out_of_band=draw(data),
        variables=draw(data),
        written={"keys": [name]} if number % 2 else {},
        interfaces=tuple(ports.values()),
        services=tuple(services[key] for key in sorted(services)),
    )


def _interface(
    one: InterfaceFacts, host: str, name: str, segments: set[str], variables: dict, *, is_first: bool
) -> InterfaceFacts:
    segment = clean(one.segment, 63) if one.segment else None
    return replace(
        one,
        host=host,
        name=name,
        segment=segment if segment in segments else None,
        ipv6=tuple(address for address in one.ipv6 if _is_address(address)),
        primary=one.primary and is_first,
        pxe_server=clean(one.pxe_server, 253),
        pxe_file=clean(one.pxe_file, 127),
        bootstrap_ipv4=one.ipv4 if is_first else None,
        management=is_first,
        mac_kind="assigned" if one.mac and one.mac.startswith("02") else "observed",
        variables=variables,
    )


@st.composite
def _carried(draw: st.DrawFn, host: HostFacts, hosts: dict[str, HostFacts]) -> HostFacts:
    others = ["", *(name for name in hosts if name < host.name)]
    switch = draw(st.sampled_from([None, *sorted(hosts)]))
    ports = tuple(replace(one, switch=switch, switch_port="3" if switch else "") for one in host.interfaces)
    return replace(host, hypervisor=draw(st.sampled_from(others)), interfaces=ports)


@st.composite
def _groups(draw: st.DrawFn, hosts: list[str]) -> tuple[GroupFacts, ...]:
    found = sorted(draw(st.sets(names, max_size=4)))
    members = st.sets(st.sampled_from(hosts), max_size=3).map(sorted).map(tuple) if hosts else st.just(())
    return tuple(
        GroupFacts(
            name,
            children=tuple(sorted(draw(st.sets(st.sampled_from(found[at + 1 :]), max_size=2))))
            if found[at + 1 :]
            else (),
            hosts=draw(members),
            variables=draw(data),
            priority=draw(st.sampled_from((1, 1, -5, 10))),
        )
        for at, name in enumerate(found)
    )


@st.composite
def _profiles(draw: st.DrawFn, hosts: list[str]) -> tuple[ProfileFacts, ...]:
    members = st.sets(st.sampled_from(hosts), max_size=3).map(sorted).map(tuple) if hosts else st.just(())
    return tuple(
        ProfileFacts(name, draw(members), draw(data)) for name in sorted(draw(st.sets(names, max_size=2)))
    )


@st.composite
def _authorities(draw: st.DrawFn, hosts: list[str]) -> tuple[AuthorityFacts, ...]:
    at = sorted(draw(st.lists(st.sampled_from(MOMENTS), max_size=3, unique=True)))
    modes: st.SearchStrategy = st.sampled_from(("gateway", "bootstrap"))
    node = st.sampled_from(["", *hosts])
    return tuple(
        AuthorityFacts(draw(modes), draw(names), one, clean(draw(texts), 500), draw(node)) for one in at
    )


@st.composite
def _overrides(draw: st.DrawFn) -> tuple[OverrideFacts, ...]:
    keys = sorted(
        draw(
            st.sets(
                st.tuples(st.sampled_from(("group-empty", "vault-sealed")), names | st.just("")), max_size=3
            )
        )
    )
    return tuple(
        OverrideFacts(finding, "info", "because", "2036-01-01", subject) for finding, subject in keys
    )


@st.composite
def _ledger(draw: st.DrawFn, site: Snapshot) -> list[IdentityFacts]:
    """Who holds what is disputed, who waits, and what is withheld from everybody."""
    found: list[IdentityFacts] = []
    for (kind, value), hosts in sorted(site.claimants.items()):
        order = draw(st.permutations(hosts))
        found += [
            IdentityFacts(kind, value, "disputed" if at else "held", host, MOMENTS[at])  # type: ignore[arg-type]
            for at, host in enumerate(order)
        ]
    for at, until in enumerate(
        draw(st.lists(st.sampled_from(("", PASSED, "2036-01-01T00:00:00+00:00")), max_size=3))
    ):
        kind, value = (("mac", f"02:ff:00:00:00:0{at}"), ("ip", f"192.0.2.24{at}"), ("vmid", f"90{at}"))[at]
        found.append(IdentityFacts(kind, value, "quarantined", draw(names), MOMENTS[at], until))  # type: ignore[arg-type]
    return found
