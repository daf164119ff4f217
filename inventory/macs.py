"""Assigned MACs: made from what they name, and read back. Pure.

Two encodings, one a site (``Site.mac_encoding``); DD organisation and EE environment are two hex digits of text.

- ``role``: ``02:DD:EE:RR:NN:II``: RR the role's code, NN node or service group, II instance. 00 is no instance.
- ``vmid``: ``02:DD:EE`` and Proxmox's VMID, big-endian in three octets: it ends at 16777215.

Both begin with 02: locally administered, unicast, never a vendor's (IEEE 802c, section 8.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inventory.identity import HEX_OCTET, canonical_mac, is_locally_administered, mac_problem
from inventory.snapshot import RoleFacts, SiteFacts, Snapshot

#: First octet of what is made here.
FIRST = "02"

#: The last VMID that three octets hold.
LAST_VMID = 0xFFFFFF

#: Instances of one role and group: 01 to ff.
INSTANCES = range(1, 0x100)


class NoMac(ValueError):
    """No MAC can be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class MacMeaning:
    """What a MAC of the site's encoding names. ``role`` is "" for a code that the registry does not know."""

    mac: str
    encoding: Literal["role", "vmid"]
    site: str
    role: str = ""
    code: str = ""
    group: str = ""
    instance: str = ""
    vmid: int | None = None

    def __str__(self) -> str:
        if self.encoding == "vmid":
            return f"site {self.site}, VMID {self.vmid}"
        role = (
            f"role {self.role} (code {self.code})"
            if self.role
            else f"role code {self.code}, which no role has"
        )
        return f"site {self.site}, {role}, group {self.group}, instance {self.instance}"


def prefix(site: SiteFacts) -> str:
    """``02:DD:EE:`` of *site*. Raises NoMac."""
    missing = [
        word
        for word, octet in (("organisation", site.organisation), ("environment", site.environment))
        if not HEX_OCTET.match(octet)
    ]
    if missing:
        raise NoMac(
            f"Site {site.slug} declares no {' and no '.join(missing)} octet; assigned MACs begin with both: give two hex "
            "digits each, such as de and 10."
        )
    return f"{FIRST}:{site.organisation}:{site.environment}:"


def role_mac(site: SiteFacts, role: RoleFacts, group: str, instance: int) -> str:
    """``02:DD:EE:RR:NN:II`` for two hex digits *group* and *instance* 1 to 255. Raises NoMac."""
    if not HEX_OCTET.match(group):
        raise NoMac(f"“{group}” is no group; write two lower-case hex digits, such as 00.")
    if instance not in INSTANCES:
        raise NoMac(f"Instance {instance} is none; instances are 1 to 255 (01 to ff).")
    return f"{role_prefix(site, role, group)}{instance:02x}"


def role_prefix(site: SiteFacts, role: RoleFacts, group: str) -> str:
    """The first five octets, with their colon. Raises NoMac."""
    if not HEX_OCTET.match(role.code):
        raise NoMac(
            f"Role {role.slug} has no RR code; give it two hex digits in the registry of roles first."
        )
    return f"{prefix(site)}{role.code}:{group}:"


def vmid_mac(site: SiteFacts, vmid: int) -> str:
    """``02:DD:EE`` and *vmid* in three octets. Raises NoMac."""
    if not 0 < vmid <= LAST_VMID:
        raise NoMac(
            f"VMID {vmid} does not fit into three octets; the MAC encoding vmid ends at {LAST_VMID}. "
            "Choose a lower VMID, or the encoding role."
        )
    octets = vmid.to_bytes(3, "big")
    return prefix(site) + ":".join(f"{octet:02x}" for octet in octets)


def read_mac(snapshot: Snapshot, mac: str) -> MacMeaning | None:
    """What *mac*, in any spelling, names by the encoding of the site; None for one that is not of this site."""
    try:
        canonical = canonical_mac(mac)
        mine = prefix(snapshot.site)
    except ValueError:
        return None
    if not canonical.startswith(mine):
        return None
    site, rest = snapshot.site.slug, canonical[len(mine) :].split(":")
    if snapshot.site.mac_encoding == "vmid":
        vmid = int("".join(rest), 16)
        return MacMeaning(canonical, "vmid", site, vmid=vmid) if vmid else None
    code, group, instance = rest
    if instance == "00":
        return None
    role = next((role.slug for role in snapshot.roles if role.code == code), "")
    return MacMeaning(canonical, "role", site, role, code, group, instance)


def describe(snapshot: Snapshot, mac: str) -> str:
    """One sentence about any MAC: what it names here, or whose kind it is. Raises ValueError for what is none."""
    canonical = canonical_mac(mac)
    if meaning := read_mac(snapshot, canonical):
        return f"{canonical}: {meaning}"
    if problem := mac_problem(canonical):
        return problem
    if is_locally_administered(canonical):
        return (
            f"{canonical}: locally administered, and not of site {snapshot.site.slug} in encoding "
            f"{snapshot.site.mac_encoding}"
        )
    return f"{canonical}: a vendor's address (prefix {canonical[:8]}), observed and not assigned here"
