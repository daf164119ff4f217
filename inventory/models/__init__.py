"""What is declared, as rows."""

from inventory.models.access import Rendering, Token
from inventory.models.base import Change, Declared, SiteRow
from inventory.models.consumers import Consumer
from inventory.models.groups import Group, Membership, Nesting, WorkloadProfile
from inventory.models.hosts import Host, HostPart
from inventory.models.hypervisors import Hypervisor
from inventory.models.identity import Identity
from inventory.models.interfaces import Interface
from inventory.models.overrides import SeverityOverride
from inventory.models.segments import Segment
from inventory.models.services import Alias, Service
from inventory.models.sites import Authority, Role, Site

__all__ = [
    "Alias",
    "Authority",
    "Change",
    "Consumer",
    "Declared",
    "Group",
    "Host",
    "HostPart",
    "Hypervisor",
    "Identity",
    "Interface",
    "Membership",
    "Nesting",
    "Rendering",
    "Role",
    "Segment",
    "Service",
    "SeverityOverride",
    "Site",
    "SiteRow",
    "Token",
    "WorkloadProfile",
]
