"""hosts, csv and prometheus: read back strictly, they say what the site declares."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.exports import get_export
from inventory.snapshot import GroupFacts, ServiceFacts, Snapshot
from tests.exports import expected
from tests.exports.client_readers import read_csv, read_hosts, read_http_sd
from tests.exports.example_site import SITE, host, interface
from tests.exports.sites import examples, names, snapshots, texts

pytestmark = pytest.mark.timeout(1800)


def content(format: str, site: Snapshot, authority=None) -> bytes:
    (made,) = get_export(format).render(site, authority).files.values()
    return made


def hosts_file(site: Snapshot) -> dict[str, list[str]]:
    return read_hosts(content("hosts", site).decode("ascii"))


# --- hosts ---


@examples()
@given(site=snapshots())
def test_a_hosts_file_has_every_record_and_nothing_else(site):
    zone = expected.zone_of(site)
    read = hosts_file(site)
    if zone is None:
        assert read == {}
        return
    records = expected.address_records(site)
    wanted = {(value, name) for name, _, value in records}
    wanted |= {
        (value, alias)
        for alias, _, target in expected.cname_records(site)
        for name, _, value in records
        if name == target
    }
    qualified = {
        (address, name) for address, called in read.items() for name in called if name.endswith(f".{zone}")
    }
    assert qualified == wanted


@examples()
@given(site=snapshots())
def test_the_first_name_of_an_address_is_its_ptr(site):
    plan = get_export("bind")  # the PTR records as another format has them
    pointers = {
        line.split()[0]: line.split()[4].rstrip(".")
        for files in plan.render(site).files.values()
        for line in files.decode().splitlines()
        if " IN PTR " in line
    }
    for address, called in hosts_file(site).items():
        owner = pointers.get(f"{ipaddress.ip_address(address).reverse_pointer}.")
        assert owner in (None, called[0])


@examples()
@given(site=snapshots())
def test_no_short_name_hides_the_machines_own(site):
    for called in hosts_file(site).values():
        assert not {"localhost", "ip6-localhost", "broadcasthost"} & set(called)


def test_a_host_called_localhost_is_there_by_its_qualified_name_and_it_is_said():
    site = replace(
        SITE, hosts=(host("localhost", interface("localhost", "eth0", None, "iot", "198.51.100.9")),)
    )
    assert hosts_file(site) == {"198.51.100.9": ["localhost.lab.example.net"]}
    findings = get_export("hosts").render(site).findings
    assert ("format-limit", "name localhost") in {(f.id, f.subject) for f in findings}


# --- csv ---


@examples()
@given(site=snapshots())
def test_each_row_is_an_interface_as_declared(site):
    rows = read_csv(content("csv", site))
    claimed = expected.claims(site)
    cards = [(h, i) for h in sorted(expected.live(site), key=lambda h: h.name) for i in h.interfaces]
    assert len(rows) == len(cards)
    for row, (machine, card) in zip(rows, cards, strict=True):
        assert row["status"] == machine.status
        for column, value in (("host", machine.name), ("notes", machine.notes), ("interface", card.name)):
            assert row[column] == _written(value)
        for column, kind, value in (("mac", "mac", card.mac), ("ipv4", "ip", card.ipv4)):
            disputed = len(claimed[kind, value]) > 1 and value
            assert row[column] == ("" if disputed or not value else value)
            assert (f"{kind}:{value}" in row["disputed"].split(" ")) == bool(disputed)


def _written(text: str) -> str:
    return "".join(ascii(c)[1:-1] if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "'=1", "'", "\n=1"]
)
def test_a_formula_is_guarded_and_comes_back(evil):
    (first, *_) = SITE.hosts
    site = replace(SITE, hosts=(replace(first, notes=evil),))
    assert f"'{evil}" in content("csv", site).decode().replace('""', '"')
    (row,) = read_csv(content("csv", site))
    assert row["notes"] == evil


def test_columns_are_added_at_the_end_and_never_renamed():
    header = content("csv", SITE).decode().splitlines()[0]
    assert header.startswith(
        "host,form,role,status,plane,platform,location,hypervisor,vmid,groups,services,notes,disputed,interface,"
        "primary,fqdn,mac,mac_kind,segment,vlan,addressing,ipv4,ipv6,bootstrap_ipv4,a_record,reservation,management,"
        "wake_on_lan,pxe_server,pxe_file,switch,switch_port"
    )


def test_a_host_without_interface_has_a_row():
    (row,) = read_csv(content("csv", replace(SITE, hosts=(host("bare01"),))))
    assert (row["host"], row["interface"]) == ("bare01", "")


# --- prometheus ---

EXPORTER = {"port": 9100, "labels": {"rack": "a"}}


def carrying(*services: ServiceFacts, **more) -> Snapshot:
    machine = replace(host("pi01", interface("pi01", "eth0", None, "iot", "198.51.100.11")), **more)
    return replace(SITE, hosts=(replace(machine, services=services),), aliases=())


def test_a_service_with_a_port_and_a_metrics_path_is_a_target_by_its_own_name():
    site = carrying(ServiceFacts("web", "pi01", port=8080, metrics_path="/metrics?module=http"))
    assert read_http_sd(content("prometheus", site)) == {
        "web.lab.example.net:8080": [
            {
                "__metrics_path__": "/metrics",
                "__param_module": "http",
                "host": "pi01",
                "plane": "management",
                "service": "web",
                "site": "lab",
            }
        ]
    }


def test_a_host_is_a_target_where_its_group_says_so():
    group = GroupFacts("nodes", hosts=("pi01",), variables={"mgmtplane_prometheus": [EXPORTER, {"port": 1}]})
    read = read_http_sd(content("prometheus", replace(carrying(), groups=(group,))))
    assert set(read) == {"pi01.lab.example.net:9100", "pi01.lab.example.net:1"}
    assert read["pi01.lab.example.net:9100"][0]["rack"] == "a"


def test_the_nearest_declaration_counts():
    site = carrying(variables={"mgmtplane_prometheus": []})
    site = replace(site, site=replace(site.site, variables={"mgmtplane_prometheus": EXPORTER}))
    assert read_http_sd(content("prometheus", site)) == {}


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (ServiceFacts("web", "pi01", metrics_path="/metrics"), "no port"),
        (ServiceFacts("web", "pi01", port=80, metrics_path="metrics"), "no path of a URL"),
        (ServiceFacts("web", "pi01", port=80, metrics_path="/a\nb"), "no path of a URL"),
        (ServiceFacts("we_b", "pi01", port=80, metrics_path="/metrics"), "no name in DNS"),
    ],
)
def test_a_target_that_cannot_be_scraped_is_a_finding(service, words):
    document = get_export("prometheus").render(carrying(service))
    assert document.files["prometheus.json"] == b"[]\n"
    (finding,) = document.findings
    assert finding.id == "scrape-target-unusable"
    assert finding.subject == f"service {service.label}"
    assert words in finding.message


@pytest.mark.parametrize(
    "declared",
    [
        "{{ x }}",
        {"port": "9100"},
        {"port": True},
        {"port": 1, "scheme": "https"},
        {"port": 1, "labels": {"host": "x"}},
        {"port": 1, "labels": {"__x": "x"}},
        {"__ansible_vault": "x"},
    ],
)
def test_a_hosts_declaration_that_cannot_be_used_is_a_finding(declared):
    document = get_export("prometheus").render(carrying(variables={"mgmtplane_prometheus": declared}))
    assert document.files["prometheus.json"] == b"[]\n"
    assert [(f.id, f.subject) for f in document.findings] == [("scrape-target-unusable", "host pi01")]


@st.composite
def scraped(draw) -> Snapshot:
    site = draw(snapshots())
    ports, paths = st.none() | st.integers(0, 70000), st.sampled_from(("", "/metrics", "/m?a=b&c")) | texts
    return replace(
        site,
        hosts=tuple(
            replace(
                machine,
                services=tuple(
                    replace(service, port=draw(ports), metrics_path=draw(paths))
                    for service in machine.services
                ),
                variables={"mgmtplane_prometheus": draw(st.sampled_from((EXPORTER, "x", [])))},
            )
            for machine in site.hosts
        ),
    )


@examples()
@given(site=scraped())
def test_every_target_is_declared_and_resolves_and_every_other_is_a_finding(site):
    document = get_export("prometheus").render(site)
    read = read_http_sd(document.files["prometheus.json"])
    subjects = {f.subject for f in document.findings}
    resolved = {name for name, _, _ in expected.address_records(site) | expected.cname_records(site)}
    assert {target.rpartition(":")[0] for target in read} <= resolved
    for machine in expected.live(site):
        for service in machine.services:
            if service.metrics_path:
                target = f"{expected.name_of(site, service.label)}:{service.port}"
                assert target in read or f"service {service.label}" in subjects
    assert not any("{{" in label for groups in read.values() for group in groups for label in group)


@examples(20)
@given(site=snapshots(), name=names)
def test_only_the_declared_is_a_target(site, name):
    assert read_http_sd(content("prometheus", site)) == {}
