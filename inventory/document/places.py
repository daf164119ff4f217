"""Where in a document a row, or a line of a plan, is spoken of."""

from __future__ import annotations

from typing import Any

from inventory.document.form import Path
from inventory.document.plans import Entry
from inventory.models import (
    Alias,
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
    VirtualMachine,
)

#: Columns that a document calls otherwise.
_CALLED = {
    "pool_first": "pool",
    "pool_last": "pool",
    "static_first": "static_range",
    "static_last": "static_range",
    "check_mode": "check",
}


def path_of_row(row: Any, column: str = "") -> Path:
    """The place of *column* of a stored or new *row*."""
    last = (_CALLED.get(column, column),) if column else ()
    match row:
        case Interface():
            return ("hosts", row.host.name, "interfaces", row.name, *last)
        case Hypervisor():
            return ("hosts", row.host.name, "proxmox", *last)
        case VirtualMachine():
            return ("hosts", row.host.name, "machine", *last)
        case HostNeed():
            return ("hosts", row.host.name, "needs")
        case Service():
            return ("hosts", row.host.name, "services")
        case Membership():
            return ("hosts", row.host.name, "groups" if row.group.kind == Group.Kind.GROUP else "profiles")
        case Nesting():
            return ("groups", row.child.name, "parents")
        case Host():
            return ("hosts", row.name, *last)
        case Segment():
            return ("segments", row.name, *last)
        case Alias():
            return ("aliases", row.name)
        case Schedule():
            return ("schedules", row.name, *last)
        case KitPlace():
            return ("kit_places", row.name, *last)
        case Project():
            return ("projects", row.name, *last)
        case JobTemplate():
            return ("templates", row.name, *last)
        case Role():
            return ("roles", row.slug, *last)
        case Group():
            return ("groups" if row.kind == Group.Kind.GROUP else "profiles", row.name, *last)
        case _:
            return (str(row._meta.verbose_name), str(row))


def path_of_entry(entry: Entry) -> Path:
    """The place that a line of a plan speaks of."""
    name = entry.name
    match entry.noun:
        case "interface":
            host, _, interface = name.partition("/")
            return ("hosts", host, "interfaces", interface)
        case "service":
            return ("hosts", _host_of_service(entry), "services")
        case "need":
            return ("hosts", name.rpartition(" of ")[2], "needs")
        case "membership" | "assignment":
            return ("hosts", name.partition(" in ")[0])
        case "group nesting":
            return ("groups", name.partition(" below ")[0])
        case "hypervisor":
            return ("hosts", name, "proxmox")
        case "machine specification":
            return ("hosts", name, "machine")
        case "alias":
            return ("aliases", name)
        case "job template":
            return ("templates", name)
        case "place of kits":
            return ("kit_places", name)
        case "workload profile":
            return ("profiles", name)
        case noun:
            return (f"{noun}s", name)


def _host_of_service(entry: Entry) -> str:
    """``artifacts on pi01``; of one that moved, the host that it came to."""
    if " on " in entry.name:
        return entry.name.rpartition(" on ")[2]
    moved = next((detail for detail in entry.details if detail.startswith("host ")), "")
    return moved.rpartition(" → ")[2]
