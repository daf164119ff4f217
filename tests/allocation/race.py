"""Many who ask at once. As a program it is one of several: ``python -m tests.allocation.race SITE FIRST COUNT KINDS``.

Request *n* of a race asks for the *n*-th host, or for a new one: what it asks for goes round MAC, address, VMID and host.
"""

from __future__ import annotations

import json
import sys
from typing import Any

KINDS = ("mac", "address", "vmid", "host")


def declare(requests: int) -> Any:
    """A site with room for exactly so many of each kind, and a host for each request that needs one."""
    from inventory.changes import change
    from inventory.models import Host, Role, Segment, Site

    naming: Any = {
        "fields": [{"field": "role", "after": "-"}, {"field": "form"}, {"field": "number", "digits": 3}],
        "ordinal": "number",
    }
    site = Site(
        slug="race",
        organisation="de",
        environment="20",
        vmid_first=1000,
        vmid_last=1000 + requests - 1,
        naming=naming,
    )
    with change(site, by="race") as the_change:
        first, last = "10.9.0.1", f"10.9.{requests // 256}.{requests % 256}"
        Segment(site=site, name="lan", network4="10.9.0.0/16", static_first=first, static_last=last).save()
        role = Role(site=site, slug="dns", code="01")
        role.save()
        the_change.create(
            [Host(site=site, name=f"h{number:04}", form="vm", role=role) for number in range(requests)]
        )
    return site


def request(site: str, number: int, kinds: tuple[str, ...] = KINDS) -> tuple[str, str]:
    """Ask once; return (kind, value)."""
    from inventory.allocation import Wanted, allocate

    kind, host = kinds[number % len(kinds)], f"h{number:04}"
    wanted = {
        "mac": lambda: Wanted(host=host, mac=True),
        "address": lambda: Wanted(host=host, address=True, segment="lan"),
        "vmid": lambda: Wanted(host=host, vmid=True),
        "host": lambda: Wanted(role="dns", form="vm", vmid=True, mac=True, address=True, segment="lan"),
    }[kind]()
    handout = allocate(site, wanted, by=f"request {number}")
    return kind, {
        "mac": handout.mac,
        "address": handout.ipv4,
        "vmid": str(handout.vmid),
        "host": handout.host,
    }[kind]


def die_before_the_end(site: str, number: int) -> None:
    """Ask, and be killed when everything is written and nothing is kept yet."""
    import os
    import signal

    from inventory.changes import SiteChange

    settle = SiteChange.settle

    def settle_and_die(change: SiteChange) -> None:
        settle(change)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(SiteChange, "settle", settle_and_die)  # noqa: B010 - the type checker knows better
    request(site, number, ("host",))


def main() -> None:
    import django

    django.setup()
    site, first, count, kinds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), tuple(sys.argv[4].split(","))
    if count == 0:
        die_before_the_end(site, first)
    print("ready", flush=True)
    sys.stdin.readline()  # all begin together
    print(json.dumps([request(site, number, kinds) for number in range(first, first + count)]))


if __name__ == "__main__":
    main()
