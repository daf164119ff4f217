"""Look at the hypervisors of a site: completely, or the survey failed and nothing is concluded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import forms

from inventory import reading
from inventory.models import Site
from inventory.snapshot import Snapshot
from provisioning import drift
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed, in_words
from provisioning.engine.moments import database_now
from provisioning.kinds.base import Asked, Kind
from provisioning.observed import hypervisors, surveys
from provisioning.plans import RUN, Line, Plan
from provisioning.surveying.looking import survey
from provisioning.surveying.survey import Survey

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: privileges too many that are named
SAID = 6


class Parameters(forms.Form):
    host = forms.CharField(
        max_length=255, required=False, help_text="One hypervisor; empty: all of the site."
    )


class SurveyHypervisors(Kind):
    """Outcome: ``surveyed``, ``guests``, ``failed`` (how many of each)."""

    name = "survey"
    title = "Survey the hypervisors of {site}"
    verb = "Survey"
    what = "Reads version, storages, templates and every guest of the hypervisors, to hand out VMIDs and to see drift."
    permission = "provisioning.run_job"
    reads_only = True
    Parameters = Parameters

    def target_key(self, asked: Asked) -> str:
        return f"survey/{asked.site}"

    def plan(self, asked: Asked) -> Plan:
        assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
        snapshot = reading.load(asked.site.slug)
        known = surveys.hypervisors_of(snapshot)
        names = wanted(snapshot, asked["host"])
        if asked["host"] and asked["host"] not in known:
            there = ", ".join(known) or "none"
            return Plan(
                problems=(
                    f"{asked['host']} is no hypervisor of {asked.site}; there are: {there}. A retired one is not looked at.",
                )
            )
        if not names:
            return Plan(
                problems=(
                    f"Site {asked.site} declares no hypervisor with an API; add address, token and secret on its page.",
                )
            )
        names, lost = _looked_at(asked.site, snapshot, asked["host"])
        said = tuple(f"{name} is declared lost; it is looked at only when it is named." for name in lost)
        return Plan(
            tuple(Line(RUN, f"survey {name}", "reads, and changes nothing") for name in names), warnings=said
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        assert turn.asked.site is not None, "the kind belongs to a site"  # noqa: S101
        snapshot = reading.load(turn.asked.site.slug)
        names, _ = _looked_at(turn.asked.site, snapshot, turn.asked["host"])
        found, faults = look(turn, snapshot, names)
        turn.outcome = {
            "surveyed": len(found),
            "guests": sum(len(one.guests) for one in found.values()),
            "failed": len(faults),
        }
        if faults:
            raise JobFailed(" ".join(told(faults)))
        turn.message = f"Surveyed {', '.join(found) or 'none: all are declared lost'}."


def _looked_at(site: Site, snapshot: Snapshot, host: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which are looked at, and which are left out because they are declared lost and nobody named them."""
    names = wanted(snapshot, host)
    lost = frozenset() if host else surveys.lost_at(site)
    return tuple(name for name in names if name not in lost), tuple(name for name in names if name in lost)


def wanted(snapshot: Snapshot, host: str) -> tuple[str, ...]:
    """The hypervisors that can be looked at: with a token of their API, all or the one named."""
    found = (one for one in snapshot.live_hosts if one.form == "hv" and host in ("", one.name))
    return tuple(
        one.name for one in found if one.proxmox and (one.proxmox.token_id or one.proxmox.read_token_id)
    )


Faults = dict[str, AdapterError | JobFailed]


def told(faults: Faults) -> list[str]:
    """Each hypervisor with what kept it from being seen."""
    return [f"{name}: {in_words(fault)}" for name, fault in faults.items()]


def look(
    turn: Turn, snapshot: Snapshot, names: tuple[str, ...], vmids: tuple[int, ...] = ()
) -> tuple[dict[str, Survey], Faults]:
    """Survey *names* one after another and keep each: what was seen, and why the others were not; then judge drift.

    *vmids*: whether they are free everywhere is asked as well.
    """
    site: Site = turn.asked.site  # type: ignore[assignment]
    found: dict[str, Survey] = {}
    faults: Faults = {}
    for name in names:
        turn.step(f"Look at {name}")
        try:
            reader = hypervisors.reader(snapshot, name, turn)
            taken = database_now().isoformat(timespec="seconds")
            awaited = {*vmids, *declared_at(snapshot, name)}
            found[name] = survey(reader, hypervisor=name, taken=taken, awaited=awaited)
        except (AdapterError, JobFailed) as fault:
            faults[name] = fault
            surveys.keep_failure(site, name, str(fault))
            turn.event("error", f"{name}: {fault}")
        else:
            turn.check()
            surveys.keep(site, found[name])
            turn.event(
                "info", f"{name}: version {found[name].version.text}, {len(found[name].guests)} guests."
            )
            if said := _too_much(snapshot, found[name]):
                turn.event("warning", f"{name}: {said}")
    if names:
        turn.check()
        drift.judge(site)
    return found, faults


def declared_at(snapshot: Snapshot, hypervisor: str) -> set[int]:
    """The VMIDs of what is declared to run there."""
    return {host.vmid for host in snapshot.live_hosts if host.hypervisor == hypervisor and host.vmid}


def _too_much(snapshot: Snapshot, survey: Survey) -> str:
    """What the token that looked may do beside looking, by name and path; empty: nothing."""
    api = hypervisors.declared(snapshot, survey.hypervisor)
    if not survey.excess:
        return ""
    named = counted(survey.excess)
    if not hypervisors.has_reading_token(api):
        return f"{api.token_id} reads and writes, and so has more than looking takes: {named}. Declare a reading token."
    return (
        f"the reading token {api.read_token_id} has more than looking takes: {named}. "
        "Take it away on the node; looking does not need it."
    )


def counted(privileges: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(privileges) - SAID} more" if len(privileges) > SAID else ""
    return ", ".join(privileges[:SAID]) + more
