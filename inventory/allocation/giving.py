"""One value for one row: decided here, saved by the caller, who holds the door."""

from __future__ import annotations

from typing import Any

from inventory import macs
from inventory.addressing import Range
from inventory.allocation import facts
from inventory.allocation.choosing import Refused, Seen, lowest_address, lowest_mac, lowest_vmid
from inventory.models import Host, Interface, Segment, Site
from inventory.validators import EUI64

#: What an interface is called that is made here and was not named.
FIRST_INTERFACE = "eth0"


def vmid(host: Host, seen: Seen) -> bool:
    """Set the VMID that *host* lacks; False when it has one. Raises Refused."""
    if host.vmid:
        return False
    if host.form not in ("", Host.Form.VIRTUAL):
        use = ", which the MACs of this site are made of" if host.site.mac_encoding == "vmid" else ""
        raise Refused(f"{host.name} has form {host.form}; only virtual machines (form vm) have a VMID{use}.")
    host.vmid = next_vmid(host.site, seen)
    return True


def next_vmid(site: Site, seen: Seen) -> int:
    of_site = facts.of_site(site)
    by_vmid = of_site.mac_encoding == "vmid" and of_site.organisation and of_site.environment
    taken_macs = facts.taken(site, "mac", macs.prefix(of_site)) if by_vmid else None
    return lowest_vmid(of_site, facts.taken(site, "vmid"), seen, taken_macs)


def interface_of(host: Host, name: str) -> Interface:
    """The interface of this name, or a new one; without a name the primary, the only or the first one."""
    present = list(host.interfaces.select_related("segment").order_by("position", "name"))
    for interface in present:
        interface.host = host
    if not name and len(present) > 1:
        marked = [interface for interface in present if interface.primary]
        if not marked:
            names = ", ".join(interface.name for interface in present)
            raise Refused(f"{host.name} has the interfaces {names}, and none is marked primary; say which.")
        return marked[0]
    if not name and present:
        return present[0]
    wanted = name or FIRST_INTERFACE
    found = next((interface for interface in present if interface.name == wanted), None)
    position = max((interface.position for interface in present), default=-1) + 1
    return found or Interface(host=host, name=wanted, position=position)


def place(interface: Interface, segment: str) -> list[str]:
    """Put an interface without a segment into *segment*; refuse to move one."""
    if not segment:
        return []
    row = facts.segment_named(interface.host.site, segment)
    if interface.segment and interface.segment.pk != row.pk:
        raise Refused(
            f"{interface} lies in segment {interface.segment.name}; name another interface, or move this one first."
        )
    if interface.segment:
        return []
    interface.segment = row
    if interface._state.adding:  # made here: it is to be found under the host's name
        interface.a_record = True
    return ["segment"]


def mac(interface: Interface, group: str) -> list[str]:
    """Set the MAC that *interface* lacks, in the site's encoding; *group* in any case. Raises Refused, or macs.NoMac."""
    if interface.mac:
        if interface.mac_kind == Interface.MacKind.ASSIGNED:
            return []
        raise Refused(
            f"{interface} has the observed MAC {interface.mac}, which is not replaced in passing; empty the field first if "
            "the machine is to get an assigned one, or name another interface."
        )
    interface.mac = next_mac(interface, group.lower())
    interface.mac_kind = Interface.MacKind.ASSIGNED
    policy = interface.segment.policy if interface.segment else ""
    if interface._state.adding and policy in (Segment.Policy.STATIC, Segment.Policy.BOTH):
        interface.reservation = True
    return ["mac"]


def next_mac(interface: Interface, group: str) -> str:
    site = facts.of_site(interface.host.site)
    if site.mac_encoding == "vmid":
        return _mac_of_vmid(interface)
    role = interface.host.role
    if role is None:
        raise Refused(
            f"{interface.host.name} has no role, and the MAC encoding of site {site.slug} names it; give the host a role "
            "with an RR code first."
        )
    role_facts = facts.role_facts(role)
    taken = facts.taken(interface.host.site, "mac", macs.role_prefix(site, role_facts, group))
    return lowest_mac(site, role_facts, group, taken)


def _mac_of_vmid(interface: Interface) -> str:
    host = interface.host
    wanted = macs.vmid_mac(facts.of_site(host.site), host.vmid or 0)
    for other in host.interfaces.filter(mac=wanted).exclude(pk=interface.pk):
        raise Refused(
            f"{other} has {wanted} already, and the MAC encoding vmid has one MAC a machine; declare the MAC of "
            f"{interface.name} yourself, or let the site use the encoding role."
        )
    return wanted


def address(interface: Interface, family: str, span: Range | None) -> list[str]:
    """Set the addresses of *family* that *interface* lacks. Raises Refused."""
    site = interface.host.site
    segment = interface.segment
    if segment is None:
        names = ", ".join(row.name for row in facts.segments(site)) or "none yet"
        raise Refused(f"{interface} lies in no segment; say in which: {names}.")
    given = []
    if family in ("4", "both") and not interface.ipv4:
        segments = facts.segments(site)
        mine = next(one for one in segments if one.name == segment.name)
        interface.ipv4 = lowest_address(
            mine, segments, facts.taken_addresses(site, span or mine.static_range), span
        )
        given.append("ipv4")
    if family in ("6", "both") and _lacks_ipv6(interface, segment):
        own: Any = interface.ipv6
        setattr(interface, "ipv6", [*own, EUI64])  # noqa: B010 - the stubs take the column for text
        given.append("ipv6")
    if given:
        interface.addressing = Interface.Addressing.STATIC
    return given


def _lacks_ipv6(interface: Interface, segment: Segment) -> bool:
    if not segment.network6:
        raise Refused(f"Segment {segment.name} has no IPv6 network; declare one, or ask for IPv4 alone.")
    if not interface.mac:
        raise Refused(
            f"{interface} has no MAC, which its IPv6 address is made of; give it one first, or together with the address."
        )
    return not interface.ipv6
