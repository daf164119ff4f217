"""Names, MACs, VMIDs, and what hosts dispute or left behind."""

from __future__ import annotations

from dataclasses import replace

from inventory.snapshot import AuthorityFacts, IdentityFacts, RoleFacts
from tests.rules.cases.making import Pair, card, host, of, on_site, with_card

OCTETS = {"organisation": "de", "environment": "10"}
ASSIGNED = {"mac": "02:de:10:01:00:01", "mac_kind": "assigned"}
DNS = RoleFacts("dns", "01")


def left(since: str, until: str):
    return IdentityFacts("ip", "192.0.2.77", "quarantined", "old", since, until)


def assigned(role: str = "dns", roles=(DNS,), **facts):
    """One host of *role* with an assigned MAC, at a site that declares its octets."""
    snapshot = on_site(host("h", card("h", **{**ASSIGNED, **facts}), role=role, form="vm"), **OCTETS)
    return replace(snapshot, roles=tuple(roles))


def numbered(vmid: int | None, **site):
    return on_site(host(form="vm", vmid=vmid), **{**OCTETS, **site})


def bootstrapped(address: str | None):
    node = host("builder", card("builder", address, segment="lan"))
    declared = AuthorityFacts("bootstrap", "ada", "2030-01-02T03:04:05Z", "the router is gone", "builder")
    return of(node, authority=declared, authorities=(declared,))


CASES = {
    "bootstrap-node-missing": Pair(bootstrapped(None), bootstrapped("192.0.2.95")),
    "identity-disputed": Pair(of(host("a"), host("b")), of(host("a"), host("b", card("b", "192.0.2.11")))),
    "mac-names-another": Pair(
        assigned(roles=[DNS, RoleFacts("dhcp", "02")], mac="02:de:10:02:00:01"),
        assigned(roles=[DNS, RoleFacts("dhcp", "02")]),
    ),
    "mac-octets-missing": Pair(with_card(**ASSIGNED), assigned()),
    "mac-of-a-vendor": Pair(assigned(mac="bc:24:11:00:00:01"), assigned()),
    "mac-of-another-site": Pair(assigned(mac="02:de:99:01:00:01"), assigned()),
    "name-off-pattern": Pair(
        on_site(host("mailserver"), naming={"standard": "role-form"}),
        on_site(host("mail-vm01", card("mail-vm01"), form="vm"), naming={"standard": "role-form"}),
    ),
    "naming-unusable": Pair(
        on_site(naming={"standard": "nonsense"}), on_site(naming={"standard": "role-form"})
    ),
    "quarantine-long": Pair(
        of(host(), identities=[left("2029-01-01T00:00:00+00:00", "2031-01-01T00:00:00+00:00")]),
        of(host(), identities=[left("2030-06-01T00:00:00+00:00", "2031-01-01T00:00:00+00:00")]),
    ),
    "quarantine-passed": Pair(
        of(host(), identities=[left("2030-05-01T00:00:00+00:00", "2030-06-14T00:00:00+00:00")]),
        of(host(), identities=[left("2030-05-01T00:00:00+00:00", "2030-06-15T00:00:00+00:00")]),
    ),
    "quarantined-in-use": Pair(
        of(host(), identities=[replace(left("", ""), value="192.0.2.10")]),
        of(host(), identities=[replace(left("", ""), value="192.0.2.11")]),
    ),
    "role-without-code": Pair(assigned(roles=[RoleFacts("dns")]), assigned()),
    "vmid-missing": Pair(numbered(None, mac_encoding="vmid"), numbered(200, mac_encoding="vmid")),
    "vmid-outside-range": Pair(
        numbered(300, vmid_first=200, vmid_last=299), numbered(299, vmid_first=200, vmid_last=299)
    ),
}
