"""The recovery kit of a site: file name → content, all that comes from what is declared. Pure.

It needs nothing but a browser and a text editor to be read. The same facts give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from inventory.bootstrap import served
from inventory.exports import ssh_config
from inventory.exports.registry import all_exports
from inventory.recovery.pages import pages
from inventory.recovery.spelling import Apart, apart
from inventory.rules import secrets
from inventory.snapshot import AuthorityMode, Snapshot

SUMS, OWN_SUM = "SHA256SUMS", "SHA256SUMS.sha256"
KNOWN_HOSTS = "ssh/known_hosts"
MODES: tuple[AuthorityMode, ...] = ("gateway", "bootstrap")
#: of our own, as they are: name in the kit → file in this package
CHECK = Path(__file__).parent / "beside" / "check.py"
BESIDE = {"check.py": "check.py", "restore.sh": "restore.sh", "bootstrap/up.sh": "up.sh"}

#: so many that declare a secret in clear are named
NAMED = 10

README = """\
Recovery kit of the site {slug} ({zone}).

index.html      open it in any browser: where to begin, everything that is declared, what falls with what
bootstrap/      DHCP and DNS from a bootstrap node:   sudo sh bootstrap/up.sh INTERFACE
gateway/        every export as the core router serves it
ansible/        an inventory that runs as it is:      ansible-inventory -i ansible --graph
ssh/config      logins by address, known host keys:   ssh -F ssh/config HOST
power/          shutting down and powering up:        sh power/shutdown.sh
built.txt       when this was built, and what of
site.yml        everything declared, as one text:     manage.py declare site.yml --apply
application/    this application, its newest backup:  sh restore.sh DIRECTORY
                once the lost one stays off:          manage.py promote {slug} --why "…"
check.py        is every file as it was written?      python3 check.py --fingerprint SHA256:…
                Where somebody may have changed the kit, they may have changed this check.py too: take one that
                lies elsewhere, or manage.py recovery_kit check, before anything in here is run.

"""
SEALED = "What is secret is sealed, or not in here.\n"
IN_CLEAR = """\
What was declared as sealed, or as a reference, is so in here. Secrets that are declared in clear stand in clear in
site.yml, and in the exports and Ansible trees that carry variables: by {named}.
"""

SAME = """
Many disks hold one of two names that differ in case alone. Of boot files with the same content (pxe/) only those in lower
case are here; a boot server that is asked for one in upper case needs a copy of that name.
"""
RENAMED = """
Other names that differ in case alone have a number here. Where case is told apart, give them their names back:

"""

BOOTSTRAP = """\
DHCP and DNS of {slug} from this machine, until Ctrl-C:

    sudo sh up.sh INTERFACE

It sets {addresses} on INTERFACE, and runs dnsmasq with the file beside it, for that segment and on that interface alone;
a resolver on 127.0.0.53 goes on beside it. Needed: dnsmasq, ip. On other servers: the files and directories beside have
the same for Kea, ISC DHCP, BIND and Unbound.

A firewall on this machine must let in: udp 67 (DHCP), udp and tcp 53 (DNS), udp 69 (TFTP). nftables:

    nft add rule inet filter input udp dport {{ 53, 67, 69 }} accept
    nft add rule inet filter input tcp dport 53 accept

Switch the core router's DHCP off first, where it runs: two servers on one segment are an outage.
"""


def files(snapshot: Snapshot) -> dict[str, bytes]:
    """Everything but the site document, the application and the sums."""
    found = apart({**pages(snapshot), **_renderings(snapshot), **_bootstrap(snapshot), **_beside()})
    readme = README.format(slug=snapshot.site.slug, zone=snapshot.site.zone) + told_of_secrets(snapshot)
    readme += _told_of_names(found)
    return {**found.files, "README.txt": readme.encode()}


def told_of_secrets(snapshot: Snapshot) -> str:
    """Whether secrets are in here in clear, which only declarations can bring in, and by whom."""
    subjects = in_clear(snapshot)
    if not subjects:
        return SEALED
    return IN_CLEAR.format(named=named(subjects))


def named(subjects: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(subjects) - NAMED} more" if len(subjects) > NAMED else ""
    return ", ".join(subjects[:NAMED]) + more


def in_clear(snapshot: Snapshot) -> list[str]:
    """Who declares a secret in clear, as the finding ``secret-in-plain`` names it."""
    return snapshot.once(_in_clear)


def _in_clear(snapshot: Snapshot) -> list[str]:
    return [one.subject for one in secrets.findings(snapshot) if one.id == "secret-in-plain"]


def _told_of_names(found: Apart) -> str:
    told = SAME if found.same else ""
    if found.renamed:
        lines = (f"{name}  is  {place}\n" for name, place in sorted(found.renamed.items()))
        told += f"{RENAMED}{''.join(lines)}"
    return told


def _renderings(snapshot: Snapshot) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for mode in MODES:
        for export in all_exports():
            if export.is_whole:
                continue
            below = f"{mode}/{export.name}/" if export.is_directory else f"{mode}/"
            document = export.render(snapshot, mode)
            found |= {f"{below}{name}": content for name, content in document.files.items()}
            if mode == "gateway" and export.name == "ansible-tree":
                found |= {f"ansible/{name}": content for name, content in document.files.items()}
            if mode == "gateway" and export.name == "known-hosts":
                found[KNOWN_HOSTS] = b"".join(document.files.values())
            if mode == "gateway" and export.name == "power-scripts":
                found |= {f"power/{name}": content for name, content in document.files.items()}
    # ssh writes what people accept into the first, which is not to be the kit's; then from the kit's top, from its ssh/
    beside = ("~/.ssh/known_hosts", KNOWN_HOSTS, "known_hosts")
    found["ssh/config"] = ssh_config.for_the_worst_day(snapshot, "gateway", beside)
    return found


def _bootstrap(snapshot: Snapshot) -> dict[str, bytes]:
    """Address and prefix of the node in each segment; the one it is reached in comes first."""
    lines = addresses_of_node(snapshot)
    text = "".join(f"{address} {segment}\n" for address, segment in lines)
    told = " or ".join(address for address, _ in lines) or "no address (none is declared)"
    return {
        "bootstrap/addresses": text.encode(),
        "bootstrap/README.txt": BOOTSTRAP.format(slug=snapshot.site.slug, addresses=told).encode(),
    }


def addresses_of_node(snapshot: Snapshot) -> list[tuple[str, str]]:
    """(address/prefix, segment) of the bootstrap node in its mode, its primary interface first."""
    drafted = served(snapshot, "bootstrap")
    node = drafted.snapshot.host_by_name.get(drafted.node)
    if node is None:
        return []
    found = []
    for interface in sorted(node.interfaces, key=lambda one: one is not node.primary):
        segment = drafted.snapshot.segment_of(interface)
        if interface.ipv4 and segment is not None and segment.network4:
            found.append((f"{interface.ipv4}/{segment.network4.partition('/')[2]}", segment.name))
    return found


def _beside() -> dict[str, bytes]:
    folder = Path(__file__).parent / "beside"
    return {name: (folder / file).read_bytes() for name, file in BESIDE.items()}


def sums(digests: Mapping[str, str]) -> bytes:
    """Name → SHA-256 as lines that ``sha256sum --check`` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()
