"""The way to a first site from the browser: a guided one, or the fictional ones for looking around."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from inventory import demo, validators
from inventory.admin import asking
from inventory.admin.pages import page, shown
from inventory.document.declaring import Declared, Refused, declare
from inventory.exports import site as site_export
from inventory.identity import label_problem
from inventory.models import Host, Site
from inventory.snapshot import Snapshot
from inventory.starting import Answers, FirstHost, Unanswerable, convention, first_site

_FORMS = [(value, label) for value, label in Host.Form.choices if value in ("vm", "ph", "pi", "em")]
_SEGMENTS = [
    (usual.name, f"{usual.name} (VLAN {usual.vlan}): {usual.purpose}")
    for usual in sorted(convention.USUAL, key=lambda usual: usual.vlan)
]
_ROLE_HELP = "What it is for, as in its name: metrics, netctrl. The role gets the RR code 01 of the registry."
_LATER = "Any spelling. Empty: read it off the hardware later."


class FirstSiteForm(forms.Form):
    """The few things about a site that cannot be derived."""

    slug = asking.text("Short name", "A DNS label, such as lab.", max_length=63)
    name = asking.text("What people call it", "Such as “mobile lab”.", required=False)
    root_domain = asking.text(
        "Root domain",
        "The zone of the site is <short name>.<root domain>. Without one of your own: home.arpa (RFC 8375).",
        initial="home.arpa",
        max_length=180,
    )
    block = asking.text(
        "Address block",
        "A /16 gives every VLAN id its own third octet: 10.20.0.0/16.",
        initial="10.20.0.0/16",
    )
    organisation = asking.text(
        "Organisation octet",
        "Second octet of the MACs that are made here: two hex digits.",
        initial="de",
        max_length=2,
    )
    environment = asking.text(
        "Site octet",
        "Third octet: two hex digits, another one for each of your sites.",
        initial="20",
        max_length=2,
    )
    vmid_first = asking.number("First VMID", initial=200, min_value=100, max_value=999_999_999)
    vmid_last = asking.number("Last VMID", initial=299, min_value=100, max_value=999_999_999)
    segments = forms.MultipleChoiceField(
        label="Segments by the convention",
        choices=_SEGMENTS,
        initial=list(convention.FIRST_CHOICE),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Networks, gateways, static ranges and pools follow from the block; change them later as you like.",
    )
    router = asking.yes_no(
        "A core router", "With the gateway's address on each of these networks.", initial=True
    )
    router_mac = asking.mac("MAC of its management interface", _LATER)
    hypervisor = asking.yes_no(
        "A hypervisor", "Proxmox, for the machines of the management plane.", initial=True
    )
    hypervisor_mac = asking.mac("MAC of the hypervisor", _LATER)
    host = asking.yes_no(
        "A first host", "In the inventory at once, with name, address and records.", initial=True
    )
    host_form = asking.choice("Form", _FORMS, "A virtual machine gets its MAC and VMID here.", initial="vm")
    host_role = asking.text("Role", _ROLE_HELP, required=False, initial="metrics", max_length=40)
    host_segment = asking.choice(
        "Segment",
        [(u.name, u.name) for u in convention.USUAL if u.policy in ("static", "both")],
        initial="management",
    )
    host_mac = asking.mac("MAC", f"Of real hardware. {_LATER}")

    GROUPS = (
        ("The site", ("slug", "name", "root_domain", "block")),
        ("Segments", ("segments",)),
        ("Router and hypervisor", ("router", "router_mac", "hypervisor", "hypervisor_mac")),
        ("The first host", ("host", "host_form", "host_role", "host_segment", "host_mac")),
        ("Assigned MACs and VMIDs", ("organisation", "environment", "vmid_first", "vmid_last")),
    )

    def groups(self) -> list[tuple[str, list[Any]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip()
        validators.site_slug(slug)
        if Site.objects.filter(slug=slug).exists():
            raise ValidationError(f"There is already a site {slug}; choose another name.")
        return slug

    def clean_root_domain(self) -> str:
        domain: str = self.cleaned_data["root_domain"].strip().lower()
        validators.domain_name(domain)
        return domain

    def clean_block(self) -> str:
        try:
            return str(ipaddress.IPv4Network(self.cleaned_data["block"].strip()))
        except ValueError:
            raise ValidationError(
                f"“{self.cleaned_data['block']}” is not an IPv4 network; write one such as 10.20.0.0/16."
            ) from None

    def clean_organisation(self) -> str:
        return self._octet("organisation")

    def clean_environment(self) -> str:
        return self._octet("environment")

    def _octet(self, name: str) -> str:
        octet: str = self.cleaned_data[name].strip().lower()
        validators.hex_octet(octet)
        return octet

    def clean_host_role(self) -> str:
        role: str = self.cleaned_data["host_role"].strip().lower()
        if role and (problem := label_problem(role)):
            raise ValidationError(problem)
        return role

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("host") and not given.get("host_role") and given.get("host_form") != "pi":
            self.add_error("host_role", "Say what the host is for; its name and its MAC are made of that.")
        first, last = given.get("vmid_first"), given.get("vmid_last")
        if first and last and first > last:
            self.add_error("vmid_last", f"The range ends at {last}, before it begins at {first}.")
        return given

    def described(self) -> Snapshot | None:
        """The site that the answers describe; None, with errors beside the fields, where they describe none."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        same = (
            "slug", "root_domain", "block", "name", "organisation", "environment", "vmid_first", "vmid_last",
            "router", "router_mac", "hypervisor", "hypervisor_mac",
        )  # fmt: skip
        host = FirstHost(given["host_form"], given["host_role"], given["host_segment"], given["host_mac"])
        answers = Answers(
            **{name: given[name] for name in same},
            segments=tuple(given["segments"]),
            host=host if given["host"] else None,
        )
        try:
            return first_site(answers)
        except Unanswerable as refusal:
            for name, problem in refusal.problems.items():
                self.add_error(name if name in self.fields else None, problem)
        return None


@page("start/", permission="inventory.add_site", methods=("GET", "HEAD", "POST"))
def guided_site(request: HttpRequest) -> HttpResponse:
    """Ask, show what follows from the answers, then declare it as one change."""
    form = FirstSiteForm(request.POST or None)
    snapshot = form.described() if request.method == "POST" else None
    if snapshot is None:
        return _asked(request, form)
    document = site_export.render(snapshot).files[site_export.EXPORT.filename]
    fingerprint = hashlib.sha256(document).hexdigest()
    confirmed = request.POST.get("confirmed") == fingerprint
    try:
        (declared,) = declare(
            document,
            "the answers",
            apply=confirmed,
            by=request.user,
            why="a first site, from the guided page",
        )
    except Refused as refusal:
        for complaint in refusal.complaints:
            form.add_error(None, complaint.sentence)
        return _asked(request, form)
    if confirmed:
        slug = snapshot.site.slug
        messages.success(
            request, f"Site {slug} is declared: {len(snapshot.hosts)} hosts, and every export of it."
        )
        return redirect("admin:site_overview", site=slug)
    return _asked(request, form, snapshot, declared, document.decode(), fingerprint)


def _asked(
    request: HttpRequest,
    form: FirstSiteForm,
    snapshot: Snapshot | None = None,
    declared: Declared | None = None,
    document: str = "",
    fingerprint: str = "",
) -> HttpResponse:
    return shown(
        request,
        "starting/guided_site.html",
        "A first site",
        form=form,
        snapshot=snapshot,
        findings=declared.new_findings if declared else (),
        document=document,
        fingerprint=fingerprint,
    )


@page("start/demo/", permission="inventory.add_site", methods=("POST",))
def open_demo(request: HttpRequest) -> HttpResponse:
    """Declare the fictional sites, where there is no site yet."""
    present = ", ".join(Site.objects.values_list("slug", flat=True))
    if present:
        messages.error(
            request, f"There are sites already ({present}); the demo is for an empty installation."
        )
        return redirect("admin:index")
    try:
        made = demo.declare_demo(request.user)
    except Refused as refusal:  # somebody declared one of the same name at this moment
        messages.error(request, str(refusal))
        return redirect("admin:index")
    messages.success(request, f"The fictional sites {' and '.join(made)} are declared. Look around.")
    return redirect("admin:index")
