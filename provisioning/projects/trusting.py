"""The SSH host key of a project's server: looked at, and accepted by a person, once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters import host_keys
from provisioning.adapters.host_keys import HostKey
from provisioning.projects import locations
from provisioning.projects.faults import ProjectError
from provisioning.projects.places import make_folder, place_of
from provisioning.projects.sources import GIT, Declared

#: in the place of a fingerprint: whatever is shown, as a person has seen it
ANY = "*"


class NotAccepted(Exception):
    """Nothing was accepted; the message says why."""


@dataclass(frozen=True)
class Seen:
    """The keys that the server shows now, beside those that were *accepted* before, in *file*."""

    host: str
    port: int
    keys: tuple[HostKey, ...]
    accepted: tuple[HostKey, ...]
    file: Path

    @property
    def is_accepted(self) -> bool:
        return bool(self.accepted) and set(self.accepted) == set(self.keys)

    def lines(self) -> list[str]:
        """What a person compares before accepting."""
        said = [f"{host_keys.named(self.host, self.port)} {key.kind} {key.fingerprint}" for key in self.keys]
        gone = [key for key in self.accepted if key not in self.keys]
        if gone:
            said.append(
                "ANOTHER key than the one that was accepted before: "
                + ", ".join(f"{key.kind} {key.fingerprint}" for key in gone)
            )
        return said


def look(project: Declared, *, site: str, data_dir: Path) -> Seen:
    """Ask the server of *project* for its keys. Raises ProjectError where it has none, Unreachable."""
    location = locations.parse(project.location) if project.source == GIT else None
    if location is None or location.protocol != locations.SSH:
        raise ProjectError(f"Project {project.name} is not reached by ssh.", "There is nothing to accept.")
    place = place_of(data_dir, site, project.name)
    make_folder(place.folder)
    shown = host_keys.shown(location.host, location.port)
    accepted = host_keys.accepted(place.known_hosts, location.host, location.port)
    return Seen(location.host, location.port, tuple(shown), tuple(accepted), place.known_hosts)


def accept(seen: Seen, *, fingerprint: str) -> None:
    """Keep what was seen, if one of it has *fingerprint*. Raises NotAccepted."""
    if not fingerprint:
        raise NotAccepted("Nothing was accepted.")
    if fingerprint != ANY and fingerprint not in {key.fingerprint for key in seen.keys}:
        raise NotAccepted(f"Nothing was accepted: no key of {seen.host} has the fingerprint {fingerprint}.")
    keys = [key for key in seen.keys if fingerprint in (ANY, key.fingerprint)]
    host_keys.accept(seen.file, seen.host, seen.port, keys)
