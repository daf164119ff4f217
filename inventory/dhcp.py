"""What a site's DHCP server does: subnets with their options, pools and reservations. Pure.

Every DHCP export renders this one plan, so they cannot disagree. What the declaration asks for and no server can
safely do is in ``left_out``, each with its reason; ``remarks`` are findings about what is rendered nevertheless.

Choices that are ours:

- Leases last twelve hours, for reservations too: half of that is how long the server may be away unnoticed.
- The DNS server handed out is the segment's, else its gateway: DNS lives on the core router.
- A pool loses every address that somebody declares, holds, or delegates. ISC dhcpd would hand out a reserved address
  from its pool, and no server knows of static addresses without a reservation.
- Segments whose networks overlap are served by neither declaration.
- IPv6 addresses are for DNS; there is no DHCPv6 here.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from inventory.addressing import Range, address_key
from inventory.dhcp_findings import (
    Ground,
    grounds_of,
    identity_is_contested,
    pool_problem,
    reasons_against,
    reservation_remarks,
    segment_findings,
)
from inventory.disputes import disputes
from inventory.findings import Finding, in_reading_order
from inventory.identity import is_ip_address
from inventory.pools import without
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, SegmentFacts, Snapshot
from inventory.zone_names import dns_name, interface_label, zone_of

LEASE_SECONDS = 43_200
RENEW_SECONDS = LEASE_SECONDS // 2
REBIND_SECONDS = LEASE_SECONDS * 7 // 8
