"""*Next free* beside an empty field of a host's page: the value that a save would reserve if nobody is faster."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from inventory import reading
from inventory.acts.proposing import Sought, propose
from inventory.admin.pages import page
from inventory.allocation import seeing
from inventory.allocation.choosing import NOBODY_LOOKED, Refused
from inventory.identity import canonical_mac
from inventory.models import Role, Segment, Site

_OF_INTERFACE = re.compile(r"(?P<prefix>interfaces-\d{1,4})-(?P<what>mac|ipv4)\Z")
_CLAIMS = {"mac": "mac", "ipv4": "ip", "vmid": "vmid"}
_FIELD = re.compile(r"(?:interfaces-\d{1,4}-)?(?P<what>mac|ipv4|vmid)\Z")


@page("propose/<str:site>/host/", permission="inventory.change_host", methods=("POST",))
def propose_value(request: HttpRequest, site: Site) -> HttpResponse:
    """The next free value for the field that ``_field`` names, as JSON: ``value``, or ``problem`` in words."""
    name = request.POST.get("_field", "")
    match = _OF_INTERFACE.match(name)
    if match is None and name not in ("name", "vmid"):
        return JsonResponse({"problem": "This field takes no value from here."}, status=400)
    sought = Sought(
        match["what"] if match else name,  # type: ignore[arg-type]
        role=_named(Role, site, request.POST.get("role", ""), "slug"),
        form=request.POST.get("form", "")[:16],
        vmid=_number(request.POST.get("vmid", "")),
        segment=_named(Segment, site, request.POST.get(f"{match['prefix']}-segment", ""), "name") if match else "",
        beside=tuple(_beside(request, name)),
    )  # fmt: skip
    try:
        seen = seeing.seen(site.slug) if sought.what == "vmid" else NOBODY_LOOKED
        value = propose(reading.load(site.slug), sought, timezone.now(), seen)
    except Refused as refusal:
        return JsonResponse({"problem": str(refusal)})
    return JsonResponse({"value": value})


def _named(model: Any, site: Site, pk: str, column: str) -> str:
    number = _number(pk)
    rows = model.objects.filter(site=site, pk=number) if number is not None else model.objects.none()
    return str(rows.values_list(column, flat=True).first() or "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _beside(request: HttpRequest, asked: str) -> Any:
    """What the form's other fields claim: two empty fields get two values."""
    for name, value in request.POST.items():
        match = _FIELD.match(name)
        if match is None or name == asked or not isinstance(value, str) or not value.strip():
            continue
        yield _CLAIMS[match["what"]], (_plain(match["what"], value.strip()),)


def _plain(what: str, value: str) -> str:
    try:
        return canonical_mac(value) if what == "mac" else value
    except ValueError:
        return value
