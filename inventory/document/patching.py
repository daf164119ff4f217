"""A part of a site document that changes what it names and leaves everything else alone.

In a patch a key that is left out is left alone, and one that is empty (null) goes back to its default. A host, segment,
group, profile, role or alias that is not there yet is made. An interface that is null leaves its host, an alias that is
null goes; a list replaces a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inventory.document import facts
from inventory.document.form import Fault, Path, faults
from inventory.document.text import Complaint, Read, drop, thing_at
from inventory.exports.site import nouns, schema
from inventory.exports.site.vocabulary import Schema
from inventory.exports.site.writing import implied_addressing
from inventory.snapshot import (
    AliasFacts,
    GroupFacts,
    HostFacts,
    HypervisorFacts,
    InterfaceFacts,
    MachineFacts,
    ProfileFacts,
    RoleFacts,
    SegmentFacts,
    ServiceFacts,
    Snapshot,
)

Values = Mapping[str, Any]
Pair = tuple[str, str]
#: What a patch may name, in the order in which a plan has it.
NOUNS = ("roles", "segments", "hosts", "groups", "profiles", "aliases")
#: The schema of a patch: that of the document, in which nothing is required.
SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        key: rule
        for key, rule in schema.DOCUMENT["properties"].items()
        if key in (*NOUNS, "mgmtplane", "site")
    },
}


@dataclass
class Patch(Read):
    """Values, and where they stand; the links of hosts to groups come apart from them: a group may have thousands."""

    is_patch: bool = True
    #: ``groups`` or ``profiles`` → (group, host) that come, and that go
    joined: dict[str, set[Pair]] = field(default_factory=dict)
    parted: dict[str, set[Pair]] = field(default_factory=dict)
    #: (parent, child) that come, and that go
    nested: set[Pair] = field(default_factory=set)
    unnested: set[Pair] = field(default_factory=set)
    #: what goes back to its default
    cleared: set[Path] = field(default_factory=set)
    #: what people should know of how the input was read
    notes: list[str] = field(default_factory=list)

    #: where something was complained of
    wrong: set[Path] = field(default_factory=set)
    #: (where, what) of the complaints that have a place
    told: list[tuple[Path, str]] = field(default_factory=list)
    #: of a table: the header above a value
    columns: Mapping[Path, str] = field(default_factory=dict)

    def complain(self, path: Path, message: str) -> None:
        self.wrong.add(path)
        # a name that leads nowhere is no consequence of what was malformed beside it
        if path[:2] in self.malformed and not message.startswith("names the "):
            return
        self.told.append((path, message))
        column = next(
            (self.columns[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.columns), ""
        )
        self.complaints.append(Complaint(self.file, self.line(*path), f"{thing_at(path)} {message}", column))

    def take_out(self, noun: str, name: str) -> None:
        """Forget what is said of one thing."""
        self.values.get(noun, {}).pop(name, None)
        self.cleared = {path for path in self.cleared if path[:2] != (noun, name)}
        at = 1 if noun == "hosts" else 0  # in a pair of group and host
        for links in (self.joined, self.parted):
            for key, pairs in links.items():
                if noun in ("hosts", key):
                    links[key] = {pair for pair in pairs if pair[at] != name}
        if noun == "groups":
            self.nested = {pair for pair in self.nested if name not in pair}
            self.unnested = {pair for pair in self.unnested if name not in pair}

    @property
    def meaning(self) -> str:
        """Everything that it would do, as text: two patches that mean the same are the same."""
        links = [sorted(found.items()) for found in (_sorted(self.joined), _sorted(self.parted))]
        return repr(
            (self.values, links, sorted(self.nested), sorted(self.unnested), sorted(map(str, self.cleared)))
        )


def _sorted(links: dict[str, set[Pair]]) -> dict[str, list[Pair]]:
    return {noun: sorted(pairs) for noun, pairs in links.items()}


def checked(patch: Patch) -> None:
    """Take the nulls out of *patch*, check its form, and take out what is malformed: the rest can be judged."""
    for noun in [key for key in patch.values if key in NOUNS]:
        _strip(patch.values[noun], (noun,), patch)
    found = list(_faults(patch))
    for fault in found:
        patch.complain(fault.path, fault.message)
    for fault in found:
        drop(patch.values, fault.path)
        patch.malformed.add(fault.path[:2])


def _faults(patch: Patch) -> Iterator[Fault]:
    for key in patch.values:
        if key not in SCHEMA["properties"] and key in schema.DOCUMENT["properties"]:
            yield Fault((key,), f"belongs to a whole document; a part of one may hold {', '.join(NOUNS)}.")
    known = {key: value for key, value in patch.values.items() if key not in set(schema.NOUNS) - set(NOUNS)}
    yield from faults(known, SCHEMA)


def _strip(value: Any, path: Path, patch: Patch) -> None:
    """Nulls of named things are about their fields, never about themselves; variables are data."""
    if not isinstance(value, dict):
        return
    for key in list(value):
        here = (*path, key)
        if value[key] is None and (len(here) > 2 or here[0] == "aliases"):
            del value[key]
            patch.cleared.add(here)
        elif value[key] is None and len(here) == 2:
            value[key] = {}
        elif isinstance(value[key], dict) and key not in ("variables", "access", "out_of_band"):
            _strip(value[key], here, patch)


# --- the site as it will be ---


def patched(stored: Snapshot, patch: Patch) -> Snapshot:
    """The site as it will be. What does not exist and is referred to is judged afterwards."""
    said = {noun: patch.values.get(noun, {}) for noun in NOUNS}
    cleared = _below(patch.cleared)
    post = replace(
        stored,
        roles=_rows(stored.roles, said["roles"], cleared.get("roles", {}), RoleFacts, nouns.ROLE, "slug"),
        segments=_rows(
            stored.segments, said["segments"], cleared.get("segments", {}), SegmentFacts, nouns.SEGMENT
        ),
        hosts=_hosts(stored, said["hosts"], cleared.get("hosts", {})),
        groups=_rows(stored.groups, said["groups"], cleared.get("groups", {}), GroupFacts, nouns.GROUP),
        profiles=_rows(
            stored.profiles, said["profiles"], cleared.get("profiles", {}), ProfileFacts, nouns.PROFILE
        ),
        aliases=_aliases(stored.aliases, said["aliases"], cleared.get("aliases", {})),
    )
    return _linked(post, patch)


Cleared = dict[str, set[Path]]  # name → the rest of the paths


def _below(paths: Iterable[Path]) -> dict[str, Cleared]:
    found: dict[str, Cleared] = {}
    for noun, name, *rest in paths:
        found.setdefault(str(noun), {}).setdefault(str(name), set()).add(tuple(rest))
    return found


def _rows(
    rows: tuple[Any, ...], said: Values, cleared: Cleared, make: Any, table: Schema, key: str = "name"
) -> tuple[Any, ...]:
    """*rows* with what is *said* of them, new ones among them, in the order of a Snapshot."""
    names = {*said, *cleared}
    if not names:
        return rows
    known = {getattr(row, key): row for row in rows}
    for name in names:
        columns = _columns(said.get(name, {}), cleared.get(name, set()), table, new=name not in known)
        known[name] = replace(known.get(name) or make(name), **columns)
    return tuple(known[name] for name in sorted(known))


def _columns(said: Values, cleared: Iterable[Path], table: Schema, *, new: bool = False) -> dict[str, Any]:
    """The columns that *said* gives and those that go back to their default, in the types of the facts.

    A *new* row has the defaults of the document in everything else.
    """
    given = [*said, *(str(path[0]) for path in cleared if len(path) == 1)]
    given = [key for key in table["properties"] if key not in nouns.PARTS] if new else given
    whole = facts.plain_fields(said, table)
    out = {key: whole[key] for key in given}
    for key in ("pool", "static_range"):
        if key in out and table is nouns.SEGMENT:  # a hypervisor has a pool that is no range
            out[key] = facts.range_of(out[key])
    if "delegated" in out:
        out["delegated"] = tuple(facts.range_of(ends) for ends in out["delegated"])
    return out


def _aliases(rows: tuple[AliasFacts, ...], said: Values, gone: Cleared) -> tuple[AliasFacts, ...]:
    known = {row.name: row for row in rows} | {name: AliasFacts(name, to) for name, to in said.items()}
    return tuple(known[name] for name in sorted(known.keys() - gone.keys()))


def _hosts(stored: Snapshot, said: Values, cleared: Cleared) -> tuple[HostFacts, ...]:
    names = {*said, *cleared}
    if not names:
        return stored.hosts
    known = dict(stored.host_by_name)
    for name in names:
        known[name] = _host(known.get(name), name, said.get(name, {}), cleared.get(name, set()))
    return tuple(known[name] for name in sorted(known))


def _host(stored: HostFacts | None, name: str, said: Values, cleared: set[Path]) -> HostFacts:
    before = stored or HostFacts(name)
    own = {key: value for key, value in said.items() if key not in nouns.PARTS}
    gone = [path for path in cleared if path[0] not in nouns.PARTS]
    columns = _columns(own, gone, nouns.HOST, new=stored is None)
    if "services" in said:
        services = facts.services_of(name, said["services"])
        columns["services"] = tuple(sorted(services, key=lambda one: (one.name, one.tenant)))
    elif ("services",) in cleared:
        columns["services"] = ()
    for key, make, table in ONE_OF:
        columns[key] = _one(getattr(before, key), make, table, said.get(key), _under(key, cleared))
    parts = {path[1:] for path in cleared if path[0] == "interfaces" and len(path) > 1}
    if "interfaces" in said or parts:
        columns["interfaces"] = _interfaces(before, said.get("interfaces", {}), parts)
    return replace(before, **columns)


#: What a host has one of, or none.
ONE_OF: tuple[tuple[str, type[Any], Schema], ...] = (
    ("proxmox", HypervisorFacts, nouns.PROXMOX),
    ("machine", MachineFacts, nouns.MACHINE),
)


def _under(key: str, cleared: set[Path]) -> set[Path]:
    return {path[1:] for path in cleared if path[0] == key}


def _one(before: Any, make: type[Any], table: Schema, said: Values | None, cleared: set[Path]) -> Any:
    """What is there, with what is *said* of it. Clearing a field of nothing makes nothing."""
    if () in cleared:
        return None
    if said is None and (before is None or not cleared):
        return before
    return replace(before or make(), **_columns(said or {}, cleared, table))


def _interfaces(host: HostFacts, said: Values, cleared: set[Path]) -> tuple[InterfaceFacts, ...]:
    known = {one.name: one for one in host.interfaces}
    for name in [*said, *sorted({str(path[0]) for path in cleared} - set(said))]:
        if (name,) in cleared:
            known.pop(name, None)
            continue
        gone = [path[1:] for path in cleared if path[0] == name]
        known[name] = _interface(known.get(name), host.name, name, said.get(name, {}), gone)
    return tuple(known.values())


def _interface(
    stored: InterfaceFacts | None, host: str, name: str, said: Values, cleared: list[Path]
) -> InterfaceFacts:
    """An address that comes or goes says what the interface does for one, where nothing else says it."""
    before = stored or InterfaceFacts(host, name)
    gone = [path for path in cleared if path != ("addressing",)]
    columns = _columns(said, gone, nouns.INTERFACE, new=stored is None)
    columns = {key: value for key, value in columns.items() if key != "addressing" or value is not None}
    after = replace(before, **columns)
    moved = bool(after.addresses) != bool(before.addresses)
    if ("addressing",) in cleared or ("addressing" not in said and moved):
        implied: Any = implied_addressing(bool(after.addresses))
        after = replace(after, addressing=implied)
    return after


# --- links ---


def _linked(post: Snapshot, patch: Patch) -> Snapshot:
    for noun in ("groups", "profiles"):
        coming, going = (_by_group(links.get(noun, set())) for links in (patch.joined, patch.parted))
        if coming or going:
            rows = getattr(post, noun)
            moved = (
                replace(row, hosts=_members(row.hosts, coming.get(row.name), going.get(row.name)))
                if row.name in coming or row.name in going
                else row
                for row in rows
            )
            found: dict[str, Any] = {noun: tuple(moved)}
            post = replace(post, **found)
    coming, going = _by_group(patch.nested), _by_group(patch.unnested)
    if coming or going:
        nested = (
            replace(row, children=_members(row.children, coming.get(row.name), going.get(row.name)))
            if row.name in coming or row.name in going
            else row
            for row in post.groups
        )
        post = replace(post, groups=tuple(nested))
    return post


def _members(now: tuple[str, ...], coming: set[str] | None, going: set[str] | None) -> tuple[str, ...]:
    return tuple(sorted((set(now) | (coming or set())) - (going or set())))


def _by_group(pairs: Iterable[Pair]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group, member in pairs:
        found.setdefault(group, set()).add(member)
    return found


def service_values(service: ServiceFacts) -> dict[str, Any]:
    """The keys of a service in a document."""
    keys = ("name", "tenant", "port", "health_check", "metrics_path", "web_scheme", "local_port")
    return {key: getattr(service, key) for key in keys if getattr(service, key) not in (None, "")}
