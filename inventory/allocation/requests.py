"""What is asked for, and the one transaction that gives it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from inventory import macs, naming
from inventory.addressing import Range
from inventory.allocation import facts, giving, seeing
from inventory.allocation.choosing import Refused
from inventory.allocation.patience import patiently
from inventory.changes import change
from inventory.door import OutsideChange, open_change
from inventory.models import Host, Interface, Site
from inventory.reading import unknown_site

Family = Literal["4", "6", "both"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One host and what it is to get. Without ``host`` the next one by the site's naming pattern is made."""

    host: str = ""
    #: of the next host
    role: str = ""
    form: str = ""
    hypervisor: str = ""
    plane: str = "management"
    vmid: bool = False
    #: VMIDs that somebody tells of, beside those that surveys saw
    surveyed: Collection[int] | None = None
    #: empty: the primary interface, or the only one, or a new eth0
    interface: str = ""
    mac: bool = False
    #: NN of the MAC encoding ``role``: node or service group
    group: str = "00"
    address: bool = False
    family: Family = "4"
    #: empty: where the interface is
    segment: str = ""
    #: instead of the segment's static range
    span: Range | None = None


@dataclass(frozen=True, slots=True)
class Handout:
    """What the host has now. ``given`` names what this call handed out; the rest it had before."""

    site: str
    host: str
    interface: str = ""
    segment: str = ""
    mac: str = ""
    ipv4: str = ""
    ipv6: tuple[str, ...] = ()
    vmid: int | None = None
    given: tuple[str, ...] = ()
    #: a VMID was handed out from the declaration alone: nobody looked at the hypervisors
    unasked: bool = False

    @property
    def place(self) -> str:
        return f"{self.host}/{self.interface}" if self.interface else self.host


class _DryRun(Exception):
    """Carries what would have been handed out past the end of the transaction, which is undone."""

    def __init__(self, handout: Handout) -> None:
        self.handout = handout


def allocate(
    site: Site | str,
    wanted: Wanted,
    *,
    by: Any,
    why: str = "",
    source: str = "allocation",
    dry_run: bool = False,
) -> Handout:
    """Hand out what is *wanted*, in one change. What the host has already stays and is returned again.

    With *dry_run* everything is done and undone: the answer is what the same call would give now. Raises Refused,
    with a sentence for people; ValidationError for what the strict door or the ledger refuses.
    """
    if dry_run and open_change() is not None:
        raise OutsideChange("A dry run undoes all that it did; call it outside of a change.")
    row = _site(site) if isinstance(site, str) else site

    def act() -> Handout:
        with change(row, by=by, why=why, source=source, trial=dry_run):
            handout = _hand_out(row, wanted)
            if dry_run:
                raise _DryRun(handout)
        return handout

    try:
        return patiently(act)
    except _DryRun as done:
        return done.handout
    except (naming.NoName, macs.NoMac) as refusal:
        raise Refused(str(refusal)) from refusal


def _site(slug: str) -> Site:
    found = Site.objects.filter(slug=slug).first()
    if found is None:
        raise Refused(str(unknown_site(slug)))
    return found


def _hand_out(site: Site, wanted: Wanted) -> Handout:
    """The caller holds the door. Looks at everything first, writes the host and then its interface."""
    host = facts.host_named(site, wanted.host) if wanted.host else _next_host(site, wanted)
    given: list[str] = [] if host.pk else ["name"]
    for_mac = wanted.mac and site.mac_encoding == Site.MacEncoding.VMID
    unasked = False
    if wanted.vmid or for_mac:
        seen = seeing.seen(site.slug, wanted.surveyed)
        if giving.vmid(host, seen):
            given.append("vmid")
            unasked = not seen.looked
    if given:
        host.save()
    interface = None
    if wanted.mac or wanted.address or wanted.segment:
        interface = giving.interface_of(host, wanted.interface)
        given += giving.place(interface, wanted.segment)
        given += giving.mac(interface, wanted.group) if wanted.mac else []
        given += giving.address(interface, wanted.family, wanted.span) if wanted.address else []
        if given:
            interface.save()
    return replace(handout_of(host, interface, tuple(given)), unasked=unasked)


def handout_of(host: Host, interface: Interface | None, given: tuple[str, ...]) -> Handout:
    if interface is None:
        return Handout(host.site.slug, host.name, vmid=host.vmid, given=given)
    addresses: Any = interface.ipv6
    return Handout(
        host.site.slug,
        host.name,
        interface.name,
        interface.segment.name if interface.segment else "",
        interface.mac or "",
        interface.ipv4 or "",
        tuple(addresses),
        host.vmid,
        given,
    )


def _next_host(site: Site, wanted: Wanted) -> Host:
    role = facts.role_named(site, wanted.role) if wanted.role else None
    name = naming.next_name(
        facts.of_site(site), role=wanted.role, form=wanted.form, taken=facts.taken_names(site)
    )
    carrier = facts.host_named(site, wanted.hypervisor) if wanted.hypervisor else None
    return Host(
        site=site,
        name=name,
        form=wanted.form,
        role=role,
        hypervisor=carrier,
        plane=wanted.plane,
        status=Host.Status.PROVISIONING,
    )
