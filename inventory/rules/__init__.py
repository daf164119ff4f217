"""What is wrong with a site, or worth knowing: rules are functions from a Snapshot to Findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inventory.findings import Finding, in_reading_order
from inventory.rules import addresses, ansible, dhcp, dns
from inventory.snapshot import Snapshot

Rule = Callable[[Snapshot], Iterable[Finding]]

#: Adding a rule is adding a function here, its ids to KNOWN and a paragraph to docs/findings.md.
RULES: list[Rule] = [addresses.findings, ansible.findings, dhcp.findings, dns.findings]

#: Every id a finding may have, and what it says in one line. The documentation test compares.
KNOWN: dict[str, str] = {
    "a-record-without-address": "An interface asks for an A record and has no fixed address.",
    "address-in-pool": "A static address lies in a DHCP pool.",
    "address-link-local": "A link-local address has no record.",
    "address-outside-segment": "A static address lies outside its segment, or in no segment at all.",
    "alias-dangles": "An alias points at a service that nobody, or more than one host, carries.",
    "alias-unusable": "An alias has no name of its own below the root domain.",
    "cname-dangles": "A service's host has no address record under its own name.",
    "cname-shadows": "A service has the name of its own host.",
    "dns-server-unusable": "A segment's DNS server is not an address.",
    "gateway-outside-segment": "A segment's gateway lies outside its network.",
    "host-named-as-group": "A host has the name of a group, which inventory scripts cannot express.",
    "identity-disputed": "Two hosts claim one MAC, address or name.",
    "identity-hidden": "A variable of another meaning keeps facts of a host out of the Ansible inventory.",
    "identity-jinja": "A field of a host's identity holds Jinja that only Ansible could evaluate.",
    "identity-unreadable": "A field of a host's identity is not what it should be.",
    "name-unusable": "A name has no form in DNS below the site's zone.",
    "pool-missing": "A segment hands out pool addresses only, and has no pool.",
    "pool-not-served": "A segment has a pool and takes static mappings only.",
    "pool-outside-segment": "A segment's pool is no range of hosts of its network.",
    "ptr-outside": "A public address outside the site's networks has no PTR here.",
    "pxe-server-is-a-name": "A PXE server is given by name, which UEFI firmware does not read.",
    "pxe-unusable": "A boot server or boot file cannot be handed out.",
    "quarantined-in-use": "A host claims what is in quarantine under another host.",
    "reservation-forbidden": "A reservation in a segment that takes no static mappings.",
    "reservation-mac-unusable": "A reservation for a MAC that no interface has.",
    "reservation-no-dhcp": "A reservation in a segment without DHCP.",
    "reservation-on-gateway": "A router gets its own address by DHCP.",
    "reservation-outside-segment": "A reservation outside its segment's network.",
    "reservation-repeated": "Two interfaces of one host ask for the same reservation.",
    "reservation-unknown-mac": "A reservation for a MAC that nobody knows yet.",
    "reservation-unusable-address": "A reservation of a network or broadcast address.",
    "reservation-without-address": "A reservation without a fixed IPv4 address.",
    "reservation-without-segment": "A reservation in no declared segment.",
    "search-domain-unusable": "A segment's search domain is no DNS name.",
    "segment-overlap": "Two segments' networks overlap.",
    "segment-undeclared": "An interface names a segment that is not declared.",
    "service-on-vm": "A service that the router should carry is on a virtual machine.",
    "variable-pinned": "A variable of a group is repeated on a host, to resolve as in the imported tree.",
    "vault-sealed": "A wholly vaulted file was imported without its password.",
    "zone-unusable": "The site's zone is no name that DNS can serve.",
}


def judge(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Everything the rules say about *snapshot*, worst first."""
    return in_reading_order([finding for rule in RULES for finding in rule(snapshot)])
