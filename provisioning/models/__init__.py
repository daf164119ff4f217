"""What happens, as rows."""

from provisioning.models.drift import DriftDecision, DriftFinding
from provisioning.models.jobs import Job, JobEvent
from provisioning.models.kits import KitState
from provisioning.models.observations import Observation
from provisioning.models.powered import PoweredSpan
from provisioning.models.projects import ProjectState
from provisioning.models.runs import FrozenInput, HostHold, PlaybookRun, RunEvent, RunHost
from provisioning.models.schedules import ScheduleState
from provisioning.models.surveys import Survey
from provisioning.models.unlockings import Unlocking
from provisioning.models.workers import Worker

__all__ = [
    "DriftDecision",
    "DriftFinding",
    "FrozenInput",
    "HostHold",
    "Job",
    "JobEvent",
    "KitState",
    "Observation",
    "PlaybookRun",
    "PoweredSpan",
    "ProjectState",
    "RunEvent",
    "RunHost",
    "ScheduleState",
    "Survey",
    "Unlocking",
    "Worker",
]
