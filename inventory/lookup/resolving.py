"""One value in, everything that a site knows of it out. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from inventory.dns.names import zone_of
from inventory.lookup import placing, served
from inventory.lookup.answers import Answer, Claim, Declared, Touched
from inventory.lookup.asking import Question, understood
from inventory.lookup.index import Found, index_of
from inventory.references import Place, naming_value
from inventory.rules.masking import HIDDEN
from inventory.secret_signs import first_look, secrets_in
from inventory.snapshot import Snapshot

MOST_REFERENCES = 50


def resolve(
    snapshot: Snapshot,
    text: str,
    *,
    claims: Collection[Claim] = (),
    changes: Sequence[Touched] = (),
    with_references: bool = True,
) -> Answer:
    """Everything that the site knows of *text*: a name, address, MAC, VMID or VLAN id in any spelling.

    *claims* are the ledger's lines, of which those about this value are told; *changes* those that wrote the hosts that
    :func:`hosts_of` names. Without *with_references* variables and notes are not searched, which takes longest.
    """
    question = understood(text)
    found = _declared(snapshot, question)
    declared = tuple(dict.fromkeys(one for one, _ in found))
    hosts = tuple(dict.fromkeys(host for _, host in found if host))
    told = tuple(one for one in claims if _is_about(one, question, snapshot))
    return Answer(
        site=snapshot.site.slug,
        asked=question.asked,
        kind=question.kind,
        value=question.value,
        says=tuple(_says(snapshot, question, is_taken=bool(declared or any(_blocks(one) for one in told)))),
        declared=declared,
        claims=told,
        exported=_exported(snapshot, question, hosts),
        changes=tuple(changes),
        references=_references(snapshot, question, declared) if with_references else (),
        near=_near(snapshot, question) if not declared and not told else (),
        hosts=hosts,
    )


def hosts_of(snapshot: Snapshot, text: str) -> tuple[str, ...]:
    """The hosts that an answer about *text* will speak of: whose changes the caller may look up."""
    return tuple(dict.fromkeys(host for _, host in _declared(snapshot, understood(text)) if host))


def ledger_keys(snapshot: Snapshot, text: str) -> list[tuple[str, str]]:
    """(kind, value) under which the ledger may have lines about *text*."""
    question = understood(text)
    kinds = {"mac": "mac", "address": "ip", "vmid": "vmid", "name": "name"}
    if question.kind not in kinds:
        return []
    keys = [(kinds[question.kind], question.value)]
    if question.kind == "name":
        keys += [("name", name) for name in _relative(snapshot, question.value)]
    return list(dict.fromkeys(keys))


def _declared(snapshot: Snapshot, question: Question) -> list[Found]:
    index = index_of(snapshot)
    if question.kind == "mac":
        return index.macs.get(question.value, [])
    if question.kind == "address":
        return index.addresses.get(question.value, [])
    if question.kind == "text":
        return index.ports.get(question.asked.lower(), [])
    if question.kind == "vmid":
        return [*index.numbers.get(question.value, []), *index.names.get(question.value, [])]
    if question.kind == "name":
        named = [one for name in _relative(snapshot, question.value) for one in index.names.get(name, [])]
        return named + index.ports.get(question.asked.lower(), [])
    return []


def _relative(snapshot: Snapshot, name: str) -> list[str]:
    """*name* as it may stand in the index: below the zone, or whole."""
    zone = zone_of(snapshot)
    below = name.removesuffix(f".{zone}") if zone else name
    return list(dict.fromkeys([below, name]))


def _is_about(claim: Claim, question: Question, snapshot: Snapshot) -> bool:
    return (claim.kind, claim.value) in ledger_keys(snapshot, question.asked)


def _blocks(claim: Claim) -> bool:
    return claim.state in ("held", "quarantined")


def _says(snapshot: Snapshot, question: Question, *, is_taken: bool) -> Iterable[str]:
    if question.kind == "mac":
        return placing.of_mac(snapshot, question.value)
    if question.kind == "address":
        return placing.of_address(snapshot, question.value, is_taken=is_taken)
    if question.kind == "vmid":
        return placing.of_number(snapshot, question.value, is_taken=is_taken)
    return ()


def _exported(snapshot: Snapshot, question: Question, hosts: tuple[str, ...]) -> tuple[served.Exported, ...]:
    zone = zone_of(snapshot)
    addresses = [question.value] if question.kind == "address" else []
    names = []
    if question.kind == "name":
        names = [question.value, *(f"{name}.{zone}" for name in _relative(snapshot, question.value))]
        names += [f"{question.value}.{snapshot.site.root_domain}"]
    return served.about(snapshot, hosts, addresses, names)


def _references(snapshot: Snapshot, question: Question, declared: tuple[Declared, ...]) -> tuple[Place, ...]:
    """Where variables and notes name the value; the row's own fields are told already."""
    if question.kind == "text" or len(question.value) < 2:
        return ()
    own = {one.subject for one in declared}
    fields = {"name", "mac", "ipv4", "ipv6", "vmid", "bootstrap_ipv4", "slug", "service"}
    networks = {"network4", "network6", "block"}
    found = [
        place
        for place in naming_value(snapshot, question.value)
        if not place.sealed
        and place.where not in networks
        and not (place.subject in own and place.where.partition(".")[0] in fields)
    ]
    return tuple(map(_unrevealing, found[:MOST_REFERENCES]))


def _unrevealing(place: Place) -> Place:
    """*place* without its text, where that looks like a secret in plain."""
    key = re.sub(r"\[\d+\]", "", place.where).rpartition(".")[2]
    if first_look(f"{key} {place.text}") and any(secrets_in("", {key: place.text})):
        return replace(place, text=HIDDEN)
    return place


def _near(snapshot: Snapshot, question: Question) -> tuple[str, ...]:
    if question.kind not in ("name", "text"):
        return ()
    wanted = question.value.partition(".")[0].lower()
    return tuple(difflib.get_close_matches(wanted, list(index_of(snapshot).names), n=3, cutoff=0.7))
