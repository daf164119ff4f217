"""Hypervisors and their guests, cables, and groups."""

from __future__ import annotations

from inventory.snapshot import GroupFacts, HypervisorFacts, MachineFacts, SegmentFacts
from tests.rules.cases.making import Pair, card, host, of, with_card


def carried(plane: str, carrier_plane: str, **carrier):
    facts = {
        "form": "hv",
        "plane": carrier_plane,
        "proxmox": HypervisorFacts(token_id="a@pve!b", secret="env:C"),
    }
    return of(
        host("hv01", card("hv01", "192.0.2.21"), **{**facts, **carrier}),
        host("v1", card("v1", "192.0.2.31"), form="vm", hypervisor="hv01", plane=plane),
    )


def tenants(trust: str):
    return of(
        host("v1", card("v1", "192.0.2.31", segment="lan"), form="vm", plane="tenant"),
        segments=[SegmentFacts("lan", trust=trust)],
    )


def plugged(port: str):
    return of(
        host("sw01", card("sw01", "192.0.2.5"), form="sw"),
        host("a", card("a", "192.0.2.11", switch="sw01", switch_port="7")),
        host("b", card("b", "192.0.2.12", switch="sw01", switch_port=port)),
    )


def made_of(form: str = "vm", **spec):
    machine = MachineFacts(**{"template": "debian-13-", **spec})
    return of(host("v1", card("v1", "192.0.2.31"), form=form, machine=machine))


CASES = {
    "group-empty": Pair(
        of(host(), groups=[GroupFacts("all_web", children=("web",)), GroupFacts("web")]),
        of(host(), groups=[GroupFacts("all_web", children=("web",)), GroupFacts("web", hosts=("h",))]),
    ),
    "hypervisor-unusable": Pair(
        carried("management", "management", status="retired"), carried("management", "management")
    ),
    "hypervisor-without-credentials": Pair(
        carried("management", "management", proxmox=None), carried("management", "management")
    ),
    "hypervisor-one-token": Pair(
        carried("management", "management"),
        carried(
            "management",
            "management",
            proxmox=HypervisorFacts(
                token_id="a@pve!b", secret="env:C", read_token_id="a@pve!r", read_secret="env:R"
            ),
        ),
    ),
    "machine-implausible": Pair(made_of(memory=4, cores=129), made_of(memory=4096)),
    "machine-of-other-form": Pair(made_of("ph"), made_of()),
    "machine-pxe-without-rng": Pair(made_of(boot="pxe"), made_of(boot="pxe", rng=True)),
    "machine-unspecified": Pair(of(host("v1", card("v1", "192.0.2.31"), form="vm")), made_of()),
    "machine-without-template": Pair(made_of(template=""), made_of()),
    "management-on-tenant-hypervisor": Pair(carried("management", "tenant"), carried("tenant", "tenant")),
    "switch-port-twice": Pair(plugged("7"), plugged("8")),
    "tenant-in-management-segment": Pair(tenants("Management"), tenants("tenant")),
    "tenant-on-management-hypervisor": Pair(carried("tenant", "management"), carried("tenant", "tenant")),
    "wol-without-mac": Pair(with_card(mac=None, wake_on_lan=True), with_card(wake_on_lan=True)),
}
