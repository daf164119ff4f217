"""OpenSSH: a client configuration for every host of the site, to include or to use with ``ssh -F``.

Grammar: ssh_config(5). The first value that fits counts, so single hosts stand before the wildcards.

- ``pi01`` and ``pi01.<zone>`` go by name; ``pi01.ip`` and the bare address go by address, for the day when DNS is
  down, and their jump hosts too. ``pi01.oob`` is the second way in, where one is declared: its own address, and no
  jump but its own. ``HostKeyAlias`` makes all of them one machine in ``known_hosts``.
- The declared place is a host's ``access``, else the variable ``mgmtplane_ssh`` of the host, a group or the site; key by
  key: ``user``, ``port``, ``identity`` (a path), ``jump`` (a host of the site, or ``none``), ``forward`` (a list of
  ``{local: 8006, to: "hv01:8006"}``). A host that is jumped through for others is reached directly unless its own
  ``access`` says how. ``out_of_band`` has ``address``, ``user``, ``port``, ``jump``.
- The last stanzas catch what has none of its own, services and machines that nobody declared: ``*.<zone>``, and the
  addresses of segments whose network ends at an octet (a pattern can say no other).

No user and no key is named that nobody declared. ``ansible_user`` is not taken: it is the automation's account.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory.exports.registry import Document, Export
from inventory.exports.ssh_plan import Entry, Forward, SshPlan, Way, plan
from inventory.exports.text import encode, header, plain
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "ssh_config"
BY_ADDRESS, OUT_OF_BAND = "ip", "oob"
#: To a line, which must not grow without end.
MOST_PATTERNS = 16


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    made = plan(snapshot, authority)
    lines = [f"# {line}" for line in header(snapshot, authority, "configuration for ssh", made.findings)]
    for entry in made.entries:
        lines += _entry(made, entry)
    lines += _wildcards(made)
    return Document({FILENAME: encode(lines)}, made.findings)


def _entry(made: SshPlan, entry: Entry) -> Iterator[str]:
    label = entry.label
    yield ""
    yield f"# {plain(entry.host)}"
    if entry.fqdn:
        yield f"Host {label} {entry.fqdn}"
        yield f"  HostName {entry.fqdn}"
        yield from _way(made, entry.way, by_address=False)
    if entry.addresses:
        names = [] if entry.fqdn else [label]
        names += [_suffixed(made, label, BY_ADDRESS)]
        yield f"Host {' '.join(filter(None, names))}"
        yield f"  HostName {entry.addresses[0]}"
        yield from _alias(entry)
        yield from _way(made, entry.way, by_address=True)
        for start in range(0, len(entry.addresses), MOST_PATTERNS):
            yield f"Host {' '.join(entry.addresses[start : start + MOST_PATTERNS])}"
            yield from _alias(entry)
            yield from _way(made, entry.way, by_address=True)
    if entry.second and (name := _suffixed(made, label, OUT_OF_BAND)):
        yield f"Host {name}"
        yield f"  HostName {entry.second.address}"
        yield from _way(made, entry.second, by_address=True)


def _alias(entry: Entry) -> Iterator[str]:
    if entry.fqdn:
        yield f"  HostKeyAlias {entry.fqdn}"


def _suffixed(made: SshPlan, label: str, suffix: str) -> str:
    """``pi01.ip``; empty where some host is really called that."""
    name = f"{label}.{suffix}"
    return "" if name in made.labels else name


def _way(made: SshPlan, way: Way, *, by_address: bool) -> Iterator[str]:
    if way.user:
        yield f"  User {way.user}"
    if way.port:
        yield f"  Port {way.port}"
    if way.identity:
        yield f"  IdentityFile {way.identity}"
    if way.jump:
        yield f"  ProxyJump {_jump(made, way.jump, by_address=by_address)}"
    for forward in way.forward:
        yield f"  LocalForward {_forward(made, forward, by_address=by_address)}"


def _jump(made: SshPlan, label: str, *, by_address: bool) -> str:
    if label == "none":
        return label
    entry = made.by_label[label]
    return (by_address and entry.addresses and _suffixed(made, label, BY_ADDRESS)) or label


def _forward(made: SshPlan, forward: Forward, *, by_address: bool) -> str:
    """Resolved at the far end: by address it must need no DNS there either."""
    entry = made.by_label.get(forward.label)
    target = forward.to
    if entry is not None:
        target = (by_address and entry.addresses and entry.addresses[0]) or entry.fqdn or entry.addresses[0]
    return f"127.0.0.1:{forward.local} {f'[{target}]' if ':' in target else target}:{forward.port}"


def _wildcards(made: SshPlan) -> Iterator[str]:
    if made.zone:
        yield ""
        yield "# services, further interfaces, and what nobody declared"
        yield f"Host *.{made.zone}"
        yield from _way(made, made.default, by_address=False)
    for start in range(0, len(made.patterns), MOST_PATTERNS):
        yield f"Host {' '.join(made.patterns[start : start + MOST_PATTERNS])}"
        yield from _way(made, made.default, by_address=True)


EXPORT = Export(
    name="ssh-config",
    title="SSH client",
    purpose="A configuration for ssh: every host by name and by address, through its jump host.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
