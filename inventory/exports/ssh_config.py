"""OpenSSH: a client configuration for every host of the site, to include or to use with ``ssh -F``.

Grammar: ssh_config(5). The first value that fits counts, so single hosts stand before the wildcards.

- ``pi01`` and ``pi01.<zone>`` go by name; ``pi01.ip`` and the bare address go by address, for the day when DNS is
  down, and their jump hosts too. Jump hosts are named by their whole name or their address, since two sites in one
  configuration may both have a ``jump01``. ``pi01.oob`` is the second way in, where one is declared: its own address, and no
  jump but its own. ``HostKeyAlias`` makes all of them one machine in ``known_hosts``.
- The declared place is a host's ``access``, else the variable ``mgmtplane_ssh`` of the host, a group or the site; key by
  key: ``user``, ``port``, ``identity`` (a path), ``jump`` (a host of the site, or ``none``), ``forward`` (a list of
  ``{local: 8006, to: "hv01:8006"}``), ``known_hosts`` (a path). A host that is jumped through for others is reached
  directly unless its own ``access`` says how. ``out_of_band`` has ``address``, ``user``, ``port``, ``jump``.
- A segment may declare a jump host: whoever is reached in it goes through that, unless its own ``access``, or the
  variable of the host or a group, says otherwise. It is nearer than the variable of the site. The segment is that of the
  interface that has the address, or the name; ``pi01`` and ``pi01.ip`` lead to the primary interface, else to a management
  one. ``pi01.alt`` goes through that segment's second jump host, by address alone.
- ``jump01.web`` (by name) and ``jump01.web.ip`` (by address) open tunnels to every web page behind that host, each on
  the local port that is recorded for it. A plain login opens none: its second would find all ports taken.
- ``known_hosts`` is the path of a file with host keys, such as the format ``known-hosts`` gives. Hosts whose keys are
  recorded are then held to them.
- The last stanzas catch what has none of its own, services and machines that nobody declared: ``*.<zone>``, and the
  addresses of segments whose network ends at an octet (a pattern can say no other).

No user and no key is named that nobody declared. ``ansible_user`` is not taken: it is the automation's account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from inventory.exports.registry import Document, Export
from inventory.exports.ssh_plan import IDENTITY, plan
from inventory.exports.ssh_words import Entry, Forward, SshPlan, Way, WebPage
from inventory.exports.text import encode, header, plain
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "ssh_config"
BY_ADDRESS, OUT_OF_BAND, ALTERNATIVE, WEB = "ip", "oob", "alt", "web"
#: To a line, which must not grow without end.
MOST_PATTERNS = 16


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    made = plan(snapshot, authority)
    return Document({FILENAME: _text(snapshot, authority, made)}, made.findings)


def with_known_hosts(snapshot: Snapshot, authority: AuthorityMode | None, files: Iterable[str]) -> bytes:
    """The same file, which looks for host keys in *files*, whatever is declared; for directories that bring one."""
    paths = list(files)
    unsafe = [path for path in paths if not IDENTITY.match(path)]
    if unsafe:
        raise ValueError(f"{unsafe[0]!r} is no plain path for ssh")
    return _text(snapshot, authority, plan(snapshot, authority), paths)


def for_the_worst_day(snapshot: Snapshot, authority: AuthorityMode | None, files: Iterable[str]) -> bytes:
    """The same file for the day on which no name resolves: ``pi01`` and ``pi01.<zone>`` go by address as well.

    Host keys are looked for in *files*. A host without a fixed address still goes by name.
    """
    made = plan(snapshot, authority)
    names = {entry.label: entry.fqdn for entry in made.entries if entry.addresses}
    bare = tuple(replace(entry, fqdn="", by_name=()) if entry.addresses else entry for entry in made.entries)
    lines = _text(snapshot, authority, replace(made, entries=bare), files).decode().splitlines()
    found = []
    for line in lines:
        word, _, patterns = line.partition(" ")
        label = patterns.split(" ")[0]
        fqdn = names.pop(label, "") if word == "Host" else ""
        found.append(f"{line} {fqdn}" if fqdn else line)
    return encode(found)


def _text(
    snapshot: Snapshot, authority: AuthorityMode | None, made: SshPlan, known_hosts: Iterable[str] = ()
) -> bytes:
    lines = [f"# {line}" for line in header(snapshot, authority, "configuration for ssh", made.findings)]
    if beside := " ".join(known_hosts):
        lines += ["", f"UserKnownHostsFile {beside}"]
    for entry in made.entries:
        lines += _entry(made, entry, is_strict=bool(beside or entry.way.known_hosts))
    for label, pages in made.pages.items():
        lines += _tunnels(made, made.by_label[label], pages, is_strict=bool(beside))
    lines += _wildcards(made)
    return encode(lines)


def _entry(made: SshPlan, entry: Entry, *, is_strict: bool) -> Iterator[str]:
    label = entry.label
    held = ["  StrictHostKeyChecking yes"] if is_strict and entry.is_known else []
    yield ""
    yield f"# {plain(entry.host)}"
    if entry.fqdn:
        yield f"Host {label} {entry.fqdn}"
        yield f"  HostName {entry.fqdn}"
        yield from [*held, *_way(made, entry.way, by_address=False)]
    yield from _further(made, entry, held, by_address=False)
    if entry.addresses:
        names = [] if entry.fqdn else [label]
        names += [_suffixed(made, label, BY_ADDRESS)]
        yield f"Host {' '.join(filter(None, names))}"
        yield f"  HostName {entry.addresses[0]}"
        yield from [*_alias(entry), *held, *_way(made, entry.way, by_address=True)]
        yield from _further(made, entry, held, by_address=True)
    if entry.alternative and (name := alternative_name(made, entry)):
        yield f"Host {name}"
        yield f"  HostName {entry.addresses[0]}"
        yield from [*_alias(entry), *held, *_way(made, entry.alternative, by_address=True)]
    if entry.second and (name := _suffixed(made, label, OUT_OF_BAND)):
        yield f"Host {name}"
        yield f"  HostName {entry.second.address}"
        yield from _way(made, entry.second, by_address=True)


def _further(made: SshPlan, entry: Entry, held: list[str], *, by_address: bool) -> Iterator[str]:
    """Stanzas for its addresses, or for its further names, each with its own way."""
    alias = [f"  HostKeyAlias {entry.fqdn or entry.addresses[0]}"] if not by_address else [*_alias(entry)]
    for way, words in entry.by_address if by_address else entry.by_name:
        for start in range(0, len(words), MOST_PATTERNS):
            yield f"Host {' '.join(words[start : start + MOST_PATTERNS])}"
            yield from [*alias, *held, *_way(made, way, by_address=by_address)]


def _tunnels(made: SshPlan, entry: Entry, pages: tuple[WebPage, ...], *, is_strict: bool) -> Iterator[str]:
    """Stanzas for a login that opens every tunnel through *entry*, by name and by address."""
    held = ["  StrictHostKeyChecking yes"] if (is_strict or entry.way.known_hosts) and entry.is_known else []
    name, way = _suffixed(made, entry.label, WEB), replace(entry.way, forward=())
    if not name:
        return
    yield ""
    yield f"# web pages behind {plain(entry.host)}: ssh -N {name}"
    for by_address in [False] * bool(entry.fqdn) + [True] * bool(entry.addresses):
        names = [] if by_address and entry.fqdn else [name]
        names += [f"{name}.{BY_ADDRESS}"] * by_address
        yield f"Host {' '.join(names)}"
        yield f"  HostName {entry.addresses[0] if by_address else entry.fqdn}"
        yield from [*(_alias(entry) if by_address else ()), *held, *_way(made, way, by_address=by_address)]
        for page in pages:
            yield f"  # {page.scheme}://127.0.0.1:{page.forward.local}/ is {plain(page.title)}"
            yield f"  LocalForward {_forward(made, page.forward, by_address=by_address)}"


def _alias(entry: Entry) -> Iterator[str]:
    if entry.fqdn:
        yield f"  HostKeyAlias {entry.fqdn}"


def _suffixed(made: SshPlan, label: str, suffix: str) -> str:
    """``pi01.ip``; empty where some host is really called that."""
    name = f"{label}.{suffix}"
    return "" if name in made.labels else name


def alternative_name(made: SshPlan, entry: Entry) -> str:
    """Under which *entry* is reached through its second jump host; empty: under none."""
    return _suffixed(made, entry.label, ALTERNATIVE) if entry.alternative and entry.addresses else ""


def _way(made: SshPlan, way: Way, *, by_address: bool) -> Iterator[str]:
    if way.user:
        yield f"  User {way.user}"
    if way.port:
        yield f"  Port {way.port}"
    if way.identity:
        yield f"  IdentityFile {way.identity}"
    if way.known_hosts:
        yield f"  UserKnownHostsFile {way.known_hosts}"
    if way.jump:
        yield f"  ProxyJump {_jump(made, way.jump, by_address=by_address)}"
    for forward in way.forward:
        yield f"  LocalForward {_forward(made, forward, by_address=by_address)}"


def _jump(made: SshPlan, label: str, *, by_address: bool) -> str:
    if label == "none":
        return label
    return _bracketed(_target(made.by_label[label], by_address=by_address))


def _target(entry: Entry, *, by_address: bool) -> str:
    """The name or address under which *entry* has a stanza of its own, and which no other site has."""
    return (by_address and entry.addresses and entry.addresses[0]) or entry.fqdn or entry.addresses[0]


def _bracketed(target: str) -> str:
    return f"[{target}]" if ":" in target else target


def _forward(made: SshPlan, forward: Forward, *, by_address: bool) -> str:
    """Resolved at the far end: by address it must need no DNS there either."""
    entry = made.by_label.get(forward.label)
    target = forward.to
    if entry is not None:
        target = _target(entry, by_address=by_address)
    return f"127.0.0.1:{forward.local} {_bracketed(target)}:{forward.port}"


def _wildcards(made: SshPlan) -> Iterator[str]:
    if made.zone:
        yield ""
        yield "# services, further interfaces, and what nobody declared"
        yield f"Host *.{made.zone}"
        yield from _way(made, made.default, by_address=False)
    for way, patterns in made.patterns:
        for start in range(0, len(patterns), MOST_PATTERNS):
            yield f"Host {' '.join(patterns[start : start + MOST_PATTERNS])}"
            yield from _way(made, way, by_address=True)


EXPORT = Export(
    name="ssh-config",
    title="SSH client",
    purpose="A configuration for ssh: every host by name and by address, through its jump host.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
