"""Who serves DHCP and DNS at a site: declared anew, once somebody has confirmed what that moves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms

from inventory import bootstrap, reading
from inventory.acts.effects import Effect, effects
from inventory.changes import change
from inventory.models import Authority, Host, Site
from inventory.snapshot import AuthorityFacts, Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked, Kind
from provisioning.plans import CHANGE, RUN, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: says when and by whom the authority was declared: it moves with every declaration
OWN_DOCUMENT = "site"


class Parameters(forms.Form):
    to = forms.ChoiceField(choices=Authority.Mode.choices, help_text="Who serves from then on.")
    bootstrap_host = forms.CharField(
        max_length=63, required=False, help_text="The bootstrap node; empty: the one that was named last."
    )


class SwitchAuthority(Kind):
    """Outcome: ``mode``, ``revision``, ``files`` (how many files of exports moved)."""

    name = "switch_authority"
    title = "Switch the authority of {site} to {to}"
    verb = "Switch authority"
    what = "Declares who serves DHCP and DNS at a site, and shows before which exports that moves."
    permission = "inventory.add_authority"
    destructive = True
    Parameters = Parameters

    def target_key(self, asked: Asked) -> str:
        return f"authority/{asked.site}"

    def plan(self, asked: Asked) -> Plan:
        """One line for the declaration, one for each file that it moves."""
        before = reading.load(_site(asked).slug)
        node = asked["bootstrap_host"] or (before.bootstrap_host.name if before.bootstrap_host else "")
        if asked["bootstrap_host"] and asked["bootstrap_host"] not in {host.name for host in before.hosts}:
            return Plan(problems=(f"Site {before.site.slug} has no host {node}; name one of its hosts.",))
        if _is_declared(before, asked["to"], asked["bootstrap_host"]):
            return Plan(warnings=(f"The authority of {before.site.slug} is {asked['to']} already.",))
        after = _with(before, asked["to"], node)
        problems = _problems(after) if asked["to"] == "bootstrap" else ()
        return Plan(_lines(before, after, node), problems, _warnings(before, asked["to"]))

    def run(self, turn: Turn, plan: Plan) -> None:
        site = _site(turn.asked)
        turn.step("Look who is declared")
        revision = reading.current(site.slug).revision
        turn.need_confirmation(plan := self.plan(turn.asked))
        if plan.lines:
            turn.step("Declare the authority")
            _declare(turn, site, revision)
        turn.step("Look again")
        found = Authority.objects.filter(site=site).order_by("-at", "-id").first()
        if found is None or found.mode != turn.asked["to"]:
            raise JobFailed(
                "The declaration is not what the site has now: somebody declared another at the same moment.",
                "Look at the site's authority, then ask again.",
            )
        files = sum(line.subject.startswith("export ") for line in plan.lines)
        turn.outcome = {"mode": found.mode, "revision": reading.current(site.slug).revision, "files": files}
        turn.message = f"The authority of {site} is {found.mode}. Consumers follow when they fetch again."


def _site(asked: Asked) -> Site:
    assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
    return asked.site


def _declare(turn: Turn, site: Site, revision: int) -> None:
    """Write the row, if nothing at the site has moved since the plan was made."""
    turn.check()
    with change(site, by=turn.job.by or turn.job.by_name, why=turn.asked.why, source="job"):
        if Site.objects.values_list("revision", flat=True).get(pk=site.pk) != revision:
            raise JobFailed("The site changed at this very moment.", retryable=True)
        name = turn.asked["bootstrap_host"]
        Authority(
            site=site,
            mode=turn.asked["to"],
            bootstrap_host=Host.objects.get(site=site, name=name) if name else None,
            by=turn.job.by,
            by_name=turn.job.by_name,
            why=turn.asked.why or "Switched by a job.",
        ).save()


def _is_declared(snapshot: Snapshot, mode: str, node: str) -> bool:
    now = snapshot.authority
    return now is not None and now.mode == mode and node in ("", now.bootstrap_host)


def _with(snapshot: Snapshot, mode: Any, node: str) -> Snapshot:
    """The site as it will be; when and by whom it was declared stands in no export but the site document."""
    facts = AuthorityFacts(mode=mode, by="", at="", why="", bootstrap_host=node)
    return replace(snapshot, authority=facts, authorities=(*snapshot.authorities, facts))


def _problems(after: Snapshot) -> tuple[str, ...]:
    served = bootstrap.served(after)
    if served.node:
        return ()
    return tuple(f"{one.subject} {one.message} {one.hint}" for one in served.findings)


def _warnings(before: Snapshot, mode: str) -> tuple[str, ...]:
    old = bootstrap.mode_of(before)
    if old == mode:
        return ()
    return (
        f"Two DHCP servers at once are an outage: see that the {old} stops serving before the {mode} starts.",
    )


def _lines(before: Snapshot, after: Snapshot, node: str) -> tuple[Line, ...]:
    old = before.authority.mode if before.authority else "none declared"
    mode = bootstrap.mode_of(after)
    named = f", bootstrap node {node}" if node and mode == "bootstrap" else ""
    said = Line(CHANGE, f"authority of {before.site.slug}", f"{old} → {mode}{named}")
    moved = [_moved(one) for one in effects(before, after) if one.format != OWN_DOCUMENT]
    return (said, *moved, Line(RUN, f"declare {mode} at {before.site.slug}", "a new revision of the site"))


def _moved(effect: Effect) -> Line:
    """The file with what moves in it; its digest makes the plan another one where the content is another."""
    content = "\n".join(("+", *effect.added, "-", *effect.removed))
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    said = f"+{len(effect.added)} -{len(effect.removed)} lines ({digest})"
    return Line(CHANGE, f"export {effect.format}: {effect.path}", said)
