"""The two identity mappings of one host: fields into columns, further keys into variables, the rest into shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inventory.ansible import noun_reading, shape
from inventory.ansible import written as reading
from inventory.document import HostDraft
from inventory.identity import is_locally_administered
from inventory.importers.ansible_tree.work import Work
from inventory.importers.tree.model import OwnerKind, holds_secret

LONGEST_INTERFACE = 64
LONGEST_WORD = 40  # form and role
FIELDS = {"hardware": noun_reading.HARDWARE_FIELDS, "intent": noun_reading.INTENT_FIELDS}
Sides = Mapping[str, Any]  # "hardware", "intent" → what stands there


class HostReader:
    """Takes the mappings of one host, and fills a HostDraft."""

    def __init__(self, work: Work, name: str, own: Mapping[str, Any]) -> None:
        self.work, self.name = work, name
        self.names = work.names
        # what was sealed is no identity: references to it stay unresolved
        self.own = {key: value for key, value in own.items() if not holds_secret(value)}
        self.keys = {noun: self.names[f"host.{noun}"] for noun in FIELDS}
        self.raw: dict[str, Any] = {}
        self.extras: dict[str, Any] = {}

    def take(self, noun: str, raw: Any) -> None:
        self.raw[noun] = raw

    # --- complaints ---

    def declared_by(self, key: str) -> tuple[OwnerKind, str]:
        """Who declares the variable *key* that this host resolves."""
        host = self.work.tree.hosts[self.name]
        if key in host.files or key in host.inline:
            return "host", self.name
        order = self.work.tree.group_order(self.name)[::-1]
        for part in ("files", "inline"):
            for group in order:
                if key in getattr(group, part):
                    return "group", group.name
        return "host", self.name

    def _complain(self, path: Sequence[str], found: reading.Reading) -> None:
        if found.problem:
            kind, owner = self.declared_by(path[0])
            whose = f"of host {self.name} " if kind == "group" else ""
            self.work.complain(kind, owner, path, whose + found.problem, found.hint)

    def _mapping(self, raw: Any, path: Sequence[str]) -> Mapping[str, Any]:
        found = reading.read_mapping(raw)
        if found.value is None:
            self.work.clash(*self.declared_by(path[0]), path, "a mapping")
            return {}
        self._complain(path, found)
        below: Mapping[str, Any] = found.value
        return below

    # --- the host ---

    def finish(self, draft: HostDraft, written: dict[str, Any]) -> None:
        inner: dict[str, Mapping[str, Any]] = {}
        for noun, raw in self.raw.items():
            inner[noun] = self._side(noun, raw, written)
        draft.fields["form"] = self._word("hardware", "host.form")
        draft.role = self._word("intent", "host.role") or None
        order = list(dict.fromkeys([*inner.get("intent", {}), *inner.get("hardware", {})]))
        for position, name in enumerate(order):
            sides = {noun: inner[noun][name] for noun in inner if name in inner[noun]}
            if 0 < len(name) <= LONGEST_INTERFACE:
                draft.interfaces[name] = {"position": position, **self._interface(draft, name, sides)}
            else:
                noun = next(iter(sides))
                path = [self.keys[noun], self.names["host.interfaces"], name]
                wanted = f"under a name of 1 to {LONGEST_INTERFACE} characters"
                self.work.clash(*self.declared_by(path[0]), path, wanted)

    def _side(self, noun: str, raw: Any, written: dict[str, Any]) -> Mapping[str, Any]:
        """Keep the shape of one mapping and its further keys; return its interfaces."""
        key, interfaces = self.keys[noun], self.names["host.interfaces"]
        known = [self.names[field] for field in FIELDS[noun]]
        written[noun] = shape.shape_of(raw, known)
        if not isinstance(raw, Mapping):
            return {}
        if extras := shape.further_keys(raw, known):
            self.extras[key] = extras
        if interfaces not in raw:
            return {}
        below = written[noun]["raw"].pop(interfaces)
        found = self._mapping(below, [key, interfaces])
        looked_into = found is below
        written[f"{noun}_interfaces"] = {"order": list(found), "raw": {}} if looked_into else {"value": below}
        return found

    def _word(self, noun: str, field: str) -> str:
        raw = self.raw.get(noun) or {}
        found = reading.read_text(raw.get(self.names[field]), self.own, longest=LONGEST_WORD)
        self._complain([self.keys[noun], self.names[field]], found)
        return str(found.value)

    # --- an interface ---

    def _interface(self, draft: HostDraft, name: str, sides: Sides) -> dict[str, Any]:
        names = self.names
        base = {noun: [self.keys[noun], names["host.interfaces"], name] for noun in FIELDS}
        hardware = self._mapping(sides.get("hardware"), base["hardware"])
        intent = self._mapping(sides.get("intent"), base["intent"])
        dns_path = [*base["intent"], names["interface.dns"]]
        dns = self._mapping(intent.get(names["interface.dns"]), dns_path)
        pxe = self._mapping(dns.get(names["dns.pxe"]), [*dns_path, names["dns.pxe"]])
        raw = noun_reading.InterfaceAsWritten(hardware, intent, dns, pxe)
        read = noun_reading.read_interface(raw, self.own, names, self._network6_of)
        for complaint in read.complaints:
            noun, *below = complaint.path
            self._complain([*base[noun], *below], complaint.found)
        columns = {**read.columns, "ipv6": list(read.columns["ipv6"])}
        columns["segment"] = self._declared(columns["segment"], [*base["intent"], names["interface.segment"]])
        self._services(draft, dns.get(names["dns.services"]), [*dns_path, names["dns.services"]])
        return {
            **columns,
            "+mac_kind": _mac_kind(columns["mac"]),
            "variables": self._extras(raw),
            "written": self._shapes(sides, raw),
        }

    def _network6_of(self, segment: str) -> str | None:
        found: str | None = self.work.draft.segments.get(segment, {}).get("network6")
        return found

    def _declared(self, segment: str | None, path: Sequence[str]) -> str | None:
        if segment is None or segment in self.work.draft.segments:
            return segment
        message = f"names segment “{segment}”, which is not declared"
        if self.work.draft.segments:  # a tree without segments means other things by the word
            self._complain(path, reading.Reading(None, message, "declare it"))
        return None

    def _extras(self, raw: noun_reading.InterfaceAsWritten) -> dict[str, Any]:
        """Further keys: those of the intent at the top, the others nested under the name of their mapping."""
        names, iron = self.names, self.names["host.hardware"]
        known = [*(names[field] for field in noun_reading.INTERFACE_INTENT), iron]
        out = shape.further_keys(raw.intent, known)
        more = shape.further_keys(raw.dns, [names[field] for field in noun_reading.DNS_FIELDS])
        if boot := shape.further_keys(raw.pxe, [names[field] for field in noun_reading.PXE_FIELDS]):
            more[names["dns.pxe"]] = boot
        if more:
            out[names["interface.dns"]] = more
        fields = [names[field] for field in noun_reading.INTERFACE_HARDWARE]
        if metal := shape.further_keys(raw.hardware, fields):
            out[iron] = metal
        return out

    def _shapes(self, sides: Sides, raw: noun_reading.InterfaceAsWritten) -> dict[str, Any]:
        """Part → how it was written; nested mappings have their own shape."""
        names = self.names
        intent = [*noun_reading.INTERFACE_INTENT]
        out: dict[str, Any] = {}
        if "hardware" in sides:
            out["hardware"] = self._shape(sides["hardware"], noun_reading.INTERFACE_HARDWARE)
        if "intent" in sides:
            # the name of the hardware mapping is taken for further keys, see _extras
            out["intent"] = self._shape(sides["intent"], [*intent, "host.hardware"], without="interface.dns")
        if names["interface.dns"] in raw.intent:
            whole = raw.intent[names["interface.dns"]]
            out["dns"] = self._shape(whole, noun_reading.DNS_FIELDS, without="dns.pxe")
        if names["dns.pxe"] in raw.dns:
            out["pxe"] = self._shape(raw.dns[names["dns.pxe"]], noun_reading.PXE_FIELDS)
        return out

    def _shape(self, raw: Any, fields: Sequence[str], without: str = "") -> dict[str, Any]:
        if reading.is_sealed(raw):
            return {"value": raw}
        known = {self.names[field] for field in fields if field != without}
        return shape.shape_of(raw, known)

    def _services(self, draft: HostDraft, raw: Any, path: Sequence[str]) -> None:
        if isinstance(raw, Mapping) and not reading.is_sealed(raw):
            self.work.clash(*self.declared_by(path[0]), path, "a list of names")
            return
        read, problem = reading.read_names(raw, self.work.zone)
        self._complain(path, reading.Reading(None, problem, "write names below the site's zone"))
        for _, label in read:
            if label is not None:
                draft.services.setdefault(noun_reading.service_key(label), {})


def _mac_kind(mac: str | None) -> str:
    """The four first octets that DOMAIN gives to assigned addresses; anything else was read off hardware."""
    assigned = mac and mac[:2] in ("02", "06", "0a", "0e") and is_locally_administered(mac)
    return "assigned" if assigned else "observed"
