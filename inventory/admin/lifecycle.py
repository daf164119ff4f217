"""Retiring and reactivating hosts, one or many, through the door."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from inventory.admin.door import door, posted_reason, sites_of
from inventory.models import Host

_Hosts = QuerySet[Any]


def retire(page: admin.ModelAdmin[Any], request: HttpRequest, hosts: _Hosts) -> HttpResponse | None:
    """Ask for the reason, then retire *hosts*. Their identities stay in the ledger, out of every export."""
    return _move(page, request, hosts, Host.Status.RETIRED)


def reactivate(page: admin.ModelAdmin[Any], request: HttpRequest, hosts: _Hosts) -> HttpResponse | None:
    """Ask for the reason, then make *hosts* active again. The door refuses what others claim by now."""
    return _move(page, request, hosts, Host.Status.ACTIVE)


def retire_one(page: admin.ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    return retire(page, request, Host.objects.filter(pk=object_id)) or _back_to(object_id)


def reactivate_one(page: admin.ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    return reactivate(page, request, Host.objects.filter(pk=object_id)) or _back_to(object_id)


def _back_to(object_id: str) -> HttpResponse:
    return redirect(reverse("admin:inventory_host_change", args=(object_id,)))


def _move(
    page: admin.ModelAdmin[Any], request: HttpRequest, hosts: _Hosts, status: Host.Status
) -> HttpResponse | None:
    retiring = status == Host.Status.RETIRED
    to_move = hosts.exclude(status=status) if retiring else hosts.filter(status=Host.Status.RETIRED)
    rows = list(to_move.select_related("site").prefetch_related("services").order_by("site", "name"))
    verb = "retire" if retiring else "reactivate"
    if not rows:
        messages.info(request, f"There was nothing to {verb}.")
        return None
    confirmed = "confirmed" in request.POST
    reason = posted_reason(request)
    if not confirmed or not reason:
        return _ask(page, request, rows, verb, reason_missing=confirmed)
    try:
        _write(request, rows, status, reason)
    except ValidationError as refusal:
        for message in refusal.messages:
            messages.error(request, message)
        return None
    done = rows[0].name if len(rows) == 1 else f"{len(rows)} hosts"
    messages.success(request, f"{done}: {'retired' if retiring else 'active again'}.")
    return None


def _write(request: HttpRequest, rows: list[Host], status: Host.Status, reason: str) -> None:
    with door(request, sites_of(rows), reason) as the_change:
        for row in rows:
            row.status = status
        for site_id in sorted({row.site_id for row in rows}):
            the_change.update([row for row in rows if row.site_id == site_id], ["status"])


def _ask(
    page: admin.ModelAdmin[Any], request: HttpRequest, rows: list[Host], verb: str, *, reason_missing: bool
) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": f"{verb.capitalize()} {rows[0].name if len(rows) == 1 else f'{len(rows)} hosts'}?",
        "opts": page.opts,
        "hosts": rows,
        "verb": verb,
        "is_bulk": "action" in request.POST,
        "checkbox": ACTION_CHECKBOX_NAME,
        "reason_missing": reason_missing,
    }
    return TemplateResponse(request, "admin/inventory/lifecycle.html", context)
