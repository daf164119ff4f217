"""What a kind whose job looks itself says beforehand: the declaration against the newest surveys, without a call outside.

What a survey saw may be another by now: it is warned of, and forbids nothing. What is confirmed is the job's own plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inventory.snapshot import Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked
from provisioning.kinds.machine import site_of
from provisioning.machines import preflight
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, SnapshotFacts
from provisioning.machines.owning import not_ours
from provisioning.machines.preflight import World
from provisioning.observed import surveys
from provisioning.plans import Line, Plan
from provisioning.surveying.survey import Guest, Survey

LOOKS = "The job looks first, shows its exact plan, and does nothing until somebody confirms it."
SO_IT_WAS = "So it was at the newest survey; the job looks again, and does nothing while it is so."


@dataclass(frozen=True)
class Seen:
    """A declared machine, and what the newest surveys saw of it."""

    machine: Machine
    world: World

    @property
    def survey(self) -> Survey | None:
        return self.world.of(self.machine)

    @property
    def guest(self) -> Guest | None:
        """What had its VMID, whoever made it."""
        return preflight.existing(self.machine, self.world)

    @property
    def found(self) -> Config | None:
        """Its configuration, where it was there, was ours, and can be read."""
        config = self.guest.config if self.guest else None
        if config is None or not_ours(config, self.machine.spec.owner) or config.unreadable:
            return None
        return config

    @property
    def snapshots(self) -> tuple[SnapshotFacts, ...]:
        return self.guest.snapshots if self.guest else ()

    @property
    def runs(self) -> bool:
        return self.guest is not None and self.guest.line.status == "running"

    @property
    def not_there(self) -> tuple[str, ...]:
        """Why the job would not come near it; nothing where no survey counts."""
        spec, hypervisor, guest = self.machine.spec, self.machine.hypervisor, self.guest
        if self.survey is None:
            return ()
        if guest is None:
            return (f"{self.machine.host} ({spec.vmid}) is not on {hypervisor}.",)
        if refusal := preflight.foreign(self.machine, guest):
            return (f"VMID {spec.vmid} on {hypervisor}: {refusal}",)
        if guest.config is not None and (said := guest.config.unreadable):
            return (f"The configuration of {self.machine.host} ({spec.vmid}) cannot be read: {said}",)
        return ()


def seen(asked: Asked, snapshot: Snapshot, machine: Machine) -> Seen:
    return Seen(machine, surveys.world_of(snapshot, site_of(asked)))


def plan(
    seen: Seen,
    lines: Iterable[Line],
    *,
    problems: Iterable[str] = (),
    stops: Iterable[str] = (),
    warnings: Iterable[str] = (),
) -> Plan:
    """*problems* are certain whatever is there; *stops* stop the job where it is as the newest survey saw it."""
    said = [LOOKS, *warnings, *(f"{one} {SO_IT_WAS}" for one in stops)]
    if seen.survey is None:
        said.append(_unseen(seen))
    return Plan(tuple(lines), tuple(problems), tuple(said))


def refusals(*checks: Callable[[], object]) -> tuple[str, ...]:
    """What those of *checks* say that raise JobFailed."""
    said = []
    for check in checks:
        try:
            check()
        except JobFailed as fault:
            said.append(str(fault))
    return tuple(said)


def _unseen(seen: Seen) -> str:
    hypervisor = seen.machine.hypervisor
    if hypervisor in seen.world.lost:
        return f"{hypervisor} is declared lost: what is on it is not known."
    return f"{hypervisor} was not seen yet, or its newest survey failed: what is on it is not known before the job looks."
