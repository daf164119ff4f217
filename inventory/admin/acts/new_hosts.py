"""New VM and new bare-metal host: a few questions, and everything else shown while they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from inventory import reading
from inventory.acts import cloning, making, new_hosts
from inventory.acts.making import Made, make_host
from inventory.acts.new_hosts import NewHost
from inventory.acts.writing import Order
from inventory.admin.acts.acting import effects_of
from inventory.admin.acts.cloning import CloneForm, clone_initial
from inventory.admin.acts.forms import ActForm, NewHostForm
from inventory.admin.acts.on_hosts import BOTH, sent
from inventory.admin.acts.shown import need, only_site
from inventory.admin.door import offer_undo_at
from inventory.admin.pages import page, shown
from inventory.allocation import seeing
from inventory.allocation.choosing import Refused
from inventory.models import Host, Site
from inventory.snapshot import Snapshot

NOT_SURVEYED = "Nobody asked the hypervisors: see that no machine there has VMID {vmid} already."


@page("acts/new-vm/", permission="inventory.add_host")
def new_vm_somewhere(request: HttpRequest) -> HttpResponse:
    return only_site(request, "new_vm", "New VM")


@page("acts/new-machine/", permission="inventory.add_host")
def new_machine_somewhere(request: HttpRequest) -> HttpResponse:
    return only_site(request, "new_machine", "New bare-metal host")


@dataclass(frozen=True)
class Question:
    """One page that makes a host: its form, what is asked for by it, and the two functions that answer."""

    title: str
    verb: str
    form: ActForm
    back: str
    asked: Callable[[], Any]
    planned: Callable[[Snapshot, Any], NewHost]
    make: Callable[[Any, Order], Made]


@page("acts/<str:site>/new-vm/", permission="inventory.add_host", methods=BOTH)
def new_vm(request: HttpRequest, site: Site) -> HttpResponse:
    """A virtual machine: role, hypervisor, segment; the rest is derived."""
    return _new_host(request, site, virtual=True)


@page("acts/<str:site>/new-machine/", permission="inventory.add_host", methods=BOTH)
def new_machine(request: HttpRequest, site: Site) -> HttpResponse:
    """Hardware: form, role, segment and the MAC that is printed on it, if somebody has read it."""
    return _new_host(request, site, virtual=False)


def _new_host(request: HttpRequest, site: Site, *, virtual: bool) -> HttpResponse:
    snapshot = reading.load(site.slug)
    form = NewHostForm(snapshot, sent(request, _initial(snapshot, virtual)), virtual=virtual)
    title = "New VM" if virtual else "New bare-metal host"
    question = Question(
        f"{title} at {site}",
        title,
        form,
        reverse("admin:inventory_host_changelist"),
        form.asked,
        lambda seen, asked: new_hosts.plan(seen, asked, timezone.now(), seeing.seen(site.slug)),
        lambda asked, order: make_host(site, asked, order),
    )
    return _answered(request, site, question)


@page("acts/<str:site>/clone/<int:host>/", permission="inventory.add_host", methods=BOTH)
def clone_host(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """The next host like one that is there."""
    snapshot = reading.load(site.slug)
    row = get_object_or_404(Host, pk=host, site=site)
    source = snapshot.host_by_name.get(row.name)
    if source is None:
        raise Http404(f"{row.name} is not declared any more; look at the list.")
    form = CloneForm(snapshot, sent(request, clone_initial(snapshot, source)), source)
    question = Question(
        f"Clone {row.name}",
        "Clone",
        form,
        reverse("admin:inventory_host_change", args=(row.pk,)),
        form.like,
        lambda seen, like: cloning.plan(seen, like, timezone.now(), seeing.seen(site.slug)),
        lambda like, order: making.clone_host(site, like, order),
    )
    return _answered(request, site, question)


def _answered(request: HttpRequest, site: Site, question: Question) -> HttpResponse:
    form = question.form
    plan = question.planned(form.snapshot, question.asked()) if form.is_valid() else None
    if request.method == "POST" and plan is not None:
        need(request, site, *_parts(plan))
        made = _made(request, site, question)
        if made is not None:
            return redirect(reverse("admin:inventory_host_change", args=(made.pk,)))
    return shown(
        request,
        "acts/new_host.html",
        question.title,
        form=form,
        plan=plan,
        noted=_noted(question.asked(), plan) if plan else "",
        effects=effects_of(request, plan),
        back=question.back,
    )


def _parts(plan: NewHost) -> list[str]:
    """What else the host is written with."""
    asked = {
        "inventory.add_interface": bool(plan.host.interfaces),
        "inventory.add_virtualmachine": plan.host.machine is not None,
        "inventory.add_hostneed": bool(plan.host.needs),
        "inventory.add_membership": bool(plan.groups or plan.profiles),
        "inventory.change_service": bool(plan.services),
    }
    return [permission for permission, is_asked in asked.items() if is_asked]


def _initial(snapshot: Snapshot, virtual: bool) -> dict[str, Any]:
    """What most would choose: the only hypervisor, the management segment, record and reservation on."""
    carriers = [host.name for host in snapshot.live_hosts if host.form == "hv"]
    names = [one.name for one in snapshot.segments]
    segment = names[0] if len(names) == 1 else next((one for one in names if one == "management"), "")
    return {
        "form": "vm" if virtual else "ph",
        "hypervisor": carriers[0] if len(carriers) == 1 else "",
        "segment": segment,
        "plane": "management",
        "a_record": "on",
        "reservation": "on",
    }


def _made(request: HttpRequest, site: Site, question: Question) -> Made | None:
    """The host, with what to say about it; None when the page must be shown again, with what was refused."""
    form, asked = question.form, question.asked()
    try:
        made = question.make(asked, Order(request.user, form.cleaned_data["why"], "admin"))
    except Refused as refusal:
        faults = question.planned(reading.load(site.slug), asked).faults
        for fault in faults:
            form.error_of(fault.field, fault.text)
        if not faults:
            form.add_error(None, str(refusal))
        return None
    except ValidationError as refusal:
        form.add_error(None, ValidationError(refusal.messages))
        return None
    _say(request, made.plan, request.POST.get("noted", ""), asked)
    offer_undo_at(request, [site.slug])
    return made


def _say(request: HttpRequest, plan: NewHost, noted: str, asked: Any) -> None:
    told = [one for one in plan.values if one.what.split(" ")[0] in ("VMID", "MAC", "Address")]
    said = ", ".join(f"{one.what} {one.value}" for one in told if one.what != "Address record")
    messages.success(request, f"{plan.host.name} is declared{': ' if said else ''}{said}.")
    of, _, values = noted.partition(":")
    if of == _hash(asked) and values != "|".join(plan.handed_out):
        old = ", ".join(one for one in values.split("|") if one)
        messages.warning(
            request, f"Somebody else was faster: {old} was shown, and the next free values were taken."
        )
    if plan.host.vmid and getattr(asked, "vmid", None) is None:
        messages.warning(request, NOT_SURVEYED.format(vmid=plan.host.vmid))
    for warning in plan.warnings:
        messages.warning(request, warning)


def _noted(asked: Any, plan: NewHost) -> str:
    """What was shown for which question, so that a lost race can be told from another answer."""
    return f"{_hash(asked)}:{'|'.join(plan.handed_out)}"


def _hash(asked: Any) -> str:
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:12]
