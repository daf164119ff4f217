"""The nouns that are declared, and what history has of them."""

from __future__ import annotations

from inventory.models import (
    Alias,
    Authority,
    Change,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
)

DECLARED = (
    Site,
    Authority,
    Role,
    SeverityOverride,
    EmergencyUse,
    Schedule,
    Project,
    JobTemplate,
    KitPlace,
    Segment,
    Group,
    Membership,
    Nesting,
    Host,
    HostNeed,
    Hypervisor,
    VirtualMachine,
    Interface,
    Service,
    Alias,
)


def host(name: str) -> Host:
    return Host.objects.get(name=name)


def history_of(record: Change) -> list[tuple[str, str, str]]:
    """(type, noun, text) of every history row that belongs to *record*."""
    return sorted(
        (row.history_type, model._meta.model_name or "", str(row.instance))
        for model in DECLARED
        for row in model.history.filter(change=record)
    )
