"""What is declared, as rows."""

from inventory.models.access import Rendering, Token
from inventory.models.automation import JobTemplate, Project
from inventory.models.base import Change, Declared, SiteRow
from inventory.models.consumers import Consumer
from inventory.models.copies import Copy, OtherCopy
from inventory.models.emergencies import EmergencyUse
from inventory.models.groups import Group, Membership, Nesting, WorkloadProfile
from inventory.models.hosts import Host, HostPart
from inventory.models.hypervisors import Hypervisor
from inventory.models.identity import Identity
from inventory.models.interfaces import Interface
from inventory.models.kit_places import KitPlace
from inventory.models.machines import VirtualMachine
from inventory.models.needs import HostNeed
from inventory.models.overrides import SeverityOverride
from inventory.models.people import Grant, RememberedAnswer, SavedFilter
from inventory.models.schedules import Schedule
from inventory.models.segments import Segment
from inventory.models.services import Alias, Service
from inventory.models.sites import Authority, Role, Site

__all__ = [
    "Alias",
    "Authority",
    "Change",
    "Consumer",
    "Copy",
    "Declared",
    "EmergencyUse",
    "Grant",
    "Group",
    "Host",
    "HostNeed",
    "HostPart",
    "Hypervisor",
    "Identity",
    "Interface",
    "JobTemplate",
    "KitPlace",
    "Membership",
    "Nesting",
    "OtherCopy",
    "Project",
    "RememberedAnswer",
    "Rendering",
    "Role",
    "SavedFilter",
    "Schedule",
    "Segment",
    "Service",
    "SeverityOverride",
    "Site",
    "SiteRow",
    "Token",
    "VirtualMachine",
    "WorkloadProfile",
]
