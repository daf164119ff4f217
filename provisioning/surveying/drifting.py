"""Declared against surveyed: what is missing, foreign or other than it should be. Pure.

A survey that failed makes what it would have told *unknown*: nothing is missing there, and nothing is closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from provisioning.machines import rebuilding
from provisioning.machines.comparing import Difference, compare, waiting
from provisioning.machines.facts import Config
from provisioning.machines.owning import owner_of, parked_since
from provisioning.machines.spec import MachineSpec, disk_of_serial
from provisioning.machines.templates import NoTemplate, newest
from provisioning.surveying.kinds_of_drift import PARKED
from provisioning.surveying.survey import Guest, Survey

#: the end of a difference's field → the kind of drift that it is
_BY_LAST_WORD = {"MAC": "mac", "tag": "tag", "trunks": "tag", "bridge": "bridge"}
_BY_FIELD = {
    "owner": "unmarked",
    "tags": "unmarked",
    "name": "name",
    "onboot": "onboot",
    "cores": "size",
    "memory": "size",
    "balloon": "size",
    "cpu": "size",
}
OS_DISK, DATA_DISK = "OS disk", "data disk"
#: never repeated, though Proxmox itself shows stars
_SECRET = frozenset({"cipassword"})


@dataclass(frozen=True, slots=True)
class Expected:
    """A machine as declared, on the hypervisor that is to carry it."""

    host: str
    hypervisor: str
    spec: MachineSpec
    #: None: either is right
    runs: bool | None = True
    #: how the name of its template begins; empty: it is made of none
    template: str = ""
    #: it may not be there yet
    awaited: bool = False
    #: the kinds that its declaration says enough for; None: all
    compared: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as declared. *key* stays the same from survey to survey while it lasts."""

    kind: str
    hypervisor: str
    vmid: int
    host: str
    field: str
    wanted: str
    found: str
    #: the hypervisor on which the machine is instead
    elsewhere: str = ""

    @property
    def subject(self) -> str:
        return self.host or f"VMID {self.vmid}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.kind, self.hypervisor, self.subject, self.field

    def __str__(self) -> str:
        return (
            f"{self.subject}: {self.field} is {self.found or 'not there'} instead of {self.wanted or 'none'}"
        )


@dataclass(frozen=True, slots=True)
class Drifts:
    """Everything found, in order, and what nothing is known of now."""

    found: tuple[Drift, ...]
    #: hypervisors
    unknown: frozenset[str]
    #: hosts whose machine was last seen on a hypervisor that is unknown now: neither missing nor moved
    undecided: frozenset[str] = field(default_factory=frozenset)


def drift(
    expected: Iterable[Expected],
    surveys: Mapping[str, Survey | None],
    *,
    owners: Mapping[str, str] | None = None,
    whereabouts: Mapping[str, str] | None = None,
    busy: Collection[str] = (),
) -> Drifts:
    """Compare what is *expected* with the newest *surveys* (hypervisor → survey, None where it failed).

    *owners*: every declared MAC → its host, besides those of the machines. *whereabouts*: host → another hypervisor than
    the declared one, on which its machine was last seen. *busy*: hosts whose machine a job is at; of them nothing is said.
    Templates are never undeclared machines.
    """
    known = {name: survey for name, survey in surveys.items() if survey is not None}
    wanted = tuple(expected)
    unknown = {name for name, survey in surveys.items() if survey is None}
    unknown |= {each.hypervisor for each in wanted if each.hypervisor not in known}
    lookable = [each for each in wanted if each.host not in busy and each.hypervisor in known]
    undecided = {
        each.host
        for each in lookable
        if (whereabouts or {}).get(each.host) in unknown and _place(each, known) is None
    }
    found = [
        each
        for machine in lookable
        if machine.host not in undecided
        for each in _of(machine, known)
        if machine.compared is None or each.kind in machine.compared
    ]
    found += _undeclared(wanted, known, dict(owners or {}), busy)
    order = sorted(
        set(found), key=lambda each: (each.hypervisor, each.vmid, each.host, each.kind, each.field)
    )
    return Drifts(tuple(order), frozenset(unknown), frozenset(undecided))


def _of(machine: Expected, surveys: Mapping[str, Survey]) -> Iterator[Drift]:
    survey = surveys[machine.hypervisor]
    yield from _template(machine, survey)
    guest = survey.guest_by_vmid.get(machine.spec.vmid)
    if guest is None or guest.config is None:
        yield from _absent(machine, surveys)
        return
    if guest.kind != "qemu":
        yield _drift(
            machine, "missing", "machine", machine.host, f"the container {guest.name} under its VMID"
        )
        return
    since = parked_since(guest.config.get("description"))
    for each in _differences(machine, guest.config):
        if since is None or each.kind != "onboot":
            yield each
    yield from _power(machine, guest, f"{PARKED} since {since:%Y-%m-%d %H:%M} UTC" if since else "")


def _differences(machine: Expected, config: Config) -> Iterator[Drift]:
    try:
        differences = compare(_with_mac(machine.spec, config), config)
    except ValueError as fault:  # written by hand, and by none of Proxmox's own rules
        yield _drift(machine, "setting", "configuration", "", str(fault))
        return
    data = disk_of_serial(config, machine.spec.data.serial) if machine.spec.data else None
    yield from (_translated(machine, one, data.key if data else "") for one in differences)
    for one in waiting(config):
        said = one.wanted if one.field not in _SECRET else ""
        yield _drift(machine, "pending", one.field, said, one.found)


def _with_mac(spec: MachineSpec, config: Config) -> MachineSpec:
    """Where none is declared, the one that the machine has: it is not compared."""
    if spec.mac:
        return spec
    card = config.nics.get(spec.nic)
    return replace(spec, mac=card.mac if card and card.mac else "00:00:00:00:00:00")


def _power(machine: Expected, guest: Guest, parked: str) -> Iterator[Drift]:
    running = guest.line.status == "running"
    if machine.runs is not None and machine.runs != running:
        states = {True: "running", False: "stopped"}
        yield _drift(machine, "stopped", "state", states[machine.runs], parked or guest.line.status)
    elif parked and machine.runs is None:
        yield _drift(machine, "stopped", "state", "not parked", parked)


def _absent(machine: Expected, surveys: Mapping[str, Survey]) -> Iterator[Drift]:
    """Missing, or somewhere else: where a guest has its VMID and its MAC."""
    if place := _place(machine, surveys):
        name, guest = place
        node = surveys[name].node
        where = f"{guest.line.node} of {name}" if guest.line.node != node else name
        yield _drift(machine, "node", "hypervisor", machine.hypervisor, where, name)
    elif not machine.awaited:
        yield _drift(machine, "missing", "machine", machine.host, "")


def _place(machine: Expected, surveys: Mapping[str, Survey]) -> tuple[str, Guest] | None:
    """The hypervisor on which it is: the declared one, else one where a guest has its VMID and its MAC."""
    here = surveys.get(machine.hypervisor)
    guest = here.guest_by_vmid.get(machine.spec.vmid) if here else None
    if guest is not None and guest.config is not None:
        return machine.hypervisor, guest
    for name, survey in sorted(surveys.items()):
        guest = survey.guest_by_vmid.get(machine.spec.vmid)
        if guest is not None and (machine.spec.mac in guest.macs or guest.config is None):
            return name, guest
    return None


def _template(machine: Expected, survey: Survey) -> Iterator[Drift]:
    if machine.template:
        try:
            newest(survey.templates, machine.template)
        except NoTemplate as problem:
            yield _drift(machine, "template", "template", f"{machine.template}…", str(problem))


def _undeclared(
    wanted: tuple[Expected, ...],
    surveys: Mapping[str, Survey],
    owners: dict[str, str],
    busy: Collection[str],
) -> Iterator[Drift]:
    known = {(each.hypervisor, each.spec.vmid) for each in wanted}
    known |= {(place[0], each.spec.vmid) for each in wanted if (place := _place(each, surveys))}
    owners |= {each.spec.mac: each.host for each in wanted if each.spec.mac}
    spares = {(each.hypervisor, rebuilding.spare_vmid(each.spec.vmid)): each for each in wanted}
    for name, survey in surveys.items():
        for guest in survey.guests:
            if (name, guest.vmid) in known or guest.line.is_template:
                continue
            machine = spares.get((name, guest.vmid))
            if machine and guest.config and machine.host in busy:
                if rebuilding.is_spare(guest.config, machine.host):
                    continue  # the job that is at the machine makes it, or takes it away
            elif machine and guest.config and rebuilding.is_marked_spare(guest.config, machine.spec.owner):
                yield Drift("spare", name, guest.vmid, machine.host, "spare", "", _left(guest))
                continue
            yield Drift("undeclared", name, guest.vmid, "", "machine", "", _described(guest, owners))


def _left(guest: Guest) -> str:
    """Its VMID and how it is: whoever reads it must find it."""
    return f"VMID {guest.vmid}, {guest.line.status}"


def _described(guest: Guest, owners: Mapping[str, str]) -> str:
    """Its name and MACs, whose MAC it has taken, and whose mark it carries."""
    macs = [f"{mac}, which is {owners[mac]}'s" if mac in owners else mac for mac in sorted(set(guest.macs))]
    owner = owner_of(guest.config.get("description")) if guest.config else None
    mark = f", marked as {owner.host} of {owner.site}" if owner else ""
    named = f"{guest.name or 'without a name'} ({guest.kind})"
    return named + (f" with {' and '.join(macs)}" if macs else "") + mark


def _translated(machine: Expected, difference: Difference, data_key: str) -> Drift:
    name = difference.field
    kind = _BY_FIELD.get(name) or _BY_LAST_WORD.get(name.rpartition(" ")[2], "setting")
    if name.endswith(" size"):
        is_data = bool(data_key) and name == f"{data_key} size"
        kind, name = (
            "size",
            f"{DATA_DISK} {machine.spec.data.serial}" if is_data and machine.spec.data else OS_DISK,
        )
    elif "disk" in name:
        kind = "disk"
    return _drift(machine, kind, name, difference.wanted, difference.found)


def _drift(machine: Expected, kind: str, name: str, wanted: str, found: str, elsewhere: str = "") -> Drift:
    return Drift(kind, machine.hypervisor, machine.spec.vmid, machine.host, name, wanted, found, elsewhere)
