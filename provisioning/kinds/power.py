"""Switch a machine of ours on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from provisioning.adapters.base import TaskFailed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import SHORT, Asked
from provisioning.kinds.machine import MachineKind, OfHost, declared, maker, ready, ready_to_stop, standing
from provisioning.machines.declared import NotDeclared
from provisioning.plans import RUN, Line, Plan
from provisioning.steps import remaking
from provisioning.steps.making import Maker
from provisioning.steps.watching import TASK_LIMIT, compare_grave

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

START, SHUTDOWN, STOP, RESET = "start", "shutdown", "stop", "reset"
SAID = {
    START: "Start",
    SHUTDOWN: "Shut down: the guest is asked",
    STOP: "Stop: the plug is pulled",
    RESET: "Reset: at once, without asking the guest",
}
#: for these it must be what is declared; it is stopped whatever is declared of it
BRINGS_UP = (START, RESET)
#: what the machine is afterwards
AFTER = {START: "running", SHUTDOWN: "stopped", STOP: "stopped", RESET: "running"}


class Parameters(OfHost):
    action = forms.ChoiceField(choices=list(SAID.items()), help_text="What is done with its power.")
    timeout = forms.IntegerField(
        min_value=1,
        max_value=3600,
        initial=180,
        required=False,
        help_text="Seconds that a guest gets to shut down; empty: 180. It is not stopped after them.",
    )


class Power(MachineKind):
    """Outcome: ``status`` (running, stopped)."""

    name = "power"
    title = "Power of {host} at {site}: {action}"
    verb = "Power"
    what = "Starts, shuts down, stops or resets a virtual machine of ours."
    queue = SHORT
    Parameters = Parameters

    def plan(self, asked: Asked) -> Plan:
        try:
            _, machine = (declared if asked["action"] in BRINGS_UP else standing)(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        what = f"{machine.host}, {machine.spec.vmid} on {machine.hypervisor}"
        return Plan((Line(RUN, asked["action"], what),))

    def run(self, turn: Turn, plan: Plan) -> None:
        action = turn.asked["action"]
        snapshot, machine = (ready if action in BRINGS_UP else ready_to_stop)(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is")
        found = work.existing()
        if action in BRINGS_UP:
            remaking.check_whole(found, machine.host)
            remaking.check_not_parked(found, machine.host)
        if action in BRINGS_UP and (grave := compare_grave(machine, found)):
            raise JobFailed(
                f"{machine.host} is not what is declared: {'; '.join(grave)}.",
                "It is not started like this; create it again or repair it.",
            )
        if action in BRINGS_UP and work.runs():  # neither brings what waits for a power cycle
            work.check_running()
        turn.step(SAID[action].partition(":")[0])
        _act(work, action, turn.asked["timeout"] or 180)
        turn.step("Look again")
        turn.outcome = {"status": work.proxmox.status(work.vmid).status}
        if turn.outcome["status"] != AFTER[action]:
            raise JobFailed(
                f"{machine.host} is {turn.outcome['status']} afterwards, not {AFTER[action]}.",
                "Look at its console, then run this again.",
            )
        turn.message = f"{machine.host} is {turn.outcome['status']}."


def _act(work: Maker, action: str, timeout: int) -> None:
    """Nothing where it is so already; a reset needs a running machine."""
    now = work.proxmox.status(work.vmid).status
    if action == RESET and now != "running":
        raise JobFailed("It is switched off; a reset needs a running machine.", "Start it instead.")
    if action != RESET and now == AFTER[action]:
        work.turn.event("info", f"It is {now} already.")
        return
    calls: dict[str, Any] = {
        START: lambda: work.proxmox.start(work.vmid),
        STOP: lambda: work.proxmox.stop(work.vmid),
        RESET: lambda: work.proxmox.reset(work.vmid),
        SHUTDOWN: lambda: work.proxmox.shutdown(work.vmid, timeout=timeout),
    }
    try:
        upid = calls[action]()
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking how it is.")
        if action == RESET:  # its effect cannot be seen: nobody may guess
            raise JobFailed(
                f"Whether {work.machine.host} was reset is not known: {lost}",
                "Look at its console, and run this again if it was not.",
            ) from None
        work.becomes(AFTER[action], told=False, within=timeout if action == SHUTDOWN else 0)
        return
    try:
        work.finish(upid, timeout + TASK_LIMIT)
    except TaskFailed as fault:
        if action != SHUTDOWN or fault.retryable or "got timeout" not in fault.status:
            raise
        raise JobFailed(
            f"{work.machine.host} did not shut down within {timeout} s ({fault.status}). It runs on.",
            "Give it longer (timeout), shut it down from inside, or pull the plug (action=stop).",
        ) from fault
