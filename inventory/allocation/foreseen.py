"""What would be handed out next, of everything that can be asked for: nothing is handed out, and no lock is taken.

Two databases that answer alike here will go on alike: how a restored copy is compared with what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from inventory import macs, naming
from inventory.allocation import facts
from inventory.allocation.choosing import Refused, Seen, lowest_address, lowest_mac, lowest_vmid
from inventory.models import Host, Role, Site
from inventory.snapshot import SiteFacts

#: the group of the MAC encoding ``role`` that is asked for where nobody names one
GROUP = "00"


def foreseen(site: Site, *, at: datetime, vmids: Collection[int] = ()) -> dict[str, str]:
    """Question (“address management”, “mac router”, “name router rt”, “vmid”) → answer; empty where none is free.

    As it was *at* that moment: a quarantine that ends later still withholds. *vmids* are taken beside those that are
    declared. The caller holds one moment (``reading.one_moment``).
    """
    of_site = facts.of_site(site)
    roles = list(Role.objects.filter(site=site).order_by("slug"))
    found = {**_addresses(site, at), **_names(site, of_site, roles, at)}
    taken = facts.taken(site, "mac", at=at)
    if of_site.mac_encoding == "role":
        for role in roles:
            of_role = facts.role_facts(role)
            found[f"mac {role.slug}"] = _answer(lambda one=of_role: lowest_mac(of_site, one, GROUP, taken))  # type: ignore[misc]
    seen = Seen(frozenset(vmids), True)
    found["vmid"] = _answer(
        lambda: str(lowest_vmid(of_site, facts.taken(site, "vmid", at=at), seen, taken)),
    )
    return found


def _addresses(site: Site, at: datetime) -> dict[str, str]:
    segments = facts.segments(site)
    taken = facts.taken_addresses(site, at=at)
    return {
        f"address {one.name}": _answer(lambda one=one: lowest_address(one, segments, taken))  # type: ignore[misc]
        for one in segments
    }


def _names(site: Site, of_site: SiteFacts, roles: list[Role], at: datetime) -> dict[str, str]:
    taken = facts.taken_names(site, at=at)
    return {
        " ".join(("name", role, form)).replace("  ", " "): _answer(
            lambda role=role, form=form: naming.next_name(of_site, role=role, form=form, taken=taken)  # type: ignore[misc]
        )
        for role in ["", *(role.slug for role in roles)]
        for form in Host.Form.values
    }


def _answer(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (Refused, naming.NoName, macs.NoMac):
        return ""
