"""The lines of every export that exist because of one host, and what the rules say of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher

from inventory.ansible.grouping import UNGROUPED
from inventory.contribution.around import Draft, drafted, reduced, without
from inventory.disputes import WORDS
from inventory.exports.ansible import model_of, rendered_host, rendered_name
from inventory.exports.registry import Export, all_exports
from inventory.findings import Finding, in_reading_order
from inventory.rules import judge
from inventory.snapshot import HostFacts, Snapshot, claims_of

#: Formats that are JSON, where the last of a list has no comma behind it.
WITH_COMMAS = frozenset({"kea", "prometheus", "ansible"})


@dataclass(frozen=True, slots=True)
class Fragment:
    """Lines of one file. ``place`` is where in the file a piece of a longer line stands; else these are whole lines."""

    path: str
    lines: tuple[str, ...]
    place: str = ""
    #: the file exists because of the host
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one host adds to one format."""

    format: str
    title: str
    fragments: tuple[Fragment, ...]
    #: why the format cannot be written at all
    problem: str = ""

    @property
    def count(self) -> int:
        return sum(len(fragment.lines) for fragment in self.fragments)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a draft does to the findings: those that come, those that go, and the host's others."""

    new: tuple[Finding, ...]
    settled: tuple[Finding, ...]
    staying: tuple[Finding, ...]


def contribution(snapshot: Snapshot, draft: Draft) -> tuple[Contribution, ...]:
    """What the drafted host adds to each format, in the order in which they are listed; formats that it leaves alone are
    there too, without fragments."""
    small = drafted(reduced(snapshot, draft), draft)
    return tuple(_of_format(export, small, draft.host) for export in all_exports())


def _of_format(export: Export, snapshot: Snapshot, host: HostFacts) -> Contribution:
    try:
        return Contribution(export.name, export.title, tuple(_fragments(export, snapshot, host)))
    except ValueError as error:  # half a character, from a JSON import: the whole export would say the same
        return Contribution(export.name, export.title, (), str(error))


def judged(snapshot: Snapshot, draft: Draft, today: date) -> Judged:
    """What the rules say of the draft beside what they say now, as far as the host has to do with it."""
    small = reduced(snapshot, draft)
    before, after = judge(small, today), judge(drafted(small, draft), today)
    new, settled = set(after) - set(before), set(before) - set(after)
    about = subjects_of(snapshot, draft.host)
    return Judged(
        in_reading_order(list(new)),
        in_reading_order(list(settled)),
        tuple(finding for finding in after if finding not in new and finding.subject in about),
    )


def subjects_of(snapshot: Snapshot, host: HostFacts) -> frozenset[str]:
    """What findings call the host, its parts and its identities."""
    found = {host.subject, *(interface.subject for interface in host.interfaces)}
    for service in host.services:
        found |= {f"service {service.label}", f"service {service.label} on {host.name}"}
    found |= {f"{WORDS[kind]} {value}" for kind, value, _ in claims_of((host,), snapshot.segment_by_name)}
    return frozenset(found)


# --- lines ---


def _fragments(export: Export, snapshot: Snapshot, host: HostFacts) -> Iterator[Fragment]:
    if export.name == "ansible":
        yield from _in_inventory(export, snapshot, host)
        return
    ours = export.render(snapshot, None).files
    others = export.render(without(snapshot, host.name), None).files
    for path in sorted(ours):
        lines = _lines(export, ours, path)
        added = tuple(
            line for line in _inserted(_lines(export, others, path), lines) if _is_told(export, line)
        )
        if added:
            yield Fragment(path, added, is_whole=path not in others)


def _inserted(others: list[str], ours: list[str]) -> Iterator[str]:
    """The lines of *ours* that *others* lack, in their order and each block from its own beginning."""
    for what, _, _, first, end in SequenceMatcher(None, others, ours, autojunk=False).get_opcodes():
        if what == "insert":
            first, end = _from_its_beginning(ours, first, end)
        if what in ("insert", "replace"):
            yield from ours[first:end]


def _from_its_beginning(lines: list[str], first: int, end: int) -> tuple[int, int]:
    """Where a block stands between others that begin or end alike, a diff may cut it anywhere: cut at its first line."""
    at, until = first, end
    while at > 0 and lines[at - 1] == lines[until - 1]:
        at, until = at - 1, until - 1
        if _begins(lines[at]) and not _begins(lines[first]):
            first, end = at, until
        elif not lines[at]:
            return at, until
    return first, end


def _begins(line: str) -> bool:
    return not line[:1].isspace() and line not in ("}", "};")


def _lines(export: Export, files: Mapping[str, bytes], path: str) -> list[str]:
    # Texts may hold what str.splitlines() takes for the end of a line.
    lines = files.get(path, b"").decode(errors="replace").removesuffix("\n").split("\n")
    return [line.removesuffix(",") for line in lines] if export.name in WITH_COMMAS else lines


def _is_told(export: Export, line: str) -> bool:
    """False for lines that speak of the whole file: who made it, its serial, all that it leaves out in one line."""
    if export.name == "kea":
        return not line.lstrip().startswith('"user-context": {"made-by"')
    if export.name == "bind":
        return " IN SOA " not in line
    return True


def _in_inventory(export: Export, snapshot: Snapshot, host: HostFacts) -> Iterable[Fragment]:
    """A group is one line there, however many hosts it has: of that only the host's name is the host's."""
    if host.is_retired:
        return
    model = snapshot.once(model_of)
    yield Fragment(export.filename, (rendered_host(model, host).decode(),))
    name = rendered_name(host).decode()
    for group in model.tree.groups_of.get(host.name, ()) or [UNGROUPED]:
        yield Fragment(export.filename, (name,), place=f"among the hosts of {group}")
