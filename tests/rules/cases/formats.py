"""What one export says about itself, or a mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inventory.exports import get_export
from inventory.findings import Finding
from inventory.snapshot import AuthorityFacts, ServiceFacts, Snapshot
from tests.rules.cases.making import HostFacts, Pair, card, host, of

BOOTSTRAP = AuthorityFacts("bootstrap", "ada", "2030-01-02T03:04:05Z", "the router is gone", "builder")


def by(name: str) -> Callable[[Snapshot], Iterable[Finding]]:
    return lambda snapshot: get_export(name).render(snapshot, None).findings


def builder(**facts):
    """The bootstrap node serves, beside a router that has the gateway's address."""
    node = host("builder", card("builder", "192.0.2.95", **facts))
    router = host("rt01", card("rt01", "192.0.2.1", reservation=False), form="rt")
    return of(node, router, authority=BOOTSTRAP, authorities=(BOOTSTRAP,))


def scraped(port: int | None):
    service = ServiceFacts("www", "h", port=port, metrics_path="/metrics")
    return of(HostFacts("h", interfaces=(card("h"),), services=(service,)))


CASES = {
    "bootstrap-address-taken": Pair(
        builder(reservation=False, bootstrap_ipv4="192.0.2.1"), builder(reservation=False)
    ),
    "bootstrap-own-reservation": Pair(builder(), builder(reservation=False)),
    "format-limit": Pair(of(host("localhost")), of(host("h")), by("hosts")),
    "pxe-unclear": Pair(
        of(host(variables={"mgmtplane_pxe": ["a"]})),
        of(host(variables={"mgmtplane_pxe": {"kernel": "vmlinuz"}})),
        by("pxe"),
    ),
    "scrape-target-unusable": Pair(scraped(None), scraped(9100), by("prometheus")),
    "ssh-access-unusable": Pair(
        of(host(access={"nonsense": 1})), of(host(access={"user": "ada"})), by("ssh-config")
    ),
}
