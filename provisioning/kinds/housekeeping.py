"""Tidying up, every hour or when somebody asks for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked, Kind
from provisioning.plans import RUN, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

log = logging.getLogger(__name__)


class Housekeeping(Kind):
    """Outcome: ``chores``, ``failed``."""

    name = "housekeeping"
    title = "Housekeeping"
    verb = "Tidy up"
    what = "Removes what nobody needs: sessions, delivered messages, old renderings and jobs, quarantines that passed."
    of_site = False
    of_any_copy = True

    def target_key(self, asked: Asked) -> str:
        return "housekeeping"

    def plan(self, asked: Asked) -> Plan:
        from provisioning.clockwork.chores import CHORES

        return Plan(tuple(Line(RUN, _said(chore.__name__)) for chore in CHORES))

    def run(self, turn: Turn, plan: Plan) -> None:
        from provisioning.clockwork.chores import CHORES

        failed = []
        for chore in CHORES:
            turn.step(_said(chore.__name__))
            try:
                said = chore()
            except Exception:  # the other chores do not wait for this one to be mended
                log.exception("housekeeping: %s failed", chore.__name__)
                turn.event("error", "failed; the worker's log says why")
                failed.append(_said(chore.__name__))
            else:
                log.info("housekeeping: %s", said)
                turn.event("info", said)
        turn.outcome = {"chores": len(CHORES), "failed": len(failed)}
        if failed:
            raise JobFailed(f"{len(failed)} of {len(CHORES)} chores failed: {', '.join(failed)}.")


def _said(name: str) -> str:
    return name.replace("_", " ")
