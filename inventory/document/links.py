"""Compares what ties rows together: nestings, memberships, aliases."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from inventory.document.work import Work
from inventory.models import Alias, Group, Membership, Nesting, Service

Pair = tuple[str, str]


def compare(work: Work) -> None:
    draft = work.draft
    if work.alone:
        _amended(work)
        return
    members = _memberships(work)
    if "groups" in draft.nouns:
        _nestings(work)
        stored = members[Group.Kind.GROUP]
        _members(work, "membership", work.groups, draft.groups, stored, draft.memberships)
    if "profiles" in draft.nouns:
        stored = members[Group.Kind.PROFILE]
        _members(work, "assignment", work.profiles, draft.profiles, stored, draft.profile_members)
    if work.leaves:
        _aliases(work)


# --- a patch ---


def _amended(work: Work) -> None:
    """The links that come and those that go; nobody else's are looked at."""
    draft = work.draft
    for parent, child in sorted(draft.nestings):
        link = Nesting(parent=work.groups[parent], child=work.groups[child])
        work.new(link, "group nesting", f"{child} below {parent}")
    if draft.unnested:
        for row in Nesting.objects.filter(parent__site=work.site).select_related("parent", "child"):
            if (row.parent.name, row.child.name) in draft.unnested:
                work.remove(row, "group nesting", f"{row.child.name} below {row.parent.name}")
    kinds: list[tuple[str, str, dict[str, Any], set[Pair]]] = [
        (Group.Kind.GROUP, "membership", work.groups, draft.memberships),
        (Group.Kind.PROFILE, "assignment", work.profiles, draft.profile_members),
    ]
    for kind, noun, groups, coming in kinds:
        for group, host in sorted(coming):
            work.new(Membership(group=groups[group], host=work.hosts[host]), noun, f"{host} in {group}")
        _part(work, noun, groups, draft.parted.get(kind, set()))
    _named_aliases(work)


def _part(work: Work, noun: str, groups: dict[str, Any], going: set[Pair]) -> None:
    names = {row.pk: name for name, row in work.hosts.items()}
    by_pk = {groups[group].pk: groups[group] for group, _ in going}
    for row in Membership.objects.filter(group__in=by_pk) if going else ():
        group, host = by_pk[row.group_id], names.get(row.host_id, "")
        if (group.name, host) in going:
            row.group, row.host = group, work.hosts[host]
            work.remove(row, noun, f"{host} in {group.name}")


# --- groups ---


def _nestings(work: Work) -> None:
    draft, stored = work.draft, {}
    if work.is_stored:
        rows = Nesting.objects.filter(parent__site=work.site).select_related("parent", "child")
        stored = {(row.parent.name, row.child.name): row for row in rows}
    for pair in sorted(draft.nestings & stored.keys()):
        work.note("group nesting", f"{pair[1]} below {pair[0]}", "unchanged")
    for pair in sorted(draft.nestings - stored.keys()):
        link = Nesting(parent=work.groups[pair[0]], child=work.groups[pair[1]])
        work.new(link, "group nesting", f"{pair[1]} below {pair[0]}")
    for pair in sorted(stored.keys() - draft.nestings):
        ours = work.leaves or all(name in draft.groups for name in pair)
        _unlink(work, stored[pair], "group nesting", f"{pair[1]} below {pair[0]}", ours)
    if not work.leaves:
        _refuse_circles(work, {pair for pair in stored if not set(pair) <= draft.groups.keys()})


def _refuse_circles(work: Work, staying: set[Pair]) -> None:
    """Links of groups that are gone stay; together with the new ones they must not form a circle."""
    below: dict[str, set[str]] = defaultdict(set)
    for parent, child in work.draft.nestings | staying:
        below[parent].add(child)
    for parent, child in sorted(staying):
        seen: set[str] = set()
        todo = [child]
        while todo:
            name = todo.pop()
            seen.add(name)
            todo += below[name] - seen
        if parent in seen:
            raise ValidationError(
                f"Group {child} lies below {parent} here, and no longer in what is imported, which puts {parent} "
                f"below {child}. Take the group that is gone out of its parents first."
            )


def _memberships(work: Work) -> dict[str, dict[Pair, Membership]]:
    """Kind of group → (group, host) → the row."""
    found: dict[str, dict[Pair, Membership]] = defaultdict(dict)
    if work.is_stored and work.draft.nouns & {"groups", "profiles"}:
        for row in Membership.objects.filter(group__site=work.site).select_related("group", "host"):
            found[row.group.kind][row.group.name, row.host.name] = row
    return found


def _members(
    work: Work,
    noun: str,
    groups: dict[str, Any],
    named: Any,
    stored: dict[Pair, Membership],
    wanted: set[Pair],
) -> None:
    for pair in sorted(wanted & stored.keys()):
        work.note(noun, f"{pair[1]} in {pair[0]}", "unchanged")
    for pair in sorted(wanted - stored.keys()):
        link = Membership(group=groups[pair[0]], host=work.hosts[pair[1]])
        work.new(link, noun, f"{pair[1]} in {pair[0]}")
    hosts = work.draft.hosts
    for pair in sorted(stored.keys() - wanted):
        ours = work.leaves or (pair[0] in named and pair[1] in hosts)
        _unlink(work, stored[pair], noun, f"{pair[1]} in {pair[0]}", ours)


def _unlink(work: Work, row: Any, noun: str, name: str, ours: bool) -> None:
    """A link goes when both its ends are still named; else it is gone with them, and stays."""
    if ours:
        work.remove(row, noun, name)
    else:
        work.note(noun, name, "gone")


# --- aliases ---


def _aliases(work: Work) -> None:
    """An alias points at a row; among hosts that carry the same service, at one that lives."""
    stored: dict[str, Alias] = {}
    if work.is_stored:
        rows = Alias.objects.filter(site=work.site).select_related("service")
        stored = {row.name: row for row in rows}
    if "hosts" not in work.draft.nouns and work.is_stored:
        work.services = list(Service.objects.filter(site=work.site).select_related("host"))
    gone = {row.pk for row in work.removed[Service]}
    by_label: dict[str, list[Service]] = defaultdict(list)
    for service in work.services:
        if service.pk is None or service.pk not in gone:
            by_label[service.label].append(service)
    wanted = work.draft.aliases
    if "aliases" not in work.draft.nouns:
        wanted = {name: row.service.label for name, row in stored.items()}
    for name, label in wanted.items():
        _alias(work, name, stored.get(name), label, by_label[label])
    for name in sorted(stored.keys() - wanted.keys()):
        work.remove(stored[name], "alias", name)


def _named_aliases(work: Work) -> None:
    """Of a patch: aliases that it names, and those whose carrier it takes away while another host carries the same."""
    wanted, going = dict(work.draft.aliases), work.draft.unaliased
    gone = {row.pk for row in work.removed[Service]}
    if not (wanted or going or gone):
        return
    rows = Alias.objects.filter(Q(name__in={*wanted, *going}) | Q(service__in=gone), site=work.site)
    stored = {row.name: row for row in rows.select_related("service__host")}
    orphans = {name: row.service.label for name, row in stored.items() if row.service_id in gone}
    wanted = {name: to for name, to in orphans.items() if name not in going} | wanted
    carriers = _carriers(work, set(wanted.values()), gone)
    for name, label in sorted(wanted.items()):
        _alias(work, name, stored.get(name), label, carriers[label])
    for name in sorted(going & stored.keys()):
        work.remove(stored[name], "alias", name)


def _carriers(work: Work, labels: set[str], gone: set[int]) -> dict[str, list[Service]]:
    """Label → the services of that label as they will be, whichever host the patch speaks of."""
    known = {row.pk for row in work.services if row.pk}
    names = {label.partition(".")[0] for label in labels}
    others = Service.objects.filter(site=work.site, name__in=names).exclude(pk__in=known | gone)
    found: dict[str, list[Service]] = defaultdict(list)
    for row in [*work.services, *others.select_related("host")]:
        if row.pk not in gone:
            found[row.label].append(row)
    return found


def _alias(work: Work, name: str, row: Alias | None, label: str, carriers: list[Service]) -> None:
    if not carriers:  # of a document that names aliases this is said before, with its line
        work.refuse(
            "hosts",
            f"service {label} cannot be removed: alias {name} points at it. Take the alias out first, or keep the service.",
        )
        return
    target = min(
        carriers, key=lambda one: (one.host.status == "retired", not _is_target(row, one), one.host.name)
    )
    if row is None:
        work.new(Alias(site=work.site, name=name, service=target), "alias", name)
        return
    before = row.service.label
    if _is_target(row, target):
        work.note("alias", name, "unchanged")
        return
    row.service = target
    work.write_later(row, ["service"])
    work.note("alias", name, "change", [f"service {before} → {label}" if before != label else "carrier"])


def _is_target(row: Alias | None, service: Service) -> bool:
    return row is not None and service.pk is not None and row.service_id == service.pk
