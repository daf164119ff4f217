"""OpenSSH: the host keys that somebody recorded, as a ``known_hosts`` file. Grammar: sshd(8), SSH_KNOWN_HOSTS.

One line for each key, with every name that the ``ssh-config`` of the same site looks for: the host's name in DNS
(which is the ``HostKeyAlias`` of its other names), its label, and its addresses; with ``[…]:port`` where ssh listens on
another port than 22. A key that two hosts have is written for both, and said: whoever has one can be taken for the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory import host_keys
from inventory.exports.registry import Document, Export
from inventory.exports.ssh_plan import plan
from inventory.exports.ssh_words import Entry
from inventory.exports.text import LONGEST_LINE, encode, header
from inventory.findings import Finding, in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "known_hosts"
PORT = 22


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    made = plan(snapshot, authority)
    findings = in_reading_order([*made.findings, *shared(snapshot)])
    head = [f"# {line}" for line in header(snapshot, authority, "host keys for ssh", findings)]
    lines: list[str] = []
    for entry in made.entries:
        for key in host_keys.keys(snapshot.host_by_name[entry.host].host_keys):
            lines += [f"{names} {key}" for names in _names(entry, LONGEST_LINE)]
    return Document(
        {FILENAME: encode(head) + "".join(f"{line}\n" for line in lines).encode("ascii")}, findings
    )


def shared(snapshot: Snapshot) -> Iterator[Finding]:
    """Keys that more than one host has."""
    hosts: dict[str, list[str]] = {}
    for host in snapshot.live_hosts:
        for key in host_keys.keys(host.host_keys):
            hosts.setdefault(key, []).append(host.name)
    for key, names in sorted(hosts.items(), key=lambda item: item[1]):
        if len(names) > 1:
            yield Finding(
                "host-key-shared",
                "warning",
                f"host {names[0]}",
                f"has the same {key.split()[0]} host key as {', '.join(names[1:])}: {host_keys.fingerprint(key)}.",
                "Make new host keys on the clones (ssh-keygen -A), and record those.",
            )


def _names(entry: Entry, room: int) -> Iterator[str]:
    """Names of *entry* separated by commas, in as many pieces as fit *room* characters each."""
    bare = [name for name in (entry.fqdn, entry.label, *entry.addresses) if name]
    port = entry.way.port or PORT
    names = bare if port == PORT else [*bare, *(f"[{name}]:{port}" for name in bare)]
    piece: list[str] = []
    for name in names:
        if piece and len(",".join([*piece, name])) > room:
            yield ",".join(piece)
            piece = []
        piece.append(name)
    yield ",".join(piece)


EXPORT = Export(
    name="known-hosts",
    title="SSH host keys",
    purpose="The recorded host keys of every host, by name and by address, as a known_hosts file.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
