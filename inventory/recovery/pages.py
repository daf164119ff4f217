"""The pages of the recovery kit: Snapshot → HTML files that need nothing but a browser. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path

from inventory import host_keys
from inventory.pictures.drawing import Drawing, drawing_of
from inventory.pictures.fate import Fate, fates, weight
from inventory.pictures.topology import Wanted
from inventory.recovery.floor import console_of, floor, login_of, power_of
from inventory.recovery.html import Safe, items, joined, rows, tag
from inventory.recovery.order import Stage, stages
from inventory.recovery.said import said, shown
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

NOTHING = "—"
_BESIDE = Path(__file__).parent
#: inside each page: a page that is copied alone still reads well
STYLE = (_BESIDE / "kit.css").read_text(encoding="utf-8")
SCRIPT = (_BESIDE / "kit.js").read_text(encoding="utf-8")


def pages(snapshot: Snapshot) -> dict[str, bytes]:
    """File name → page. The same facts give the same bytes; no clock, no revision."""
    return {name: _page(snapshot, name, title, body(snapshot)) for name, (title, body) in PAGES.items()}


def _page(snapshot: Snapshot, name: str, title: str, body: Safe) -> bytes:
    site = snapshot.site
    links = [
        tag("a", other, href=file, aria_current="page" if file == name else None)
        for file, (other, _) in PAGES.items()
    ]
    search = tag(
        "label",
        "Search ",
        Safe('<input id="search" type="search" autocomplete="off" placeholder="name, MAC, address …">'),
        tag("output", "", id="number", for_="search"),
        hidden="",  # the script shows it: without one it finds nothing
    )
    whole = joined(
        (
            Safe('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'),
            Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            tag("title", f"{title} · {site.slug}"),
            tag("style", Safe(STYLE)),
            Safe("</head>\n<body>"),
            tag(
                "header",
                tag("strong", f"{site.slug} · {site.zone}"),
                tag("nav", *links, aria_label="Pages"),
                search,
            ),
            tag("main", tag("h1", title), body),
            tag("script", Safe(SCRIPT)),
            Safe("</body></html>\n"),
        ),
        "\n",
    )
    return whole.encode()


# --- each page ---


def _begin(snapshot: Snapshot) -> Safe:
    """What to do first, in which order, and where the rest is."""
    authority = snapshot.authority
    who = (
        f"{authority.mode}, declared by {authority.by}: {authority.why}" if authority else "none is declared"
    )
    node = snapshot.bootstrap_host
    return joined(
        (
            tag("p", f"Who serves DHCP and DNS: {who.rstrip('.')}."),
            tag("p", f"The bootstrap node: {node.name if node else 'none is declared'}."),
            *_emergency(snapshot),
            tag("h2", "By hand, before anything else works"),
            *(_by_hand(task.host, task.lines, task.lacking) for task in floor(snapshot)),
            tag("h2", "Then, stage by stage"),
            tag("p", "What stands in one stage needs nothing but earlier ones."),
            *(_stage(stage) for stage in stages(snapshot)),
            tag("h2", "What lies beside these pages"),
            _beside(),
        )
    )


def _emergency(snapshot: Snapshot) -> Iterator[Safe]:
    """Who may come in when nothing else works; the secret itself is in no kit, but where it lies."""
    site = snapshot.site
    parts = ("who", "how", "after")
    told_of = shown({part: getattr(site, f"emergency_{part}") for part in parts}, "emergency")
    lines = [
        ("Who", told_of["who"]),
        ("How", told_of["how"]),
        ("The secret", site.emergency_secret),
        ("Afterwards", told_of["after"]),
    ]
    told = [f"{name}: {text}" for name, text in lines if text]
    if told:
        yield tag("section", tag("h2", "Emergency access"), items(told), class_="found")


def _by_hand(host: str, lines: tuple[str, ...], lacking: tuple[str, ...]) -> Safe:
    missing = tag("p", f"Nobody wrote down {', '.join(lacking)}.", class_="lacking") if lacking else Safe("")
    return tag("section", tag("h3", _to_host(host)), items(lines), missing, class_="found")


def _stage(stage: Stage) -> Safe:
    lines = [
        joined((_to_host(step.host), *(f"; {need.why}: {need.host}" for need in step.needs)))
        for step in stage.steps
    ]
    note = (
        tag("p", "These need each other: begin with the first.", class_="lacking")
        if stage.circle
        else Safe("")
    )
    return tag("section", tag("h3", f"Stage {stage.number}"), note, items(lines))


def _beside() -> Safe:
    return items(
        (
            joined(
                (
                    tag("code", "bootstrap/"),
                    ": DHCP and DNS from a bootstrap node, by one command; see its README",
                )
            ),
            joined((tag("code", "gateway/"), ": every export as the core router serves it")),
            joined((tag("code", "ansible/"), ": an inventory that runs as it is")),
            joined((tag("code", "ssh/config"), ": ", tag("code", "ssh -F ssh/config HOST"))),
            joined(
                (
                    tag("code", "power/"),
                    ": the site shut down and powered up, in order; first look what it would do: ",
                    tag("code", "sh power/shutdown.sh --dry-run"),
                )
            ),
            joined((tag("code", "built.txt"), ": when this kit was built, and what of")),
            joined((tag("code", "site.yml"), ": everything declared, as text")),
            joined(
                (
                    tag("code", "application/"),
                    ": this application and its newest backup; ",
                    tag("code", "sh restore.sh"),
                )
            ),
            joined((tag("code", "python3 check.py"), ": whether every file is as it was written")),
        )
    )


def _hosts(snapshot: Snapshot) -> Safe:
    return joined(_host(snapshot, host) for host in snapshot.live_hosts)


def _host(snapshot: Snapshot, host: HostFacts) -> Safe:
    facts = [
        ("form", host.form),
        ("role", host.role),
        ("status", host.status),
        ("plane", host.plane),
        ("platform", host.platform),
        ("stands at", host.location),
        ("runs on", f"{host.hypervisor}, VMID {host.vmid or NOTHING}" if host.hypervisor else ""),
        ("needs", ", ".join(host.needs)),
        ("needed by", ", ".join(snapshot.once(_needed_by).get(host.name, ()))),
        ("services", ", ".join(service.label for service in host.services)),
        ("SSH", login_of(snapshot, host)),
        ("console", console_of(host)),
        ("power", power_of(host)),
        ("out of band", said(host.out_of_band, "out_of_band") if host.out_of_band else ""),
        ("access", said(host.access, "access") if host.access else ""),
        ("SSH host keys", "; ".join(_host_keys(host))),
        ("notes", said(host.notes, "notes")),
    ]
    pairs = [joined((tag("dt", name), tag("dd", value))) for name, value in facts if value]
    table = rows(
        ("Interface", "MAC", "Addresses", "In bootstrap mode", "Segment", "Switch port", "Wake-on-LAN"),
        (_interface(interface) for interface in host.interfaces),
        caption=f"Interfaces of {host.name}",
    )
    return tag(
        "section",
        tag("h2", host.name),
        tag("p", snapshot.fqdn(host.name)),
        tag("dl", *pairs),
        table if host.interfaces else tag("p", "It has no interface."),
        class_="found host",
        id=f"host-{host.name}",
    )


def _needed_by(snapshot: Snapshot) -> dict[str, list[str]]:
    """Host → the live hosts that were declared to need it."""
    found: dict[str, list[str]] = {}
    for host in snapshot.live_hosts:
        for name in host.needs:
            found.setdefault(name, []).append(host.name)
    return found


def _host_keys(host: HostFacts) -> Iterator[str]:
    """As ssh asks about them: “ssh-ed25519 SHA256:…”."""
    for key in host_keys.keys(host.host_keys):
        yield f"{key.split(' ')[0]} {host_keys.fingerprint(key)}"


def _interface(interface: InterfaceFacts) -> Iterator[object]:
    yield interface.name
    yield interface.mac or "unknown"
    yield ", ".join(interface.addresses) or (
        interface.addressing if interface.addressing == "dhcp" else NOTHING
    )
    yield interface.bootstrap_ipv4 or NOTHING
    yield interface.segment or NOTHING
    yield f"{interface.switch} {interface.switch_port}".strip() if interface.switch else NOTHING
    yield "yes" if interface.wake_on_lan else NOTHING


def _addresses(snapshot: Snapshot) -> Safe:
    """Every address, in order, with its MAC and its host; those of bootstrap mode as well."""
    lines = [
        (ipaddress.ip_address(address), mode, interface)
        for interface in snapshot.live_interfaces
        for mode, addresses in (
            (NOTHING, interface.addresses),
            ("bootstrap", filter(None, (interface.bootstrap_ipv4,))),
        )
        for address in addresses
    ]
    lines.sort(key=lambda line: (line[0].version, int(line[0]), line[2].host, line[1]))
    return rows(
        ("Address", "MAC", "Host", "Interface", "Segment", "Only in mode"),
        (
            (
                address,
                interface.mac or "unknown",
                _to_host(interface.host),
                interface.name,
                interface.segment or NOTHING,
                mode,
            )
            for address, mode, interface in lines
        ),
        caption="Every address",
    )


def _segments(snapshot: Snapshot) -> Safe:
    return joined((_networks(snapshot), _ways_into(snapshot)))


def _ways_into(snapshot: Snapshot) -> Safe:
    return rows(
        ("Segment", "Jump host", "Second jump host", "Wake-on-LAN relay"),
        (
            (
                segment.name,
                *(
                    _to_host(name) if name else NOTHING
                    for name in (segment.jump_host, segment.jump_alternative, segment.wake_relay)
                ),
            )
            for segment in snapshot.segments
        ),
        caption="Ways into each segment",
    )


def _networks(snapshot: Snapshot) -> Safe:
    return rows(
        (
            "Segment",
            "VLAN",
            "Network",
            "Gateway",
            "Pool",
            "Reservations",
            "DNS servers",
            "Boot server",
            "Trust",
        ),
        (
            (
                segment.name,
                NOTHING if segment.vlan is None else segment.vlan,
                ", ".join(filter(None, (segment.network4, segment.network6))) or NOTHING,
                ", ".join(filter(None, (segment.gateway4, segment.gateway6))) or NOTHING,
                segment.pool or NOTHING,
                segment.policy,
                ", ".join(segment.dns_servers) or NOTHING,
                segment.next_server or NOTHING,
                segment.trust or NOTHING,
            )
            for segment in snapshot.segments
        ),
        caption="Every segment",
    )


def _ports(snapshot: Snapshot) -> Safe:
    """What is plugged in where."""
    plugged = [interface for interface in snapshot.live_interfaces if interface.switch]
    plugged.sort(key=lambda one: (one.switch or "", one.switch_port.zfill(6), one.host, one.name))
    return rows(
        ("Switch", "Port", "Host", "Interface", "MAC", "VLAN"),
        (
            (
                interface.switch,
                interface.switch_port or NOTHING,
                _to_host(interface.host),
                interface.name,
                interface.mac or "unknown",
                _vlan(snapshot, interface),
            )
            for interface in plugged
        ),
        caption="Every switch port that is known",
    )


def _vlan(snapshot: Snapshot, interface: InterfaceFacts) -> object:
    segment = snapshot.segment_of(interface)
    return NOTHING if segment is None or segment.vlan is None else segment.vlan


def _services(snapshot: Snapshot) -> Safe:
    aliases: dict[str, list[str]] = {}
    for alias in snapshot.aliases:
        aliases.setdefault(alias.service, []).append(alias.name)
    table = rows(
        ("Service", "On", "Port", "Web page", "Local port", "Health check", "Also called"),
        (
            (
                f"{service.label}.{snapshot.site.zone}",
                _to_host(host.name),
                service.port or service.web_port or NOTHING,
                service.web_scheme or NOTHING,
                (service.local_port if service.web_scheme else None) or NOTHING,
                said(service.health_check, "health_check") or NOTHING,
                ", ".join(f"{name}.{snapshot.site.root_domain}" for name in aliases.get(service.label, ()))
                or NOTHING,
            )
            for host in snapshot.live_hosts
            for service in host.services
        ),
        caption="Every service",
    )
    return joined((_tunnels(snapshot), table))


def _tunnels(snapshot: Snapshot) -> Safe:
    if not any(service.web_scheme for host in snapshot.live_hosts for service in host.services):
        return Safe("")
    return tag(
        "p",
        "A web page opens at 127.0.0.1 and its local port while a tunnel is open: ",
        tag("code", "ssh -F ssh/config -N JUMP-HOST.web"),
        "; HOST.web where nobody is jumped through.",
    )


def _topology(snapshot: Snapshot) -> Safe:
    drawing = drawing_of(snapshot, Wanted())
    if not drawing.nodes:
        return tag("p", "Nothing is declared that could be drawn.")
    return tag("div", _svg(drawing), class_="wide", tabindex="0", role="region", aria_label="Topology")


def _svg(drawing: Drawing) -> Safe:
    lines = [tag("line", x1=line.x1, y1=line.y1, x2=line.x2, y2=line.y2) for line in drawing.lines]
    nodes = [
        tag(
            "g",
            tag("title", node.title),
            tag("rect", x=node.x, y=node.y, width=node.width, height=node.height, rx=4),
            *(tag("text", text.text, x=text.x, y=text.y, class_=f"t-{text.kind}") for text in node.texts),
            class_=f"n-{node.kind}",
        )
        for node in drawing.nodes
    ]
    return tag(
        "svg",
        *lines,
        *nodes,
        viewBox=f"0 0 {drawing.width:.0f} {drawing.height:.0f}",
        width=f"{drawing.width:.0f}",
        role="img",
        aria_label="Routers, switches, segments and hosts",
    )


def _domains(snapshot: Snapshot) -> Safe:
    """What falls with whom, the heaviest first."""
    heavy = sorted((fate for fate in fates(snapshot) if fate.fallen), key=weight, reverse=True)
    return joined(_fate(fate) for fate in heavy) or tag("p", "Nothing falls with anything.")


def _fate(fate: Fate) -> Safe:
    lines = [f"{one.kind} {one.name}: {one.effect}, {one.why}" for one in fate.fallen]
    return tag("section", tag("h2", "With ", _to_host(fate.host)), items(lines), class_="found")


def _to_host(name: str) -> Safe:
    return tag("a", name, href=f"hosts.html#host-{name}")


PAGES: dict[str, tuple[str, Callable[[Snapshot], Safe]]] = {
    "index.html": ("Where to begin", _begin),
    "hosts.html": ("Hosts", _hosts),
    "addresses.html": ("Addresses", _addresses),
    "segments.html": ("Segments", _segments),
    "ports.html": ("Switch ports", _ports),
    "services.html": ("Services", _services),
    "topology.html": ("Topology", _topology),
    "domains.html": ("What falls with what", _domains),
}
