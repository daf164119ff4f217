"""Projects: where playbooks come from. A directory, or a git repository at a ref, as of one commit; no rows, no Django."""

from provisioning.projects.confining import inside
from provisioning.projects.faults import Moved, Outside, ProjectError
from provisioning.projects.installing import Installed, requirements
from provisioning.projects.limits import Limits
from provisioning.projects.resolved import resolved
from provisioning.projects.sources import Declared, Obtained, Since, lay_out, notes, obtain, playbooks, since

__all__ = [
    "Declared",
    "Installed",
    "Limits",
    "Moved",
    "Obtained",
    "Outside",
    "ProjectError",
    "Since",
    "inside",
    "lay_out",
    "notes",
    "obtain",
    "playbooks",
    "requirements",
    "resolved",
    "since",
]
