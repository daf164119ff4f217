"""What a site's DHCP server does, for every DHCP export. Pure."""

from inventory.dhcp.plan import (
    LEASE_SECONDS,
    REBIND_SECONDS,
    RENEW_SECONDS,
    DhcpPlan,
    Reservation,
    Subnet,
    plan,
)

__all__ = [
    "LEASE_SECONDS",
    "REBIND_SECONDS",
    "RENEW_SECONDS",
    "DhcpPlan",
    "Reservation",
    "Subnet",
    "plan",
]
