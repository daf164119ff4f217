"""How an operator gets into each host, as declared. Pure; ``inventory.exports.ssh_config`` writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from inventory import bootstrap, dns, host_keys
from inventory.disputes import disputes
from inventory.dns.names import claims_below, dns_name, host_label, name_below, zone_of
from inventory.exports.reserved import Reserved, has, is_declared
from inventory.exports.ssh_jumps import Jumps, segment_of, segments_of, web_pages
from inventory.exports.ssh_words import Entry, Forward, SshPlan, Way
from inventory.findings import Finding, in_reading_order
from inventory.identity import is_ip_address
from inventory.numbers import point
from inventory.snapshot import AuthorityMode, HostFacts, Snapshot

VARIABLE = "mgmtplane_ssh"
#: What ssh takes as it is: no blank, quote, ``%`` token, ``$`` or pattern.
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\Z")
IDENTITY = re.compile(r"[A-Za-z0-9_.~/][A-Za-z0-9_.~/@+=-]{0,250}\Z")
TO = re.compile(r"(.+):([0-9]{1,5})\Z")


class Unusable(ValueError):
    """A value that ssh cannot take; the message says which and why."""


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """What of the declared ways in cannot be written."""
    declared = any(segment.jump_host or segment.jump_alternative for segment in snapshot.segments) or any(
        host.access or host.out_of_band or any(service.web_scheme for service in host.services)
        for host in snapshot.live_hosts
    )
    if not (declared or is_declared(snapshot, VARIABLE)):
        return ()
    return tuple(f for f in plan(snapshot).findings if f.id == "ssh-access-unusable")


def plan(snapshot: Snapshot, authority: AuthorityMode | None = None) -> SshPlan:
    return _Planner(snapshot, authority).plan()


class _Planner:
    def __init__(self, snapshot: Snapshot, authority: AuthorityMode | None) -> None:
        served = bootstrap.served(snapshot, authority)
        self.snapshot = served.snapshot
        self.zone = zone_of(self.snapshot) or ""
        zones = dns.plan(snapshot, authority).zones
        self.names = {r.name for zone in zones if zone.kind == "site" for r in zone.records}
        self.contested = claims_below(self.zone, self.snapshot).contested if self.zone else {}
        self.declared = Reserved(self.snapshot, VARIABLE)
        self.findings: list[Finding] = [*served.findings, *disputes(self.snapshot, "ip", "name")]
        #: label → address → segment
        self.segments: dict[str, dict[str, str]] = {}
        #: labels of hosts whose jump is that of the segment in which they are reached
        self.led: set[str] = set()

    def plan(self) -> SshPlan:
        entries = {e.label: e for host in self.snapshot.live_hosts if (e := self._bare(host))}
        self.labels = entries
        site = Way(**self._values(f"variable {VARIABLE}", self.snapshot.site.variables.get(VARIABLE)))
        self.jumps = Jumps(self.snapshot, self._label, self._say)
        self.said = {label: self._said(label, self._host(label)) for label in entries}
        ways = {label: self._through(label, self._segment(label)) for label in entries}
        jumps = ({way.jump for way in (*ways.values(), site)} | self.jumps.all) - {"", "none"}
        for label in sorted(jumps):
            if not self._has_own_jump(self._host(label)):
                ways[label] = replace(ways[label], jump="none")
                self.led.discard(label)
        self.ways = self._without_circles(ways)
        patterns = self.jumps.patterns(site)
        made = tuple(self._whole(e, site) for _, e in sorted(entries.items()))
        if any(way.jump not in ("", "none") for way in (site, *(way for way, _ in patterns))):
            made = tuple(_without_a_wildcard(one) for one in made)
        pages = web_pages(self.snapshot, made, self._say)
        return SshPlan(self.zone, made, site, patterns, in_reading_order(self.findings), pages)

    def _whole(self, entry: Entry, site: Way) -> Entry:
        host, way = self._host(entry.label), self.ways[entry.label]
        other = self.jumps.alternative(host, self._segment(entry.label))
        addresses = self.segments[entry.label].items()
        return replace(
            entry,
            way=way,
            second=self._second(host),
            alternative=replace(way, jump=other, forward=()) if other not in ("", entry.label) else None,
            is_known=bool(host_keys.keys(host.host_keys)),
            by_address=_grouped((self._way(entry.label, segment), address) for address, segment in addresses),
            by_name=_grouped(self._names(host, entry, site)),
        )

    def _names(self, host: HostFacts, entry: Entry, site: Way) -> Iterator[tuple[Way, str]]:
        """Its further names, with the way to each; not those that the wildcards send that way."""
        segments = {self._name(service.label): self._segment(entry.label) for service in host.services}
        for card in (one for one in host.interfaces if one.a_record and one.addresses):
            segments.setdefault(self._name(self.snapshot.interface_label(host, card)), card.segment or "")
        for name in sorted(segments.keys() & self.names - {entry.fqdn}):
            way = self._way(entry.label, segments[name])
            if way.jump != site.jump and way.jump == self.jumps.first(host, segments[name]):
                yield way, name

    def _name(self, label: str) -> str:
        return f"{dns_name(label)}.{self.zone}"

    def _host(self, label: str) -> HostFacts:
        return self.snapshot.host_by_name[self.labels[label].host]

    def _segment(self, label: str) -> str:
        return segment_of(self._host(label), self.segments[label])

    def _bare(self, host: HostFacts) -> Entry | None:
        """The host's names and addresses; None without either, or where its name is another's too."""
        label = host_label(self.zone, host) if self.zone else dns_name(host.name)
        if label is None or label in self.contested:
            if host.access:
                self._say(host.subject, "has a name that is none in DNS, or is disputed")
            return None
        addresses = segments_of(host, self._is_usable)
        fqdn = f"{label}.{self.zone}" if f"{label}.{self.zone}" in self.names else ""
        if not fqdn and not addresses:
            if host.access:
                self._say(host.subject, "has neither a record nor a fixed address")
            return None
        self.segments[label] = addresses
        return Entry(host.name, label, fqdn, tuple(addresses))

    def _is_usable(self, address: str) -> bool:
        where = point(address)
        return where is not None and not where.is_link_local and not self.snapshot.is_disputed("ip", address)

    def _said(self, label: str, host: HostFacts) -> Way:
        """The way that is declared for *host*, without its segments; those that leave the jump to them are ``led``."""
        own = has(host.variables, VARIABLE)
        nearest = self.declared.of(host)
        inherited = self._values(host.subject if own else f"variable {VARIABLE}", nearest)
        access = self._values(host.subject, host.access)
        is_sites = not own and nearest == self.snapshot.site.variables.get(VARIABLE)
        if "jump" not in access and (is_sites or "jump" not in inherited):
            self.led.add(label)  # its segment is nearer to it than the site
        return Way(**{**inherited, **access})

    def _through(self, label: str, segment: str) -> Way:
        """The declared way, through the jump host of *segment* where nothing nearer names one."""
        said = self.said[label]
        if label not in self.led:
            return said
        return replace(said, jump=self.jumps.first(self._host(label), segment) or said.jump)

    def _way(self, label: str, segment: str) -> Way:
        """The way to an address or a name of a host in *segment*."""
        if label not in self.led or segment == self._segment(label):
            return self.ways[label]
        return self._through(label, segment)

    def _second(self, host: HostFacts) -> Way | None:
        known = {key: host.out_of_band[key] for key in ("user", "port", "jump") if key in host.out_of_band}
        address = host.out_of_band.get("address", "")
        if not address:
            return None
        if (
            not isinstance(address, str)
            or not (is_ip_address(address) or dns_name(address))
            or "%" in address
        ):
            self._say(host.subject, "has an out-of-band address that is neither an address nor a name")
            return None
        way = Way(**self._values(host.subject, known))
        return replace(way, jump=way.jump or "none", address=dns_name(address) or address)

    def _has_own_jump(self, host: HostFacts) -> bool:
        own = host.variables[VARIABLE] if has(host.variables, VARIABLE) else None
        return "jump" in host.access or (isinstance(own, Mapping) and "jump" in own)

    def _values(self, subject: str, declared: Any) -> dict[str, Any]:
        """What *declared* says, value by value; what ssh cannot take is left out and said."""
        if declared is None:
            return {}
        if not isinstance(declared, Mapping):
            self._say(subject, f"has {VARIABLE}, which is no mapping")
            return {}
        values: dict[str, Any] = {}
        for key, value in declared.items():
            reader = READERS.get(key) if isinstance(key, str) else None
            if reader is None:
                self._say(subject, f"has access with {str(key)!r}, which means nothing to ssh")
            elif value not in (None, ""):
                try:
                    values[key] = reader(self, value)
                except Unusable as unusable:
                    self._say(subject, str(unusable))
        return values

    def _label(self, name: Any) -> str:
        """The label of a host of the site that has an entry; empty for anything else."""
        if not isinstance(name, str):
            return ""
        label = name_below(self.zone, name) if self.zone else dns_name(name)
        return label if label in self.labels else ""

    def _without_circles(self, ways: dict[str, Way]) -> dict[str, Way]:
        """Every chain of jumps ends; where one does not, its hosts lose their jump."""
        kept = dict(ways)
        for label in sorted(ways):
            seen, at = [label], ways[label].jump
            while at in ways and at not in seen:
                seen.append(at)
                at = ways[at].jump
            if at == label:
                host = self.labels[label].host
                self._say(
                    f"host {host}", f"is reached through {' and '.join(seen[1:]) or 'itself'}, a circle"
                )
                kept[label] = replace(ways[label], jump="")
        return kept

    def _say(self, subject: str, why: str) -> None:
        hint = "The keys are user, port, identity, jump (a host of the site), forward and known_hosts."
        self.findings.append(
            Finding("ssh-access-unusable", "warning", subject, f"{why}; that is left out.", hint)
        )


def _without_a_wildcard(entry: Entry) -> Entry:
    """No jump has to be said: ssh goes on reading, and the stanzas at the end would add the site's or a segment's."""

    def said(way: Way) -> Way:
        return way if way.jump else replace(way, jump="none")

    return replace(
        entry,
        way=said(entry.way),
        by_address=tuple((said(way), addresses) for way, addresses in entry.by_address),
        by_name=tuple((said(way), names) for way, names in entry.by_name),
    )


def _grouped(pairs: Iterable[tuple[Way, str]]) -> tuple[tuple[Way, tuple[str, ...]], ...]:
    """(way, words) → each way once, in the order of the first word that has it."""
    found: dict[Way, list[str]] = {}
    for way, word in pairs:
        found.setdefault(way, []).append(word)
    return tuple((way, tuple(words)) for way, words in found.items())


def _user(planner: _Planner, value: Any) -> str:
    if not isinstance(value, str) or not USER.match(value):
        raise Unusable("has a user that is none for ssh")
    return value


def _port(planner: _Planner, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise Unusable("has a port that is no number from 1 to 65535")
    return value


def _identity(planner: _Planner, value: Any) -> str:
    if not isinstance(value, str) or not IDENTITY.match(value):
        raise Unusable("has an identity that is no plain path of a key")
    return value


def _known_hosts(planner: _Planner, value: Any) -> str:
    if not isinstance(value, str) or not IDENTITY.match(value):
        raise Unusable("has a known_hosts that is no plain path of a file")
    return value


def _jump(planner: _Planner, value: Any) -> str:
    label = "none" if value == "none" else planner._label(value)
    if not label:
        raise Unusable("is reached through a jump host that is no host of the site with a name or an address")
    return label


def _forwards(planner: _Planner, value: Any) -> tuple[Forward, ...]:
    if not isinstance(value, list):
        raise Unusable("has forwards that are no list")
    return tuple(_forward(planner, one) for one in value)


def _forward(planner: _Planner, value: Any) -> Forward:
    if not isinstance(value, Mapping) or set(value) != {"local", "to"}:
        raise Unusable("has a forward that is not local and to")
    found = TO.match(value["to"]) if isinstance(value["to"], str) else None
    if not found:
        raise Unusable("has a forward whose to is no host:port")
    name, port = found[1].strip("[]"), _port(planner, int(found[2]))
    label = planner._label(name)
    if not label and not (point(name) or dns_name(name)):
        raise Unusable("has a forward to something that is neither a name nor an address")
    return Forward(
        _port(planner, value["local"]), label, name if point(name) else dns_name(name) or name, port
    )


READERS: dict[str, Callable[[_Planner, Any], Any]] = {
    "user": _user,
    "port": _port,
    "identity": _identity,
    "jump": _jump,
    "forward": _forwards,
    "known_hosts": _known_hosts,
}
