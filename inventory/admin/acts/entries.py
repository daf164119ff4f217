"""Entries of the acts on the pages and lists of nouns: each leads to the act's own page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from unfold.decorators import action

from inventory.models import Host, Interface, Service

#: one button on the page of a host; the rest lies behind it
OF_HOST = {
    "title": "Acts",
    "icon": "bolt",
    "items": [
        "replace_nic_of_this", "move_services_of_this", "clone_this", "rename_this", "relocate_this", "allocate_for_this",
        "retire_this", "reactivate_this",
    ],
}  # fmt: skip

OF_INTERFACE = {
    "title": "Acts",
    "icon": "bolt",
    "items": ["replace_this_nic", "reidentify_this", "relocate_this", "allocate_for_this"],
}


def _led(name: str, *arguments: Any, **query: Any) -> HttpResponse:
    return redirect(
        reverse(f"admin:{name}", args=arguments) + (f"?{urlencode(query, doseq=True)}" if query else "")
    )


class HostActs:
    """Above the list of hosts, and on the page of one."""

    @action(permissions=["add"], description="New VM", url_path="new-vm", icon="add")
    def new_vm(self, request: HttpRequest) -> HttpResponse:
        return _led("new_vm_somewhere")

    @action(permissions=["add"], description="New bare-metal host", url_path="new-machine", icon="add")
    def new_machine(self, request: HttpRequest) -> HttpResponse:
        return _led("new_machine_somewhere")

    @action(permissions=["add"], description="Clone as the next", url_path="clone", icon="content_copy")
    def clone_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        host = _host(object_id)
        return _led("clone_host", host.site.slug, host.pk)

    @action(permissions=["change"], description="Rename", url_path="rename", icon="edit")
    def rename_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        host = _host(object_id)
        return _led("rename_host", host.site.slug, host.pk)

    @action(permissions=["change"], description="Replace a NIC", url_path="replace-nic", icon="swap_horiz")
    def replace_nic_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        host = _host(object_id)
        return _led("which_nic", host.site.slug, host.pk)

    @action(permissions=["change"], description="Change segment", url_path="relocate", icon="moving")
    def relocate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        host = _host(object_id)
        return _led("which_to_relocate", host.site.slug, host.pk)

    @action(permissions=["change"], description="Move its services", url_path="move-services", icon="move_up")
    def move_services_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        host = _host(object_id)
        return _led("move_services", host.site.slug, host=host.name)


class InterfaceActs:
    """On the page of one interface."""

    @action(permissions=["change"], description="Replace the NIC", url_path="replace-nic", icon="swap_horiz")
    def replace_this_nic(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _interface(object_id)
        return _led("replace_nic", row.host.site.slug, row.pk)

    @action(permissions=["change"], description="Re-identify", url_path="reidentify", icon="fingerprint")
    def reidentify_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _interface(object_id)
        return _led("reidentify_interface", row.host.site.slug, row.pk)

    @action(permissions=["change"], description="Change segment", url_path="relocate", icon="moving")
    def relocate_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _interface(object_id)
        return _led("relocate_interface", row.host.site.slug, row.pk)


class ServiceActs:
    """On the page of a service, and for several in the list."""

    @action(permissions=["change"], description="Move to another host", url_path="move", icon="move_up")
    def move_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(Service.objects.select_related("host", "site"), pk=object_id)
        return _led("move_services", row.site.slug, service=f"{row.host.name}/{row.label}")

    @action(permissions=["change"], description="Move to another host")
    def move(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = list(queryset.select_related("host", "site"))
        if len({row.site_id for row in rows}) != 1:
            messages.error(request, "A service moves within its site; choose services of one site.")
            return None
        return _led(
            "move_services", rows[0].site.slug, service=[f"{row.host.name}/{row.label}" for row in rows]
        )


def _host(object_id: str) -> Host:
    found: Host = get_object_or_404(Host.objects.select_related("site"), pk=object_id)
    return found


def _interface(object_id: str) -> Interface:
    found: Interface = get_object_or_404(Interface.objects.select_related("host__site"), pk=object_id)
    return found
