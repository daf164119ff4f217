"""The drill of the backup, as a job: asked for by a person, or because the last one is too long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.plans import RUN, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: so many differences are written down one by one
MOST_TOLD = 50


class DrillBackup(Kind):
    """Outcome: ``archive``, ``into`` (the kind of database), ``rows``, ``tables``, ``sites``, ``exports``,
    ``identities``, ``documents``, ``differences``, ``warnings``, ``seconds``."""

    name = "drill_backup"
    title = "Drill the backup of this application"
    verb = "Drill"
    what = "Restores the newest backup beside, compares rows, next identities and every export, and touches nothing living."
    queue = LONG
    of_site = False
    of_any_copy = True
    reads_only = True

    def target_key(self, asked: Asked) -> str:
        return "drill_backup"

    def plan(self, asked: Asked) -> Plan:
        from provisioning.backups import archive

        try:
            found = archive.newest(settings.BACKUP_DIR)
        except archive.CannotBackUp as error:
            return Plan(problems=(str(error),))
        if found is None:
            return Plan(problems=("There is no backup of this application yet; make one first.",))
        return Plan(
            (
                Line(RUN, "restore the newest backup", "in a scratch place, gone afterwards"),
                Line(RUN, "compare", "rows, next identities, and every export in every mode"),
                Line(RUN, "declare each site from its document", "and compare again"),
            )
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        from provisioning.backups import archive
        from provisioning.drills import drilling

        try:
            found = archive.newest(settings.BACKUP_DIR)
            if found is None:
                raise JobFailed("There is no backup of this application yet.", "Make one first.")
            done = drilling.drill(
                found, passphrase=settings.BACKUP_PASSPHRASE or "", step=turn.step, check=turn.check
            )
        except archive.CannotBackUp as error:
            raise JobFailed(str(error), "Make another backup, and drill that.") from None
        for warning in (*done.warnings, *done.uncompared):
            turn.event("warning", warning)
        for difference in done.differences[:MOST_TOLD]:
            turn.event("error", difference)
        turn.outcome = {
            "archive": done.archive,
            "into": done.into,
            **done.numbers,
            "documents": done.documents,
            "differences": len(done.differences),
            "warnings": len(done.warnings) + len(done.uncompared),
            "seconds": done.seconds,
        }
        if done.differences:
            raise JobFailed(
                f"What was restored from {done.archive} differs in {len(done.differences)}: {done.differences[0]}",
                "The other differences are told above; keep this archive, and make another.",
            )
        turn.message = done.told
