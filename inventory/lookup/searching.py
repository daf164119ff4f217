"""Where words stand in everything that a site declares: best first, and what matched. Pure.

An index of all texts is made once for a Snapshot. Sealed values are neither searched nor shown; of what looks like a secret
in plain only the place is told.
"""

from __future__ import annotations

import heapq
import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inventory.lookup.words import Word, words_of
from inventory.packed import Packed
from inventory.secret_signs import first_look, secrets_in
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

#: What a text is: how words are looked for in it.
Form = Literal["name", "mac", "address", "number", "text", "variables"]
ORDER = (
    "host",
    "interface",
    "service",
    "alias",
    "segment",
    "group",
    "profile",
    "role",
    "project",
    "template",
    "site",
)
LONG = 100
#: What is shown of a vaulted value.
SEALED = "sealed"
#: A letter alone stands everywhere.
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Text:
    where: str
    form: Form
    text: str
    #: lower case, to look in
    lowered: str


@dataclass(frozen=True, slots=True)
class Entry:
    kind: str
    subject: str
    name: str
    texts: tuple[Text, ...]
    variables: Mapping[str, Any]
    #: to look in at once: all texts in lower case, hex digits of MACs, addresses as (version, number), variables
    blob: str
    digits: str
    numbers: tuple[tuple[int, int], ...]
    inside: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that has every word. *matched* are (where, text) of the first word that each text holds."""

    kind: str
    subject: str
    name: str
    rank: int
    matched: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    """Hits by kind, best first, at most so many of each; ``counts`` says how many there are."""

    hits: Mapping[str, tuple[Hit, ...]]
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def search(snapshot: Snapshot, text: str, *, most: int = 10, kinds: Collection[str] | None = None) -> Found:
    """Everything declared in which each word of *text* is found; of *kinds* alone, where they are given.

    Names, FQDNs, MACs and addresses in any spelling or in part, networks and ranges, numbers, notes, variables.
    """
    words = words_of(text)
    ranked: dict[str, list[tuple[int, str, int, Entry]]] = defaultdict(list)
    if words:
        for number, entry in enumerate(snapshot.once(_entries)):
            if kinds is not None and entry.kind not in kinds:
                continue
            rank = _rank(entry, words)
            if rank is not None:
                ranked[entry.kind].append((rank, entry.name, number, entry))
    kept = {kind: heapq.nsmallest(most, ranked[kind]) for kind in ORDER if kind in ranked}
    return Found(
        {kind: tuple(_hit(rank, entry, words) for rank, _, _, entry in best) for kind, best in kept.items()},
        {kind: len(ranked[kind]) for kind in kept},
    )


def names_of(snapshot: Snapshot, kind: str) -> list[str]:
    """The names of everything of *kind*."""
    return [entry.name for entry in snapshot.once(_entries) if entry.kind == kind]


def _rank(entry: Entry, words: list[Word]) -> int | None:
    """How good the best match is; None where a word is missing. Looks at whole texts first: most have nothing."""
    rank = 9
    for word in words:
        worth = _worth_of(entry, word)
        if worth is None:
            return None
        rank = min(rank, worth)
    return rank


def _worth_of(entry: Entry, word: Word) -> int | None:
    if word.text in entry.blob or word.is_in_digits(entry.digits) or word.spans(entry.numbers):
        best = min((w for text in entry.texts if (w := _worth(text, word)) is not None), default=None)
        if best is not None:
            return best
    if len(word.text) < SHORTEST or word.text not in entry.inside:
        return None
    return 6 if not word.has_marks or _in_variables(entry.variables, word) else None


def _hit(rank: int, entry: Entry, words: list[Word]) -> Hit:
    matched = [(place, text) for word in words for _, place, text in filter(None, [_where(entry, word)])]
    return Hit(entry.kind, entry.subject, entry.name, rank, tuple(dict.fromkeys(matched)))


def _where(entry: Entry, word: Word) -> tuple[int, str, str] | None:
    """(how good, where, excerpt) of the best text of *entry* that has *word*."""
    best: tuple[int, str, str] | None = None
    for text in entry.texts:
        worth = _worth(text, word)
        if worth is not None and (best is None or worth < best[0]):
            best = (worth, text.where, _excerpt(text.text, word) if text.form == "text" else text.text)
            if worth == 0:
                return best
    return best or _in_variables(entry.variables, word)


def _worth(text: Text, word: Word) -> int | None:
    """0 exact, 1 begins with it, 2 has it; later texts are worth less. None: not found."""
    if text.form == "mac":
        return None if not word.in_mac(text.lowered) else 0 if word.text == text.lowered else 3
    if text.form == "address":
        return None if not word.in_address(text.lowered) else 0 if word.text == text.lowered else 3
    if text.form == "number":
        return 0 if word.text == text.lowered else None
    if not word.in_text(text.lowered):
        return None
    if text.form == "name":
        return 0 if word.text == text.lowered else 1 if text.lowered.startswith(word.text) else 2
    return 5


# --- variables ---


def _in_variables(variables: Mapping[str, Any], word: Word) -> tuple[int, str, str] | None:
    """Where variables say it. What looks like a secret in plain is not looked into; its key is."""
    if not variables or len(word.text) < SHORTEST:
        return None
    parts = variables.parts if isinstance(variables, _Joined) else (variables,)
    for part in parts:
        if isinstance(part, Packed) and word.text not in part.text.lower():
            continue
        secret = {path for path, _ in secrets_in("", part)}
        for path, key, value in _leaves(part, "", ""):
            if word.text in key.lower():
                return (
                    6,
                    path.lstrip("."),
                    "looks like a secret; not shown" if path in secret else _excerpt(str(value), word),
                )
            if word.text in str(value).lower() and value is not SEALED and path not in secret:
                return 6, path.lstrip("."), _excerpt(str(value), word)
    return None


def _leaves(value: Any, path: str, key: str) -> Iterator[tuple[str, str, Any]]:
    """(path as the rules write it, nearest key, value) of everything that is not sealed."""
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            yield path, key, SEALED  # its key is no secret
            return
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}", str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]", key)
    else:
        yield path, key, value


def _excerpt(text: str, word: Word) -> str:
    line = next((line.strip() for line in text.splitlines() if word.text in line.lower()), text.strip())
    return line if len(line) <= LONG else f"{line[:LONG]}…"


# --- the index ---


def _entry(kind: str, subject: str, name: str, texts: Iterable[Text], variables: Mapping[str, Any]) -> Entry:
    texts = tuple(texts)
    return Entry(
        kind,
        subject,
        name,
        texts,
        variables,
        "\n".join(text.lowered for text in texts),
        "\n".join(text.lowered.replace(":", "") for text in texts if text.form == "mac"),
        tuple(_number(text.lowered) for text in texts if text.form == "address"),
        _inside(variables),
    )


def _number(address: str) -> tuple[int, int]:
    value = ipaddress.ip_address(address)
    return value.version, int(value)


def _inside(variables: Mapping[str, Any]) -> str:
    """Everything of *variables* that may be found, in lower case: neither sealed values nor secrets in plain."""
    if not variables:
        return ""
    if isinstance(variables, _Joined):
        return "\n".join(filter(None, map(_inside, variables.parts)))
    if (
        isinstance(variables, Packed)
        and "__ansible_vault" not in variables.text
        and not first_look(variables.text)
    ):
        return variables.text.lower()
    secret = {path for path, _ in secrets_in("", variables)}
    found = []
    for path, key, value in _leaves(variables, "", ""):
        found.append(key)
        if value is not SEALED and path not in secret:
            found.append(str(value))
    return "\n".join(found).lower()


def _entries(snapshot: Snapshot) -> tuple[Entry, ...]:
    return tuple(_made(snapshot))


def _made(snapshot: Snapshot) -> Iterator[Entry]:
    texts: tuple[Text, ...]
    for host in snapshot.hosts:
        yield _host(snapshot, host)
        for interface in host.interfaces:
            yield _interface(interface)
        for service in host.services:
            texts = (_text("name", "name", service.label), _text("carried by", "text", host.name))
            yield _entry("service", f"service {service.label} on {host.name}", service.label, texts, {})
    for alias in snapshot.aliases:
        texts = (_text("name", "name", alias.name), _text("points at", "text", alias.service))
        yield _entry("alias", f"alias {alias.name}", alias.name, texts, {})
    for segment in snapshot.segments:
        texts = tuple(
            _text(where, form, str(value))
            for where, form, value in (
                ("name", "name", segment.name),
                ("VLAN", "number", segment.vlan),
                ("IPv4 network", "text", segment.network4),
                ("IPv6 network", "text", segment.network6),
                ("gateway", "address", segment.gateway4),
                ("gateway", "address", segment.gateway6),
                ("boot server", "address", segment.next_server),
                ("trust", "text", segment.trust),
            )
            if value not in (None, "")
        )
        yield _entry("segment", f"segment {segment.name}", segment.name, texts, segment.variables)
    for kind, rows in (("group", snapshot.groups), ("profile", snapshot.profiles)):
        for row in rows:
            yield _entry(
                kind, f"{kind} {row.name}", row.name, (_text("name", "name", row.name),), row.variables
            )
    for role in snapshot.roles:
        texts = (
            _text("name", "name", role.slug),
            _text("title", "text", role.title),
            _text("RR code", "number", role.code),
        )
        yield _entry("role", f"role {role.slug}", role.slug, texts, {})
    yield from _automation(snapshot)
    site = snapshot.site
    texts = (
        _text("name", "name", site.slug),
        _text("called", "text", site.name),
        _text("zone", "name", site.zone),
    )
    yield _entry("site", f"site {site.slug}", site.slug, texts, site.variables)


def _automation(snapshot: Snapshot) -> Iterator[Entry]:
    for project in snapshot.projects:
        texts = [_text("name", "name", project.name), _text("location", "text", project.location)]
        texts += [_text("ref", "text", project.ref)] if project.ref else []
        yield _entry("project", f"project {project.name}", project.name, texts, {})
    for one in snapshot.templates:
        texts = [_text("name", "name", one.name), _text("project", "text", one.project)]
        texts += [_text("playbook", "text", one.playbook)]
        texts += [_text("limit", "text", one.limit)] if one.limit else []
        yield _entry("template", f"template {one.name}", one.name, texts, one.extra_vars)


def _host(snapshot: Snapshot, host: HostFacts) -> Entry:
    texts = [_text("name", "name", host.name), _text("FQDN", "name", snapshot.fqdn(host.name))]
    texts += [_text("MAC", "mac", one.mac) for one in host.interfaces if one.mac]
    texts += [_text("address", "address", address) for one in host.interfaces for address in one.addresses]
    texts += [_text("service", "name", one.label) for one in host.services]
    if host.vmid is not None:
        texts.append(_text("VMID", "number", str(host.vmid)))
    for where in ("notes", "location", "platform", "role", "status"):
        if value := getattr(host, where):
            texts.append(_text(where, "text", _without_secrets(value)))
    return _entry(
        "host", host.subject, host.name, tuple(texts), _Joined(host.variables, host.access, host.out_of_band)
    )


def _interface(interface: InterfaceFacts) -> Entry:
    texts = [_text("name", "name", f"{interface.host}/{interface.name}")]
    if interface.mac:
        texts.append(_text("MAC", "mac", interface.mac))
    texts += [_text("address", "address", address) for address in interface.addresses]
    if interface.bootstrap_ipv4:
        texts.append(_text("address in bootstrap mode", "address", interface.bootstrap_ipv4))
    if interface.switch_port:
        texts.append(
            _text("switch port", "text", f"{interface.switch or ''} {interface.switch_port}".strip())
        )
    return _entry(
        "interface",
        interface.subject,
        f"{interface.host}/{interface.name}",
        tuple(texts),
        interface.variables,
    )


def _without_secrets(text: str) -> str:
    """*text* without the lines in which somebody wrote a password down."""
    if not first_look(text):
        return text
    return "\n".join(line for line in text.splitlines() if not any(secrets_in("", {"text": line})))


def _text(where: str, form: str, text: str) -> Text:
    return Text(where, form, text, text.lower())  # type: ignore[arg-type]


class _Joined(Mapping[str, Any]):
    """Several variables as one, without unpacking those that have nothing."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Mapping[str, Any]) -> None:
        self.parts = tuple(part for part in parts if part)

    def __getitem__(self, key: str) -> Any:
        return next(part[key] for part in self.parts if key in part)

    def __iter__(self) -> Iterator[str]:
        return (key for part in self.parts for key in part)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)
