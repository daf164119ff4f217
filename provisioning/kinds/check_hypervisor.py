"""Check the way into a hypervisor: everything that a job would stumble over, said before one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from inventory import reading
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed
from provisioning.engine.moments import database_now
from provisioning.kinds.base import Asked, Kind
from provisioning.kinds.machine import site_of
from provisioning.observed import hypervisors, surveys
from provisioning.plans import RUN, Line, Plan
from provisioning.surveying import checking
from provisioning.surveying.checking import FAIL, PASS, WARN

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

LEVEL = {PASS: "info", WARN: "warning", FAIL: "error"}


class Parameters(forms.Form):
    host = forms.CharField(max_length=255, help_text="The hypervisor, as declared.")


class CheckHypervisor(Kind):
    """Outcome: ``passed``, ``warned``, ``failed`` (how many lines of each)."""

    name = "check_hypervisor"
    title = "Check the way into {host} at {site}"
    verb = "Check"
    what = (
        "Looks at a hypervisor's address, certificate, version, node, tokens, storages and bridge, and says of each "
        "whether it is as it has to be. Changes nothing."
    )
    reads_only = True
    Parameters = Parameters

    def machine_key(self, asked: Asked) -> str:
        return f"{asked.site}/{asked['host']}"

    def plan(self, asked: Asked) -> Plan:
        site, name = site_of(asked), asked["host"]
        snapshot = reading.load(site.slug)
        known = surveys.hypervisors_of(snapshot)
        if name not in known:
            there = ", ".join(known) or "none"
            return Plan(problems=(f"Site {site.slug} has no hypervisor {name}; there are: {there}.",))
        try:
            hypervisors.declared(snapshot, name)
        except JobFailed as fault:
            return Plan(problems=(str(fault),))
        return Plan((Line(RUN, f"check the way into {name}", "reads, and changes nothing"),))

    def run(self, turn: Turn, plan: Plan) -> None:
        name = turn.asked["host"]
        snapshot = reading.load(site_of(turn.asked).slug)
        api = hypervisors.declared(snapshot, name)
        turn.step(f"Look at {name}")
        said: list[checking.Line] = []
        try:
            reader = hypervisors.reader(snapshot, name, turn)
            writing = (
                (lambda: hypervisors.writing_token(snapshot, name, turn))
                if hypervisors.has_reading_token(api)
                else None
            )
            for line in checking.check(api, reader, writing, database_now()):
                said.append(line)
                turn.event(LEVEL[line.state], f"{line.state}: {line}")
        except (AdapterError, JobFailed) as fault:  # a secret that is not to be had, an address that is none
            said.append(checking.Line("declaration", FAIL, str(fault)))
            turn.event(LEVEL[FAIL], f"{FAIL}: {said[-1]}")
        counts = {state: sum(line.state == state for line in said) for state in LEVEL}
        turn.outcome = {"passed": counts[PASS], "warned": counts[WARN], "failed": counts[FAIL]}
        if counts[FAIL]:
            raise JobFailed(_failed(said, counts[FAIL]))
        more = f", with {counts[WARN]} warning{'s' * (counts[WARN] > 1)}" if counts[WARN] else ""
        turn.message = f"{name} can be worked with{more}."


def _failed(said: list[checking.Line], number: int) -> str:
    """How many, and the first; each has a line of its own."""
    first = next(line for line in said if line.state == FAIL)
    if number == 1:
        return str(first)
    return f"{number} of {len(said)} lines failed; each that begins with “fail” says what to do. The first: {first}"
