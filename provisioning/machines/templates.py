"""Which template a machine is made of: the newest of those whose name begins as asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provisioning.machines.facts import GuestLine

_PARTS = re.compile(r"\d+|[A-Za-z]+")
_NUMBER, _END, _WORD = 2, 1, 0


class NoTemplate(ValueError):
    """None fits, or two fit equally; the message says what is there."""


def newest(templates: Iterable[GuestLine], prefix: str) -> GuestLine:
    """The template whose name is *prefix* and the highest version: ``44-1.10`` is newer than ``44-1.9``.

    VMIDs say nothing. A word behind equal numbers is older than nothing (``1.0-rc1`` before ``1.0``). Raises NoTemplate.
    """
    known = [guest for guest in templates if guest.is_template]
    fitting = [guest for guest in known if _continues(guest.name, prefix)]
    if not fitting:
        names = ", ".join(sorted(guest.name for guest in known)) or "none at all"
        raise NoTemplate(f"No template's name begins with “{prefix}”; there is: {names}.")
    best = max(fitting, key=lambda guest: version_key(guest.name))
    twins = [guest for guest in fitting if version_key(guest.name) == version_key(best.name)]
    if len(twins) > 1:
        which = " and ".join(f"{guest.name} ({guest.vmid})" for guest in sorted(twins, key=lambda g: g.vmid))
        raise NoTemplate(f"{which} are the same version of “{prefix}”; rename or remove one.")
    return best


def version_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts names by their version; numbers as numbers, separators do not count."""
    parts = [
        (_NUMBER, int(part), "") if part.isdigit() else (_WORD, 0, part.lower())
        for part in _PARTS.findall(name)
    ]
    return (*parts, (_END, 0, ""))


def _continues(name: str, prefix: str) -> bool:
    """Whether *name* is *prefix* and a version: ``debian-12`` does not begin ``debian-120-1.0``."""
    if not prefix or not name.startswith(prefix):
        return False
    rest = name[len(prefix) :]
    return (
        not rest
        or not (rest[0].isalnum() and prefix[-1].isalnum())
        or (rest[0].isdigit() and prefix[-1].isalpha())
    )
