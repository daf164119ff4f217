"""After the installation over the network: from now on the machine boots from its disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from provisioning import chains
from provisioning.kinds.base import Asked
from provisioning.kinds.machine import MachineKind, OfHost, declared, maker, ready
from provisioning.kinds.resize import TIMEOUT
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.plans import CHANGE, RUN, Line, Plan
from provisioning.steps import remaking, shells

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


class Parameters(OfHost):
    force = forms.BooleanField(
        label="pull the plug",
        required=False,
        help_text="Where it does not shut down when it is asked: an installer often does not.",
    )


class FinishInstall(MachineKind):
    """Outcome: ``boot`` (the order), ``addresses``; where it is configured, ``creation`` and ``parts``."""

    name = "finish_install_vm"
    title = "Finish the installation of {host} at {site}"
    verb = "Finish the installation"
    what = (
        "Turns the boot order of a machine that was installed over the network to its disk, and switches it off and on "
        "for that. Ask for it when the installation is done: one that still goes on is cut off."
    )
    Parameters = Parameters

    def plan(self, asked: Asked) -> Plan:
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        if problem := not_from_network(machine):
            return Plan(problems=(problem,))
        host = snapshot.host_by_name[machine.host]
        off = (
            "the plug is pulled where it does not" if asked["force"] else "it is asked, and the plug stays in"
        )
        return Plan(
            (
                Line(CHANGE, f"boot order of {machine.host}", "disk first, then network"),
                Line(RUN, "shut it down if it runs", off),
                Line(RUN, "start it and wait for it", machine.address or "any address"),
                *chains.lines(snapshot, host, chains.CONFIGURE),
            ),
            chains.problems(snapshot, host, chains.CONFIGURE),
            warnings=("See at its console that the installation is done: one that goes on is cut off.",),
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is")
        if chains.is_made(turn, work):  # a part of it is over: it is not switched off for that
            held = work.answers()
        else:
            remaking.check_not_parked(work.existing(), machine.host)
            shells.turn_to_disk(work)
            held = shells.start_from_disk(work, timeout=TIMEOUT, force=turn.asked["force"])
        turn.outcome = {"boot": work.existing().get("boot"), "addresses": list(held)}
        turn.message = f"{machine.host} boots from its disk" + (f", at {', '.join(held)}." if held else ".")
        chains.configure(turn, snapshot, work, held, again=_GO_ON)


#: running this again would switch the machine off once more
_GO_ON = "create it (create_vm): nothing is made anew, it goes on with that part"


def not_from_network(machine: Machine) -> str:
    if machine.from_network:
        return ""
    return f"{machine.host} is a clone of a template, and boots from its disk already."
