"""Declare a hypervisor lost: it will not come back, and nobody waits for a survey of it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from inventory import reading
from inventory.snapshot import Snapshot
from provisioning import drift
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked, Kind
from provisioning.kinds.machine import site_of
from provisioning.observed import surveys
from provisioning.plans import CHANGE, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: names and numbers that are listed
LISTED = 12


class Parameters(forms.Form):
    host = forms.CharField(max_length=255, help_text="The hypervisor that will not come back.")
    typed = forms.CharField(
        max_length=255,
        help_text="Its name once more: from then on VMIDs are handed out without looking at it.",
    )


class DeclareLost(Kind):
    """Outcome: ``vmids`` (how many stay taken)."""

    name = "declare_lost"
    title = "Declare {host} at {site} lost"
    verb = "Declare lost"
    what = (
        "Says that a hypervisor will not come back. Its last known VMIDs stay taken, nobody waits for a survey of it, and "
        "its machines can be made again elsewhere. A survey of it that succeeds takes this back."
    )
    permission = "provisioning.declare_lost"
    destructive = True
    Parameters = Parameters

    def target_key(self, asked: Asked) -> str:
        return f"hypervisor/{asked.site}/{asked['host']}"

    def plan(self, asked: Asked) -> Plan:
        site, name = site_of(asked), asked["host"]
        snapshot = reading.load(site.slug)
        if problem := surveys.lost_problem(snapshot, site, name, asked["typed"]):
            return Plan(problems=(problem,))
        state = surveys.state_of(site, name)
        if state.lost:
            return Plan(warnings=(f"{name} is declared lost already.",))
        line = Line(CHANGE, f"hypervisor {name}", f"lost; its VMIDs stay taken: {_listed(state.vmids)}")
        return Plan((line,), warnings=tuple(_warnings(snapshot, name, seen=bool(state.taken))))

    def run(self, turn: Turn, plan: Plan) -> None:
        site, name = site_of(turn.asked), turn.asked["host"]
        turn.need_confirmation(plan := self.plan(turn.asked))
        if plan.lines:
            turn.step(f"Declare {name} lost")
            turn.check()
            snapshot = reading.load(site.slug)
            try:
                surveys.declare_lost(
                    snapshot, site, name, typed=turn.asked["typed"], by=turn.job.by_name, why=turn.asked.why
                )
            except surveys.NotLost as fault:
                raise JobFailed(str(fault)) from None
            drift.judge(site)
        turn.outcome = {"vmids": len(surveys.state_of(site, name).vmids)}
        turn.message = (
            f"{name} is declared lost. Name another hypervisor for its machines, then create them again."
        )


def _warnings(snapshot: Snapshot, name: str, *, seen: bool) -> list[str]:
    found = []
    if not seen:
        found.append(
            f"{name} was never surveyed: which VMIDs it had is not known beyond what is declared, and those may be "
            "handed out again."
        )
    if on_it := [host.name for host in snapshot.live_hosts if host.hypervisor == name]:
        found.append(
            f"Declared on it: {_listed(on_it)}. They are made again once they name another hypervisor."
        )
    found.append(f"See that {name} stays switched off: two machines with one address disturb each other.")
    return found


def _listed(values: list[str] | list[int]) -> str:
    more = f" and {len(values) - LISTED} more" if len(values) > LISTED else ""
    return (", ".join(map(str, values[:LISTED])) + more) or "none known"
