"""Which Ansible variable means which noun. The table is documented in ``docs/ansible.md``; a site may override it. Pure.

Keys are ``<noun>.<field>``. The value is a variable name (site), or a key inside the mapping of that noun (the rest).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: field → (default name, what it means)
TABLE: dict[str, tuple[str, str]] = {
    "site.root_domain": ("deevnet_root_domain", "group variable: the root domain"),
    "site.code": ("deevnet_substrate", "group variable: the site's own name; must equal its slug"),
    "site.segments": ("deevnet_vlans", "group variable: mapping of segment name to segment"),
    "segment.vlan": ("vlan_id", "VLAN id"),
    "segment.network": ("subnet", "network of either family"),
    "segment.network6": ("subnet6", "IPv6 network beside an IPv4 one"),
    "segment.gateway": ("gateway", "gateway of the network"),
    "segment.gateway6": ("gateway6", "IPv6 gateway"),
    "segment.dhcp": ("dhcp_enabled", "false: static mappings only"),
    "segment.pool_first": ("dhcp_range_start", "first address of the DHCP pool"),
    "segment.pool_last": ("dhcp_range_end", "last address of the DHCP pool"),
    "segment.dynamic_only": ("guest", "not a key: names of segments that take no static mappings, comma-separated"),
    "host.hardware": ("infrastructure", "host variable: what the machine is"),
    "host.intent": ("env", "host variable: what the machine does here"),
    "host.form": ("form", "in the hardware mapping: hv, vm, ph, pi, em, rt, sw, ap"),
    "host.role": ("role", "in the intent mapping: what the host is for"),
    "host.interfaces": ("interfaces", "in both mappings: interface name to interface"),
    # of a host of form hv
    "hypervisor.api_url": ("proxmox_api_host", "host variable: name or address of its Proxmox API, or all of https://…"),
    "hypervisor.node": ("proxmox_node", "host variable: name of its node"),
    "hypervisor.token_id": ("proxmox_token_id", "host variable: the token that writes, in plain"),
    "hypervisor.secret": ("proxmox_token_secret", "host variable: its secret; its place is taken, never its value"),
    "hypervisor.read_token_id": ("proxmox_read_token_id", "host variable: the token that only reads, in plain"),
    "hypervisor.read_secret": ("proxmox_read_token_secret", "host variable: its secret, likewise"),
    "hypervisor.storage": ("proxmox_storage", "host variable: where new disks go by default"),
    "hypervisor.bridge": ("proxmox_bridge", "host variable: bridge of new interfaces by default"),
    "interface.mac": ("mac", "in the hardware mapping: MAC, or UNKNOWN"),
    "interface.address": ("ip", "address, list of addresses, dhcp, or null"),
    "interface.address6": ("ip6", "IPv6 address or list of them; eui64 derives it from the MAC"),
    "interface.segment": ("segment", "name of the segment"),
    "interface.wake_on_lan": ("wol", "true: answers Wake-on-LAN"),
    "interface.management": ("ansible", "true: Ansible comes in here"),
    "interface.dns": ("dns", "mapping of what DNS and DHCP serve"),
    "dns.record": ("host_a_record", "true: A, AAAA and PTR"),
    "dns.reservation": ("dhcp_reservation", "true: DHCP reservation"),
    "dns.services": ("cnames", "list of service names"),
    "dns.pxe": ("pxe_boot", "mapping of the boot files"),
    "pxe.server": ("tftp_server", "boot server"),
    "pxe.file": ("boot_file", "boot file"),
}  # fmt: skip


class UnknownNoun(ValueError):
    """The mapping names something that the table does not have, or one name twice."""


def names_of(overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return field → name, the table's own where *overrides* says nothing. Raises UnknownNoun."""
    unknown = sorted(set(overrides) - set(TABLE))
    if unknown:
        raise UnknownNoun(f"The mapping names {', '.join(unknown)}; known are {', '.join(TABLE)}.")
    wrong = sorted(key for key, value in overrides.items() if not isinstance(value, str) or not value)
    if wrong:
        raise UnknownNoun(f"The mapping of {', '.join(wrong)} must be a name: text that is not empty.")
    names = {key: overrides.get(key, default) for key, (default, _) in TABLE.items()}
    _refuse_twins(names)
    return names


#: Fields that stand beside each other in one mapping; no two may have one name.
_BESIDE = (
    (
        *("site.root_domain", "site.code", "site.segments", "host.hardware", "host.intent"),
        *(key for key in TABLE if key.startswith("hypervisor.")),
    ),
    tuple(key for key in TABLE if key.startswith("segment.") and key != "segment.dynamic_only"),
    ("host.form", "host.interfaces"),
    ("host.role", "host.interfaces"),
    tuple(key for key in TABLE if key.startswith("interface.") and key != "interface.mac"),
    tuple(key for key in TABLE if key.startswith("dns.")),
    tuple(key for key in TABLE if key.startswith("pxe.")),
)


def _refuse_twins(names: Mapping[str, str]) -> None:
    for keys in _BESIDE:
        seen: dict[str, str] = {}
        for key in keys:
            other = seen.setdefault(names[key], key)
            if other != key:
                raise UnknownNoun(
                    f"The mapping gives {other} and {key} one name, “{names[key]}”; rename one."
                )
