"""Hosts: their own variables, what must be pinned to them, and the two mappings that hold their identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.ansible import noun_reading
from inventory.ansible import written as reading
from inventory.document import HostDraft
from inventory.exports.ansible_model import same_value
from inventory.importers.ansible_tree import hypervisors
from inventory.importers.ansible_tree.interfaces import HostReader
from inventory.importers.ansible_tree.work import Work
from inventory.importers.tree.model import holds_secret

Variables = dict[str, Any]
NOUNS = {
    "hardware": ("host.form", noun_reading.HARDWARE_FIELDS),
    "intent": ("host.role", noun_reading.INTENT_FIELDS),
}


def translate_hosts(work: Work) -> None:
    pins = _Pins(work)
    for name in work.tree.hosts:
        if work.fits("host", name):
            work.draft.hosts[name] = _host(work, name, pins)


class _Pins:
    """What groups alone would resolve differently once their inline variables and files are one dictionary.

    Ansible puts the inline ``vars:`` of every group below ``group_vars/all``; a merged dictionary cannot say that.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self._of_chain: dict[tuple[str, ...], Variables] = {}

    def of(self, host: str, own: Mapping[str, Any]) -> Variables:
        order = self.work.tree.group_order(host)
        key = tuple(group.name for group in order)
        if key not in self._of_chain:
            theirs: Variables = {}
            for group in order:
                theirs.update(group.inline)
            for group in order:
                theirs.update(group.files)
            ours: Variables = {}
            for group in order:
                ours.update(self.work.merged[group.name])
            self._of_chain[key] = {
                name: value
                for name, value in theirs.items()
                if name not in ours or not (ours[name] is value or same_value(ours[name], value))
            }
        return {name: value for name, value in self._of_chain[key].items() if name not in own}


def _host(work: Work, name: str, pins: _Pins) -> HostDraft:
    host = work.tree.hosts[name]
    own = {**host.inline, **host.files}
    pinned = pins.of(name, own)
    variables = {**own, **pinned}
    written: Variables = {}
    if late := work.late("host", name):
        written["late"] = late
    draft = HostDraft({})
    reader = HostReader(work, name, own)
    for noun, raw in _identity(work, name, written).items():
        variables.pop(work.names[f"host.{noun}"], None)
        pinned.pop(work.names[f"host.{noun}"], None)
        reader.take(noun, raw)
    if own.keys() - variables.keys():
        written["keys"] = list(own)
    if pinned:
        written["pinned"] = sorted(pinned)
    reader.finish(draft, written)
    variables.update(reader.extras)
    if api := hypervisors.api_of(work, name, draft.fields["form"]):
        draft.proxmox = {**api}
    draft.fields.update(
        variables=work.sealer.seal("host", name, variables),
        written=written,
        sealed=work.sealed.get(("host", name), {}),
    )
    return draft


def _identity(work: Work, host: str, written: Variables) -> dict[str, Any]:
    """Which of the two mappings are ours, as Ansible resolves them.

    ``env`` and the like are common words: what has none of our keys is somebody else's and stays a variable.
    """
    resolved = work.tree.resolved(host)
    found: dict[str, Any] = {}
    for noun, (mark, _) in NOUNS.items():
        key = work.names[f"host.{noun}"]
        if key not in resolved:
            continue
        whose = _whose(resolved[key], {work.names[mark], work.names["host.interfaces"]})
        if whose == "ours":
            found[noun] = resolved[key]
        else:
            written[f"opaque:{key}"] = whose
    for noun in NOUNS:
        opaque = written.get(f"opaque:{work.names[f'host.{noun}']}")
        if opaque in ("jinja", "sealed") and (noun == "hardware" or found):
            _complain_of_whole(work, host, noun, opaque)
    return found


def _whose(raw: Any, marks: set[str]) -> str:
    if raw is None or raw == {}:
        return "ours"
    if reading.holds_jinja(raw):
        return "jinja"
    if reading.is_sealed(raw) or not isinstance(raw, Mapping):
        return "sealed" if reading.is_sealed(raw) or holds_secret(raw) else "foreign"
    if not marks & raw.keys():
        return "foreign"
    return "sealed" if holds_secret(raw) else "ours"


def _complain_of_whole(work: Work, host: str, noun: str, whose: str) -> None:
    key = work.names[f"host.{noun}"]
    reader = HostReader(work, host, {})
    kind, owner = reader.declared_by(key)
    what = "is Jinja" if whose == "jinja" else "is sealed in a vault"
    message = f"of host {host} {what}, so the host's identity cannot be read"
    work.complain(kind, owner, [key], message, "write the mapping itself, in plain")
