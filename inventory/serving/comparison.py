"""What lies between two renderings of one format: which files came, went and changed, line by line. Pure but for reading.

A format of several files is compared file by file. Bytes that are no text are said to differ, and not shown.
"""

from __future__ import annotations

import difflib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inventory.exports.registry import get_export
from inventory.models import Rendering
from inventory.serving import contents

#: Lines around a change that are shown with it.
AROUND = 3
#: difflib takes seconds for a middle part longer than this, which is no change but another file.
MOST_LINES = 60_000


class CannotCompare(Exception):
    """One of the two is not there any more; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class FileChange:
    path: str
    what: Literal["added", "removed", "changed"]
    #: unified diff without its two header lines
    lines: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, int]:
        """Lines added, lines removed."""
        return (
            sum(line.startswith("+") for line in self.lines),
            sum(line.startswith("-") for line in self.lines),
        )


def files_of(row: Rendering) -> dict[str, bytes]:
    """Relative path → bytes of a kept rendering. Raises CannotCompare."""
    try:
        content, _ = contents.read(row.sha256)
    except contents.Lost:
        raise CannotCompare(
            f"The content of {row} is gone from the data directory; its facts are still listed, and the newest rendering "
            "is made again when somebody fetches it."
        ) from None
    export = get_export(row.format)
    if not export.is_directory:
        return {export.filename: content}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {
            member.name: handle.read()
            for member in archive.getmembers()
            if (handle := archive.extractfile(member)) is not None
        }


def compare(old: Rendering, new: Rendering) -> tuple[FileChange, ...]:
    """Every file that differs, by path. Raises CannotCompare."""
    if old.sha256 == new.sha256:
        return ()
    return tuple(differences(files_of(old), files_of(new)))


def differences(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[FileChange]:
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) == new.get(path):
            continue
        what: Literal["added", "removed", "changed"] = (
            "added" if path not in old else "removed" if path not in new else "changed"
        )
        yield FileChange(path, what, tuple(_lines(old.get(path, b""), new.get(path, b""))))


def _lines(old: bytes, new: bytes) -> Iterator[str]:
    try:
        before, after = old.decode().splitlines(), new.decode().splitlines()
    except UnicodeDecodeError:
        yield f"-{len(old)} bytes"
        yield f"+{len(new)} bytes"
        return
    same = _common(before, after)
    rest = _common(before[same:][::-1], after[same:][::-1])
    first = max(0, same - AROUND)
    cut = (len(before) - max(0, rest - AROUND), len(after) - max(0, rest - AROUND))
    before, after = before[first : cut[0]], after[first : cut[1]]
    if max(len(before), len(after)) > MOST_LINES:
        yield f"-{len(before)} lines"
        yield f"+{len(after)} lines"
        return
    for line in list(difflib.unified_diff(before, after, n=AROUND, lineterm=""))[2:]:
        yield _moved(line, first) if line.startswith("@@") else line


def _common(before: list[str], after: list[str]) -> int:
    """How many lines both begin with."""
    for number, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            return number
    return min(len(before), len(after))


def _moved(hunk: str, by: int) -> str:
    """The heading of a hunk whose lines were counted from *by* on."""
    _, old, new, _ = hunk.split(" ", 3)
    return f"@@ {_shifted(old, by)} {_shifted(new, by)} @@"


def _shifted(span: str, by: int) -> str:
    start, comma, length = span[1:].partition(",")
    return f"{span[0]}{int(start) + by}{comma}{length}"
