"""Give exactly this address to a host: where a free cell of the address map leads."""

from __future__ import annotations

import ipaddress
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.addressing import Range, canonical_address
from inventory.admin.allocating import allocated, interface_field, why_field
from inventory.admin.door import offer_undo_at
from inventory.admin.fields import text_input
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import require
from inventory.admin.sited import row_or_404
from inventory.allocation import Wanted
from inventory.models import Segment, Site
from inventory.pictures.maps import Cell, NoSuchNetwork, address_map
from inventory.snapshot import SegmentFacts, Snapshot

#: as many hosts are proposed while typing; any other can be named
PROPOSED = 200


class GiveForm(forms.Form):
    host = forms.CharField(
        max_length=255,
        widget=text_input(list="mp-hosts", autocomplete="off", autofocus=True),
        help_text="Proposed are hosts without an address in this segment. An address that it has already stays.",
    )
    interface = interface_field()
    why = why_field()


@page(
    "pictures/give/<str:site>/<int:segment>/",
    permission="inventory.change_interface",
    methods=("GET", "HEAD", "POST"),
)
def give_address(request: HttpRequest, site: Site, segment: int) -> HttpResponse:
    """Ask for the host, and allocate the one address that the query string names."""
    require(request, site, "inventory.add_interface", "inventory.view_segment", "inventory.view_host")
    row = row_or_404(Segment.objects.filter(site=site), str(segment))
    snapshot = reading.load(site.slug)
    facts = snapshot.segment_by_name.get(row.name)
    if facts is None:
        raise Http404(f"Segment {row.name} is gone meanwhile; look at the list of segments.")
    map_page = reverse("admin:address_map", args=(site.slug, row.pk))
    address = request.GET.get("address", "").strip() or _first_free(snapshot, facts)
    if not address:
        messages.info(request, f"Segment {row.name} has no address to give; look at its map.")
        return redirect(map_page)
    cell = _cell(snapshot, facts, address)
    form = GiveForm(request.POST or None)
    back = f"{map_page}?{urlencode({'in': _around(cell.address, facts)})}"
    if cell.can_be_given and form.is_valid() and _given(request, site, row, cell.address, form):
        return redirect(back)
    return shown(
        request,
        "pictures/give.html",
        f"Give {cell.address} in {row.name}",
        form=form,
        cell=cell,
        back=back,
        hosts=_proposed(snapshot, row.name),
    )


def _cell(snapshot: Snapshot, facts: SegmentFacts, address: str) -> Cell:
    try:
        canonical = canonical_address(address)
        if ":" in canonical:
            raise ValueError(
                f"{canonical} is an IPv6 address; those are made of MACs, on the page of the host."
            )
        found = address_map(snapshot, facts, f"{canonical}/32")
    except NoSuchNetwork as refusal:
        raise Http404(str(refusal).replace("/32", "", 1)) from None
    except ValueError as refusal:
        raise Http404(str(refusal)) from None
    return found.cells[0]


def _first_free(snapshot: Snapshot, facts: SegmentFacts) -> str:
    """What the page speaks of when nobody names an address: the first of the static range that is free."""
    if facts.static_range is None:
        return ""
    first = facts.static_range.first
    try:
        cells = address_map(snapshot, facts, _around(first, facts)).cells
    except ValueError:
        return ""
    return next((cell.address for cell in cells if cell.state == "free" and cell.can_be_given), "")


def _around(address: str, facts: SegmentFacts) -> str:
    """The network of 256 around *address*, or the whole segment where that is smaller."""
    if not facts.network4:
        return ""
    whole = ipaddress.IPv4Network(facts.network4, strict=False)
    block = ipaddress.IPv4Network(f"{address}/24", strict=False)
    return str(block if block.subnet_of(whole) else whole)


def _proposed(snapshot: Snapshot, segment: str) -> list[str]:
    """Live hosts that have no IPv4 address in the segment and could take one."""
    found = []
    for host in snapshot.live_hosts:
        if not any(one.ipv4 and one.segment == segment for one in host.interfaces):
            found.append(host.name)
            if len(found) == PROPOSED:
                break
    return found


def _given(request: HttpRequest, site: Site, row: Segment, address: str, form: GiveForm) -> bool:
    """True when it was handed out; else the form says what was refused."""
    asked: dict[str, Any] = form.cleaned_data
    wanted = Wanted(
        host=asked["host"].strip(),
        interface=asked["interface"].strip(),
        address=True,
        segment=row.name,
        span=Range(address, address),
    )
    handout = allocated(request, site, wanted, form, dry_run=True)
    if handout is None:
        return False
    if "ipv4" not in handout.given:  # nothing may change then, the segment of the interface neither
        form.add_error(
            "interface",
            f"{handout.place} has {handout.ipv4} already; name another interface, or a new one.",
        )
        return False
    if allocated(request, site, wanted, form) is None:  # somebody was faster
        return False
    messages.success(request, f"{handout.place} has {address} in {row.name} from now on.")
    offer_undo_at(request, [site.slug])
    return True
