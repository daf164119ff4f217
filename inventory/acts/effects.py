"""Which exports an act moves, and by how much: every format rendered of the site as it is and as it would be. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inventory.differences import readable_line
from inventory.exports.registry import Export, all_exports
from inventory.snapshot import Snapshot

#: So many hosts are rendered twice without anybody waiting for it; beyond, people ask for it.
SMALL = 100

#: So many lines of a file are shown.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Effect:
    """One file of one format that differs."""

    format: str
    path: str
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The first lines of both, each with its sign; one that looks like a secret is not shown."""
        gone = [("-", readable_line(line)) for line in self.removed[:SHOWN]]
        return (*gone, *(("+", readable_line(line)) for line in self.added[:SHOWN]))

    @property
    def more(self) -> int:
        return len(self.added) + len(self.removed) - len(self.lines)


def effects(before: Snapshot, after: Snapshot) -> tuple[Effect, ...]:
    """What differs, in the order in which the formats are listed. A format that cannot be rendered raises as it does."""
    return tuple(effect for export in all_exports() for effect in _of(export, before, after))


def _of(export: Export, before: Snapshot, after: Snapshot) -> Iterator[Effect]:
    old: Mapping[str, bytes] = before.once(_Rendered(export.name, export.render))
    new = export.render(after, None).files
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            added, removed = _difference(old.get(path, b""), new.get(path, b""))
            yield Effect(export.name, path, added, removed)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """Renders one format; equal for the same one, so that a Snapshot keeps what it made."""

    name: str
    render: object

    def __call__(self, snapshot: Snapshot) -> Mapping[str, bytes]:
        files: Mapping[str, bytes] = self.render(snapshot, None).files  # type: ignore[operator]
        return files


def _difference(old: bytes, new: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines that are only in *new*, and only in *old*, each in its order; a line that moved is in neither."""
    before, after = (text.decode(errors="replace").splitlines() for text in (old, new))
    return tuple(surplus(after, before)), tuple(surplus(before, after))


def surplus(lines: list[str], others: list[str]) -> Iterator[str]:
    """Those of *lines* that *others* have not, or have less often, in their order."""
    left = Counter(others)
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            yield line
