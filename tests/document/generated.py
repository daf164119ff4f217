"""Generated sites that a database can hold: those of ``tests.exports.sites`` with every noun of the document added.

What is taken out is what the door never lets in: NUL and half characters in text, addresses with a zone, names that are
too long for their column, two primary interfaces.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from hypothesis import strategies as st

from inventory import vault
from inventory.automating.prompts import Prompt
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    EmergencyUseFacts,
    GroupFacts,
    HostFacts,
    HypervisorFacts,
    IdentityFacts,
    InterfaceFacts,
    JobTemplateFacts,
    KitPlaceFacts,
    MachineFacts,
    OverrideFacts,
    ProfileFacts,
    ProjectFacts,
    RoleFacts,
    ScheduleFacts,
    SealedFile,
    SegmentFacts,
    ServiceFacts,
    Snapshot,
    ZoneSerial,
)
from tests.exports.sites import snapshots, texts

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
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
    projects = draw(_projects())
    templates = draw(_templates([one.name for one in projects]))
    named = st.sampled_from(["", *(one.name for one in templates)])
    roles = draw(_roles(named))
    hosts: dict[str, HostFacts] = {}
    for number, one in enumerate(site.hosts):
        if name := clean(one.name, 180):
            hosts[name] = draw(_hosts(one, name, number, set(segments), roles))
    hosts = {name: draw(_carried(host, hosts)) for name, host in hosts.items()}
    known = sorted(hosts)
    groups, profiles = draw(_groups(known)), draw(_profiles(known, named))
    authorities = draw(_authorities(known))
    ways = st.sampled_from(["", *known])
    segments = {
        name: replace(one, jump_host=draw(ways), wake_relay=draw(ways)) for name, one in segments.items()
    }
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
        emergency_uses=draw(_uses()),
        schedules=draw(_schedules()), projects=projects, templates=templates,
        kit_places=draw(_kit_places()),
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
def _roles(draw: st.DrawFn, named: st.SearchStrategy[str]) -> tuple[RoleFacts, ...]:
    slugs = sorted(draw(st.sets(names, max_size=4)))
    return tuple(
        RoleFacts(
            slug, code=f"{number:02x}" if draw(st.booleans()) else "", title=clean(draw(texts), 200),
            configure_template=draw(named), retire_template=draw(named),
        )
        for number, slug in enumerate(slugs)
    )  # fmt: skip


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
                key[0], name, key[1], draw(st.none() | st.integers(0, 65535)), draw(names), "/m",
                *draw(st.sampled_from((("", None), ("https", 24_000 + 10 * number + len(services))))),
            )  # fmt: skip
    return replace(
        one,
        name=name,
        notes=clean(one.notes, 2000),
        role=draw(st.sampled_from(["", *(role.slug for role in roles)])),
        plane=draw(st.sampled_from(("management", "tenant"))),
        platform=clean(draw(texts), 100),
        location=draw(names),
        console_kind=draw(st.sampled_from(("", "sol"))),
        console_address=draw(names),
        power_kind=draw(st.sampled_from(("", "pdu"))),
        power_address=clean(draw(texts), 300),
        power_outlet=draw(names),
        host_keys=draw(st.sampled_from(("", KEY))),
        vmid=draw(st.none() | st.integers(100, 103)),
        form=draw(st.sampled_from(("", "hv", "vm", "rt", "odd"))),
        proxmox=draw(
            st.none()
            | st.builds(
                HypervisorFacts,
                node=names,
                secret=st.sampled_from(("", "env:TOKEN")),
                read_token_id=st.sampled_from(("", "a@pve!read")),
                read_secret=st.sampled_from(("", "vault:READ")),
            )
        ),
        machine=draw(st.none() | _machines()),
        access=draw(data),
        out_of_band=draw(data),
        variables=draw(data),
        written={"keys": [name]} if number % 2 else {},
        interfaces=tuple(ports.values()),
        services=tuple(services[key] for key in sorted(services)),
    )


@st.composite
def _machines(draw: st.DrawFn) -> MachineFacts:
    disk = draw(st.none() | st.integers(1, 131_072))
    flags = {name: draw(st.booleans()) for name in ("keep_data_disk", "agent", "rng", "start_on_boot")}
    return MachineFacts(
        cores=draw(st.integers(1, 1024)),
        memory=draw(st.sampled_from((16, 2048, 16_777_216))),
        os_disk=draw(st.integers(1, 131_072)),
        data_disk=disk,
        data_disk_serial=""
        if disk is None
        else draw(st.sampled_from(("data01", "1e3", "0x1f", "-", "null"))),
        boot=draw(st.sampled_from(("cloud-init", "pxe"))),
        template=draw(st.sampled_from(("", "debian-13-", "44-1.10", "1.5"))),
        ciuser=draw(st.sampled_from(("", "ops", "null", "yes"))),
        ssh_keys=draw(st.sampled_from(("", KEY, f"{KEY} ops@example.net\n", f"{KEY}\n\n{KEY} a # b: [c]"))),
        cpu=draw(st.sampled_from(("", "host", "x86-64-v2-AES"))),
        startup_order=draw(st.none() | st.integers(0, 99_999)),
        storage=draw(names),
        bridge=draw(names | st.just("")),
        pool=draw(names),
        **flags,
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
    needs = draw(st.lists(st.sampled_from(sorted(hosts)), max_size=3, unique=True))
    return replace(
        host,
        hypervisor=draw(st.sampled_from(others)),
        needs=tuple(name for name in needs if name != host.name),
        interfaces=ports,
    )


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
def _profiles(draw: st.DrawFn, hosts: list[str], named: st.SearchStrategy[str]) -> tuple[ProfileFacts, ...]:
    members = st.sets(st.sampled_from(hosts), max_size=3).map(sorted).map(tuple) if hosts else st.just(())
    return tuple(
        ProfileFacts(name, draw(members), draw(data), draw(named), draw(named))
        for name in sorted(draw(st.sets(names, max_size=2)))
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
def _uses(draw: st.DrawFn) -> tuple[EmergencyUseFacts, ...]:
    at = sorted(draw(st.lists(st.sampled_from(MOMENTS), max_size=2, unique=True)))
    done = st.sampled_from((("", ""), (MOMENTS[-1], "ada"), (MOMENTS[-1], "")))
    return tuple(
        EmergencyUseFacts(one, draw(names), clean(draw(texts), 300) or "so", *draw(done)) for one in at
    )


@st.composite
def _schedules(draw: st.DrawFn) -> tuple[ScheduleFacts, ...]:
    known = sorted(draw(st.sets(st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True), max_size=3)))
    return tuple(
        ScheduleFacts(
            name, draw(st.sampled_from(("survey", "no_such_kind"))),
            draw(st.sampled_from(({}, {"host": "hv01"}, {"b": 1, "a": {"z": None}}))), cron=cron, every_hours=hours,
            time_zone=draw(st.sampled_from(("UTC", "Europe/Berlin"))), enabled=draw(st.booleans()),
            owner=clean(draw(texts), 100), why=clean(draw(texts), 500) or "so",
        )
        for name in known
        for cron, hours in [draw(st.sampled_from((("30 2 * * *", None), ("", 6))))]
    )  # fmt: skip


slugs = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)


@st.composite
def _kit_places(draw: st.DrawFn) -> tuple[KitPlaceFacts, ...]:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "x" * 43
    places = (
        ("directory", "/srv/kits of ours", False, "", ""),
        ("mount", "/media/stick", False, "", ""),
        ("git", "/srv/kit.git", True, "", ""),
        ("git", "git@git.example.net:lab/kit.git", True, key, "unlock:deploy"),
        ("ssh", "backup@192.0.2.9:/srv/kits", False, key, "file:/etc/key"),
        ("ssh", "ssh://backup@[2001:db8::9]:2222/srv/kits", True, key, "env:KIT_KEY"),
    )
    names = sorted(draw(st.sets(slugs, max_size=2)))
    return tuple(
        KitPlaceFacts(name, *draw(st.sampled_from(places)), draw(st.booleans()))  # type: ignore[arg-type]
        for name in names
    )


@st.composite
def _projects(draw: st.DrawFn) -> tuple[ProjectFacts, ...]:
    places = (
        ("directory", "/srv/a b", "", ""),
        ("git", "/srv/lab.git", "main", ""),
        ("git", "git@git.example.net:lab/playbooks.git", "1.10", "unlock:deploy"),
        ("git", "https://git.example.net/lab", "", ""),
    )
    found = []
    for name in sorted(draw(st.sets(slugs, max_size=2))):
        source, location, ref, key = draw(st.sampled_from(places))
        found.append(
            ProjectFacts(
                name, source, location, ref, key,  # type: ignore[arg-type]
                collections=draw(st.sampled_from(("", "/srv/collections"))), image=draw(st.sampled_from(("", "ee:1.2"))),
            )
        )  # fmt: skip
    return tuple(found)


PROMPTS = (
    Prompt("release", label="1.10", help="yes"),
    Prompt("count", kind="number", required=False, default=0.5, minimum=0, maximum=2**70),
    Prompt("ring", kind="choice", choices=("yes", "1e3", "null"), default="null"),
    Prompt("names", kind="list", default=("a", "~"), choices=("a", "~", "b: c")),
    Prompt("sure", kind="yes_no", default=False),
    Prompt("password", kind="secret", minimum=8),
)


@st.composite
def _templates(draw: st.DrawFn, projects: list[str]) -> tuple[JobTemplateFacts, ...]:
    known = sorted(draw(st.sets(slugs, max_size=3))) if projects else []
    flags = st.fixed_dictionaries(dict.fromkeys(("limit_required", "check", "diff"), st.booleans()))
    references = st.sampled_from(("unlock:vault", "env:TOKEN", "file:/etc/a b", "vault:KEY"))
    return tuple(
        JobTemplateFacts(
            name, draw(st.sampled_from(projects)), draw(st.sampled_from(("site.yml", "a b/1.yaml"))),
            limit=draw(st.sampled_from(("", "web*,!web03", "1e3"))), tags=draw(st.sampled_from(("", "yes,no"))),
            skip_tags=draw(st.sampled_from(("", "0x1f"))), forks=draw(st.integers(1, 500)),
            verbosity=draw(st.integers(0, 5)), extra_vars=draw(st.sampled_from(({}, {"b": 1, "a": {"z": [None]}}))),
            prompts=tuple(draw(st.lists(st.sampled_from(PROMPTS), max_size=4, unique=True))),
            vault_secrets=tuple(sorted(draw(st.dictionaries(slugs, references, max_size=2)).items())),
            ssh_key=draw(st.sampled_from(("", "unlock:ssh"))), remote_user=draw(st.sampled_from(("", "null"))),
            time_limit_minutes=draw(st.integers(1, 10_080)), **draw(flags),
        )
        for name in known
    )  # fmt: skip


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
