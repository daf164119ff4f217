"""A backup of the application itself, as a job: asked for by a person, or because the newest is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.plans import ADD, REMOVE, Line, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from provisioning.engine.turns import Turn


class BackUpApplication(Kind):
    """Outcome: ``archive`` (its file name), ``rows``, ``bytes``, ``removed``, ``warnings``; ``brought`` (how many went to
    BACKUP_COPY_TO)."""

    name = "backup_application"
    title = "Back up this application"
    verb = "Back up"
    what = "One archive of every row, kept rendering and sealed secret, made while everything goes on."
    queue = LONG
    of_site = False
    reads_only = True

    def target_key(self, asked: Asked) -> str:
        return "backup_application"

    def plan(self, asked: Asked) -> Plan:
        from provisioning.backups import archive, making

        lock = making.declared_lock()
        lines = [Line(ADD, str(settings.BACKUP_DIR), f"an archive; what is secret: {lock.how or 'left out'}")]
        if settings.BACKUP_COPY_TO:
            lines.append(Line(ADD, str(settings.BACKUP_COPY_TO), "the same, and those here that it lacks"))
        try:
            over = archive.archives(settings.BACKUP_DIR)[settings.BACKUP_KEEP - 1 :]
        except archive.CannotBackUp as error:
            return Plan(problems=(str(error),))
        lines += [Line(REMOVE, path.name, f"older than the newest {settings.BACKUP_KEEP}") for path in over]
        return Plan(tuple(lines), warnings=() if lock.how else (making.UNSEALED,))

    def run(self, turn: Turn, plan: Plan) -> None:
        from provisioning.backups import archive, making
        from provisioning.backups.sealing import SealError

        try:
            made = making.create(settings.BACKUP_DIR, making.declared_lock(), step=turn.step)
            turn.step("look at the archive")
            problems = archive.check(made.path)
        except (archive.CannotBackUp, SealError) as error:
            raise JobFailed(str(error)) from None
        if problems:
            raise JobFailed(
                f"{made.path.name} is not what was written: {' '.join(problems)}",
                "Look at the disk, and make another.",
            )
        turn.step("remove old ones")
        if doubt := archive.misdated(
            made.path, (path.name for path in archive.archives(settings.BACKUP_DIR))
        ):
            turn.event("warning", doubt)
        removed = archive.forget_old(settings.BACKUP_DIR, settings.BACKUP_KEEP, made.path)
        for warning in made.warnings:
            turn.event("warning", warning)
        turn.outcome = {
            "archive": made.path.name,
            "rows": made.rows,
            "bytes": made.size,
            "removed": len(removed),
            "warnings": len(made.warnings),
        }
        turn.message = f"{made.path.name} has {made.rows} rows in {made.size} bytes, and was read back."
        if settings.BACKUP_COPY_TO:
            self._bring(turn, made.path)

    def _bring(self, turn: Turn, made: Path) -> None:
        """Every archive here that is not there: one that could not be brought yesterday goes today."""
        from provisioning.backups import archive, away

        turn.step(f"bring it to {settings.BACKUP_COPY_TO}")
        try:
            other = away.declared(check=turn.check)
            if other is None:
                return
            there = {one.name: one.size for one in other.archives()}
            here = archive.archives(settings.BACKUP_DIR)
            lacking = [path for path in here if there.get(path.name) != path.stat().st_size]
            for path in reversed(lacking):
                other.bring(path)
            other.forget_old(settings.BACKUP_KEEP, made)
        except archive.CannotBackUp as error:
            raise JobFailed(
                f"It is made, and was not brought to {settings.BACKUP_COPY_TO}. {error}",
                "The next backup brings what is lacking.",
            ) from None
        turn.outcome |= {"brought": len(lacking)}
        turn.message += f" It is at {settings.BACKUP_COPY_TO} too."
