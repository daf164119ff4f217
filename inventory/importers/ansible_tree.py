"""Translates an Ansible tree into a SiteDraft. Which variable means which noun is the table of ``inventory.nouns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory import shape
from inventory import written as reading
from inventory.document import HostDraft, SiteDraft
from inventory.exports.ansible_model import same_value
from inventory.grouping import ALL, UNGROUPED
from inventory.identity import dns_name, is_locally_administered
from inventory.importers.sealing import Sealer
from inventory.importers.tree import Problem, Tree
from inventory.importers.tree.model import holds_secret
from inventory.nouns import names_of

PRIORITY = "ansible_group_priority"
#: RFC 8375: the domain for networks that have no registered one.
NO_DOMAIN = "home.arpa"


@dataclass
class Translation:
    draft: SiteDraft
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def translate(
    tree: Tree, slug: str, *, mapping: Mapping[str, str] | None, sealer: Sealer, site_exists: bool
) -> Translation:
    """Return the draft of site *slug* that *tree* describes, and everything that is wrong with it, by file and line.

    Raises ``nouns.UnknownNoun`` for a mapping that names what is not in the table.
    """
    translator = _Translator(tree, slug, mapping or {}, sealer)
    translator.run(mapping_given=mapping is not None, site_exists=site_exists)
    return Translation(translator.draft, [*tree.problems, *translator.problems])


class _Translator:
    def __init__(self, tree: Tree, slug: str, mapping: Mapping[str, str], sealer: Sealer) -> None:
        self.tree, self.mapping, self.sealer = tree, mapping, sealer
        self.names = names_of(mapping)
        self.draft = SiteDraft(slug)
        self.problems: list[Problem] = []
        self.merged = {
            name: {key: value for key, value in {**group.inline, **group.files}.items() if key != PRIORITY}
            for name, group in tree.groups.items()
        }
        self.zone = slug
        self.written: dict[str, Any] = {}
        self._ours: dict[tuple[str, ...], dict[str, Any]] = {}

    def run(self, *, mapping_given: bool, site_exists: bool) -> None:
        if mapping_given:
            self.draft.site["mapping"] = dict(self.mapping)
        taken = {ALL: set[str](), **{name: set[str]() for name in self.merged}}
        self._root_domain(taken, site_exists)
        self._segments(taken)
        self._groups(taken)
        for name in self.tree.hosts:
            self._host(name)
        self.draft.site["written"] = self.written

    # --- complaints ---

    def _complain(
        self, kind: Any, owner: str, path: Sequence[str], message: str, hint: str, severity: Any = "warning"
    ) -> None:
        where = self.tree.where(kind, owner, tuple(path))
        spot = f"{kind} {owner}: {'.'.join(path)} " if path else f"{kind} {owner}: "
        self.problems.append(
            Problem(where[0] if where else "", where[1] if where else None, spot + message, hint, severity)
        )

    def _clash(self, kind: Any, owner: str, path: Sequence[str], wanted: str) -> None:
        self._complain(
            kind,
            owner,
            path,
            f"must be {wanted}",
            f"write {wanted}, or map the noun to another variable",
            "error",
        )

    # --- the site's own nouns ---

    def _owner_of(self, key: str) -> str | None:
        """The group that declares *key*: ``all`` first, else the only one."""
        owners = [name for name, variables in self.merged.items() if key in variables]
        if ALL in owners or len(owners) == 1:
            return ALL if ALL in owners else owners[0]
        for owner in owners:
            self._complain(
                "group", owner, [key], "is declared by several groups and none is “all”", "declare it in all"
            )
        return None

    def _root_domain(self, taken: dict[str, set[str]], site_exists: bool) -> None:
        key = self.names["site.root_domain"]
        owner = self._owner_of(key)
        value = self.merged[owner][key] if owner else None
        if owner and isinstance(value, str) and not reading.holds_jinja(value) and dns_name(value) == value:
            self.draft.site["root_domain"] = value
            self.written["root_domain"] = {"owner": owner}
            taken[owner].add(key)
        else:
            if owner:
                self._complain(
                    "group", owner, [key], "is not a plain domain name", "write one such as example.net"
                )
            if not site_exists:
                self.draft.site["+root_domain"] = NO_DOMAIN
        self.zone = f"{self.draft.slug}.{self.draft.site.get('root_domain', NO_DOMAIN)}"
        code_key = self.names["site.code"]
        code_owner = self._owner_of(code_key)
        if code_owner and self.merged[code_owner][code_key] != self.draft.slug:
            code = self.merged[code_owner][code_key]
            shown = "a secret" if holds_secret(code) else f"“{code}”"
            self._complain("group", code_owner, [code_key], f"is {shown}, but the import says site {self.draft.slug}",
                           "import it under the site's own name, or change the variable")  # fmt: skip

    def _segments(self, taken: dict[str, set[str]]) -> None:
        key = self.names["site.segments"]
        owner = self._owner_of(key)
        if owner is None:
            return
        declared = self.merged[owner][key]
        if not isinstance(declared, Mapping):
            if not reading.holds_jinja(declared):
                self._clash("group", owner, [key], "a mapping of segment name to segment")
            return
        if holds_secret(declared):
            self._complain(
                "group", owner, [key], "is sealed in a vault, so segments cannot be read", "unseal it"
            )
            return
        self.written["segments"] = {"owner": owner, "order": list(declared)}
        taken[owner].add(key)
        for name, raw in declared.items():
            if raw is not None and not isinstance(raw, Mapping):
                self._clash("group", owner, [key, name], "a mapping")
            elif len(name) > 63:
                self._complain(
                    "group",
                    owner,
                    [key, name],
                    "has a name of more than 63 characters",
                    "shorten it",
                    "error",
                )
            else:
                self.draft.segments[name] = self._segment(owner, [key, name], name, raw)

    def _segment(
        self, owner: str, path: list[str], name: str, raw: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        names = self.names
        given: Mapping[str, Any] = raw or {}
        known = [names[field] for field in shape.SEGMENT_FIELDS]
        checks = [
            ("segment.vlan", reading.read_vlan),
            ("segment.network", reading.read_network),
            ("segment.network6", reading.read_network),
        ]
        for noun, reader in checks:
            found = reader(given.get(names[noun]))
            if found.problem:
                self._complain("group", owner, [*path, names[noun]], found.problem, found.hint)
        networks = shape.read_networks(given, names)
        for noun, columns in (
            ("segment.gateway", ("gateway4", "gateway6")),
            ("segment.gateway6", ("gateway6",)),
        ):
            if given.get(names[noun]) and not any(networks[column] for column in columns):
                self._complain(
                    "group",
                    owner,
                    [*path, names[noun]],
                    "is not an address of the segment's family",
                    "write it",
                )
        policy, pool = shape.read_policy(name, given, names)
        return {
            "vlan": reading.read_vlan(given.get(names["segment.vlan"])).value,
            **networks,
            "policy": policy,
            "pool_first": pool.first if pool else None,
            "pool_last": pool.last if pool else None,
            "variables": shape.further_keys(given, known),
            "written": shape.shape_of(raw, known),
        }

    # --- groups ---

    def _groups(self, taken: dict[str, set[str]]) -> None:
        sealed = self._sealed_files("group")
        for name, group in self.tree.groups.items():
            variables = {key: value for key, value in self.merged[name].items() if key not in taken[name]}
            variables = self.sealer.seal("group", name, variables)
            if name == ALL:
                self.draft.site["variables"] = variables
                self.draft.site["sealed"] = sealed.get(name, {})
                continue
            if name == UNGROUPED and not variables and not sealed.get(name):
                continue
            if len(name) > 253:
                self._complain(
                    "group", name[:40], [], "has a name of more than 253 characters", "shorten it", "error"
                )
                continue
            self.draft.groups[name] = {
                "variables": variables,
                "priority": group.priority,
                "sealed": sealed.get(name, {}),
            }
        for name, group in self.tree.groups.items():
            if name == ALL:
                continue
            self.draft.nestings |= {(name, child) for child in group.children if child != UNGROUPED}
            if name != UNGROUPED:
                self.draft.memberships |= {(name, host) for host in group.hosts}

    def _sealed_files(self, kind: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for file in self.tree.sealed:
            if file.owner_kind == kind:
                found.setdefault(file.owner, {})[file.path] = file.text
        return found

    # --- hosts ---

    def _pinned(self, name: str, own: Mapping[str, Any]) -> dict[str, Any]:
        """What groups alone would resolve differently once their inline vars and files are one dictionary.

        Ansible puts inline ``vars:`` of every group below ``group_vars/all``; a merged dictionary cannot say that.
        """
        order = self.tree.group_order(name)
        key = tuple(group.name for group in order)
        if key not in self._ours:
            theirs: dict[str, Any] = {}
            for part in ("inline", "files"):
                for group in order:
                    theirs.update(getattr(group, part))
            merged: dict[str, Any] = {}
            for group in order:
                merged.update(self.merged[group.name])
            self._ours[key] = {k: v for k, v in theirs.items() if k not in merged or not _same(merged[k], v)}
        return {k: v for k, v in self._ours[key].items() if k not in own}

    def _host(self, name: str) -> None:
        if len(name) > 253:
            self._complain(
                "host", name[:40], [], "has a name of more than 253 characters", "shorten it", "error"
            )
            return
        host = self.tree.hosts[name]
        own = {**host.inline, **host.files}
        pinned = self._pinned(name, own)
        resolved = self.tree.resolved(name)
        variables = {**own, **pinned}
        written: dict[str, Any] = {"pinned": sorted(pinned)} if pinned else {}
        draft = HostDraft({})
        reader = _HostReader(self, name, resolved, own)
        for noun, marks in (("hardware", ("host.form",)), ("intent", ("host.role",))):
            key = self.names[f"host.{noun}"]
            raw = resolved.get(key)
            if key in resolved and not self._is_identity(raw, marks):
                written[f"opaque:{key}"] = True
                continue
            variables.pop(key, None)
            if key in resolved and raw is not None:
                reader.take(noun, raw)
            elif key in resolved:
                written[f"opaque:{key}"] = True
                variables.update({key: None} if key in own else {})
        reader.finish(draft, written)
        variables.update(reader.extras)
        draft.fields.update(
            variables=self.sealer.seal("host", name, variables),
            written=written,
            sealed=self._host_sealed().get(name, {}),
        )
        self.draft.hosts[name] = draft

    def _host_sealed(self) -> dict[str, dict[str, str]]:
        if not hasattr(self, "_host_sealed_cache"):
            self._host_sealed_cache = self._sealed_files("host")
        return self._host_sealed_cache

    def _is_identity(self, raw: Any, marks: tuple[str, ...]) -> bool:
        """Whether a mapping is ours: ``env`` and the like are common words, and other people's values stay theirs."""
        if raw is None or not isinstance(raw, Mapping) or holds_secret(raw):
            return False
        return any(self.names[mark] in raw for mark in (*marks, "host.interfaces"))


def _same(one: Any, other: Any) -> bool:
    return one is other or same_value(one, other)


class _HostReader:
    """Reads the two identity mappings of one host into a HostDraft."""

    def __init__(
        self, translator: _Translator, name: str, resolved: Mapping[str, Any], own: Mapping[str, Any]
    ) -> None:
        self.translator, self.name, self.own = translator, name, own
        self.names = translator.names
        self.raw: dict[str, Mapping[str, Any]] = {}
        self.extras: dict[str, Any] = {}
        # identity is read with secrets as what they are: unreadable
        self.plain = {key: value for key, value in own.items() if not holds_secret(value)}

    def take(self, noun: str, raw: Mapping[str, Any]) -> None:
        self.raw[noun] = raw

    def _complain(self, path: Sequence[str], found: reading.Reading) -> None:
        if found.problem:
            kind, owner = self._declared_by(path[0])
            self.translator._complain(
                kind,
                owner,
                path,
                f"of host {self.name} {found.problem}" if kind == "group" else found.problem,
                found.hint,
            )

    def _declared_by(self, key: str) -> tuple[str, str]:
        if key in self.own:
            return "host", self.name
        for group in reversed(self.translator.tree.group_order(self.name)):
            if key in group.files or key in group.inline:
                return "group", group.name
        return "host", self.name

    def _clash(self, path: Sequence[str], wanted: str) -> None:
        kind, owner = self._declared_by(path[0])
        self.translator._clash(kind, owner, path, wanted)

    def _mapping(self, raw: Any, path: Sequence[str]) -> Mapping[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, Mapping):
            self._clash(path, "a mapping")
            return {}
        return raw

    def finish(self, draft: HostDraft, written: dict[str, Any]) -> None:
        names = self.names
        keys = {noun: names[f"host.{noun}"] for noun in ("hardware", "intent")}
        inner: dict[str, Mapping[str, Any]] = {}
        known = {"hardware": shape.HARDWARE_FIELDS, "intent": shape.INTENT_FIELDS}
        for noun, raw in self.raw.items():
            fields = [names[field] for field in known[noun]]
            path = [keys[noun], names["host.interfaces"]]
            inner[noun] = self._mapping(raw.get(names["host.interfaces"]), path)
            written[noun] = shape.shape_of(raw, fields)
            written[noun]["raw"].pop(names["host.interfaces"], None)
            if names["host.interfaces"] in raw:
                written[f"{noun}_interfaces"] = (
                    {"order": list(inner[noun]), "raw": {}}
                    if isinstance(raw[names["host.interfaces"]], Mapping)
                    else {"value": None}
                )
            if extras := shape.further_keys(raw, fields):
                self.extras[keys[noun]] = extras
        hardware, intent = self.raw.get("hardware", {}), self.raw.get("intent", {})
        form = reading.read_text(hardware.get(names["host.form"]), self.plain, longest=40)
        self._complain([keys["hardware"], names["host.form"]], form)
        role = reading.read_text(intent.get(names["host.role"]), self.plain, longest=40)
        self._complain([keys["intent"], names["host.role"]], role)
        draft.fields["form"] = form.value
        draft.role = role.value or None
        order = list(dict.fromkeys([*inner.get("intent", {}), *inner.get("hardware", {})]))
        for position, name in enumerate(order):
            sides = {noun: inner[noun].get(name) for noun in inner if name in inner[noun]}
            self._interface(draft, name, position, sides, keys)

    def _interface(
        self, draft: HostDraft, name: str, position: int, sides: dict[str, Any], keys: dict[str, str]
    ) -> None:
        names, own = self.names, self.plain
        paths = {noun: [keys[noun], names["host.interfaces"], name] for noun in sides}
        hardware = self._mapping(sides.get("hardware"), paths.get("hardware", []))
        intent = self._mapping(sides.get("intent"), paths.get("intent", []))
        if len(name) > 64:
            self._clash(next(iter(paths.values())), "an interface name of at most 64 characters")
            return
        mac = reading.read_mac(hardware.get(names["interface.mac"]), own)
        self._complain([*paths.get("hardware", [keys["hardware"]]), names["interface.mac"]], mac)
        base = paths.get("intent", [keys["intent"]])
        segment = self._segment(intent, base)
        segment_draft = self.translator.draft.segments.get(segment or "", {})
        addressing = reading.read_addressing(
            intent.get(names["interface.address"]),
            intent.get(names["interface.address6"]),
            own,
            mac.value,
            segment_draft.get("network6"),
        )
        self._complain([*base, names["interface.address"]], addressing)
        dns = self._mapping(intent.get(names["interface.dns"]), [*base, names["interface.dns"]])
        pxe = self._mapping(dns.get(names["dns.pxe"]), [*base, names["interface.dns"], names["dns.pxe"]])
        draft.interfaces[name] = {
            "position": position,
            "mac": mac.value,
            f"+{'mac_kind'}": _mac_kind(mac.value),
            "segment": segment,
            "addressing": addressing.value.how,
            "ipv4": addressing.value.ipv4,
            "ipv6": list(addressing.value.ipv6),
            **self._flags(intent, dns, base),
            **self._boot(pxe, base),
            "variables": self._extras(sides, hardware, intent, dns, pxe),
            "written": self._written(sides, intent, dns),
        }
        self._services(
            draft, dns.get(names["dns.services"]), [*base, names["interface.dns"], names["dns.services"]]
        )

    def _segment(self, intent: Mapping[str, Any], base: list[str]) -> str | None:
        found = reading.read_text(intent.get(self.names["interface.segment"]), self.plain)
        self._complain([*base, self.names["interface.segment"]], found)
        if found.value and found.value not in self.translator.draft.segments:
            if self.translator.draft.segments:
                missing = reading.Reading(
                    None, f"names segment “{found.value}”, which is not declared", "declare it"
                )
                self._complain([*base, self.names["interface.segment"]], missing)
            return None
        return found.value or None

    def _flags(self, intent: Mapping[str, Any], dns: Mapping[str, Any], base: list[str]) -> dict[str, bool]:
        out: dict[str, bool] = {}
        for column, noun, source in (
            ("wake_on_lan", "interface.wake_on_lan", intent),
            ("management", "interface.management", intent),
            ("a_record", "dns.record", dns),
            ("reservation", "dns.reservation", dns),
        ):
            found = reading.read_flag(source.get(self.names[noun]), self.plain)
            where = base if source is intent else [*base, self.names["interface.dns"]]
            self._complain([*where, self.names[noun]], found)
            out[column] = found.value
        return out

    def _boot(self, pxe: Mapping[str, Any], base: list[str]) -> dict[str, str]:
        out: dict[str, str] = {}
        for column, noun, longest in (("pxe_server", "pxe.server", 253), ("pxe_file", "pxe.file", 127)):
            found = reading.read_text(pxe.get(self.names[noun]), self.plain, longest=longest)
            path = [*base, self.names["interface.dns"], self.names["dns.pxe"], self.names[noun]]
            self._complain(path, found)
            out[column] = found.value
        return out

    def _extras(
        self,
        sides: dict[str, Any],
        hardware: Mapping[str, Any],
        intent: Mapping[str, Any],
        dns: Mapping[str, Any],
        pxe: Mapping[str, Any],
    ) -> dict[str, Any]:
        names = self.names
        out = shape.further_keys(intent, [names[field] for field in shape.INTERFACE_INTENT])
        more = shape.further_keys(dns, [names[field] for field in shape.DNS_FIELDS])
        if boot := shape.further_keys(pxe, [names[field] for field in shape.PXE_FIELDS]):
            more[names["dns.pxe"]] = boot
        if more:
            out[names["interface.dns"]] = more
        if iron := shape.further_keys(hardware, [names["interface.mac"]]):
            out[names["host.hardware"]] = iron
        return out

    def _written(
        self, sides: dict[str, Any], intent: Mapping[str, Any], dns: Mapping[str, Any]
    ) -> dict[str, Any]:
        names = self.names
        out: dict[str, Any] = {}
        if "hardware" in sides:
            out["hardware"] = shape.shape_of(sides["hardware"], [names["interface.mac"]])
        if "intent" in sides:
            known = [names[field] for field in shape.INTERFACE_INTENT]
            out["intent"] = shape.shape_of(sides["intent"], known)
            if isinstance(sides["intent"], Mapping):
                out["intent"]["raw"].pop(names["interface.dns"], None)
        if names["interface.dns"] in intent:
            raw = intent[names["interface.dns"]]
            out["dns"] = shape.shape_of(raw, [names[field] for field in shape.DNS_FIELDS])
            if isinstance(raw, Mapping):
                out["dns"]["raw"].pop(names["dns.pxe"], None)
        if names["dns.pxe"] in dns:
            out["pxe"] = shape.shape_of(dns[names["dns.pxe"]], [names[field] for field in shape.PXE_FIELDS])
        return out

    def _services(self, draft: HostDraft, raw: Any, path: list[str]) -> None:
        if isinstance(raw, Mapping) and not reading.is_sealed(raw):
            self._clash(path, "a list of names")
            return
        read, problem = reading.read_names(raw, self.translator.zone)
        if problem:
            self._complain(
                path, reading.Reading(None, f"holds {problem}", "write names below the site's zone")
            )
        for _, label in read:
            if label is not None:
                draft.services.add(_service_key(label))


def _service_key(label: str) -> tuple[str, str]:
    name, dot, tenant = label.partition(".")
    if dot and tenant and name and "." not in tenant and len(tenant) <= 63:
        return name, tenant
    return label, ""


def _mac_kind(mac: str | None) -> str:
    """The four first octets that DOMAIN gives to assigned addresses; anything else was read off hardware."""
    return (
        "assigned"
        if mac and mac[:2] in ("02", "06", "0a", "0e") and is_locally_administered(mac)
        else "observed"
    )
