"""What two hosts claim: rendered for neither, and said once per thing. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.findings import Finding
from inventory.snapshot import Snapshot

WORDS = {"mac": "MAC", "ip": "address", "vmid": "VMID", "name": "name"}


def dispute(kind: str, value: str, hosts: tuple[str, ...]) -> Finding:
    """The finding about one identity that *hosts* all claim."""
    claimants = f"{', '.join(hosts[:-1])} and {hosts[-1]}"
    return Finding(
        "identity-disputed",
        "error",
        f"{WORDS[kind]} {value}",
        f"{claimants} claim the {WORDS[kind]} {value}; it is rendered for none of them.",
        "Leave it with one of them and take it from the others, or retire the machine that is gone.",
    )


def disputes(snapshot: Snapshot, *kinds: str) -> Iterator[Finding]:
    """One finding per disputed identity of *kinds*."""
    for (kind, value), hosts in sorted(snapshot.claimants.items()):
        if kind in kinds:
            yield dispute(kind, value, hosts)
