"""Compares what belongs to one host: interfaces, needs, the API of a hypervisor, what a machine is made from, services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from inventory.document import ports
from inventory.document.draft import Fields, HostDraft, Left, ServiceKey, plain
from inventory.document.work import Work
from inventory.models import Host, HostNeed, Hypervisor, Interface, Service, VirtualMachine


def read(work: Work) -> None:
    """Fetch interfaces, APIs, specifications and needs of all hosts: one query each."""
    if not work.is_stored:
        return
    by_id = {row.pk: row for row in work.hosts.values()}
    for interface in work.of_hosts(Interface.objects.all()):
        interface.host = by_id[interface.host_id]
        work.interfaces[interface.host_id][interface.name] = interface
    for api in work.of_hosts(Hypervisor.objects.all()):
        api.host = by_id[api.host_id]
        work.apis[api.host_id] = api
    for machine in work.of_hosts(VirtualMachine.objects.all()):
        machine.host = by_id[machine.host_id]
        work.machines[machine.host_id] = machine
    needs = work.of_hosts(HostNeed.objects.select_related("needed"))
    for need in needs.order_by("position", "needed_id"):
        need.host = by_id[need.host_id]
        work.needs[need.host_id].append(need)


def all_interfaces(work: Work) -> Iterator[Interface]:
    """Those that stay, as they will be."""
    if "hosts" not in work.draft.nouns:
        read(work)
    gone = {row.pk for row in work.removed[Interface]}
    for rows in work.interfaces.values():
        yield from (row for row in rows.values() if row.pk not in gone)


# --- interfaces ---


def compare_interfaces(work: Work, host: Host, draft: HostDraft) -> None:
    rows = work.interfaces[host.pk] if host.pk else {}
    keep_places = work.alone or (work.leaves and _in_place(rows, draft))
    last = max((row.position for row in rows.values()), default=-1)
    for name, fields in draft.interfaces.items():
        resolved = _resolved(work, fields)
        if name not in rows:
            if work.alone and rows:
                resolved["position"] = last = last + 1
            made = Interface(host=host, name=name, **plain(resolved, new=True))
            work.new(made, "interface", f"{host.name}/{name}")
            continue
        if keep_places:
            del resolved["position"]
        work.compare("interface", f"{host.name}/{name}", rows[name], resolved)
    for name in sorted(rows.keys() - draft.interfaces.keys()):
        work.remove(rows[name], "interface", f"{host.name}/{name}")


def _in_place(rows: dict[str, Interface], draft: HostDraft) -> bool:
    """Whether the rows stand in the order of the draft already, whatever their numbers."""
    if draft.interfaces.keys() - rows.keys():
        return False
    placed = sorted((row.position, name) for name, row in rows.items() if name in draft.interfaces)
    return [name for _, name in placed] == list(draft.interfaces)


def _resolved(work: Work, fields: Fields) -> Fields:
    out = dict(fields)
    out["segment"] = work.segments[fields["segment"]] if fields.get("segment") else None
    if "switch" in fields:
        out["switch"] = work.hosts[fields["switch"]] if fields["switch"] else None
    return out


# --- needs ---


def compare_needs(work: Work, host: Host, draft: HostDraft) -> None:
    """Where they stand in the wanted order already, whatever their numbers, they are left alone."""
    if isinstance(draft.needs, Left):
        return
    rows = {row.needed.name: row for row in work.needs[host.pk]} if host.pk else {}
    in_order = tuple(rows) == draft.needs
    for position, name in enumerate(draft.needs):
        if name in rows:
            work.compare(
                "need", f"{name} of {host.name}", rows[name], {} if in_order else {"position": position}
            )
        else:
            made = HostNeed(host=host, needed=work.hosts[name], position=position)
            work.new(made, "need", f"{name} of {host.name}")
    for name in sorted(rows.keys() - set(draft.needs)):
        work.remove(rows[name], "need", f"{name} of {host.name}")


# --- what a host has one of ---


def compare_proxmox(work: Work, host: Host, draft: HostDraft) -> None:
    _compare_one(work, host, Hypervisor, work.apis, draft.proxmox)


def compare_machine(work: Work, host: Host, draft: HostDraft) -> None:
    _compare_one(work, host, VirtualMachine, work.machines, draft.machine)


def _compare_one(
    work: Work, host: Host, model: type[Any], rows: dict[int, Any], wanted: Fields | Left | None
) -> None:
    if isinstance(wanted, Left):
        return
    noun = str(model._meta.verbose_name)
    row = rows.get(host.pk) if host.pk else None
    if wanted is None:
        if row is not None:
            work.remove(row, noun, host.name)
    elif row is None:
        work.new(model(host=host, **wanted), noun, host.name)
    else:
        work.compare(noun, host.name, row, wanted)


# --- services ---

Carriers = dict[str, Service]  # host → the row


def compare_services(work: Work) -> None:
    """Services by name; one that left one host and came to another has moved."""
    present: dict[ServiceKey, Carriers] = defaultdict(dict)
    for row in _services(work):
        present[row.name, row.tenant][row.host.name] = row
    wanted: dict[ServiceKey, dict[str, Fields]] = defaultdict(dict)
    for name, host in work.draft.hosts.items():
        for key, fields in host.services.items():
            wanted[key][name] = fields
    for key in sorted(wanted.keys() | present.keys()):
        _compare_service(work, key, present[key], wanted[key])
    ports.compare(work)


def _services(work: Work) -> list[Service]:
    if not work.is_stored:
        return []
    by_id = {row.pk: row for row in work.hosts.values()}
    work.services = list(work.of_hosts(Service.objects.all()))
    for row in work.services:
        row.host = by_id[row.host_id]
    return work.services


def _compare_service(work: Work, key: ServiceKey, rows: Carriers, wanted: dict[str, Fields]) -> None:
    label = ".".join(part for part in key if part)
    for host in sorted(wanted.keys() & rows.keys()):
        work.compare("service", f"{label} on {host}", rows[host], wanted[host])
    new = sorted(wanted.keys() - rows.keys())
    gone = sorted(host for host in rows.keys() - wanted.keys() if host in work.draft.hosts)
    for old_host, new_host in zip(gone, new, strict=False):
        row = rows[old_host]
        row.host = work.hosts[new_host]
        columns, told = work.moved(row, wanted[new_host])
        work.write_later(row, ["host", *columns])
        work.note("service", label, "change", [f"host {old_host} → {new_host}", *told])
    for host in new[len(gone) :]:
        fields = plain(wanted[host], new=True)
        made = Service(host=work.hosts[host], site=work.site, name=key[0], tenant=key[1], **fields)
        work.services.append(work.new(made, "service", f"{label} on {host}"))
    for host in gone[len(new) :]:
        work.remove(rows[host], "service", f"{label} on {host}")
