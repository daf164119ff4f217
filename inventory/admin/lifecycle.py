"""Retiring and reactivating hosts, one or many, through the door."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.admin.confirming import Act, Item, ask, confirmed_reason
from inventory.admin.door import door, sites_of
from inventory.admin.sited import row_or_404
from inventory.models import Host

_Page = Any  # the ModelAdmin that asks
_Hosts = QuerySet[Any]

_RETIRING = (
    "Names, reservations, records and boot files leave every export. MACs, addresses and names go into "
    "quarantine, so that nothing is reissued by accident."
)
_REACTIVATING = "Active again, and back in every export. What another host claims by now is refused."


def retire(page: _Page, request: HttpRequest, hosts: _Hosts) -> HttpResponse | None:
    """Ask for the reason, then retire *hosts*. Their identities stay in the ledger, out of every export."""
    return _move(page, request, hosts, Host.Status.RETIRED)


def reactivate(page: _Page, request: HttpRequest, hosts: _Hosts) -> HttpResponse | None:
    """Ask for the reason, then make *hosts* active again. The door refuses what others claim by now."""
    return _move(page, request, hosts, Host.Status.ACTIVE)


def retire_one(page: _Page, request: HttpRequest, object_id: str) -> HttpResponse:
    return retire(page, request, _one(object_id)) or redirect(_page(object_id))


def reactivate_one(page: _Page, request: HttpRequest, object_id: str) -> HttpResponse:
    return reactivate(page, request, _one(object_id)) or redirect(_page(object_id))


def _one(object_id: str) -> _Hosts:
    return Host.objects.filter(pk=row_or_404(Host.objects.all(), object_id).pk)


def _page(pk: Any) -> str:
    return reverse("admin:inventory_host_change", args=(pk,))


def _move(page: _Page, request: HttpRequest, hosts: _Hosts, status: Host.Status) -> HttpResponse | None:
    retiring = status == Host.Status.RETIRED
    to_move = hosts.exclude(status=status) if retiring else hosts.filter(status=Host.Status.RETIRED)
    rows = list(
        to_move.select_related("site")
        .prefetch_related("services", "needed_by__host")
        .order_by("site", "name")
    )
    if not rows:
        messages.info(request, f"There was nothing to {'retire' if retiring else 'reactivate'}.")
        return None
    who = rows[0].name if len(rows) == 1 else f"{len(rows)} hosts"
    items = [_item(row) for row in rows]
    reason = confirmed_reason(request, items)
    if not reason:
        act = (
            Act("Retire", f"Retire {who}?", _RETIRING, dangerous=True)
            if retiring
            else Act("Reactivate", f"Reactivate {who}?", _REACTIVATING)
        )
        return ask(page, request, act, items)
    try:
        _write(request, rows, status, reason)
    except ValidationError as refusal:
        for message in refusal.messages:
            messages.error(request, message)
        return None
    messages.success(request, f"{who}: {'retired' if retiring else 'active again'}.")
    return None


def _item(host: Host) -> Item:
    carried = ", ".join(service.label for service in host.services.all())
    needing = ", ".join(
        sorted(need.host.name for need in host.needed_by.all() if need.host.status != "retired")
    )
    return Item(
        host.pk,
        f"{host.site.slug}: {host.name}",
        _page(host.pk),
        (f", carrying {carried}" if carried else "") + (f", needed by {needing}" if needing else ""),
        host.status,
    )


def _write(request: HttpRequest, rows: list[Host], status: Host.Status, reason: str) -> None:
    with door(request, sites_of(rows), reason) as the_change:
        now = dict(Host.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "status"))
        if moved := [row.name for row in rows if now.get(row.pk) != row.status]:
            raise ValidationError(
                f"{', '.join(moved)}: changed at the same moment by somebody else; look again."
            )
        for row in rows:
            row.status = status
        for site_id in sorted({row.site_id for row in rows}):
            the_change.update([row for row in rows if row.site_id == site_id], ["status"])
