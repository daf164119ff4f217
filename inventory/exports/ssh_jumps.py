"""Jump hosts as segments declare them, and the web pages that tunnels through them lead to. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from inventory.exports.ssh_words import Entry, Forward, Way, WebPage
from inventory.snapshot import HostFacts, SegmentFacts, ServiceFacts, Snapshot

Say = Callable[[str, str], None]
Network = ipaddress.IPv4Network


class Jumps:
    """Which label leads into which segment. *label_of* gives the label of a host that can be reached, else nothing."""

    def __init__(self, snapshot: Snapshot, label_of: Callable[[str], str], say: Say) -> None:
        self.snapshot = snapshot
        self._label_of, self._say = label_of, say
        self._first = {one.name: self._label(one, one.jump_host) for one in snapshot.segments}
        self._second = {one.name: self._label(one, one.jump_alternative) for one in snapshot.segments}
        self.all = {*self._first.values(), *self._second.values()}

    def _label(self, segment: SegmentFacts, name: str) -> str:
        label = self._label_of(name) if name else ""
        if name and not label:
            self._say(
                f"segment {segment.name}",
                f"is reached through {name}, which is retired or has neither a record nor a fixed address",
            )
        return label

    def first(self, host: HostFacts, segment: str) -> str:
        """The jump host of *segment*, in which *host* is reached; empty: none, or the host itself."""
        return self._of(host, self._first.get(segment, ""))

    def alternative(self, host: HostFacts, segment: str) -> str:
        return self._of(host, self._second.get(segment, ""))

    def _of(self, host: HostFacts, label: str) -> str:
        return "" if label and label == self._label_of(host.name) else label

    def patterns(self, site: Way) -> tuple[tuple[Way, tuple[str, ...]], ...]:
        """``192.0.2.*`` for networks that end at an octet, with the way into them; a pattern can say no other.

        Narrow networks come first, since ssh takes the first that fits. One without a jump host says so inside a wider
        one that has one.
        """
        octets = [
            (network, segment) for network, segment in self._networks() if network.prefixlen in (8, 16, 24)
        ]
        jumps = {network: self._first[segment.name] or site.jump for network, segment in octets}
        found: dict[tuple[int, Way], list[Network]] = {}
        for network, jump in jumps.items():
            wider = {jumps[one] for one in jumps if one != network and network.subnet_of(one)}
            way = replace(site, jump=jump or ("none" if wider - {"", "none"} else ""))
            found.setdefault((network.prefixlen, way), []).append(network)
        ordered = sorted(found.items(), key=lambda item: (-item[0][0], item[0][1] == site, min(item[1])))
        return tuple(
            (way, tuple(_pattern(one) for one in sorted(networks))) for (_, way), networks in ordered
        )

    def _networks(self) -> Iterator[tuple[Network, SegmentFacts]]:
        for segment in self.snapshot.segments:
            if segment.network4:
                yield ipaddress.IPv4Network(segment.network4), segment


def _pattern(network: Network) -> str:
    return ".".join([*str(network.network_address).split(".")[: network.prefixlen // 8], "*"])


def segments_of(host: HostFacts, is_usable: Callable[[str], bool]) -> dict[str, str]:
    """Usable address of *host* → the segment of the interface that has it (empty: none).

    Those of the primary interface come first, then those of management interfaces.
    """
    cards = sorted(host.interfaces, key=lambda card: (card is not host.primary, not card.management))
    found: dict[str, str] = {}
    for card in cards:
        for address in filter(is_usable, card.addresses):
            found.setdefault(address, card.segment or "")
    return found


def segment_of(host: HostFacts, segments: Mapping[str, str]) -> str:
    """The segment that people reach *host* in: of its first address in *segments*, else of its primary interface."""
    primary = host.primary
    return next(iter(segments.values()), (primary.segment if primary else None) or "")


def web_pages(snapshot: Snapshot, entries: Iterable[Entry], say: Say) -> dict[str, tuple[WebPage, ...]]:
    """Label of a host to log in to → the web pages behind it, by local port.

    A page is reached through whoever leads to its host, through the second jump host as well, and through the host
    itself where nobody has to be passed.
    """
    by_host = {entry.host: entry for entry in entries}
    found: dict[str, list[WebPage]] = {}
    used = {forward.local: entry.host for entry in by_host.values() for forward in entry.way.forward}
    for host in snapshot.live_hosts:
        for service in host.services:
            if not service.web_scheme:
                continue
            entry = by_host.get(host.name)
            if entry is None or service.local_port is None:
                why = "no way in" if entry is None else "no local port"
                say(f"service {service.label} on {host.name}", f"has a web page, and {why}")
                continue
            if service.local_port in used:
                say(
                    f"host {used[service.local_port]}",
                    f"forwards local port {service.local_port}, which is the web page's of {service.label}",
                )
            page = _page(entry, service, service.local_port)
            for gate in _gates(entry):
                found.setdefault(gate, []).append(page)
    return {
        gate: tuple(sorted(pages, key=lambda page: page.forward.local))
        for gate, pages in sorted(found.items())
    }


def _page(entry: Entry, service: ServiceFacts, local: int) -> WebPage:
    forward = Forward(local, entry.label, entry.fqdn or entry.addresses[0], service.web_port or 443)
    return WebPage(f"{service.label} on {entry.host}", service.web_scheme, forward)


def _gates(entry: Entry) -> Iterator[str]:
    yield entry.way.jump if entry.way.jump not in ("", "none") else entry.label
    if entry.alternative is not None:
        yield entry.alternative.jump
