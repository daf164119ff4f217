"""The page of a host, as it was typed, as facts: what the exports and rules would see if it were saved.

Nothing is written and nothing is locked. A field that the form refuses keeps the value that is stored, so that what is
shown beside the typing is always a site that could be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils import timezone
from django.utils.text import capfirst

from inventory.acts import free
from inventory.contribution import Draft
from inventory.models import HostNeed, Hypervisor, Interface, Service, VirtualMachine
from inventory.rows.hosts import HYPERVISOR_COLUMNS, MACHINE_COLUMNS
from inventory.snapshot import (
    HostFacts,
    HypervisorFacts,
    InterfaceFacts,
    MachineFacts,
    ServiceFacts,
    Snapshot,
    claims_of,
)

_SAME_OF_HOST = (
    "name", "form", "status", "plane", "platform", "location", "notes", "vmid", "access", "out_of_band", "variables",
)  # fmt: skip
_SAME_OF_INTERFACE = (
    "mac", "mac_kind", "addressing", "ipv4", "a_record", "reservation", "management", "wake_on_lan", "primary",
    "bootstrap_ipv4", "pxe_server", "pxe_file", "switch_port", "variables",
)  # fmt: skip
#: what a part is called that has no name yet
UNTITLED = "without a name"
_SAME_OF_SERVICE = ("name", "tenant", "port", "health_check", "metrics_path")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a save would be refused; ``field`` is the id of the input that must change, if one must."""

    label: str
    message: str
    field: str = ""


def draft_of(form: Any, formsets: Sequence[Any], snapshot: Snapshot, original: str) -> Draft | None:
    """What was typed; None while the host has no name. The forms have been validated, whatever came of it."""
    row = form.instance
    if not row.name:
        return None
    base = snapshot.host_by_name.get(original) or HostFacts(row.name)
    interfaces = (
        tuple(_interfaces(_of(formsets, Interface), row.name, base))
        if _of(formsets, Interface)
        else base.interfaces
    )
    services = _services(formsets, row.name, base)
    facts = replace(
        base,
        **{name: getattr(row, name) for name in _SAME_OF_HOST},
        role=row.role.slug if row.role_id else "",
        hypervisor=row.hypervisor.name if row.hypervisor_id else "",
        needs=_needs(formsets, base),
        interfaces=interfaces,
        services=services,
        proxmox=_one(formsets, Hypervisor, HypervisorFacts, HYPERVISOR_COLUMNS, base.proxmox),
        machine=_one(formsets, VirtualMachine, MachineFacts, MACHINE_COLUMNS, base.machine),
    )
    return Draft(facts, original, _chosen(form, "in_groups"), _chosen(form, "in_profiles"))


def _chosen(form: Any, name: str) -> frozenset[str] | None:
    rows = form.cleaned_data.get(name)
    return None if rows is None or name not in form.fields else frozenset(row.name for row in rows)


def _of(formsets: Sequence[Any], model: Any) -> Any:
    return next((formset for formset in formsets if formset.model is model), None)


def _kept(formset: Any) -> Iterator[Any]:
    """The forms of rows that would be there, new ones last."""
    for form in formset.forms:
        cleaned = getattr(form, "cleaned_data", {})
        if not cleaned.get("DELETE") and (form.instance.pk or form.has_changed()):
            yield form


def _interfaces(formset: Any, host: str, base: HostFacts) -> Iterator[InterfaceFacts]:
    stored = {interface.name: interface for interface in base.interfaces}
    for form in _kept(formset):
        row = form.instance
        if not row.name:
            continue
        before = stored.get(str(form.initial.get("name", "")), InterfaceFacts(host, row.name))
        yield replace(
            before,
            host=host,
            name=row.name,
            **{name: getattr(row, name) for name in _SAME_OF_INTERFACE},
            segment=row.segment.name if row.segment_id else None,
            switch=row.switch.name if row.switch_id else None,
            ipv6=tuple(text for text in row.ipv6 or () if isinstance(text, str)),
        )


def _needs(formsets: Sequence[Any], base: HostFacts) -> tuple[str, ...]:
    formset = _of(formsets, HostNeed)
    if formset is None:
        return base.needs
    rows = (form.instance for form in _kept(formset))
    return tuple(dict.fromkeys(row.needed.name for row in rows if row.needed_id))


def _services(formsets: Sequence[Any], host: str, base: HostFacts) -> tuple[ServiceFacts, ...]:
    formset = _of(formsets, Service)
    if formset is None:
        return tuple(replace(service, host=host) for service in base.services)
    rows = (form.instance for form in _kept(formset))
    found = (
        ServiceFacts(host=host, **{name: getattr(row, name) for name in _SAME_OF_SERVICE})
        for row in rows
        if row.name
    )
    return tuple(sorted(found, key=lambda service: (service.name, service.tenant)))


def _one(formsets: Sequence[Any], model: Any, make: Any, columns: Sequence[str], stored: Any) -> Any:
    """What a host has one of, or none."""
    formset = _of(formsets, model)
    if formset is None:
        return stored
    rows = [form.instance for form in _kept(formset)]
    return make(**{name: getattr(rows[0], name) for name in columns}) if rows else None


# --- what a save would say ---


def problems_of(
    form: Any, formsets: Sequence[Any], snapshot: Snapshot, draft: Draft | None
) -> tuple[Problem, ...]:
    """What the forms refuse, and what only the ledger would."""
    found = [*_of_form(form)]
    for formset in formsets:
        noun = capfirst(str(formset.model._meta.verbose_name))
        found += [Problem(noun, message) for message in formset.non_form_errors()]
        for one in formset.forms:
            if not getattr(one, "cleaned_data", {}).get("DELETE"):
                found += _of_form(
                    one, f"{noun} {one.instance.name or UNTITLED}: " if hasattr(one.instance, "name") else ""
                )
    if draft is not None and not draft.host.is_retired:
        said = {problem.message for problem in found}
        found += [one for one in _contests(form, snapshot, draft) if one.message not in said]
    return tuple(dict.fromkeys(found))


def _of_form(form: Any, before: str = "") -> Iterator[Problem]:
    for name, messages in form.errors.items():
        bound = form[name] if name != NON_FIELD_ERRORS and name in form.fields else None
        label = capfirst(str(bound.label)) if bound is not None else ""
        for message in messages:
            yield Problem(f"{before}{label}", str(message), bound.id_for_label if bound is not None else "")


def _contests(form: Any, snapshot: Snapshot, draft: Draft) -> Iterable[Problem]:
    """Who else has a value: what the ledger says when everything is written."""
    ledger = free.ledger(snapshot, timezone.now())
    before = snapshot.host_by_name.get(draft.original)
    had = {claim[:2] for claim in claims_of((before,), snapshot.segment_by_name)} if before else set()
    for kind, value, _ in claims_of((draft.host,), snapshot.segment_by_name):
        if (kind, value) in had:  # an import may have brought a dispute; it stays a finding
            continue
        if message := ledger.contest(kind, value, mine=draft.original or draft.host.name):
            yield Problem(
                "Held by another host", message, form["name"].id_for_label if kind == "name" else ""
            )
