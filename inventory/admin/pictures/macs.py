"""The MAC namespace of a site: roles, groups, instances; and its VMIDs."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from inventory import macs, reading
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import Shown, lasting, ledger_of, legend, number_in, page_of, require
from inventory.identity import HEX_OCTET
from inventory.models import Site
from inventory.permissions import may
from inventory.pictures.macspace import (
    HOLDINGS,
    PAGE,
    MacSpace,
    Slot,
    VmidSpace,
    instances,
    mac_space,
    vmid_space,
)

WORDS = {
    "disputed": "disputed",
    "used": "used",
    "quarantined": "quarantined",
    "free": "free",
    "outside": "outside the range",
}
#: as many are listed one by one
STRAYS = 200


@page("pictures/macs/<str:site>/", permission="inventory.view_host")
def mac_namespace(request: HttpRequest, site: Site) -> HttpResponse:
    """Roles with what each group holds, what fits no role, and the VMIDs as a map."""
    require(request, site, "inventory.view_interface", "inventory.view_role")
    snapshot = reading.load(site.slug)
    space, vmids = mac_space(snapshot), vmid_space(snapshot)
    state = request.GET.get("state", "")
    state = state if state in WORDS else ""
    telling = _Telling(request, site)
    return shown(
        request,
        "pictures/macs.html",
        f"MAC namespace of {site}",
        site=site,
        encoding=snapshot.site.mac_encoding,
        space=space,
        roles=[(use, page_of(site, "role", use.role.slug)) for use in space.roles],
        without_code=[(role, page_of(site, "role", role.slug)) for role in space.without_code],
        strays=[(stray, page_of(site, "host", stray.host)) for stray in space.strays[:STRAYS]],
        more_strays=max(len(space.strays) - STRAYS, 0),
        vmids=vmids,
        keys=legend({name: vmids.count(name) for name in HOLDINGS if name != "outside"}, WORDS, state),
        cells=[telling.shown(slot, "vmid", state) for slot in vmids.page(number_in(request, "from"))],
        outside=[(slot, telling.told(slot), telling.url(slot, "vmid")) for slot in vmids.outside[:STRAYS]],
        parts=_parts(vmids),
        site_page=reverse("admin:inventory_site_change", args=(site.pk,)),
        role_add=f"{reverse('admin:inventory_role_add')}?site={site.pk}",
    )


def _parts(vmids: VmidSpace) -> list[tuple[int, int]]:
    """First and last VMID of each page of a range that is too large for one; at most a hundred of them."""
    if vmids.first is None or vmids.last is None or vmids.size <= PAGE:
        return []
    starts = range(vmids.first, vmids.last + 1, PAGE)[:100]
    return [(start, min(start + PAGE - 1, vmids.last)) for start in starts]


@page("pictures/macs/<str:site>/<str:code>/<str:octet>/", permission="inventory.view_host")
def mac_instances(request: HttpRequest, site: Site, code: str, octet: str) -> HttpResponse:
    """The 255 instances of one code and one group; a code that no role has may be in use all the same."""
    require(request, site, "inventory.view_interface", "inventory.view_role")
    if not HEX_OCTET.match(code) or not HEX_OCTET.match(octet):
        raise Http404("A role's code and a group are two hex digits each, such as 0a and 00.")
    space: MacSpace = mac_space(reading.load(site.slug))
    role = next((use.role for use in space.roles if use.role.code == code), None)
    state = request.GET.get("state", "")
    state = state if state in WORDS else ""
    slots = instances(space, code, octet) if not space.refusal else ()
    counts = {name: sum(slot.state == name for slot in slots) for name in HOLDINGS if name != "outside"}
    telling = _Telling(request, site)
    return shown(
        request,
        "pictures/instances.html",
        f"MACs of role {role.slug if role else f'code {code}'}, group {octet}",
        site=site,
        role=role,
        code=code,
        role_page=page_of(site, "role", role.slug) if role else "",
        octet=octet,
        beginning=f"{space.prefix}{code}:{octet}:",
        refusal=space.refusal,
        keys=legend(counts, WORDS, state),
        cells=[telling.shown(slot, "mac", state) for slot in slots],
        lines=[
            (slot, WORDS[slot.state], telling.told(slot), telling.url(slot, "mac"))
            for slot in slots
            if (slot.state == state if state else slot.state != "free")
        ],
        total=len(macs.INSTANCES),
    )


class _Telling:
    """What is said of a slot, and where it leads this person."""

    def __init__(self, request: HttpRequest, site: Site) -> None:
        self.site = site
        self.sees_ledger = may(request.user, "inventory.view_identity", site)

    def shown(self, slot: Slot, kind: str, state: str) -> Shown:
        said = ": ".join(filter(None, (WORDS[slot.state], self.told(slot))))
        name = f"VMID {slot.value}" if kind == "vmid" else slot.value
        off = bool(state) and slot.state != state
        return Shown(slot.label, slot.state, f"{name}: {said}", self.url(slot, kind), off)

    def told(self, slot: Slot) -> str:
        hosts = " and ".join(slot.hosts)
        if slot.state == "quarantined":
            hosts = f"given up by {hosts}"
        return ", ".join(filter(None, (hosts, lasting(slot.since, slot.until))))

    def url(self, slot: Slot, kind: Any) -> str:
        if slot.state in ("quarantined", "disputed") and self.sees_ledger:
            return ledger_of(self.site, kind, slot.value)
        return page_of(self.site, "host", slot.hosts[0]) if slot.hosts and slot.state == "used" else ""
