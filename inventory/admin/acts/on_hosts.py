"""Acts on hosts and interfaces that are there: rename, another NIC, another segment, another assigned MAC."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from inventory import reading
from inventory.acts import doing, nics, reidentifying, relocating, renaming
from inventory.acts.plan import Plan
from inventory.acts.writing import Order
from inventory.admin.acts.acting import ActPage, answer
from inventory.admin.acts.forms import ActForm, choice, mac, text, tick, with_initial
from inventory.admin.pages import page, shown
from inventory.models import Host, Interface, Site
from inventory.snapshot import Snapshot

BOTH = ("GET", "HEAD", "POST")
Answers = dict[str, Any]


def page_of(noun: str, pk: Any) -> str:
    return reverse(f"admin:inventory_{noun}_change", args=(pk,))


def sent(request: HttpRequest, initial: Answers | None = None) -> Any:
    return with_initial(request.POST if request.method == "POST" else request.GET, initial or {})


# --- rename ---


class RenameForm(ActForm):
    name = text(
        label="New name", help_text="Lower-case letters, digits and hyphens, as the site's pattern has it."
    )

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip().lower()


@page("acts/<str:site>/rename/<int:host>/", permission="inventory.change_host", methods=BOTH)
def rename_host(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    row = get_object_or_404(Host.objects.select_related("site"), pk=host, site=site)
    form = RenameForm(reading.load(site.slug), sent(request, {"name": ""}))
    form.ask_why(needed=True, confirmed=request.method == "POST")
    ticked = frozenset((request.POST if request.method == "POST" else request.GET).getlist("literal"))

    def planned(snapshot: Snapshot, said: Answers) -> Plan | None:
        return (
            renaming.plan(snapshot, row.name, said["name"], timezone.now(), ticked) if said["name"] else None
        )

    def act(order: Order, said: Answers) -> str:
        plan = doing.rename(row, said["name"], order, ticked)
        also = f" {len(plan.chosen)} values in variables were replaced." if plan.chosen else ""
        return f"{row.name} is called {said['name']} now; the old name is in quarantine.{also}"

    return answer(
        request,
        ActPage(
            f"Rename {row.name}",
            "The machine stays what it is; its names change in every export.",
            "Rename",
            page_of("host", row.pk),
            "Type the new name; then all that changes, and every place that names the old one, is listed here.",
            planned,
            act,
        ),
        form,
    )


# --- another NIC ---


class NicForm(ActForm):
    mac = mac(label="MAC of the new card", help_text="As printed on it, in any spelling.")
    unknown = tick(label="Not read yet", help_text="The MAC is typed later, on the interface's page.")

    def clean(self) -> Answers:
        said = super().clean() or {}
        if said.get("mac") and said.get("unknown"):
            self.add_error("unknown", "You typed a MAC; untick this, or empty the field.")
        return said


@page("acts/<str:site>/nic/<int:interface>/", permission="inventory.change_interface", methods=BOTH)
def replace_nic(request: HttpRequest, site: Site, interface: int) -> HttpResponse:
    row = _interface(site, interface)
    if row.mac and row.mac_kind == Interface.MacKind.ASSIGNED:
        return redirect(reverse("admin:reidentify_interface", args=(site.slug, row.pk)))
    form = NicForm(reading.load(site.slug), sent(request))
    form.ask_why(needed=True, confirmed=request.method == "POST")

    def planned(snapshot: Snapshot, said: Answers) -> Plan | None:
        if not (said["mac"] or said["unknown"]):
            return None
        return nics.plan(snapshot, row.host.name, row.name, said["mac"] or "", timezone.now())

    def act(order: Order, said: Answers) -> str:
        doing.replace_nic(row, said["mac"] or "", order)
        old = f" {row.mac} is in quarantine." if row.mac else ""
        return f"{row} has {said['mac'] or 'a card whose MAC is still to be read'} now.{old}"

    return answer(
        request,
        ActPage(
            f"Replace the NIC of {row}",
            f"Now {row.mac or 'unknown'}{f', {row.ipv4}' if row.ipv4 else ''}. "
            "Name, address and reservation stay; the MAC changes everywhere at once.",
            "Replace the NIC",
            page_of("host", row.host_id),
            "Type the MAC of the new card; then all that changes, and every place that names the old one, is listed here.",
            planned,
            act,
        ),
        form,
    )


@page("acts/<str:site>/which-nic/<int:host>/", permission="inventory.change_interface")
def which_nic(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """The only interface of a host, or which."""
    return _which(request, site, host, "replace_nic", "Replace a NIC")


@page("acts/<str:site>/which-segment/<int:host>/", permission="inventory.change_interface")
def which_to_relocate(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    return _which(request, site, host, "relocate_interface", "Move to another segment")


def _which(request: HttpRequest, site: Site, host: int, name: str, title: str) -> HttpResponse:
    row = get_object_or_404(Host, pk=host, site=site)
    rows = list(row.interfaces.select_related("segment").order_by("position", "name"))
    places = [(one, reverse(f"admin:{name}", args=(site.slug, one.pk))) for one in rows]
    if len(places) == 1:
        return redirect(places[0][1])
    back = page_of("host", row.pk)
    return shown(request, "acts/which_interface.html", f"{title} of {row}", places=places, back=back)


def _interface(site: Site, pk: int) -> Interface:
    rows = Interface.objects.select_related("host__site", "host__role", "segment")
    found: Interface = get_object_or_404(rows, pk=pk, host__site=site)
    return found


# --- another segment ---


class SegmentForm(ActForm):
    address = text(label="IPv4 address there", help_text="Empty: the lowest free static one.")

    def __init__(self, snapshot: Snapshot, data: Any, now_in: str) -> None:
        super().__init__(snapshot, data)
        names = [one.name for one in snapshot.segments if one.name != now_in]
        self.fields["segment"] = choice(names, label="Segment", empty="choose")
        self.order_fields(["segment", "address"])

    def clean_address(self) -> str:
        given = str(self.cleaned_data["address"]).strip()
        try:
            return str(ipaddress.IPv4Address(given)) if given else ""
        except ValueError:
            raise ValidationError(
                f"“{given}” is not an IPv4 address; write one such as 192.0.2.10."
            ) from None


@page("acts/<str:site>/segment/<int:interface>/", permission="inventory.change_interface", methods=BOTH)
def relocate_interface(request: HttpRequest, site: Site, interface: int) -> HttpResponse:
    row = _interface(site, interface)
    now_in = row.segment.name if row.segment else ""
    form = SegmentForm(reading.load(site.slug), sent(request, {"segment": "", "address": ""}), now_in)
    form.ask_why(needed=True, confirmed=request.method == "POST")

    def planned(snapshot: Snapshot, said: Answers) -> Plan | None:
        if not said["segment"]:
            return None
        return relocating.plan(
            snapshot, row.host.name, row.name, said["segment"], timezone.now(), said["address"]
        )

    def act(order: Order, said: Answers) -> str:
        doing.relocate(row, said["segment"], order, said["address"])
        return (
            f"{row} lies in {said['segment']} now; what it had in {now_in or 'no segment'} is in quarantine."
        )

    return answer(
        request,
        ActPage(
            f"Move {row} to another segment",
            f"Now in {now_in or 'no segment'}{f', {row.ipv4}' if row.ipv4 else ''}. The MAC stays, the address is another.",
            "Move",
            page_of("host", row.host_id),
            "Choose where it goes; the address that it gets there, and every place that names the old one, is listed here.",
            planned,
            act,
        ),
        form,
    )


# --- another assigned MAC ---


@page("acts/<str:site>/reidentify/<int:interface>/", permission="inventory.change_interface", methods=BOTH)
def reidentify_interface(request: HttpRequest, site: Site, interface: int) -> HttpResponse:
    row = _interface(site, interface)
    form = ActForm(reading.load(site.slug), sent(request))
    form.ask_why(needed=True, confirmed=request.method == "POST")

    def planned(_: Snapshot, said: Answers) -> Plan:
        return reidentifying.plan(row)

    def act(order: Order, said: Answers) -> str:
        done = reidentifying.reidentify(row, order)
        return f"{row}: {'; '.join(map(str, done.moves))}. The old values are in quarantine."

    return answer(
        request,
        ActPage(
            f"Re-identify {row}",
            "Another assigned MAC. The old values go into quarantine; routers, leases and boot files that know them must "
            "learn the new ones.",
            "Re-identify",
            page_of("interface", row.pk),
            "",
            planned,
            act,
        ),
        form,
    )
