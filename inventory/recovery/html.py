"""Small HTML, escaped: elements as strings that know that they are safe. Pure.

The pages of the kit are read by ``file://`` in any browser, without a template engine to install.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Safe(str):
    """Text that is HTML already; everything else is escaped."""

    __slots__ = ()


def tag(name: str, *inner: object, **attributes: object) -> Safe:
    """``tag("a", "pi01", href="#pi01")``; ``class_`` and ``data_x`` as Python wants them. None leaves an attribute out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Safe(f"<{name}{said}>{joined(inner)}</{name}>")


def joined(parts: Iterable[object], between: str = "") -> Safe:
    return Safe(between.join(part if isinstance(part, Safe) else escape(str(part)) for part in parts))


def rows(headings: Iterable[str], lines: Iterable[Iterable[object]], *, caption: str) -> Safe:
    """A table whose rows the page's search hides and shows."""
    head = tag("tr", *(tag("th", heading, scope="col") for heading in headings))
    body = [tag("tr", *(tag("td", cell) for cell in line), class_="found") for line in lines]
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)


def items(lines: Iterable[object]) -> Safe:
    return tag("ul", *(tag("li", line) for line in lines))
