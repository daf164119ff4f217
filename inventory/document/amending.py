"""Patches of sites, planned or applied by a person: judged strictly, compared and written as a document is, or not at all.

Everything wrong is told at once, with its place. What is applied is what was shown: the plan carries a fingerprint of
the site's revision and of everything the patch would do, and nothing is written under another one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from inventory import reading
from inventory.changes import SiteChange, change
from inventory.document import writing
from inventory.document.comparing import compare
from inventory.document.declaring import Refused, without_collecting
from inventory.document.draft import SiteDraft
from inventory.document.drafting import draft_of
from inventory.document.judging import judge
from inventory.document.patching import NOUNS, Patch, checked, patched
from inventory.document.places import path_of_entry
from inventory.document.plans import Entry, Plan
from inventory.document.strictly import judge_rows
from inventory.document.text import Complaint
from inventory.document.work import Work
from inventory.findings import Finding
from inventory.models import Site
from inventory.rules import judge as findings_of
from inventory.snapshot import HostFacts, Snapshot

#: Makes the patch from the site as it is by now.
Maker = Callable[[Snapshot], Patch]

__all__ = ["Amended", "Maker", "Moved", "Refused", "amend", "fingerprint_of", "plan"]


class Moved(Exception):
    """The site, or what was asked of it, is no longer what was shown; ``now`` is the plan as it is."""

    def __init__(self, now: Sequence[Amended]) -> None:
        super().__init__("something changed since the plan was shown")
        self.now = list(now)


@dataclass
class Amended:
    """What one patch does, or did, to its site."""

    patch: Patch
    plan: Plan
    stored: Snapshot
    post: Snapshot
    work: Work | None = None
    #: noun → how many of those that the patch names stay as they are
    unchanged: Counter[str] = field(default_factory=Counter)

    @property
    def complaints(self) -> list[Complaint]:
        return sorted(set(self.patch.complaints))

    @property
    def entries(self) -> list[Entry]:
        """What would be written."""
        return [entry for entry in self.plan.entries if entry.action != "unchanged"]

    def line_of(self, entry: Entry) -> int:
        return self.patch.line(*path_of_entry(entry))

    def findings(self) -> tuple[list[Finding], list[Finding]]:
        """What the rules find wrong after it and not before, and what they no longer find. Seconds for a large site."""
        if self.complaints or self.plan.is_empty:
            return [], []
        before, after = findings_of(self.stored), findings_of(self.post)
        known, left = set(before), set(after)
        return [one for one in after if one not in known], [one for one in before if one not in left]


def fingerprint_of(found: Iterable[Amended]) -> str:
    """What was shown, as a short text."""
    told = hashlib.sha256()
    for one in found:
        told.update(
            repr((one.stored.site.uid, one.stored.revision, one.patch.meaning)).encode(
                "utf-8", "surrogatepass"
            )
        )
    return told.hexdigest()


def plan(makers: Mapping[str, Maker]) -> list[Amended]:
    """What each site's patch would do now. Writes nothing. Raises reading.UnknownSite."""
    with without_collecting():
        return [_settled(slug, maker) for slug, maker in sorted(makers.items())]


def amend(
    makers: Mapping[str, Maker],
    *,
    seen: str | None,
    by: Any,
    why: str,
    source: str = "admin",
    allowed: Callable[[Amended], Iterable[Complaint]] = lambda one: (),
) -> list[Amended]:
    """Apply the patches in one transaction, one change for each site, if their plan still is the one that was *seen*.

    None: whatever it is by now. *allowed* complains of what the person may not do. Raises Moved or Refused, and then
    nothing is stored.
    """
    with without_collecting():
        before = {slug: reading.load(slug) for slug in makers}
        sites = {site.slug: site for site in Site.objects.filter(slug__in=makers).order_by("slug")}
        for slug in makers.keys() - sites.keys():
            raise reading.unknown_site(slug)
        try:
            with change(*sites.values(), by=by, why=why, source=source) as the_change:
                return _written(makers, before, sites, seen, allowed, the_change)
        except ValidationError as error:
            raise Refused([Complaint("", 0, message) for message in error.messages]) from error


def _written(
    makers: Mapping[str, Maker],
    before: Mapping[str, Snapshot],
    sites: Mapping[str, Site],
    seen: str | None,
    allowed: Callable[[Amended], Iterable[Complaint]],
    the_change: SiteChange,
) -> list[Amended]:
    found = []
    for slug, site in sites.items():
        site.refresh_from_db()
        stored = before[slug]
        if (stored.revision, stored.site.uid) != (site.revision, str(site.uid)):
            stored = reading.load(slug)
        found.append(_amended(stored, makers[slug](stored), site))
    if seen is not None and fingerprint_of(found) != seen:
        raise Moved(found)
    if complaints := [
        *(c for one in found for c in one.complaints),
        *(c for one in found for c in allowed(one)),
    ]:
        raise Refused(complaints)
    for one in found:
        if one.work is not None and not one.plan.is_empty:
            writing.write(one.work, the_change)
    for one in found:
        one.plan.revision = sites[one.plan.slug].revision
    return found


def _settled(slug: str, maker: Maker) -> Amended:
    """The comparison for a plan, made again while the site moves on."""
    while True:
        stored = reading.load(slug)
        site = Site.objects.filter(slug=slug).first()
        if site is None:
            raise reading.unknown_site(slug)
        found = _amended(stored, maker(stored), site)
        now = reading.current(slug)
        if (now.revision, now.uid) == (stored.revision, stored.site.uid):
            return found


def _amended(stored: Snapshot, patch: Patch, site: Site) -> Amended:
    checked(patch)
    _links_lead(patch, stored)
    post = patched(stored, patch)
    judge(patch, post, stored)
    _keep_aliases(patch, post, stored)
    if patch.complaints:
        post = _without_strangers(patch, stored)
    draft, unchanged = _draft(stored, post, patch)
    work = compare(draft, site)
    for noun, sentence in work.refused:
        patch.complaints.append(Complaint(patch.file, patch.line(noun), sentence))
    judge_rows(work, patch, site)
    work.entries = [entry for entry in work.entries if entry.action != "unchanged"]
    found = Plan(work.entries, site.revision, patch.slug, [*patch.notes, *work.notes])
    return Amended(patch, found, stored, post, work, unchanged)


# --- what is said of rows that do not exist ---


def _links_lead(patch: Patch, stored: Snapshot) -> None:
    """Links to groups or hosts that nobody declares are complained of and taken out."""
    hosts = {*stored.host_by_name, *patch.values.get("hosts", {})}
    for noun in ("groups", "profiles"):
        known = {*(one.name for one in getattr(stored, noun)), *patch.values.get(noun, {})}
        for links in (patch.joined, patch.parted):
            for group, host in sorted(links.get(noun, set())):
                if group not in known:
                    hint = f"the site has no {noun[:-1]} {group}; declare it first, or correct the name."
                    patch.complain(("hosts", host, noun), hint)
                elif host not in hosts:
                    patch.complain((noun, group, "hosts"), f"the site has no host {host}; declare it first.")
                else:
                    continue
                links[noun].discard((group, host))
    known = {*stored.group_by_name, *patch.values.get("groups", {})}
    for pairs in (patch.nested, patch.unnested):
        for parent, child in sorted(pairs):
            if parent not in known or child not in known:
                stranger = parent if parent not in known else child
                patch.complain(("groups", child, "parents"), f"the site has no group {stranger}.")
                pairs.discard((parent, child))


def _carried(site: Snapshot) -> dict[str, str]:
    """Label of each service → a host that carries it."""
    return {service.label: service.host for host in site.hosts for service in host.services}


def _keep_aliases(patch: Patch, post: Snapshot, stored: Snapshot) -> None:
    """Of what the patch itself says of aliases, judging has spoken."""
    carried, before, said = _carried(post), _carried(stored), patch.values.get("aliases", {})
    for alias in post.aliases:
        if alias.name in said or alias.service in carried:
            continue
        if host := before.get(alias.service):
            sentence = f"loses the service {alias.service}, at which alias {alias.name} points; delete the alias first."
            patch.complain(("hosts", host, "services"), sentence)


def _without_strangers(patch: Patch, stored: Snapshot) -> Snapshot:
    """What is wrong was complained of; the site without it, and without what leans on it, can be compared."""
    for path in patch.wrong:
        if path[:1] != ("site",) and len(path) > 1:
            patch.take_out(str(path[0]), str(path[1]))
    while True:
        post = patched(stored, patch)
        carried = _carried(post)
        leaning = [
            *(
                ("hosts", name)
                for name in patch.values.get("hosts", {})
                if not _stands(post.host_by_name[name], post)
            ),
            *(("aliases", name) for name, to in patch.values.get("aliases", {}).items() if to not in carried),
        ]
        if not leaning:
            return post
        for noun, name in leaning:
            patch.take_out(noun, name)


def _stands(host: HostFacts, post: Snapshot) -> bool:
    """Whether everything that *host* refers to is there."""
    roles = {role.slug for role in post.roles} if host.role else ()
    machines = [host.hypervisor, *host.needs, *(one.switch for one in host.interfaces)]
    return (
        (not host.role or host.role in roles)
        and all(name in post.host_by_name for name in machines if name)
        and all(one.segment in post.segment_by_name for one in host.interfaces if one.segment)
    )


# --- the draft ---


def _draft(stored: Snapshot, post: Snapshot, patch: Patch) -> tuple[SiteDraft, Counter[str]]:
    """What differs between *stored* and *post*, and how many of the named ones do not."""
    changed: dict[str, dict[str, Any]] = {}
    unchanged: Counter[str] = Counter()
    for noun in NOUNS:
        key = "slug" if noun == "roles" else "name"
        before = {getattr(row, key): row for row in getattr(stored, noun)}
        after = {getattr(row, key): row for row in getattr(post, noun)}
        names = [
            name for name, row in after.items() if before.get(name) is not row and before.get(name) != row
        ]
        if names:
            changed[noun] = dict.fromkeys(names)
        named = {*patch.values.get(noun, {}), *(path[1] for path in patch.cleared if path[0] == noun)}
        unchanged[noun] = len(named & after.keys() - set(names))
    draft = draft_of(post, changed)
    draft.unnamed = "alone"
    draft.roles = {slug: fields for slug, fields in draft.roles.items() if slug in changed.get("roles", {})}
    draft.aliases = {name: to for name, to in draft.aliases.items() if name in changed.get("aliases", {})}
    draft.unaliased = {row.name for row in stored.aliases} - {row.name for row in post.aliases}
    draft.nestings, draft.unnested = _moved(stored.groups, post.groups, "children")
    draft.memberships, parted = _moved(stored.groups, post.groups, "hosts")
    draft.profile_members, unassigned = _moved(stored.profiles, post.profiles, "hosts")
    draft.parted = {"group": parted, "profile": unassigned}
    return draft, unchanged


def _moved(before: Iterable[Any], after: Iterable[Any], links: str) -> tuple[set[Any], set[Any]]:
    """(coming, going) pairs of a row's name and what it links to."""
    known = {row.name: row for row in before}
    coming: set[Any] = set()
    going: set[Any] = set()
    for row in after:
        old = known.get(row.name)
        if old is row:
            continue
        had, has = set(getattr(old, links)) if old else set(), set(getattr(row, links))
        coming |= {(row.name, name) for name in has - had}
        going |= {(row.name, name) for name in had - has}
    return coming, going
