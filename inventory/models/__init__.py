"""What is declared, as rows."""

from inventory.models.access import Rendering, Token
from inventory.models.base import Change, Declared, SiteRow
from inventory.models.groups import Group, Membership, Nesting, WorkloadProfile
from inventory.models.hosts import Host, HostPart, Interface
from inventory.models.identity import Identity
from inventory.models.segments import Segment
from inventory.models.services import Alias, Service
from inventory.models.sites import Authority, Role, Site

__all__ = [
    "Alias",
    "Authority",
    "Change",
    "Declared",
    "Group",
    "Host",
    "HostPart",
    "Identity",
    "Interface",
    "Membership",
    "Nesting",
    "Rendering",
    "Role",
    "Segment",
    "Service",
    "Site",
    "SiteRow",
    "Token",
    "WorkloadProfile",
]
