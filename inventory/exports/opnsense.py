"""OPNsense: the CSV that its page Services, Kea DHCPv4, Reservations imports (24.1.3 and later).

Source: OPNsense's models and controllers at 24.1 to 26.7. One file serves all of those versions:

- the four columns that each of them has. Columns for options came and went from 25.1.8 to 26.7.2, and a column that
  a version does not know is dropped without a word: boot servers are left out here, and said;
- a comma between them: older versions read nothing else, later ones find out by themselves (26.1). No cell holds a
  comma, a semicolon, a quote or a backslash, so whoever reads it cannot cut it otherwise;
- lower-case MACs with colons. A row's key is its MAC as text together with the subnet of its address: another
  spelling would be a second reservation, and Kea refuses to start with two.

What the page accepts and then takes Kea or Unbound down (two spellings of one MAC, an address twice, an address
outside its subnet, a host name that is no DNS label) is not in the plan that is rendered here. Rows that the page
refuses it drops, and keeps the others: it says which. It deletes nothing, so what left the site has to be deleted
there; the description tells which rows are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inventory import dhcp
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode
from inventory.findings import Finding, in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "reservations.csv"
COLUMNS = ("ip_address", "hw_address", "hostname", "description")
#: Bytes that a description holds.
LONGEST_DESCRIPTION = 255
#: Whose row it is; first in the description.
OWNER = "mgmtplane"
_OUTSIDE = re.compile(r"[^A-Za-z0-9._/-]")


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dhcp.plan(snapshot, authority)
    lines = [",".join(COLUMNS)]
    for subnet in plan.subnets:
        for r in subnet.reservations:
            lines.append(f"{r.address},{r.mac},{r.hostname or ''},{_description(snapshot, r)}")
    return Document({FILENAME: encode(lines)}, in_reading_order([*plan.findings, *_limits(snapshot, plan)]))


def _description(snapshot: Snapshot, reservation: dhcp.Reservation) -> str:
    """Whose row it is. Made of names alone: no free text leaves here."""
    whole = f"{snapshot.site.slug}/{reservation.host}/{reservation.interface}"
    return f"{OWNER}:{_OUTSIDE.sub('_', whole)}"[:LONGEST_DESCRIPTION]


def _limits(snapshot: Snapshot, plan: dhcp.DhcpPlan) -> Iterator[Finding]:
    yield Finding(
        "format-limit",
        "info",
        f"site {snapshot.site.slug}",
        f"has {len(plan.subnets)} segments with DHCP; the CSV of OPNsense holds reservations alone, no subnets, "
        "pools or options.",
        "Set those up in OPNsense once; a reservation whose subnet is missing there is refused by name.",
    )
    for reservation in (r for subnet in plan.subnets for r in subnet.reservations):
        boot = reservation.boot
        if boot.file or boot.server_name:
            yield Finding(
                "format-limit",
                "warning",
                f"interface {reservation.host}/{reservation.interface}",
                "boots from the network; the CSV of OPNsense has no column for that in every version, so its "
                f"reservation comes without {boot.file or 'a file'} from {boot.server_name or 'a server'}.",
                "Set TFTP server and boot file in the reservation itself; importing again keeps them.",
            )


EXPORT = Export(
    name="opnsense",
    title="OPNsense (Kea)",
    purpose="The CSV of reservations that OPNsense's Kea page imports, 24.1.3 and later.",
    content_type="text/csv; charset=utf-8; header=present",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
