"""The plans of shutting down and powering up as shell scripts that need nothing but ssh, and what lies beside them. Pure.

POSIX shell, for dash and busybox. They log in by address, through the configuration that lies beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from inventory.exports import known_hosts, ssh_config
from inventory.exports.text import header, plain
from inventory.recovery.power import Move, Stage, power_up, shutdown
from inventory.snapshot import AuthorityMode, Snapshot

Lines = Callable[[Stage], Iterator[str]]
SHUTDOWN, POWER_UP = "shutdown.sh", "power-up.sh"
#: where the configuration looks for host keys: beside it, wherever it is used from, and where the person's own are
BESIDE = ("~/.ssh/known_hosts", "known_hosts", "ssh/known_hosts")

USE = """
    sh {name} --dry-run     says what it would do
    sh {name}               does it, after asking for the name of the site
"""


def scripts(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, bytes]:
    """The two scripts alone."""
    return {
        SHUTDOWN: _script(snapshot, authority, SHUTDOWN, "shut down", shutdown(snapshot, authority), _down),
        POWER_UP: _script(snapshot, authority, POWER_UP, "power up", power_up(snapshot, authority), _up),
    }


def ssh_files(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, bytes]:
    """``ssh_config``, which finds host keys in the directory that it is used from, and ``known_hosts``."""
    return {
        ssh_config.FILENAME: ssh_config.with_known_hosts(snapshot, authority, BESIDE),
        **known_hosts.render(snapshot, authority).files,
    }


def _script(
    snapshot: Snapshot,
    authority: AuthorityMode | None,
    name: str,
    what: str,
    stages: tuple[Stage, ...],
    lines: Lines,
) -> bytes:
    head = [
        f"# {line}".rstrip() for line in header(snapshot, authority, f"to {what} everything, in order", ())
    ]
    use = [f"# {line}".rstrip() for line in USE.format(name=name).splitlines()]
    library = (Path(__file__).parent / "beside" / "power.sh").read_text("ascii")
    slug = quoted(snapshot.site.slug)
    body = ["", f"confirm {slug} {quoted(f'{what} every host of the site {plain(snapshot.site.slug)}')}"]
    body += [f"remember {slug}", "", *_before(stages)] if name == SHUTDOWN else [f"place {slug}", "forget"]
    for stage in stages:
        body += ["", f"stage {quoted(f'Stage {stage.number}')}", *lines(stage)]
    return "\n".join(["#!/bin/sh", *head, *use, library.rstrip(), *body, "", "finished", ""]).encode("ascii")


def _down(stage: Stage) -> Iterator[str]:
    for move in stage.moves:
        if move.why:
            yield f"# {plain(move.host)}: {plain(move.why)}"
        if move.how == "ssh":
            yield f"down {_where(move)}"
        elif move.how == "hypervisor":
            yield f"halt {quoted(move.host)} {move.vmid} {quoted(move.through)} {_at(move)}"
        elif move.how == "with":
            yield f"say {quoted(f'{move.host}: {move.why}')}"
        elif move.how == "hand":
            yield f"by_hand {quoted(move.host)} {quoted(f'switch it off, {move.by}' if move.by else 'switch it off')}"
    for move in stage.moves:
        if move.how == "ssh":
            blind = f"unseen {quoted(move.host)} {quoted(move.way)} {quoted(move.gate)}"
            yield blind if move.is_blind else f"gone {_where(move)}"


def _up(stage: Stage) -> Iterator[str]:
    for move in stage.moves:
        yield from _switched_on(move)
    for move in stage.moves:
        if move.way and not move.is_blind:
            yield f"awake {_where(move)}"


def _switched_on(move: Move) -> Iterator[str]:
    if move.why:
        yield f"# {plain(move.host)}: {plain(move.why)}"
    if move.how == "hypervisor":
        yield f"start {quoted(move.host)} {move.vmid} {quoted(move.through)}"
    elif move.how == "wake":
        relay = f" {quoted(move.through)}" if move.through else ""
        yield f"wake {quoted(move.host)} {move.mac} {move.broadcast}{relay}"
    elif move.how == "with":
        yield f"say {quoted(f'{move.host}: {move.why}')}"
    elif move.how == "hand":
        yield f"by_hand {quoted(move.host)} {quoted(f'switch it on, {move.by}' if move.by else 'switch it on')}"


def _where(move: Move) -> str:
    """How the functions of ``power.sh`` are told of a host: its name, its way, its address, and its jump host's way."""
    return f"{quoted(move.host)} {quoted(move.way)} {_at(move)}"


def _at(move: Move) -> str:
    return f"{move.address} {quoted(move.gate)}" if move.gate else move.address


def _before(stages: tuple[Stage, ...]) -> Iterator[str]:
    """Who does not see the site, or a part of it, must not take it to be off. Outer jump hosts are asked first."""
    known = {move.way: move for stage in stages for move in stage.moves if move.way}
    asked = [move for move in known.values() if move.how == "ssh"]
    for gate in sorted({move.gate for move in asked} - {""}, key=lambda gate: (_hops(known, gate), gate)):
        for name in sorted(move.host for move in asked if move.gate == gate):
            yield f'behind="${{behind:+$behind, }}"{quoted(name)}'  # a line each: that is what a host adds
        yield f"path {quoted(gate)} {_at(known[gate]) if gate in known else quoted('')}"
    for move in reversed(asked):
        yield f'set -- "$@" {quoted(move.way)}'
    if asked:
        yield 'somebody "$@"'


def _hops(known: dict[str, Move], way: str) -> int:
    """How many jump hosts stand before *way*; no chain of them is a circle."""
    gate = known[way].gate if way in known else ""
    return 1 + _hops(known, gate) if gate else 0


def quoted(text: str) -> str:
    """*text* as one word of the shell: printable ASCII in single quotes."""
    return "'" + plain(text).replace("'", "'\\''") + "'"
