"""What a run meets beside its project and its inventory: collections, roles, Ansible itself, a container image.

None of it can be put into the run's folder. So it is seen when a run is planned, kept among its inputs, and seen again
before it begins: what is another by then was not shown to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning import projects
from provisioning.adapters import ansible
from provisioning.adapters.commands import go_on
from provisioning.engine.faults import JobFailed
from provisioning.projects import Installed
from provisioning.runs.arguments import IMAGE, Arguments

#: so many collections and roles are named in a plan
NAMED = 5


@dataclass(frozen=True)
class LaidOut:
    """What lies in a run's folder: the project's copy, the inventory, and where its collections and roles are."""

    project: Path
    playbook: Path
    inventory: Path
    collections: tuple[Path, ...] = ()
    roles: tuple[Path, ...] = ()


class Another(JobFailed):
    """Something beside the project is another than it was planned with."""


def seen(arguments: Arguments, laid: LaidOut, check: Callable[[], None] = go_on) -> dict[str, str]:
    """What is there now, by name."""
    return {
        **projects.resolved(Installed(laid.collections, laid.roles), laid.project, check=check),
        **engine(arguments),
    }


def engine(arguments: Arguments) -> dict[str, str]:
    """Which Ansible, or which image. One that nobody has fetched yet is not known."""
    declared = arguments.project.image
    if not declared:
        return ansible.versions()
    there = ansible.image_id(image_of(arguments))
    return {f"{IMAGE}{declared}": there} if there else {}


def image_of(arguments: Arguments) -> str:
    """The very image that was seen, as long as it is on this machine, wherever its tag has gone; else the declared one."""
    declared, frozen = arguments.project.image, arguments.image
    return frozen if frozen != declared and ansible.image_id(frozen) else declared


def require_same(arguments: Arguments, laid: LaidOut, check: Callable[[], None] = go_on) -> None:
    """Raise Another where anything is not what *arguments* were planned with."""
    if found := moved(arguments.resolved, seen(arguments, laid, check)):
        raise Another(f"Since this was planned, {'; '.join(found)}.")


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """What is another *now*, in words; nothing where nobody looked *before*, as for runs of older versions."""
    if not before:
        return ()
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return tuple(_said(name, before.get(name, ""), now.get(name, "")) for name in names)


def _said(name: str, before: str, now: str) -> str:
    if not before:
        return f"{name} has come: {_short(now)}"
    return f"{name} was {_short(before)} and is {_short(now) if now else 'not there any more'}"


def _short(value: str) -> str:
    return value[:12] if len(value) == 64 else value


def named(resolved: Mapping[str, str]) -> str:
    """What the plan says of it: collections and roles by version, the image by its first digits; empty: nothing."""
    told = [
        f"{name.partition(' ')[2]} {value.partition(' (')[0]}".strip() for name, value in _fetched(resolved)
    ]
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    image = [f"image {_short(value)}" for name, value in sorted(resolved.items()) if name.startswith(IMAGE)]
    found = [*told[:NAMED], *more, *image]
    return f"; with {', '.join(found)}" if found else ""


def _fetched(resolved: Mapping[str, str]) -> list[tuple[str, str]]:
    kinds = ("collection ", "role ")
    return sorted((name, value) for name, value in resolved.items() if name.startswith(kinds))
