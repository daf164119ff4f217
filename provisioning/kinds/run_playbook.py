"""Run a playbook of a job template over the inventory that was frozen when it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provisioning import states
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.plans import Plan
from provisioning.runs import asking, following, looks, resolving, storing

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn
    from provisioning.models import Job


class RunPlaybook(Kind):
    """Outcome: ``rc`` (ansible-playbook's exit code), ``status``, ``hosts``, and how many of them are ``ok``, ``changed``,
    ``failed``, ``unreachable``; each is counted once, under the worst."""

    name = "run_playbook"
    title = "Run {template} at {site}"
    verb = "Run"
    what = "Runs the playbook of a job template on the hosts that its plan names, with inputs frozen when it was asked for."
    queue = LONG
    permission = "provisioning.run_job"
    plans_by_clock = False
    #: see ``may_repeat``
    repeatable = False
    Parameters = asking.RunParameters

    def strangers(self, asked: Asked) -> Mapping[str, list[str]]:
        try:
            asked.found["wanted"] = asking.understood(asked)
        except asking.NotAskable as refusal:
            return refusal.fields
        return {}

    def against_clock(self, asked: Asked) -> str:
        """A template that asks for a secret, the inputs of a run that is over, and a limit that names what is gone."""
        if asked["origin"]:
            return f"The inputs of run {asked['origin']} are of then; a schedule names a template."
        arguments = (asked.found.get("wanted") or asking.understood(asked)).arguments
        if secret := [name for name, *_ in arguments.secrets]:
            return (
                f"The template {arguments.template} asks for the secret {', '.join(secret)}, and nobody is there to enter "
                "it; take it from an unlocked vault."
            )
        return asking.gone_from_limit(asked)

    def plan(self, asked: Asked) -> Plan:
        assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
        try:
            wanted = asked.found.get("wanted") or asking.understood(asked)
        except asking.NotAskable as refusal:
            return Plan(problems=tuple(said for found in refusal.fields.values() for said in found))
        try:
            with looks.place(asked.by, asked.site.slug, wanted.arguments.project.name):
                plan, asked.found["frozen"] = resolving.planned(wanted, reads=asked.reads)
        except looks.Busy as busy:
            asked.found["busy"] = True
            return Plan(problems=(str(busy),))
        return plan

    def keep(self, job: Job, asked: Asked) -> None:
        if (frozen := asked.found.get("frozen")) is not None:
            storing.keep(job, frozen)

    def plan_in(self, turn: Turn) -> Plan:
        from provisioning.runs import running

        return running.plan_in(turn)

    def run(self, turn: Turn, plan: Plan) -> None:
        from provisioning.runs import running

        running.run(turn)

    def may_repeat(self, job: Job) -> bool:
        """A run that has begun may have changed something; a check, or one that has not, may begin again."""
        return storing.may_repeat(job)

    def exit_code(self, job: Job) -> int | None:
        """Ansible's own, where it came to its end."""
        code = job.outcome.get("rc")
        ended = job.state in (states.SUCCEEDED, states.FAILED)
        return code if ended and isinstance(code, int) and 0 <= code < 256 else None

    def title_of(self, job: Job) -> str:
        title = super().title_of(job)
        on = job.parameters.get("on")
        return f"{title}{_ON.get(on, '')}" if on else title


_ON = {
    following.ALL: " once more",
    following.FAILED: " on what failed",
    following.UNREACHABLE: " on what could not be reached",
    following.APPLY: ", as it was checked",
}
