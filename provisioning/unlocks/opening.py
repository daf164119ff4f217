"""Opens what a site declares under Ansible Vault, with the passwords that the site's job templates name.

A site whose templates name none has one password, ``unlock:vault``. Nothing that is opened is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory import vault
from inventory.ansible.resolving import resolved
from inventory.packed import Packed
from inventory.snapshot import Snapshot
from provisioning import secrets
from provisioning.secrets import NeedsUnlock, SecretError

SEALED = "__ansible_vault"
#: the vault id of what was sealed without one
DEFAULT = "default"
PASSWORD = "unlock:vault"  # noqa: S105 - a reference
VAULT = "vault:"
#: a variable that only names another one
_NAMED = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\Z")
#: so many sealed values a password is tried on
MOST_TRIED = 100
#: so many names one after another; more go in a circle
MOST_NAMES = 8

Place = tuple[str, str]  # (where, ciphertext)


def passwords_of(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """(vault id, reference) of each vault password of the site, sorted."""
    named = {pair for template in snapshot.templates for pair in template.vault_secrets}
    return tuple(sorted(named)) or ((DEFAULT, PASSWORD),)


@dataclass(frozen=True)
class Sealed:
    """Vaulted variables as they were at one moment: ciphertext by name, and the passwords that may open it."""

    variables: Mapping[str, str] = field(default_factory=dict)
    #: (vault id, reference)
    passwords: tuple[tuple[str, str], ...] = ()


def sealed_of(snapshot: Snapshot, references: Iterable[str]) -> Sealed:
    """What the ``vault:VARIABLE`` among *references* stand for at the site now. Raises SecretError."""
    names = {one.partition(":")[2] for one in references if one.startswith(VAULT)}
    found = {name: ciphertext_of(snapshot, name) for name in sorted(names) if name}
    return Sealed(found, passwords_of(snapshot) if found else ())


def resolver(
    snapshot: Snapshot,
    *,
    data_dir: Path,
    job_id: int | None = None,
    host: str = "",
    sealed: Sealed | None = None,
) -> Callable[..., str]:
    """``resolve(reference, label="", key=False)`` for a job of the site.

    ``vault:VARIABLE`` is a variable as *host* has it, or the site; those that are *sealed* are as they were then.

    Raises SecretError, and NeedsUnlock, as ``secrets.resolve`` does.
    """

    def ask(reference: str, label: str = "", key: bool = False) -> str:
        return secrets.resolve(
            reference,
            data_dir=data_dir,
            site_slug=snapshot.site.slug,
            job_id=job_id,
            unlocked=opened,
            label=label,
            key=key,
        )

    def opened(name: str) -> str:
        if sealed is not None and name in sealed.variables:
            return decrypted(snapshot, name, sealed.variables[name], ask, sealed.passwords)
        return decrypted(snapshot, name, ciphertext_of(snapshot, name, host), ask)

    return ask


def ciphertext_of(snapshot: Snapshot, name: str, host: str = "") -> str:
    """The sealed text that the variable *name* stands for, as *host* (or the site) sees it. Raises SecretError."""
    variables: Mapping[str, Any] = snapshot.site.variables
    if host and host in snapshot.host_by_name:
        variables = {one.key: one.value for one in resolved(snapshot, snapshot.host_by_name[host])}
    whose = f"host {host}" if host else f"site {snapshot.site.slug}"
    wanted = name
    for _ in range(MOST_NAMES):
        if wanted not in variables:
            raise SecretError(f"{whose} has no variable {wanted}; declare it, sealed with ansible-vault.")
        value = variables[wanted]
        if isinstance(value, Mapping) and isinstance(value.get(SEALED), str):
            return str(value[SEALED])
        named = _NAMED.match(value) if isinstance(value, str) else None
        if named is None:
            raise SecretError(
                f"The variable {wanted} of {whose} is not sealed; seal it with ansible-vault, or give another reference."
            )
        wanted = named[1]
    raise SecretError(f"The variable {name} of {whose} leads in a circle.")


def decrypted(
    snapshot: Snapshot,
    name: str,
    ciphertext: str,
    ask: Callable[..., str],
    passwords: tuple[tuple[str, str], ...] = (),
) -> str:
    """What *ciphertext*, that of the variable *name*, holds, opened with whichever of *passwords*, or of the site's, fits.

    Those of its vault id come first.
    """
    label, locked = vault_id(ciphertext), []
    known = sorted(passwords or passwords_of(snapshot), key=lambda pair: pair[0] != label)
    for _, reference in known:
        if reference.startswith(VAULT):
            continue  # a password that lies under the vault that it opens
        try:
            password = ask(reference, label_of(snapshot, reference))
            return vault.decrypt(ciphertext, password.encode()).decode()
        except NeedsUnlock as needed:
            locked.append(needed.needs[0])
        except vault.WrongPassword:
            continue
        except (vault.VaultError, UnicodeDecodeError) as damaged:
            raise SecretError(f"{name} cannot be opened: {damaged}") from None
    if locked:
        raise NeedsUnlock(locked[0])  # that of its vault id, if it has one
    raise SecretError(f"No vault password of the site opens {name}; enter the one that it was sealed with.")


def vault_id(ciphertext: str) -> str:
    """The vault id that *ciphertext* was sealed under."""
    fields = ciphertext.partition("\n")[0].strip().split(";")
    return fields[3].strip() if len(fields) > 3 else DEFAULT


# --- trying a password before it is held ---


def ids_of(snapshot: Snapshot, name: str) -> frozenset[str]:
    """The vault ids that ``unlock:NAME`` is the password of; none: it is no vault password."""
    return frozenset(found for found, reference in passwords_of(snapshot) if reference == f"unlock:{name}")


def sealed_values(snapshot: Snapshot) -> Iterator[Place]:
    """Every vaulted value of the site with its place, the nearest first."""
    yield from _sealed_in(f"site {snapshot.site.slug}", snapshot.site.variables)
    for group in snapshot.groups:
        yield from _sealed_in(f"group {group.name}", group.variables)
    for profile in snapshot.profiles:
        yield from _sealed_in(f"workload profile {profile.name}", profile.variables)
    for host in snapshot.hosts:
        yield from _sealed_in(f"host {host.name}", host.variables)
    for file in snapshot.sealed:
        yield file.path, file.text


def _sealed_in(place: str, value: Any) -> Iterator[Place]:
    if isinstance(value, Packed) and SEALED not in value.text:
        return
    if isinstance(value, Mapping):
        if isinstance(value.get(SEALED), str):
            yield place, value[SEALED]
            return
        for key, inner in value.items():
            yield from _sealed_in(f"{place}, {key}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _sealed_in(place, inner)


def opens_nothing(snapshot: Snapshot, name: str, password: str) -> str:
    """Why *password* cannot be the one that ``unlock:NAME`` is for: a sentence, or nothing, also where nothing is sealed.

    It is tried on what was sealed under its vault ids; one value that it opens is enough.
    """
    ids = ids_of(snapshot, name)
    tried: list[str] = []
    for place, ciphertext in sealed_values(snapshot):
        if vault_id(ciphertext) not in ids:
            continue
        try:
            vault.decrypt(ciphertext, password.encode())
            return ""
        except vault.WrongPassword:
            tried.append(place)
        except vault.VaultError:  # damaged: the password is not to blame
            continue
        if len(tried) >= MOST_TRIED:
            break
    if not tried:
        return ""
    return (
        f"This is not the vault password: it does not open what is sealed at {tried[0]}"
        + (f", nor at {len(tried) - 1} other places" if len(tried) > 1 else "")
        + ". Enter the one that it was sealed with."
    )


def label_of(snapshot: Snapshot, reference: str) -> str:
    """What a person reads beside the field for a vault password."""
    ids = sorted(found for found, known in passwords_of(snapshot) if known == reference)
    return f"vault password ({', '.join(ids)})" if ids and ids != [DEFAULT] else "vault password"
