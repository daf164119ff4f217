"""Pages that hand out identities: what a host or an interface lacks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from inventory.addressing import Range, canonical_address
from inventory.admin.door import offer_undo_at
from inventory.admin.fields import text_input
from inventory.admin.forms import WHY_HELP
from inventory.admin.sited import row_or_404
from inventory.allocation import Handout, Refused, Wanted, allocate
from inventory.models import Host, Interface, Segment, Site
from inventory.permissions import may

WORDS = {
    "name": "name {host}",
    "vmid": "VMID {vmid}",
    "mac": "MAC {mac}",
    "ipv4": "address {ipv4}",
    "ipv6": "address {ipv6}",
}

NOT_SURVEYED = (
    "The hypervisors were not asked: see that no machine there has VMID {vmid} already. In a shell, manage.py allocate "
    "takes the list of those that exist (--surveyed)."
)


def _select() -> UnfoldAdminSelectWidget:
    return UnfoldAdminSelectWidget()


def interface_field() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=64,
        widget=text_input(),
        help_text="Made if the host has none of this name. Empty: the primary one, the only one, or a new eth0.",
    )


def why_field() -> forms.CharField:
    return forms.CharField(
        label="Reason for this change",
        required=False,
        max_length=1000,
        widget=text_input(),
        help_text=WHY_HELP,
    )


class AllocateForm(forms.Form):
    """What one host is to get; empty fields mean what the command line's defaults mean."""

    mac = forms.BooleanField(label="A MAC", required=False, widget=UnfoldBooleanWidget())
    address = forms.BooleanField(label="An address", required=False, widget=UnfoldBooleanWidget())
    vmid = forms.BooleanField(label="A VMID", required=False, widget=UnfoldBooleanWidget())
    interface = interface_field()
    segment = forms.ModelChoiceField(
        Segment.objects.none(), required=False, widget=_select(), help_text="Empty: where the interface is."
    )
    span = forms.CharField(
        label="Range",
        required=False,
        widget=text_input(),
        help_text="192.0.2.2-192.0.2.49, instead of the segment's static range.",
    )
    family = forms.ChoiceField(
        label="Addresses",
        choices=[("4", "IPv4"), ("6", "IPv6, made of the MAC"), ("both", "both")],
        widget=_select(),
    )
    group = forms.CharField(
        label="Group of the MAC",
        initial="00",
        max_length=2,
        widget=text_input(),
        help_text="NN in the MAC encoding role: node or service group, two hex digits.",
    )
    why = why_field()

    def __init__(self, site: Site, *args: Any, host: Host | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments: Any = self.fields["segment"]
        segments.queryset = Segment.objects.filter(site=site)
        if site.mac_encoding == Site.MacEncoding.VMID:  # no MAC of this site names a group
            del self.fields["group"]
        if host is not None and host.form not in ("", Host.Form.VIRTUAL):
            del self.fields["vmid"]

    def clean_span(self) -> Range | None:
        text = self.cleaned_data["span"].strip()
        if not text:
            return None
        first, dash, last = text.partition("-")
        if not dash:
            raise ValidationError("Write first and last address: 192.0.2.2-192.0.2.49.")
        try:
            return Range(canonical_address(first), canonical_address(last))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        asked = [name for name in ("mac", "address", "vmid") if given.get(name)]
        if not asked:
            raise ValidationError("Say what is to be handed out: a MAC, an address, a VMID.")
        if given.get("span") and "address" not in asked:
            self.add_error("span", "A range is for an address; tick the address too.")
        if {"mac", "address"}.isdisjoint(asked):
            for name in ("interface", "segment"):
                if given.get(name) and name in self.changed_data:
                    self.add_error(name, "This says where a MAC or an address goes; tick one of them too.")
        return given

    def wanted(self, **more: Any) -> Wanted:
        given = self.cleaned_data
        names = ("mac", "address", "vmid", "interface", "family", "group", "span")
        same = {name: given[name] for name in names if name in given}
        segment = given.get("segment")
        return Wanted(**{**same, "segment": segment.name if segment else "", **more})


class InterfaceForm(AllocateForm):
    """What one interface is to get: which one is clear, and where it is cannot be changed here."""

    def __init__(self, interface: Interface, *args: Any, **kwargs: Any) -> None:
        super().__init__(interface.host.site, *args, host=interface.host, **kwargs)
        del self.fields["interface"]
        if interface.segment:
            del self.fields["segment"]
        else:
            self.fields["segment"].help_text = "Where the interface is."


def for_host(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Give a host what it lacks."""
    host = row_or_404(Host.objects.select_related("site"), object_id)
    here = _page_of("host", host.pk)
    form = AllocateForm(
        host.site, request.POST or None, host=host, initial={"interface": request.GET.get("interface", "")}
    )
    handout = _handed_out(request, host.site, form, host=host.name)
    if handout is None:
        present = _present(host, list(host.interfaces.select_related("segment")))
        return _ask(page, request, f"Hand out to {host}", form, here, present)
    return redirect(here)


def for_interface(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Give an interface what it lacks."""
    row = row_or_404(Interface.objects.select_related("host__site", "segment"), object_id)
    here = _page_of("interface", row.pk)
    form = InterfaceForm(row, request.POST or None)
    handout = _handed_out(request, row.host.site, form, host=row.host.name, interface=row.name)
    if handout is None:
        return _ask(page, request, f"Hand out to {row}", form, here, _present(row.host, [row]))
    return redirect(here)


def _handed_out(request: HttpRequest, site: Site, form: AllocateForm, **more: Any) -> Handout | None:
    """What was handed out; None when the page must be shown, with what was refused."""
    if not form.is_valid():
        return None
    wanted = form.wanted(**more)
    parts = ("inventory.add_interface", "inventory.change_interface")
    if (wanted.mac or wanted.address) and not all(may(request.user, part, site) for part in parts):
        raise PermissionDenied
    handout = allocated(request, site, wanted, form)
    if handout is None:
        return None
    said = [WORDS[name].format(**_words(handout)) for name in handout.given if name in WORDS]
    if said:
        messages.success(request, f"Handed out to {handout.place}: {', '.join(said)}.")
        offer_undo_at(request, [site.slug])
        if handout.unasked:
            messages.warning(request, NOT_SURVEYED.format(vmid=handout.vmid))
    else:
        messages.info(request, f"{handout.place} has this already; nothing new was handed out.")
    return handout


def allocated(
    request: HttpRequest, site: Site, wanted: Wanted, form: forms.Form, *, dry_run: bool = False
) -> Handout | None:
    """What *wanted* gives, for the reason in *form*; None: the form says what was refused."""
    why = form.cleaned_data["why"]
    try:
        return allocate(site, wanted, by=request.user, why=why, source="admin", dry_run=dry_run)
    except ValidationError as refusal:
        form.add_error(None, ValidationError(refusal.messages))
    except Refused as refusal:
        form.add_error(None, str(refusal))
    return None


def _words(handout: Handout) -> dict[str, Any]:
    return {
        "host": handout.host,
        "vmid": handout.vmid,
        "mac": handout.mac,
        "ipv4": handout.ipv4,
        "ipv6": ", ".join(handout.ipv6),
    }


def _present(host: Host, interfaces: list[Interface]) -> list[tuple[str, str]]:
    """(what, value) of the identities that are there already, for the person who decides."""
    found = [("VMID", str(host.vmid))] if host.vmid else []
    for row in interfaces:
        own: Any = row.ipv6
        where = f"in {row.segment.name}" if row.segment else "in no segment"
        found.append((row.name, ", ".join([row.mac or "no MAC", row.ipv4 or "no IPv4 address", *own, where])))
    return found


def _ask(
    page: Any,
    request: HttpRequest,
    title: str,
    form: forms.Form,
    back: str,
    present: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "form": form,
        "present": present,
        "back": back,
    }
    return TemplateResponse(request, "admin/inventory/allocate.html", context)


def _page_of(noun: str, pk: Any) -> str:
    return reverse(f"admin:inventory_{noun}_change", args=(pk,))


class AssignedMac(forms.ModelForm):
    """A form of an interface: its assigned MAC is shown and not edited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.pk and row.mac and row.mac_kind == Interface.MacKind.ASSIGNED and "mac" in self.fields:
            self.fields["mac"].disabled = self.fields["mac_kind"].disabled = True
            self.fields[
                "mac"
            ].help_text = "Assigned here. Another one: re-identify the interface on its page."
