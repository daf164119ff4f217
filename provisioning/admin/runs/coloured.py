"""A terminal's output as HTML: colours become classes, everything else is escaped or left out. Pure.

ECMA-48: ``ESC [ … m`` selects colours and weight (SGR); any other sequence moves a cursor that a page does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

#: SGR with its numbers, or something that is left out: other CSI, OSC with its end, a lone escape
_SEQUENCE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
#: no browser shows these, and some break a page
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_WEIGHTS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse"}
#: number → the weights that it ends
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",)}

#: characters of a line that are shown; the download has all of them
LONGEST = 2000


class _Pen:
    """What is selected: a colour, a ground, weights."""

    def __init__(self) -> None:
        self.colour, self.ground, self.weights = "", "", set[str]()

    @property
    def classes(self) -> str:
        found = [f"ansi-{name}" for name in (self.colour, *sorted(self.weights)) if name]
        return " ".join([*found, f"ansi-on-{self.ground}"] if self.ground else found)

    def select(self, written: str) -> None:
        numbers = iter([int(one or 0) for one in written.split(";")] if len(written) < 100 else [0])
        for number in numbers:
            if number == 0:
                self.__init__()  # type: ignore[misc]
            elif number in _WEIGHTS:
                self.weights.add(_WEIGHTS[number])
            elif number in _ENDS:
                self.weights.difference_update(_ENDS[number])
            elif number in (38, 48):
                self._set(number == 48, _of_many(numbers))
            elif number in (39, 49):
                self._set(number == 49, "")
            elif 30 <= number <= 37 or 40 <= number <= 47:
                self._set(number >= 40, NAMES[number % 10])
            elif 90 <= number <= 97 or 100 <= number <= 107:
                self._set(number >= 100, f"bright-{NAMES[number % 10]}")

    def _set(self, ground: bool, name: str) -> None:
        if ground:
            self.ground = name
        else:
            self.colour = name


def _of_many(numbers: Iterator[int]) -> str:
    """One of 256 colours, or of all: the nearest of the sixteen that this page has."""
    how = next(numbers, 0)
    if how == 5:
        number = next(numbers, 0)
        if number < 16:
            return NAMES[number % 8] if number < 8 else f"bright-{NAMES[number % 8]}"
        if number >= 232:
            return "bright-black" if number < 248 else "white"
        cube = number - 16
        return _nearest(cube // 36 * 51, cube // 6 % 6 * 51, cube % 6 * 51)
    if how == 2:
        return _nearest(next(numbers, 0), next(numbers, 0), next(numbers, 0))
    return ""


def _nearest(red: int, green: int, blue: int) -> str:
    middle = 96
    number = (red > middle) + 2 * (green > middle) + 4 * (blue > middle)
    return f"bright-{NAMES[number]}" if max(red, green, blue) > 224 and number else NAMES[number]


def plain(text: str) -> str:
    """*text* without its colours and whatever a terminal would have done with it; line breaks stay."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text))


def html_lines(text: str, longest: int = LONGEST) -> list[str]:
    """Each line of *text* as HTML; a colour goes on over a line break. No longer than *longest* characters are shown.

    Only a line feed ends a line, as for who counted them: ``splitlines`` ends some at U+2028 and others as well.
    """
    pen = _Pen()
    return [_line(line, pen, longest) for line in text.split("\n")]


def _line(line: str, pen: _Pen, longest: int) -> str:
    found, room = [], longest
    for classes, words in _pieces(line, pen):
        shown = words[: max(0, room)]
        room -= len(words)
        if shown:
            html = escape(shown)
            found.append(f'<span class="{classes}">{html}</span>' if classes else html)
    if room < 0:
        found.append(f'<span class="ansi-cut">… {-room} more characters</span>')
    return "".join(found)


def _pieces(line: str, pen: _Pen) -> Iterator[tuple[str, str]]:
    """(classes, words): each stretch with one look."""
    at = 0
    for match in _SEQUENCE.finditer(line):
        yield pen.classes, _CONTROL.sub("", line[at : match.start()])
        if match["sgr"] is not None:
            pen.select(match["sgr"])
        at = match.end()
    yield pen.classes, _CONTROL.sub("", line[at:])
