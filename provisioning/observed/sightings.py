"""What a job read last of the machine that it was at: kept in the newest survey when it ends, so that drift follows now.

Nothing more is read for it. Where the hypervisor was not surveyed, or its newest survey failed, nothing is concluded.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import DatabaseError

from inventory.models import Site
from provisioning import drift
from provisioning.adapters.proxmox import shapes
from provisioning.machines.facts import Config, GuestLine
from provisioning.observed import surveys
from provisioning.surveying.survey import Guest

log = logging.getLogger(__name__)


@dataclass
class Sighting:
    """Of the machine *vmid* on *hypervisor*. *config* None and *is_gone*: it is not there."""

    hypervisor: str
    vmid: int
    config: Config | None = None
    line: GuestLine | None = None
    is_gone: bool = False

    def take(self, vmid: int, seen: Config | GuestLine | None) -> None:
        if vmid != self.vmid:
            return
        if seen is None:
            self.config, self.line, self.is_gone = None, None, True
            return
        self.is_gone = False
        if isinstance(seen, Config):
            self.config = seen
        else:
            self.line = seen

    def guest(self, before: Guest | None) -> Guest | None:
        """As a survey has it; *before*: as the newest one has it."""
        if self.is_gone:
            return None
        line = self.line if self.line or before is None else before.line
        config = self.config if self.config or before is None else before.config
        if line is None or config is None:
            return before
        kept = before.snapshots if before is not None else ()  # kinds of snapshots keep theirs themselves
        return Guest(line, shapes.guest_macs("qemu", config.values), config, kept)


def keep(site: Site, sighting: Sighting, *, job: int) -> None:
    """Put *sighting* into the newest survey and judge drift, for the *job* that is done with the machine.

    The job did what it was for: a database that does not answer here does not fail it, and the next survey sees the same.
    """
    try:
        if surveys.keep_guest(site, sighting.hypervisor, sighting.vmid, sighting.guest):
            drift.judge(site, but=job)
    except DatabaseError:
        log.warning("job %s: what it saw was not kept; the next survey sees it", job, exc_info=True)
