"""Names that every disk keeps apart: FAT, exFAT, macOS and Windows hold one of two that differ in case alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Apart:
    """Files of which no two in one directory differ in case alone."""

    files: Mapping[str, bytes]
    #: as it was → where it lies, of those whose content is another one's
    renamed: Mapping[str, str]
    #: left out: the same content has that name in another case
    same: tuple[str, ...]


def apart(files: Mapping[str, bytes]) -> Apart:
    """Lower case comes first, and keeps its name."""
    room = _Room()
    kept: dict[str, bytes] = {}
    renamed, same = {}, []
    for name in sorted(files, key=str.swapcase):
        path = PurePosixPath(name)
        wanted = room.folder(path.parent) / path.name
        if kept.get(room.holder(wanted)) == files[name]:
            same.append(name)
            continue
        place = str(room.free(wanted))
        kept[place] = files[name]
        if place != name:
            renamed[name] = place
    return Apart(kept, renamed, tuple(same))


class _Room:
    """Which names are taken, whatever their case, and where each directory lies."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._folders = {PurePosixPath(): PurePosixPath()}

    def folder(self, path: PurePosixPath) -> PurePosixPath:
        if path not in self._folders:
            self._folders[path] = self.free(self.folder(path.parent) / path.name)
        return self._folders[path]

    def holder(self, path: PurePosixPath) -> str:
        """The name that is taken already where *path* would lie; empty where it is free."""
        return self._taken.get(str(path).casefold(), "")

    def free(self, path: PurePosixPath) -> PurePosixPath:
        """*path*, or with a number behind its name where that is taken; taken from now on."""
        number, place = 1, path
        while self.holder(place):
            number += 1
            place = path.with_name(f"{path.stem}-{number}{path.suffix}")
        self._taken[str(place).casefold()] = str(place)
        return place
