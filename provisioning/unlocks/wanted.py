"""Which secrets a site's declarations want a person to enter: the names in ``unlock:NAME``, and who says so. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.automating.automation import is_reference
from inventory.snapshot import Snapshot
from provisioning.unlocks.opening import label_of, passwords_of

VAULT, KEY, OTHER = "vault", "key", "other"
_PREFIX = "unlock:"


@dataclass(frozen=True)
class Wanted:
    """A name that declarations ask for. *what*: a vault password, an SSH key with its lines, or something else."""

    name: str
    what: str
    label: str
    #: who asks for it, such as “job template site”
    places: tuple[str, ...]


def wanted(snapshot: Snapshot) -> tuple[Wanted, ...]:
    """By name. A name that is asked for as a vault password and as something else is a vault password."""
    found: dict[str, Wanted] = {}
    for reference, what, place in _references(snapshot):
        if not reference.startswith(_PREFIX):
            continue
        name = reference.removeprefix(_PREFIX)
        before = found.get(name)
        places = before.places if before else ()
        chosen = before.what if before else what
        label = label_of(snapshot, reference) if chosen == VAULT else {KEY: "SSH key"}.get(chosen, "secret")
        found[name] = Wanted(name, chosen, label, places if place in places else (*places, place))
    return tuple(found[name] for name in sorted(found))


def _references(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """(reference, what it is, who declares it)."""
    for template in snapshot.templates:
        place = f"job template {template.name}"
        yield from ((reference, VAULT, place) for _, reference in template.vault_secrets)
        yield template.ssh_key, KEY, place
        yield from _through_vault(snapshot, template.ssh_key, place)
        for value in filter(is_reference, template.extra_vars.values()):
            yield value, OTHER, place
            yield from _through_vault(snapshot, value, place)
    for project in snapshot.projects:
        yield project.key, KEY, f"project {project.name}"
        yield from _through_vault(snapshot, project.key, f"project {project.name}")
    for host in snapshot.live_hosts:
        for token in (host.proxmox.secret, host.proxmox.read_secret) if host.proxmox else ():
            yield token, OTHER, f"hypervisor {host.name}"
            yield from _through_vault(snapshot, token, f"hypervisor {host.name}")


def _through_vault(snapshot: Snapshot, reference: str, place: str) -> Iterator[tuple[str, str, str]]:
    """What opens a ``vault:VARIABLE``."""
    if reference.startswith("vault:"):
        yield from ((password, VAULT, place) for _, password in passwords_of(snapshot))
