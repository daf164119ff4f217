"""The columns that tables of hosts, interfaces, segments, services and so on may have. Pure.

An empty cell leaves its field alone; a cell that is ``-`` clears it. A cell that is what the list of today would show
changes nothing, however it is written there.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.addressing import canonical_address, canonical_network
from inventory.identity import canonical_mac, is_unknown_mac

CLEAR = "-"
Values = Any


@dataclass(frozen=True)
class Column:
    """One column: how its cells are read, and what it means to people."""

    read: Callable[[str], Any]
    about: str
    #: whether it is worked out from others: understood, and never changed by
    is_computed: bool = False
    is_key: bool = False


# --- cells ---

_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E[+-]?\d+\Z", re.IGNORECASE)
_YES = frozenset({"yes", "y", "true", "1", "on", "x", "wahr", "vrai"})
_NO = frozenset({"no", "n", "false", "0", "off", "falsch", "faux"})


def _spreadsheet(text: str) -> None:
    if _SCIENTIFIC.match(text):
        raise ValueError(
            f"“{text}” is what a spreadsheet made of a long number; format the column as text and enter it again."
        )


def text(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def word(cell: str) -> str:
    return cell.strip()


def choice(cell: str) -> str:
    return cell.strip().lower()


def flag(cell: str) -> bool:
    said = cell.strip().lower()
    if said in _YES or said in _NO:
        return said in _YES
    raise ValueError(f"“{cell}” is neither yes nor no.")


def number(cell: str) -> int:
    _spreadsheet(cell)
    said = re.fullmatch(r"(\d{1,18})(?:\.0+)?", cell.strip())
    if not said:
        raise ValueError(f"“{cell}” is no whole number.")
    return int(said[1])


def signed(cell: str) -> int:
    said = cell.strip()
    return -number(said[1:]) if said.startswith("-") else number(said)


def mac(cell: str) -> str | None:
    if not re.fullmatch("[0-9a-fA-F]{12}", cell.strip()):  # twelve digits with an E are an address
        _spreadsheet(cell)
    return None if is_unknown_mac(cell) else canonical_mac(cell)


def _address(version: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        found = canonical_address(cell.strip())
        if ipaddress.ip_address(found).version != version:
            other = 4 if version == 6 else 6
            raise ValueError(f"“{cell}” is an IPv{other} address; it belongs into the column ipv{other}.")
        return found

    return read


ipv4, ipv6 = _address(4), _address(6)


def network(cell: str) -> str:
    return str(canonical_network(cell))


def words(cell: str) -> list[str]:
    if len(cell) >= 32_767:
        raise ValueError("is as long as a spreadsheet lets a cell be: it was cut off. Leave the column out.")
    return [one for one in re.split(r"[\s,;]+", cell) if one]


def addresses(cell: str) -> list[str]:
    return [canonical_address(one) for one in words(cell)]


def addresses6(cell: str) -> list[str]:
    return [ipv6(one) for one in words(cell)]


def ranges(cell: str) -> list[list[str]]:
    found = []
    for one in words(re.sub(r"\s*-\s*", "-", cell)):
        first, dash, last = one.partition("-")
        found.append([canonical_address(first), canonical_address(last if dash else first)])
    return found


# --- tables ---


def _key(about: str) -> Column:
    return Column(word, about, is_key=True)


def _computed(about: str) -> Column:
    return Column(word, f"{about} Worked out; understood and not changed.", is_computed=True)


SITE = Column(word, "The site's name; must be the site that is imported into.", is_computed=True)

INTERFACE_COLUMNS: Mapping[str, Column] = {
    "interface": _key("Name of the interface: eth0. May be left out where the host has exactly one."),
    "primary": Column(flag, "Whether it carries the host's own name."),
    "mac": Column(mac, "In any spelling; unknown clears it."),
    "mac_kind": Column(choice, "observed or assigned."),
    "segment": Column(word, "A segment of the site."),
    "addressing": Column(choice, "static, dhcp or none. Follows the addresses when left out."),
    "ipv4": Column(ipv4, "The IPv4 address."),
    "ipv6": Column(addresses6, "IPv6 addresses, separated by blanks."),
    "bootstrap_ipv4": Column(ipv4, "Of the bootstrap node: its address while it is the authority."),
    "a_record": Column(flag, "A, AAAA and PTR records for its addresses."),
    "reservation": Column(flag, "A DHCP reservation."),
    "management": Column(flag, "Ansible comes in here."),
    "wake_on_lan": Column(flag, "Answers Wake-on-LAN."),
    "pxe_server": Column(word, "Boot server."),
    "pxe_file": Column(word, "Boot file."),
    "switch": Column(word, "The switch it is plugged into: a host of the site."),
    "switch_port": Column(word, "The port there."),
    "fqdn": _computed("Its full name."),
    "vlan": _computed("VLAN id of its segment."),
}

HOST_COLUMNS: Mapping[str, Column] = {
    "host": _key("Name of the host. In every row."),
    "form": Column(choice, "hv, vm, ph, pi, em, rt, sw or ap."),
    "role": Column(word, "A role of the site."),
    "status": Column(choice, "provisioning, active, standby, maintenance or retired."),
    "plane": Column(choice, "management or tenant."),
    "platform": Column(word, "Hardware or image."),
    "location": Column(word, "Rack, shelf, room."),
    "console_kind": Column(choice, "serial, sol, redfish, kvm, proxmox or local."),
    "console_address": Column(text, "Where its console is."),
    "power_kind": Column(choice, "pdu, wol, ipmi, redfish, proxmox or hand."),
    "power_address": Column(text, "Of the BMC, or name of the PDU."),
    "power_outlet": Column(word, "The outlet at the PDU."),
    "hypervisor": Column(word, "The hypervisor that the machine runs on."),
    "needs": Column(words, "All hosts that it needs besides, separated by blanks."),
    "vmid": Column(number, "Proxmox's number of the machine."),
    "groups": Column(words, "All groups that name the host directly, separated by blanks."),
    "profiles": Column(words, "All workload profiles of the host, separated by blanks."),
    "services": Column(words, "All services that the host carries, separated by blanks."),
    "notes": Column(text, "Anything people should know. May have several lines, in quotes."),
    "disputed": _computed("What another host claims as well."),
}

TABLES: Mapping[str, Mapping[str, Column]] = {
    "hosts": {"site": SITE, **HOST_COLUMNS, **INTERFACE_COLUMNS},
    "segments": {
        "site": SITE,
        "segment": _key("Name of the segment."),
        "vlan": Column(number, "VLAN id, 0 to 4094."),
        "network4": Column(network, "IPv4 network."),
        "network6": Column(network, "IPv6 network."),
        "gateway4": Column(ipv4, "IPv4 gateway."),
        "gateway6": Column(ipv6, "IPv6 gateway."),
        "policy": Column(choice, "What DHCP does: static, dynamic, both or none."),
        "pool_first": Column(ipv4, "First address of the DHCP pool."),
        "pool_last": Column(ipv4, "Last address of the DHCP pool."),
        "static_first": Column(ipv4, "First address that is handed out to hosts."),
        "static_last": Column(ipv4, "Last address that is handed out to hosts."),
        "delegated": Column(
            ranges, "Ranges that another allocator hands out: first-last, separated by blanks."
        ),
        "dns_servers": Column(addresses, "DNS servers that DHCP hands out, separated by blanks."),
        "search_domains": Column(words, "Search domains, separated by blanks."),
        "next_server": Column(ipv4, "Boot server (next-server)."),
        "jump_host": Column(word, "Operators come in through it: a host of the site."),
        "jump_alternative": Column(
            word, "The way in that does not cross the access switch: a host of the site."
        ),
        "wake_relay": Column(word, "Sends Wake-on-LAN on the segment: a host of the site."),
        "trust": Column(word, "How far it is trusted, in a word."),
        "suffix": Column(word, "Second interfaces are named <host>-<suffix>."),
        "interfaces": _computed("How many interfaces are on it."),
    },
    "services": {
        "site": SITE,
        "service": _key("Name of the service."),
        "tenant": Column(word, "Tenant whose service it is."),
        "host": Column(word, "The host that carries it. Another host: the service moves."),
        "port": Column(number, "Port it listens on."),
        "health_check": Column(word, "URL path or tcp."),
        "metrics_path": Column(word, "URL path of its metrics."),
        "web_scheme": Column(choice, "http or https, where people open it in a browser."),
        "local_port": _computed("Where a tunnel to its web page ends."),
    },
    "groups": {
        "site": SITE,
        "group": _key("Name of the group."),
        "parents": Column(words, "All groups that contain it, separated by blanks."),
        "hosts": Column(words, "All hosts in it directly, separated by blanks."),
        "priority": Column(signed, "ansible_group_priority."),
        "members": _computed("How many hosts it has."),
        "variables": _computed("How many variables it has."),
    },
    "profiles": {
        "site": SITE,
        "profile": _key("Name of the workload profile."),
        "hosts": Column(words, "All hosts that have it, separated by blanks."),
        "state": _computed("assigned or parked."),
        "members": _computed("How many hosts it has."),
        "variables": _computed("How many variables it has."),
    },
    "roles": {
        "site": SITE,
        "role": _key("Name of the role."),
        "code": Column(choice, "Its RR code: two hex digits."),
        "title": Column(word, "What people call it."),
    },
    "aliases": {
        "site": SITE,
        "alias": _key("Name directly below the root domain."),
        "service": Column(
            word, "The service it points at: artifacts, or artifacts.tenant. Cleared, the alias goes."
        ),
    },
    "hypervisors": {
        "site": SITE,
        "hypervisor": _key("The host of form hv whose Proxmox API it is."),
        "api_url": Column(word, "Address of the API; cleared: the host's primary address, port 8006."),
        "node": Column(word, "Name of the node; cleared: the host's name."),
        "token_id": Column(word, "user@realm!name"),
        "secret": Column(
            word,
            "Where the token's secret lies, never the secret: env:NAME, file:/path, vault:VARIABLE or unlock:NAME.",
        ),
        "read_token_id": Column(word, "The same for the token that only reads; cleared: one token for both."),
        "read_secret": Column(word, "Where its secret lies, as a reference."),
        "ca_file": Column(word, "Absolute path of the CA that signed its certificate."),
        "fingerprint": Column(word, "SHA-256 of its certificate, while there is no CA."),
        "storage": Column(word, "Where new disks go by default."),
        "bridge": Column(word, "Bridge of new interfaces by default."),
        "pool": Column(word, "Resource pool of new machines by default."),
    },
    "machines": {
        "site": SITE,
        "machine": _key("The host of form vm whose specification it is."),
        "cores": Column(number, "Virtual processor cores."),
        "memory": Column(number, "In MiB: 2048 is 2 GiB."),
        "os_disk": Column(number, "In GiB."),
        "data_disk": Column(number, "In GiB; cleared: none."),
        "data_disk_serial": Column(word, "At most 20 characters; needed with a data disk."),
        "keep_data_disk": Column(flag, "Whether a rebuild leaves the data disk."),
        "boot": Column(choice, "cloud-init or pxe."),
        "template": Column(word, "How the template's name begins."),
        "ciuser": Column(word, "Cloud-init user; cleared: the template's own."),
        "ssh_keys": Column(text, "SSH public keys, one a line."),
        "cpu": Column(word, "CPU type as Proxmox calls it."),
        "agent": Column(flag, "Whether the guest agent is expected to answer."),
        "rng": Column(flag, "Whether it has a random number device, as UEFI needs to boot from the network."),
        "start_on_boot": Column(flag, "Whether it starts when its hypervisor does."),
        "startup_order": Column(number, "Lower starts first; cleared: last."),
        "storage": Column(word, "Where its disks go; cleared: the hypervisor's default."),
        "bridge": Column(word, "Bridge of its interfaces; cleared: the hypervisor's default."),
        "pool": Column(word, "Resource pool; cleared: the hypervisor's default."),
    },
}
#: Table → the column that names its rows, in the order in which a header is guessed from.
KEYS = {
    "aliases": "alias",  # whose table has a column service
    "services": "service",
    "hosts": "host",
    "groups": "group",
    "profiles": "profile",
    "segments": "segment",
    "roles": "role",
    "machines": "machine",
    "hypervisors": "hypervisor",  # as the machines of a table of hosts have a column
}

#: What people call a column, to what it is called here.
ALSO: Mapping[str, str] = {
    "hostname": "host", "host_name": "host", "ip": "ipv4", "ip_address": "ipv4", "ipv4_address": "ipv4",
    "address": "ipv4", "ipv6_address": "ipv6", "mac_address": "mac", "vlan_id": "vlan", "port_on_switch": "switch_port",
    "note": "notes", "comment": "notes", "comments": "notes", "nic": "interface", "dns": "dns_servers",
    "network": "network4", "subnet": "network4", "gateway": "gateway4", "boot_server": "pxe_server",
    "boot_file": "pxe_file", "wol": "wake_on_lan", "service_name": "service", "group_name": "group",
    "rr_code": "code", "dhcp_policy": "policy",
}  # fmt: skip


def canonical_name(said: str) -> str:
    """A header as we spell it: ``"MAC kind "`` → ``mac_kind``."""
    return re.sub(r"[\s\-./]+", "_", said.strip().lstrip("'").strip().lower()).strip("_")


def table_of(names: Collection[str]) -> str:
    """The table whose rows these columns name; empty when none does."""
    for noun, key in KEYS.items():
        if key in names or key in {ALSO.get(name) for name in names}:
            return noun
    return ""


def column_of(name: str, noun: str) -> str:
    """The column of table *noun* that people call *name*; empty when there is none."""
    table = TABLES[noun]
    if name in table:
        return name
    if name == "name":
        return KEYS[noun]
    other = ALSO.get(name, "")
    return other if other in table else ""


def unknown_column(name: str, noun: str) -> str:
    near = difflib.get_close_matches(name, TABLES[noun], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"is no column of {noun}.{hint} Rename or remove it, or have unknown columns ignored."
