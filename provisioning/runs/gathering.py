"""The secrets of one run, gathered when it begins and kept nowhere: vault passwords, the key, what a person gave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from inventory import host_keys, reading
from inventory.automating import automation
from inventory.exports.registry import get_export
from inventory.snapshot import HostFacts, Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.keeper import client
from provisioning.keeper.client import KeeperAway, KeeperRefused, of_job
from provisioning.runs.arguments import Arguments
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks.needs import PROMPT, Need
from provisioning.unlocks.opening import Sealed, label_of, resolver

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: host keys that belong to the project, in its top folder
KNOWN_HOSTS = "known_hosts"
#: the format that has the recorded ones
RECORDED = "known-hosts"
_LARGEST = 1 << 20
SSH_PORT = "22"
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")


@dataclass(frozen=True)
class Given:
    """Secrets by what they are for; *extra_vars* are those without any."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    vault_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh_key: str = field(default="", repr=False)


def gather(turn: Turn, arguments: Arguments) -> Given:
    """All of them, hidden from what the turn says; or wait until a person has entered every one that lacks."""
    found = _Gathered(turn, arguments)
    passwords = {
        vault_id: found.resolved(reference, found.label_of(reference))
        for vault_id, reference in arguments.vault_secrets
    }
    key = found.resolved(arguments.ssh_key, "SSH key", key=True) if arguments.ssh_key else ""
    variables = {
        name: found.resolved(value, name)
        for name, value in arguments.extra_vars.items()
        if automation.is_reference(value)
    }
    plain = {name: value for name, value in arguments.extra_vars.items() if name not in variables}
    variables |= found.prompted(arguments)
    if found.needs:
        turn.need_secrets(found.needs)
    turn.hide(*passwords.values(), key, *variables.values())
    return Given(variables, plain, passwords, key)


class _Gathered:
    """Asks for one secret after another, and remembers which a person has to enter."""

    def __init__(self, turn: Turn, arguments: Arguments) -> None:
        self.needs: list[Need] = []
        self._turn = turn
        self._snapshot = reading.load(turn.job.site_slug)
        self._resolve = resolver(
            self._snapshot,
            data_dir=Path(settings.DATA_DIR),
            job_id=turn.job.pk,
            sealed=Sealed(arguments.sealed, arguments.openers),
        )

    def label_of(self, reference: str) -> str:
        return label_of(self._snapshot, reference)

    def resolved(self, reference: str, label: str, *, key: bool = False) -> str:
        try:
            return self._resolve(reference, label, key)
        except NeedsUnlock as needed:
            self.needs += [need for need in needed.needs if need not in self.needs]
            return ""
        except SecretError as fault:
            raise JobFailed(f"{label}: {fault}") from None

    def prompted(self, arguments: Arguments) -> dict[str, str]:
        """What the template asks for and a person gave for this run alone."""
        scope, found = of_job(self._turn.job.pk), {}
        for name, label, needed, least, most in arguments.secrets:
            need = Need(scope, PROMPT + name, label, least=least, most=most)
            value = _held(scope, need.name)
            if value is not None and not need.problem(value):
                found[name] = value
            elif needed or value is not None:
                self.needs.append(need)
        return found


def _held(scope: str, name: str) -> str | None:
    try:
        return client.fetch(scope, name)
    except (KeeperAway, KeeperRefused):  # nothing is held then
        return None


def forget(job_id: int) -> None:
    """What was given for this run alone is not held any longer."""
    try:
        client.drop(of_job(job_id))
    except (KeeperAway, KeeperRefused):
        return


def known_hosts(project: Path, snapshot: Snapshot) -> str:
    """The host keys that the project brings, in a file ``known_hosts`` at its top, and those that the site records.

    Both as they are now: a key that was withdrawn since is not trusted, whatever was frozen.
    """
    file = project / KNOWN_HOSTS
    brought = ""
    if file.is_file() and file.stat().st_size <= _LARGEST:
        brought = file.read_text(encoding="utf-8", errors="replace").rstrip("\n") + "\n"
    return brought + recorded(snapshot)


def recorded(snapshot: Snapshot) -> str:
    """The host keys that people recorded at the site, as a known_hosts file."""
    known = "".join(one.decode() for one in get_export(RECORDED).render(snapshot, None).files.values())
    more = (f"{names} {key}\n" for host in snapshot.live_hosts for names, key in _as_ansible_enters(host))
    return known + "".join(more)


def _as_ansible_enters(host: HostFacts) -> Iterator[tuple[str, str]]:
    """(names, key) of *host* by what Ansible calls it: its name, and where its own variables say that it is entered."""
    port = str(host.variables.get("ansible_port") or SSH_PORT)
    names = [str(name) for name in (host.name, host.variables.get("ansible_host")) if name]
    plain = [name for name in dict.fromkeys(names) if _ADDRESS.fullmatch(name)]
    if not plain or not port.isdecimal():  # Jinja belongs to Ansible
        return
    at = [name if port == SSH_PORT else f"[{name}]:{port}" for name in plain]
    for key in host_keys.keys(host.host_keys):
        yield ",".join(at), key
