"""The order of rebuilding and the manual floor, on sites made by hand."""

from __future__ import annotations

from inventory.recovery.floor import floor
from inventory.recovery.order import stages
from inventory.recovery.pages import pages
from inventory.snapshot import AuthorityFacts, HostFacts, InterfaceFacts, SegmentFacts, SiteFacts, Snapshot

SITE = SiteFacts("lab", "example.net")
SEGMENT = SegmentFacts(
    "management", vlan=99, network4="192.0.2.0/24", gateway4="192.0.2.1", dns_servers=("192.0.2.53",)
)


def host(name: str, form: str, address: str = "", *, switch: str | None = None, **more) -> HostFacts:
    card = InterfaceFacts(
        name,
        "eth0",
        "00:00:5e:00:53:01",
        segment="management" if address else None,
        ipv4=address or None,
        addressing="static" if address else "none",
        a_record=bool(address),
        switch=switch,
        switch_port="7" if switch else "",
    )
    return HostFacts(name, form=form, interfaces=(card,), **more)


def site(*hosts: HostFacts, **more) -> Snapshot:
    return Snapshot(SITE, segments=(SEGMENT,), hosts=hosts, **more)


def order(snapshot: Snapshot) -> list[list[str]]:
    return [[step.host for step in stage.steps] for stage in stages(snapshot)]


def test_what_carries_comes_before_what_it_carries():
    snapshot = site(
        host("dns-vm01", "vm", "192.0.2.53", hypervisor="hv01", vmid=200),
        host("hv01", "hv", "192.0.2.21", switch="sw01"),
        host("sw01", "sw", "192.0.2.2"),
        host("rt01", "rt", "192.0.2.1", switch="sw01"),
    )
    assert order(snapshot) == [["sw01"], ["rt01"], ["hv01"], ["dns-vm01"]]
    assert not any(stage.circle for stage in stages(snapshot))


def test_each_need_is_told_with_its_reason():
    snapshot = site(
        host("hv01", "hv", "192.0.2.21", switch="sw01"), host("sw01", "sw"), host("rt01", "rt", "192.0.2.1")
    )
    (step,) = [step for stage in stages(snapshot) for step in stage.steps if step.host == "hv01"]
    assert [(need.host, need.why) for need in step.needs] == [
        ("sw01", "is plugged into it"),
        ("rt01", "its gateway in management"),
    ]


def test_machines_that_carry_each_other_are_told_as_a_circle():
    snapshot = site(
        host("a-vm01", "vm", hypervisor="b-vm01"),
        host("b-vm01", "vm", hypervisor="a-vm01"),
        host("pi01", "pi"),
    )
    assert order(snapshot) == [["pi01"], ["a-vm01", "b-vm01"]]
    assert [stage.circle for stage in stages(snapshot)] == [False, True]


def needs_of(snapshot: Snapshot, name: str) -> list[tuple[str, str]]:
    (step,) = [step for stage in stages(snapshot) for step in stage.steps if step.host == name]
    return [(need.host, need.why) for need in step.needs]


def test_a_declared_need_comes_after_what_carries_the_host_and_before_who_serves_it():
    snapshot = site(
        host("hv01", "hv", "192.0.2.21", switch="sw01", needs=("nas01", "lic01")),
        host("lic01", "ph"),
        host("nas01", "ph"),
        host("rt01", "rt", "192.0.2.1"),
        host("sw01", "sw"),
    )
    assert needs_of(snapshot, "hv01") == [
        ("sw01", "is plugged into it"),
        ("nas01", "needs it"),
        ("lic01", "needs it"),
        ("rt01", "its gateway in management"),
    ]
    assert order(snapshot) == [["rt01", "sw01", "lic01", "nas01"], ["hv01"]]


def test_a_gateway_gives_way_to_a_declared_need():
    snapshot = site(host("nas01", "ph", "192.0.2.40"), host("rt01", "rt", "192.0.2.1", needs=("nas01",)))
    assert order(snapshot) == [["nas01"], ["rt01"]]


def test_a_declared_need_gives_way_to_what_carries_the_host():
    snapshot = site(
        host("hv01", "hv", needs=("nas-vm01",)), host("nas-vm01", "vm", hypervisor="hv01", needs=("hv01",))
    )
    assert needs_of(snapshot, "hv01") == [] and needs_of(snapshot, "nas-vm01") == [("hv01", "runs on it")]


def test_of_hosts_that_need_each_other_the_first_by_name_waits():
    snapshot = site(host("a", "ph", needs=("b",)), host("b", "ph", needs=("a",)))
    assert order(snapshot) == [["b"], ["a"]]
    assert not any(stage.circle for stage in stages(snapshot))


def test_the_retired_and_the_unknown_are_nobodys_need():
    snapshot = site(
        host("hv01", "hv", status="retired"),
        host("a-vm01", "vm", hypervisor="hv01"),
        host("pi01", "pi", switch="sw09", needs=("hv01", "nas09", "pi01")),
    )
    assert order(snapshot) == [["pi01", "a-vm01"]]


def test_every_live_host_stands_in_one_stage():
    snapshot = site(*(host(f"vm{n:02}", "vm", hypervisor=f"vm{(n * 7) % 40:02}") for n in range(40)))
    placed = [name for stage in order(snapshot) for name in stage]
    assert sorted(placed) == sorted(one.name for one in snapshot.live_hosts)


def test_the_bootstrap_node_is_first_by_hand_and_no_virtual_machine_is():
    node = host("provisioner-ph01", "ph", "192.0.2.95")
    snapshot = site(
        host("sw01", "sw", location="rack 1"),
        node,
        host(
            "hv01", "hv", "192.0.2.21", switch="sw01", out_of_band={"type": "ipmi", "address": "192.0.2.121"}
        ),
        host("dns-vm01", "vm", "192.0.2.53", hypervisor="hv01"),
        authorities=(AuthorityFacts("bootstrap", "ada", "2026-01-01T00:00:00Z", "why", "provisioner-ph01"),),
    )
    tasks = floor(snapshot)
    assert [task.host for task in tasks] == ["provisioner-ph01", "sw01", "hv01"]
    assert "how to get in without the network (out-of-band, console, login)" in tasks[0].lacking
    assert tasks[1].lines[0] == "It stands at: rack 1."
    assert "Out of band, address: 192.0.2.121." in tasks[2].lines
    assert any("goes to sw01 port 7" in line for line in tasks[2].lines)


def test_what_is_sealed_stays_sealed():
    sealed = {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162"}
    (task,) = floor(site(host("rt01", "rt", access={"user": "root", "password": sealed})))
    assert "Access, password: (sealed)." in task.lines


def test_the_manual_floor_tells_console_and_power():
    facts = {
        "console_kind": "sol",
        "console_address": "192.0.2.121",
        "power_kind": "pdu",
        "power_outlet": "5",
    }
    (task,) = floor(site(host("hv01", "hv", "192.0.2.21", **facts)))
    assert {"Console: serial over LAN (IPMI), 192.0.2.121.", "Power: PDU, outlet 5."} <= set(task.lines)
    assert not any("how to get in" in one for one in task.lacking)


def test_the_emergency_access_stands_on_the_first_page():
    site_ = SiteFacts(
        "lab",
        "example.net",
        emergency_who="Grace",
        emergency_how="by the console",
        emergency_secret="file:/safe",
    )
    page = pages(Snapshot(site_, hosts=(host("rt01", "rt", "192.0.2.1"),)))["index.html"].decode()
    assert all(text in page for text in ("Emergency access", "Who: Grace", "The secret: file:/safe"))
    assert "Emergency access" not in pages(site(host("rt01", "rt")))["index.html"].decode()
