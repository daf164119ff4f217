"""The site's own nouns: root domain and segments, as group variables declare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.ansible import noun_reading, shape
from inventory.ansible import written as reading
from inventory.ansible.grouping import ALL
from inventory.importers.ansible_tree.work import Work
from inventory.importers.tree.model import holds_secret

#: RFC 8375: the domain for networks that have no registered one.
NO_DOMAIN = "home.arpa"
LONGEST_SEGMENT = 63

Taken = dict[str, set[str]]  # group → the variables that became nouns


def translate_site(work: Work) -> Taken:
    """Fill in the site and its segments; return which group variables need not be kept as such."""
    taken: Taken = {name: set() for name in work.merged}
    _root_domain(work, taken)
    _code(work)
    _segments(work, taken)
    return taken


def _owner_of(work: Work, noun: str) -> tuple[str, Any] | None:
    """The group that declares *noun* and its value: ``all`` first, else the only one."""
    key = work.names[noun]
    owners = [name for name, variables in work.merged.items() if key in variables]
    owner = ALL if ALL in owners else owners[0] if len(owners) == 1 else None
    if owner is not None:
        return owner, work.merged[owner][key]
    for name in owners:
        work.complain(
            "group", name, [key], "is declared by several groups and none is “all”", "declare it in all"
        )
    return None


def _root_domain(work: Work, taken: Taken) -> None:
    key = work.names["site.root_domain"]
    declared = _owner_of(work, "site.root_domain")
    found = reading.read_domain(declared[1]) if declared else reading.Reading(None)
    if declared and found.value:
        owner, raw = declared
        work.draft.site["root_domain"] = found.value
        work.written["root_domain"] = {"owner": owner, "raw": raw}
        taken[owner].add(key)
    else:
        if declared:
            work.complain("group", declared[0], [key], found.problem, found.hint)
        work.draft.site["+root_domain"] = NO_DOMAIN
    known = work.stored.site.root_domain if work.stored else NO_DOMAIN
    domain = found.value or known
    work.zone = f"{work.draft.slug}.{domain}" if domain else work.draft.slug
    work.written["zone"] = work.zone


def _code(work: Work) -> None:
    key, declared = work.names["site.code"], _owner_of(work, "site.code")
    if declared and declared[1] != work.draft.slug:
        owner, code = declared
        shown = f"“{code}”" if isinstance(code, str | int) else "something else"
        work.complain("group", owner, [key], f"is {shown}, but the import says site {work.draft.slug}",
                      "import it under the site's own name, or change the variable")  # fmt: skip


# --- segments ---


def _segments(work: Work, taken: Taken) -> None:
    key, declared = work.names["site.segments"], _owner_of(work, "site.segments")
    if declared is None:
        return
    owner, raw = declared
    if holds_secret(raw) or reading.is_sealed(raw):
        work.complain(
            "group", owner, [key], "is sealed in a vault, so segments cannot be read", "write it in plain"
        )
        return
    found = reading.read_mapping(raw)
    if found.value is None:
        work.clash("group", owner, [key], "a mapping of segment name to segment")
        return
    if found.problem:  # stays a variable as it is
        work.complain("group", owner, [key], found.problem, "write the segments themselves")
        return
    taken[owner].add(key)
    order = {"order": list(raw)} if isinstance(raw, Mapping) else {"value": raw}
    work.written["segments"] = {"owner": owner, **order}
    for name, segment in found.value.items():
        if len(name) > LONGEST_SEGMENT or not name:
            message = f"needs a name of 1 to {LONGEST_SEGMENT} characters"
            work.complain("group", owner, [key, name], message, "rename it", "error")
        else:
            _segment(work, owner, [key, name], name, segment)


def _segment(work: Work, owner: str, path: list[str], name: str, raw: Any) -> None:
    found = reading.read_mapping(raw)
    if found.value is None:
        work.clash("group", owner, path, "a mapping")
        return
    if found.problem:
        work.complain("group", owner, path, found.problem, found.hint)
    read = noun_reading.read_segment(name, found.value, work.names)
    for complaint in read.complaints:
        work.complain("group", owner, [*path, *complaint.path], complaint.found.problem, complaint.found.hint)
    known = [work.names[field] for field in noun_reading.SEGMENT_FIELDS]
    pool = read.columns.pop("pool")
    written = shape.shape_of(raw, known) if not reading.is_sealed(raw) else {"value": raw}
    work.draft.segments[name] = {
        **read.columns,
        "pool_first": pool.first if pool else None,
        "pool_last": pool.last if pool else None,
        "variables": shape.further_keys(found.value, known),
        "written": written,
    }
