"""Generated sites: Snapshots by hand, with everything that a living inventory holds and a file format fears.

``snapshots()`` is for any test of what is made from a Snapshot. Addresses, networks and MACs are canonical,
as the model stores them; names and texts are whatever an import may have brought. Few MACs and addresses go
round, so that disputes are frequent.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from inventory.addressing import Range, address_key
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    HostFacts,
    IdentityFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

EXAMPLES = int(os.environ.get("MGMTPLANE_EXAMPLES", "60"))

NETWORKS4 = (
    "10.20.99.0/24",
    "10.20.98.0/23",
    "10.20.30.0/24",
    "10.20.32.0/21",
    "172.20.0.0/15",
    "172.16.5.0/30",
    "172.16.5.4/31",
    "172.16.5.6/32",
    "192.0.2.0/25",
    "192.0.2.128/26",
    "198.51.100.0/24",
    "8.8.8.0/24",
    "8.8.4.0/27",
)
NETWORKS6 = ("fd00:20:99::/64", "2001:db8:30::/64", "fd00:21::/56", "2001:db8:0:8::/62", "fd00:9::/126")
OUTSIDE = ("192.168.8.1", "100.64.0.9", "9.9.9.9", "2620:fe::9", "fe80::1", "fe80::1%eth0", "fd12::1")

HOSTILE = (
    'a"b',
    "a'b",
    "a\\",
    "a;b",
    "a#b",
    "a # b",
    "a,b",
    "a b",
    "a\nport=0",
    "a\r\ninclude /etc/passwd",
    "a\x00b",
    "a\u2028b",
    "a\x85b",
    "{}",
    "};\nzone x",
    '"; };',
    "$INCLUDE /etc/passwd",
    "$(id)",
    "`id`",
    "@",
    "*",
    "..",
    ".",
    "-a",
    "a-",
    "_sip",
    "#" * 1200,
    "x" * 1023 + "\nport=0",
    "\ud800",
    "//x",
    "/*",
    "*/",
    '<?include "f"?>',
    "{{ vault_x }}",
    "'text'",
)
EATEN = ("ignore", "infinite", "1h", "45m", "123", "2d", "7w", "0", "set", "net", "tag", "id")
UNUSUAL = (
    "a" * 63,
    "b" * 64,
    "c" * 60,
    "bücher",
    "ÄRGER",
    "faß",
    "例え",
    "рц",
    "UPPER-vm01",
    "xn--bcher-kva",
    "10.0.0.1",
    "fd00--1",
    "localhost",
    "a.b.c",
    "pi01.lab.example.net",
    "PI02.Lab.Example.Net",
    "pi03.other.example.org",
    ".".join(["d" * 61] * 3),
    ".".join(["f" * 60] * 4),
)
ORDINARY = (
    "pi01",
    "pi02",
    "hv01",
    "hv02",
    "core-rt01",
    "core-rt02",
    "netctrl-vm01",
    "pi01-mgmt",
    "ap01",
    "web",
    "dns",
)

texts = st.sampled_from(HOSTILE) | st.text(max_size=12)
odd_names = st.sampled_from(UNUSUAL + HOSTILE) | st.text(min_size=1, max_size=12)
names = st.sampled_from(ORDINARY + EATEN) | odd_names


def often(usual: st.SearchStrategy, unusual: st.SearchStrategy) -> st.SearchStrategy:
    """*usual* in five of six cases."""
    # one_of() would take equal branches for one.
    return st.sampled_from((usual,) * 5 + (unusual,)).flatmap(lambda chosen: chosen)


@cache
def numbered(network: str) -> st.SearchStrategy[str]:
    """Addresses of *network*: some of the first ones, and the last."""
    parsed = ipaddress.ip_network(network)
    usable = [str(parsed[n]) for n in range(1, min(30, parsed.num_addresses))]
    return st.sampled_from([*usable, str(parsed[0]), str(parsed[-1])])


addresses4 = st.sampled_from(
    [a for a in OUTSIDE if ":" not in a]
    + [str(ipaddress.ip_network(n)[end]) for n in NETWORKS4 for end in (0, -1)]
)
addresses6 = st.sampled_from(
    [a for a in OUTSIDE if ":" in a]
    + [str(ipaddress.ip_network(n)[end]) for n in NETWORKS6 for end in (1, 2)]
)


@cache
def nearly(network: str | None) -> st.SearchStrategy[str]:
    """An address that a segment of *network* may name: one of its own, as a rule."""
    return often(numbered(network), addresses4) if network else addresses4


@cache
def pools(network: str | None) -> st.SearchStrategy[Range]:
    return st.tuples(nearly(network), nearly(network)).map(lambda ends: Range(*sorted(ends, key=address_key)))


@cache
def optional(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


policies = st.sampled_from(("static", "both", "both", "static", "dynamic", "none"))
many_servers = tuple(f"100.100.100.{n}" for n in range(100, 200))
many_domains = tuple(f"{n}.{'e' * 60}.example.net" for n in range(20))
dns_servers = often(st.lists(addresses4 | addresses6 | texts, max_size=2).map(tuple), st.just(many_servers))
search_domains = often(st.lists(st.just("example.net") | names, max_size=2).map(tuple), st.just(many_domains))
suffixes = often(st.just(""), names)
networks6 = st.none() | st.sampled_from(NETWORKS6)
next_servers = st.none() | addresses4 | texts


@st.composite
def segments(draw: st.DrawFn, name: str, network4: str | None) -> SegmentFacts:
    note = draw(texts)
    pool = draw(optional(pools(network4)))
    return SegmentFacts(
        name,
        network4=network4,
        network6=draw(networks6),
        gateway4=draw(optional(nearly(network4))),
        gateway6=draw(optional(addresses6)),
        pool=pool,
        delegated=(Range(pool.first, pool.first),) if pool and note in HOSTILE else (),
        policy=draw(policies),  # type: ignore[arg-type]
        dns_servers=draw(dns_servers),
        search_domains=draw(search_domains),
        next_server=draw(next_servers),
        suffix=draw(suffixes),
        trust=note,
        variables={"note": note},
    )


#: has an A record, asks for a reservation, is declared primary, has IPv6 and PXE
flags = st.sampled_from(
    (
        (True, True, False, False),
        (True, True, True, True),
        (True, True, False, True),
        (True, False, False, True),
        (False, True, False, False),
        (False, False, True, False),
    )
)
addressings = often(st.just("static"), st.sampled_from(("dhcp", "none")))
odd_macs = st.sampled_from(
    ("02:de:10:00:00:01", "00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", None, None)
)
pxe_servers = st.sampled_from(("192.0.2.95", "pxe.lab.example.net", "fd00::1", "255.255.255.255")) | texts
pxe_files = st.sampled_from(("ipxe.efi", "a b/c.0", "a #b", "x" * 128)) | texts


@st.composite
def interfaces(
    draw: st.DrawFn, host: str, name: str, mac: str, declared: tuple[SegmentFacts, ...], note: str
) -> InterfaceFacts:
    segment = draw(st.sampled_from((*declared, *declared, None)))
    a_record, reservation, primary, more = draw(flags)
    addressing = draw(addressings)
    network6 = segment.network6 if segment else None
    return InterfaceFacts(
        host,
        name,
        mac=mac if draw(st.integers(0, 5)) else draw(odd_macs),
        segment=segment.name if segment else draw(st.sampled_from((None, "nowhere"))),
        addressing=addressing,
        ipv4=draw(nearly(segment.network4 if segment else None)) if addressing == "static" else None,
        ipv6=tuple(draw(st.lists(numbered(network6) if network6 else addresses6, max_size=2, unique=True)))
        if more
        else (),
        a_record=a_record,
        reservation=reservation,
        primary=primary,
        pxe_server=draw(pxe_servers) if more else "",
        pxe_file=draw(pxe_files) if more else "",
        variables={"note": note},
    )


port_names = st.lists(
    st.sampled_from(("eth0", "eth1", "bond0", "mgmt-eth0", *HOSTILE)), min_size=1, max_size=3, unique=True
)
service_names = st.lists(names, max_size=2, unique=True).map(sorted)
tenants = often(st.just(""), st.just("tenant-a") | texts)
forms = st.sampled_from(("", "rt", "vm"))
statuses = st.sampled_from(("active", "active", "active", "standby", "retired"))


@st.composite
def hosts(draw: st.DrawFn, name: str, number: int, declared: tuple[SegmentFacts, ...]) -> HostFacts:
    note, tenant, shares_mac = draw(texts), draw(tenants), draw(st.booleans())
    # The further interfaces may be the first one's VLANs or its bond, with its MAC.
    ports = [
        (port, f"02:de:10:01:{number:02x}:{0 if shares_mac else index:02x}")
        for index, port in enumerate(draw(port_names))
    ]
    return HostFacts(
        name,
        form=draw(forms),
        status=draw(statuses),
        notes=note,
        variables={"note": note},
        interfaces=tuple(draw(interfaces(name, port, mac, declared, note)) for port, mac in ports),
        services=tuple(ServiceFacts(service, name, tenant) for service in draw(service_names)),
    )


networks4 = st.lists(st.sampled_from((*NETWORKS4, None)), min_size=1, max_size=4, unique=True)
host_names = st.lists(
    often(st.sampled_from(ORDINARY + EATEN), odd_names), min_size=1, max_size=6, unique=True
).map(sorted)
odd_roots = st.sampled_from(("bücher.example", "home.arpa", "", "10.in-addr.arpa", "e" * 250))
roots = often(st.just("example.net"), odd_roots)
authorities = st.none() | st.builds(
    AuthorityFacts, st.sampled_from(("gateway", "bootstrap")), texts, st.just("2026-01-02"), texts
)
quarantined = st.lists(addresses4, max_size=2)
serials = st.integers(1, 2**32 - 1)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A whole site: up to four segments and six hosts."""
    networks = draw(networks4)
    named = draw(st.lists(names, min_size=len(networks), max_size=len(networks), unique=True))
    declared = tuple(draw(segments(*pair)) for pair in zip(sorted(named), networks, strict=True))
    made = tuple(draw(hosts(name, number, declared)) for number, name in enumerate(draw(host_names)))
    carried = st.sampled_from([service.label for host in made for service in host.services] or ["nothing"])
    aliases = draw(st.lists(st.builds(AliasFacts, names, carried), max_size=2, unique=True))
    note = draw(texts)
    return Snapshot(
        site=SiteFacts("lab", draw(roots), name=note, variables={"note": note}),
        revision=1,
        authority=draw(authorities),
        segments=declared,
        hosts=made,
        aliases=tuple(sorted(aliases, key=lambda alias: (alias.name, alias.service))),
        identities=tuple(
            IdentityFacts("ip", address, "quarantined", "gone") for address in draw(quarantined)
        ),
        serials={"lab.example.net": ZoneSerial(draw(serials), "another content")},
    )


@st.composite
def shuffled(draw: st.DrawFn, snapshot: Snapshot) -> Snapshot:
    """The same facts in another order. The order of a host's interfaces is declared, and stays."""
    return replace(
        snapshot,
        hosts=tuple(draw(st.permutations(snapshot.hosts))),
        segments=tuple(draw(st.permutations(snapshot.segments))),
        aliases=tuple(draw(st.permutations(snapshot.aliases))),
        identities=tuple(draw(st.permutations(snapshot.identities))),
    )


def examples(number: int = EXAMPLES) -> settings:
    """The profile of these tests: *number* examples, however long the servers' checkers take."""
    return settings(
        max_examples=number,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        print_blob=True,
    )
