"""Whose machine it is: a marker in the description that a machine carries, and a tag for people. Pure.

Only the marker counts. A tag is set and lost with one click; the marker names the site, its uid and the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioning.machines.facts import Config

TAG = "mgmtplane"
#: the description of what is being cloned, in Proxmox's own words
_CLONING = "qmclone temporary file"
_MARKER = re.compile(r"^mgmtplane: site=(?P<site>\S+) uid=(?P<uid>\S*) host=(?P<host>\S+)\s*$", re.MULTILINE)
_PARKED = re.compile(r"^mgmtplane-parked: (?P<since>\d{4}-\d\d-\d\dT[\d:]{8}\+00:00)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Owner:
    """The declaration that a machine carries out. Equal by site, uid and host; the rest says who a renamed one is."""

    site: str
    uid: str
    host: str
    #: the MAC of its first card, by which a machine is known whose host was renamed; empty: none is
    mac: str = field(default="", compare=False)
    #: every host that the site declares, retired ones too
    declared: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def marker(self) -> str:
        return f"mgmtplane: site={self.site} uid={self.uid} host={self.host}"


def owner_of(description: str) -> Owner | None:
    """Who marked it; None for nobody, or for more than one marker, which no program of ours writes."""
    found = list(_MARKER.finditer(description))
    return Owner(found[0]["site"], found[0]["uid"], found[0]["host"]) if len(found) == 1 else None


def former(config: Config, owner: Owner) -> Owner | None:
    """Who marked the machine before *owner* was renamed; None: nobody, or another one that may still be.

    Its marker names the same site and uid, and a host that is declared no longer, and the machine has the MAC of *owner*.
    The caller found it under the VMID of *owner*.
    """
    found = owner_of(config.get("description"))
    if found is None or found == owner or not owner.mac or not owner.declared:
        return None
    is_ours = (found.site, found.uid) == (owner.site, owner.uid) and found.host not in owner.declared
    return found if is_ours and any(nic.mac == owner.mac for nic in config.nics.values()) else None


def renaming(config: Config, owner: Owner) -> str:
    """``old → new`` where the machine carries the marker of its host's former name; else empty."""
    old = former(config, owner)
    return f"{old.marker} → {owner.marker}" if old else ""


def marked(description: str, owner: Owner) -> str:
    """*description* with the marker of *owner* as its last line, and no other marker; it is parked no longer."""
    kept = _PARKED.sub("", _MARKER.sub("", description)).strip()
    return f"{kept}\n\n{owner.marker}" if kept else owner.marker


def tagged(tags: frozenset[str]) -> str:
    """The value of ``tags`` with ours added; Proxmox sorts them itself."""
    return ";".join(sorted(tags | {TAG}))


def is_wreck(config: Config) -> bool:
    """Whether it is what Proxmox leaves where a restore over a machine failed: no name, card, disk or description."""
    return set(config.values) - {"lock"} == {"memory"}


def is_being_made(config: Config) -> bool:
    """A clone or restore is going on: until it ends, Proxmox shows the lock, no marker, and no words but its own."""
    return config.lock in ("clone", "create") and config.get("description").strip() in ("", _CLONING)


def is_going(config: Config) -> bool:
    """It is being destroyed, or was in part: its disks are gone, and of its configuration the lock is left."""
    return config.lock == "destroyed" and not config.get("description").strip()


def not_ours(config: Config, owner: Owner) -> str:
    """Say why a machine must not be touched in the name of *owner*; empty when it is theirs."""
    found = owner_of(config.get("description"))
    name = config.get("name") or "It"
    if config.is_template:
        return f"{name} is a template: machines are made of it, and it stays as it is."
    if found == owner or former(config, owner):
        return ""
    if is_going(config):
        return (
            "It is being destroyed, or that broke off: where no task is at it, remove what is left as root on its node "
            "(qm destroy VMID --skiplock)."
        )
    if is_wreck(config):
        return f"What a failed restore left is no machine of {owner.host} any more: put its backup back (restore_vm)."
    if found is None:
        return f"{name} carries no marker of {owner.host} at {owner.site}: somebody else made it, or adopt it first."
    if (found.site, found.uid) != (owner.site, owner.uid):
        return f"{name} belongs to {found.host} of another site or installation ({found.site}, {found.uid})."
    return f"{name} belongs to {found.host}, not to {owner.host}."


def parked_since(description: str) -> datetime | None:
    """When the machine was parked to be destroyed; None: it was not, or somebody wrote a moment that there is not."""
    found = _PARKED.search(description)
    try:
        return datetime.fromisoformat(found["since"]) if found else None
    except ValueError:
        return None


def unparked(description: str) -> str:
    """*description* without a moment of parking."""
    return _PARKED.sub("", description).strip()


def parked(description: str, since: datetime) -> str:
    """*description* with the moment of parking before its marker."""
    kept = unparked(description)
    return f"mgmtplane-parked: {since.astimezone(UTC).isoformat(timespec='seconds')}\n\n{kept}"
