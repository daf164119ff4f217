"""A topology with places: boxes, lines and text that does not overlap, on a sheet of fixed width. Pure.

Text is drawn in a font of fixed width and measured by its characters; what does not fit is cut and is whole in the box's
title. Boxes flow from left to right and from top to bottom in the order of the topology, so that the same site always
looks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from inventory.pictures.topology import Band, Machine, Switch, Topology, Wanted, topology
from inventory.snapshot import Snapshot

WIDTH = 960
#: width of one character in units of the sheet, by the class of the text
CHARACTER = {"name": 7.4, "small": 6.2}
LINE = {"name": 17, "small": 13}
MARGIN, GAP, INSET = 12, 10, 8
BOX = 160
#: left of the bands, for the lines to the routers
BUSES = 56
#: as many of each are drawn; the rest is counted
ROUTERS, SWITCHES, PORTS, SERVICES, TILES = 6, 12, 24, 3, 240
TILE = 212


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    text: str
    kind: str = "small"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a box leads: a noun by its name, or the same picture with another filter."""

    kind: str
    name: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A box with its text; ``title`` says everything about it."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str
    texts: tuple[Text, ...] = ()
    target: Target | None = None

    def at(self, x: float, y: float) -> Node:
        texts = tuple(replace(text, x=text.x + x, y=text.y + y) for text in self.texts)
        return replace(self, x=self.x + x, y=self.y + y, texts=texts)


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Nodes that belong together, from 0, 0."""

    width: float
    height: float
    nodes: tuple[Node, ...]

    def at(self, x: float, y: float) -> tuple[Node, ...]:
        return tuple(node.at(x, y) for node in self.nodes)


def drawing_of(snapshot: Snapshot, wanted: Wanted) -> Drawing:
    """Without a filter computed once for each Snapshot."""
    return snapshot.once(_whole) if wanted.is_empty else draw(topology(snapshot, wanted))


def _whole(snapshot: Snapshot) -> Drawing:
    return draw(topology(snapshot))


def draw(chosen: Topology) -> Drawing:
    top = _top(chosen)
    nodes = list(top.at(BUSES, MARGIN))
    y = MARGIN + top.height + (GAP * 2 if top.nodes else 0)
    rows: list[tuple[Band, float]] = []
    for band in chosen.bands:
        if band.machines or band.references:
            piece = _band(band)
            nodes += piece.at(BUSES, y)
            rows.append((band, y))
            y += piece.height + GAP
    tiles = [band for band in chosen.bands if not (band.machines or band.references)]
    if tiles:
        piece = _flow([_tile(band) for band in tiles[:TILES]], WIDTH - BUSES - MARGIN)
        nodes += piece.at(BUSES, y)
        y += piece.height + GAP
    return Drawing(WIDTH, y + MARGIN, tuple(nodes), tuple(_bus(chosen, rows, MARGIN)))


def fitting(text: str, width: float, kind: str = "small") -> str:
    """*text*, cut where it would be wider than *width*."""
    most = int(width // CHARACTER[kind])
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


# --- the top: who routes, who switches ---


def _top(chosen: Topology) -> _Piece:
    pieces = [_machine(machine, WIDTH) for machine in chosen.routers[:ROUTERS]]
    pieces += [_switch(switch) for switch in chosen.switches[:SWITCHES]]
    for noun, number in (
        ("routers", len(chosen.routers) - ROUTERS),
        ("switches", len(chosen.switches) - SWITCHES),
    ):
        if number > 0:
            said = f"{number} more {noun}"
            pieces.append(_box("more", [(said, "small")], said, BOX))
    return _flow(pieces, WIDTH - BUSES - MARGIN)


def _switch(switch: Switch) -> _Piece:
    width = BOX * 2 + GAP
    named = [(switch.name, "name")]
    title = f"Switch {switch.name}"
    if switch.host is None:
        named.append(("not declared as a host", "small"))
        title += ", not declared as a host"
    elif not switch.ports:
        named.append(("no port is known", "small"))
    target = Target("host", switch.name) if switch.host else None
    head = _box("switch", named, title, width, target)
    y, nodes = head.height, []
    cell = (width - INSET * 3) / 2
    for index, port in enumerate(switch.ports[:PORTS]):
        column, row = index % 2, index // 2
        label = f"{port.label or '?':>3} {port.host}"
        said = f"{switch.name} port {port.label or 'unknown'}: {port.host}/{port.interface}"
        node = _line("port", label, said, cell, Target("host", port.host))
        nodes.append(node.at(INSET + column * (cell + INSET), y + row * 19))
    y += -(-min(len(switch.ports), PORTS) // 2) * 19
    if len(switch.ports) > PORTS:
        said = f"{len(switch.ports) - PORTS} more ports"
        nodes.append(_line("link", said, said, cell, Target("fate", switch.name)).at(INSET, y))
        y += 19
    return _Piece(width, y + 4, (replace(head.nodes[0], height=y + 4), *nodes))


# --- bands ---


def _band(band: Band) -> _Piece:
    width = WIDTH - BUSES - MARGIN
    heading, title = _heading(band), _title(band)
    pieces = [_machine(machine, width - 2 * MARGIN) for machine in band.machines]
    pieces += [
        _box(
            "reference",
            [(one.host, "name"), (f"in {one.inside}", "small")],
            f"{one.host}, a virtual machine in {one.inside}",
            BOX,
            Target("host", one.host),
        )
        for one in band.references
    ]
    if band.left_out:
        said = f"{band.left_out} more hosts"
        pieces.append(_box("more", [(said, "name"), ("choose a form or status", "small")], said, BOX))
    inside = _flow(pieces, width - 2 * MARGIN)
    text = Text(MARGIN, 19, fitting(heading, width - 2 * MARGIN, "name"), "name")
    head = Node(
        "heading", 4, 4, width - 8, 24, title, (replace(text, x=MARGIN),), Target("segment", band.name)
    )
    frame = Node("band", 0, 0, width, inside.height + 34 + MARGIN, title)
    return _Piece(width, frame.height, (frame, head, *inside.at(MARGIN, 34)))


def _heading(band: Band) -> str:
    if band.segment is None:
        return f"No segment   {_hosts(band.number)}"
    facts = [
        f"VLAN {band.segment.vlan}" if band.segment.vlan is not None else "",
        band.segment.network4 or "",
    ]
    facts += ["" if band.segment.network4 else band.segment.network6 or "", _hosts(band.number)]
    facts.append(f"via {', '.join(band.routers)}" if band.routers else "")
    return "   ".join([band.name, *filter(None, facts)])


def _title(band: Band) -> str:
    return f"Segment {_heading(band)}" if band.segment else _heading(band)


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"


def _tile(band: Band) -> _Piece:
    lines = [(band.name or "No segment", "name")]
    if band.segment:
        network = band.segment.network4 or band.segment.network6 or "no network"
        vlan = f"VLAN {band.segment.vlan}  " if band.segment.vlan is not None else ""
        lines.append((f"{vlan}{network}", "small"))
    lines.append((_hosts(band.number) if band.number else "no host", "small"))
    if band.forms:
        lines.append((", ".join(f"{number} {form or 'no form'}" for form, number in band.forms), "small"))
    if band.routers:
        lines.append((f"via {', '.join(band.routers)}", "small"))
    kind = "tile" if band.number else "empty"
    return _box(kind, lines, _title(band), TILE, Target("segment", band.name))


# --- machines ---


def _machine(machine: Machine, widest: float) -> _Piece:
    host = machine.host
    lines = [(host.name, "name")]
    lines.append(("  ".join(filter(None, (host.form, machine.address or "no address"))), "small"))
    lines += [(text, "small") for text in _remarks(machine)]
    head = _box(_kind(machine), lines, _told(machine), BOX, Target("host", host.name))
    own, inner = [*head.nodes], BOX - 2.0 * INSET
    y = head.height
    for service in host.services[:SERVICES]:
        label = f"{service.label} on {host.name}"
        one = _line("service", service.label, f"Service {label}", inner, Target("service", label))
        own.append(one.at(INSET, y - 2))
        y += 19
    more = [f"{len(host.services) - SERVICES} more services"] if len(host.services) > SERVICES else []
    more += [f"{machine.more} more machines"] if machine.more else []
    for said in more:
        own.append(_line("link", said, said, inner, Target("fate", host.name)).at(INSET, y - 2))
        y += 19
    if y > head.height:
        y += 2
    if not machine.guests:
        return _Piece(BOX, y, (replace(own[0], height=y), *own[1:]))
    guests = _flow([_machine(one, widest - 2 * INSET) for one in machine.guests], widest - 2 * INSET)
    width, height = max(BOX, guests.width + 2 * INSET), y + guests.height + INSET
    return _Piece(
        width, height, (replace(own[0], width=width, height=height), *own[1:], *guests.at(INSET, y))
    )


def _kind(machine: Machine) -> str:
    if machine.host.status != "active":
        return "host idle"
    return "host hv" if machine.guests else "host"


def _remarks(machine: Machine) -> list[str]:
    found = [machine.host.status] if machine.host.status != "active" else []
    found += [f"port {port}" for port in machine.ports[:2]]
    found += [f"in {machine.elsewhere}"] if machine.elsewhere else []
    found += [f"on {machine.on}"] if machine.on else []
    found += [f"also {', '.join(machine.legs)}"] if machine.legs else []
    return found


def _told(machine: Machine) -> str:
    host = machine.host
    parts = [f"Host {host.name}", host.form, machine.address, host.status, *_remarks(machine)[1:]]
    if machine.host.status == "active":
        parts = [f"Host {host.name}", host.form, machine.address, host.status, *_remarks(machine)]
    if host.services:
        parts.append(f"services {', '.join(service.label for service in host.services)}")
    if machine.guests:
        parts.append(f"carries {len(machine.guests) + machine.more} virtual machines")
    return ", ".join(filter(None, parts))


# --- geometry ---


def _box(
    kind: str, lines: Sequence[tuple[str, str]], title: str, width: float, target: Target | None = None
) -> _Piece:
    y, texts = float(INSET), []
    for text, of in lines:
        y += LINE[of]
        texts.append(Text(INSET, y - 4, fitting(text, width - 2 * INSET, of), of))
    height = y + INSET
    return _Piece(width, height, (Node(kind, 0, 0, width, height, title, tuple(texts), target),))


def _line(kind: str, text: str, title: str, width: float, target: Target) -> Node:
    """A small box of one line, which stands in another."""
    return Node(kind, 0, 0, width, 16, title, (Text(4, 12, fitting(text, width - 8)),), target)


def _flow(pieces: Iterable[_Piece], widest: float) -> _Piece:
    """*pieces* beside each other in rows no wider than *widest*."""
    x = y = row = width = 0.0
    nodes: list[Node] = []
    for piece in pieces:
        if x and x + piece.width > widest:
            x, y, row = 0.0, y + row + GAP, 0.0
        nodes += piece.at(x, y)
        width = max(width, x + piece.width)
        x += piece.width + GAP
        row = max(row, piece.height)
    return _Piece(width, y + row, tuple(nodes))


def _bus(chosen: Topology, rows: list[tuple[Band, float]], top: float) -> Iterator[Line]:
    """From the first router down the left margin, with a stub to each band that it routes; headings name the others."""
    if not chosen.routers:
        return
    x, name = BUSES - 24.0, chosen.routers[0].host.name
    ends = [y + 16 for band, y in rows if name in band.routers]
    if ends:
        yield Line(x, top + 16, BUSES, top + 16)
        yield Line(x, top + 16, x, ends[-1])
        for y in ends:
            yield Line(x, y, BUSES, y)
