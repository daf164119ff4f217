"""Whatever a site holds: files load, say what is declared and what is left out; nothing breaks out."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.exports import get_export
from inventory.exports.registry import MODULES
from inventory.serving import checkers
from inventory.serving.output import write_directory
from inventory.snapshot import Snapshot
from tests.components import require, require_namespaces
from tests.exports import expected, readers
from tests.exports.sites import EXAMPLES, examples, shuffled, snapshots
from tests.shared_data import REPOSITORY

FORMATS = tuple(name for name in MODULES if name not in ("site", "ansible", "ansible-tree"))
#: what a line-based server of DHCP or DNS reads
LINES = ("dnsmasq", "isc-dhcp", "opnsense", "vyos", "bind", "unbound", "hosts", "ssh-config")
DHCP_READERS = {
    "kea": readers.read_kea,
    "isc-dhcp": readers.read_isc,
    "dnsmasq": lambda text: readers.read_dnsmasq(text).subnets,
}

pytestmark = pytest.mark.timeout(1800)


def files_of(format: str, site: Snapshot, authority=None) -> dict[str, str]:
    return {
        name: content.decode() for name, content in get_export(format).render(site, authority).files.items()
    }


def text_of(format: str, site: Snapshot) -> str:
    (text,) = files_of(format, site).values()
    return text


def require_checker(format: str) -> None:
    checker = checkers.CHECKERS[format]
    require(*checker.programs, package=checker.packages[0])


@pytest.mark.parametrize("format", checkers.CHECKERS)
def test_the_servers_own_checker_accepts_every_site(format):
    require_checker(format)

    @examples()
    @given(snapshots(), st.sampled_from((None, "gateway", "bootstrap")))
    def accepted(site, authority):
        with tempfile.TemporaryDirectory() as directory:
            write_directory(Path(directory), get_export(format).render(site, authority).files)
            result = checkers.check(format, Path(directory))
        assert result.status == "good", result.words

    accepted()


@examples()
@given(site=snapshots())
def test_reservations_are_those_declared(site):
    read = readers.read_kea(text_of("kea", site))
    wanted = expected.wanted_reservations(site)
    assert set(read) == set(wanted)
    for network, served in read.items():
        assert set(served.reservations) <= set(wanted[network])
        macs, addresses = [mac for mac, _ in served.reservations], [a for _, a in served.reservations]
        assert len(set(macs)) == len(macs)
        assert len(set(addresses)) == len(addresses)
        # What is missing gave way to another interface of the same host.
        for mac, address in set(wanted[network]) - set(served.reservations):
            assert mac in macs or address in addresses


@examples()
@given(site=snapshots())
def test_all_dhcp_servers_are_told_the_same(site):
    kea, isc, dnsmasq = (reader(text_of(format, site)) for format, reader in DHCP_READERS.items())
    assert kea == isc == dnsmasq


@examples()
@given(site=snapshots())
def test_options_and_pools_are_those_declared(site):
    read = readers.read_kea(text_of("kea", site))
    taken = expected.taken_addresses(site)
    for segment in expected.served_segments(site):
        served = read[segment.network4]
        network = ipaddress.ip_network(segment.network4)
        inside = segment.gateway4 and ipaddress.ip_address(segment.gateway4) in network
        assert served.gateway == (segment.gateway4 if inside else None)
        assert served.domain == expected.zone_of(site)
        assert set(served.dns_servers) <= {*segment.dns_servers, segment.gateway4}
        assert served.next_server in (None, segment.next_server)
        assert expected.pools_are_in_order(served.pools)
        offered = {
            str(ipaddress.ip_address(number))
            for first, last in served.pools
            for number in range(int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)) + 1)
        }
        assert all(address in segment.pool for address in offered)
        assert not offered & taken
        if segment.policy == "static":
            assert not offered


@examples()
@given(site=snapshots())
def test_hostnames_are_labels_that_nobody_else_claims(site):
    claimed = expected.claims(site)
    zone = expected.zone_of(site)
    by_key = {
        (i.mac, i.ipv4): (host, i)
        for host in expected.live(site)
        for i in host.interfaces
        if i.mac and i.ipv4
    }
    for served in readers.read_kea(text_of("kea", site)).values():
        for key, row in served.reservations.items():
            if row.hostname is not None:
                host, _ = by_key[key]
                assert claimed.get(("name", f"{row.hostname}.{zone}"), set()) <= {host.name}


@examples()
@given(site=snapshots())
def test_records_are_those_declared(site):
    zone = expected.zone_of(site)
    zones = readers.read_bind(files_of("bind", site))
    if zone is None:
        assert zones == {}
        return
    addresses = expected.address_records(site)
    assert zones[zone] == addresses | expected.cname_records(site)
    for name, records in zones.items():
        assert all(owner == name or owner.endswith(f".{name}") for owner, _, _ in records)
    pointers = [record for records in zones.values() for record in records if record[1] == "PTR"]
    assert len({owner for owner, _, _ in pointers}) == len(pointers), "one PTR for each address"
    forward = {(ipaddress.ip_address(value).reverse_pointer, "PTR", name) for name, _, value in addresses}
    assert set(pointers) <= forward
    for address in {value for _, _, value in addresses}:
        if not ipaddress.ip_address(address).is_global:
            assert ipaddress.ip_address(address).reverse_pointer in {owner for owner, _, _ in pointers}


@examples()
@given(site=snapshots())
def test_all_name_servers_answer_the_same(site):
    bind = readers.read_bind(files_of("bind", site))
    dnsmasq = readers.read_dnsmasq(text_of("dnsmasq", site))
    unbound = readers.read_unbound(text_of("unbound", site))
    assert dnsmasq.zones == set(unbound) == set(bind)
    records = {record for zone in bind.values() for record in zone}
    # dnsmasq makes a PTR of every address, also of those whose reverse zone is somebody else's.
    reverse = {record for record in dnsmasq.records if record[1] == "PTR"}
    assert {record for record in records if record[1] == "PTR"} <= reverse
    assert dnsmasq.records - reverse == {record for record in records if record[1] != "PTR"}
    addresses = {record for record in records if record[1] in ("A", "AAAA")}
    copies = {
        (name, kind, value)
        for name, type_, target in records
        if type_ == "CNAME"
        for owner, kind, value in addresses
        if owner == target
    }
    assert {record for zone in unbound.values() for record in zone} == {
        record for record in records if record[1] != "CNAME"
    } | copies


@examples()
@given(site=snapshots())
def test_every_reservation_that_is_left_out_has_a_finding(site):
    findings = get_export("kea").render(site, None).findings
    subjects = {finding.subject for finding in findings}
    served = {
        key for subnet in readers.read_kea(text_of("kea", site)).values() for key in subnet.reservations
    }
    for host in expected.live(site):
        for i in host.interfaces:
            if i.reservation and (i.mac, i.ipv4) not in served:
                reasons = {i.subject, f"MAC {i.mac}", f"address {i.ipv4}", f"segment {i.segment}"}
                assert reasons & subjects, i


@examples()
@given(site=snapshots())
def test_every_name_that_is_left_out_has_a_finding(site):
    document = get_export("bind").render(site, None)
    subjects = {finding.subject for finding in document.findings}
    zone = expected.zone_of(site)
    if zone is None:
        assert subjects == {f"site {site.site.slug}"}
        return
    owners = {owner for owner, _, _ in readers.read_bind(files_of("bind", site))[zone]}
    for host in expected.live(site):
        for i in host.interfaces:
            name = expected.interface_name(site, host, i)
            if i.a_record and name not in owners:
                label = (name or "").removesuffix(f".{zone}")
                assert subjects & {i.subject, f"name {label}", *(f"address {a}" for a in i.addresses)}
        for service in host.services:
            name = expected.name_of(site, service.label)
            if name not in owners:
                label = (name or "").removesuffix(f".{zone}")
                assert subjects & {f"service {service.label}", f"name {label}"}


@examples()
@given(data=st.data())
def test_the_order_of_facts_changes_no_byte(data):
    site = data.draw(snapshots())
    again = data.draw(shuffled(site))
    for format in FORMATS:
        assert get_export(format).render(again, None) == get_export(format).render(site, None)


HASHES = """
import hashlib, pickle, sys
from inventory.exports import get_export
for site in pickle.load(sys.stdin.buffer):
    for format in sys.argv[1:]:
        for name, content in get_export(format).render(site, None).files.items():
            print(format, name, hashlib.sha256(content).hexdigest())
"""


@examples(max(2, EXAMPLES // 50))
@given(sites=st.lists(snapshots(), min_size=10, max_size=20))
def test_the_hash_seed_changes_no_byte(sites):
    here = [
        f"{format} {name} {hashlib.sha256(content).hexdigest()}"
        for site in sites
        for format in FORMATS
        for name, content in get_export(format).render(site, None).files.items()
    ]
    for seed in ("1", "4242"):
        elsewhere = subprocess.run(
            [sys.executable, "-c", HASHES, *FORMATS],
            input=pickle.dumps(sites),
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert elsewhere.stdout.decode().splitlines() == here


@examples()
@given(site=snapshots())
def test_no_free_text_becomes_a_line(site):
    """Comments stay comments: one printable ASCII line, shorter than dnsmasq's 1024 characters."""
    for format in (*LINES, "kea"):
        for text in files_of(format, site).values():
            assert text.endswith("\n")
            assert text.isascii()
            assert all(line.isprintable() for line in text.split("\n"))
            if format != "kea":
                assert max(map(len, text.split("\n"))) <= 1000


@pytest.mark.lab
def test_dnsmasq_starts_on_every_site():
    """``--test`` reads less than a start does."""
    require("dnsmasq", package="dnsmasq")
    require_namespaces()

    @examples(max(6, EXAMPLES // 20))
    @given(snapshots())
    def starts(site):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "dnsmasq.conf"
            path.write_text(text_of("dnsmasq", site))
            assert "started, version" in _first_words_of_dnsmasq(path)

    starts()


def _first_words_of_dnsmasq(path: Path) -> str:
    """Start dnsmasq on the file in a namespace of its own; return what it said until it served or died."""
    command = [
        "unshare",
        "--net",
        "--map-root-user",
        "dnsmasq",
        "-d",
        "-C",
        str(path),
        "-u",
        "root",
        "--no-resolv",
    ]
    command += [f"--dhcp-leasefile={path.parent / 'leases'}", "--pid-file="]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = ""
    try:
        for line in server.stderr:
            said += line
            if "cleared cache" in line or "read " in line:
                break
    finally:
        server.kill()
        server.wait()
        server.stderr.close()
    return said
