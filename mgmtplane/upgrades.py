"""What starting has to do with upgrades: which version runs is written down, and none starts in the middle of one."""

from __future__ import annotations

from pathlib import Path

from mgmtplane import supervisor
from mgmtplane.upgrading import sources
from mgmtplane.upgrading.journal import PREPARING, RETURNED, UNFINISHED, Desk, Refused


def require_none_unfinished(data_dir: Path) -> None:
    """Raise supervisor.Refused where the database may be between two versions."""
    desk = Desk(data_dir)
    try:
        journal = desk.read()
    except Refused as reason:
        raise supervisor.Refused(str(reason)) from None
    if journal.state in UNFINISHED:
        raise supervisor.Refused(
            f"an upgrade from {journal.old} to {journal.new} was interrupted, and the database may be between the two; "
            "make upgrade goes on, make upgrade-back goes back. Where make knows neither: "
            f"PYTHONPATH={desk.tool} .venv/bin/python -m upgrading back"
        )


def end_prepared(data_dir: Path) -> None:
    """An upgrade that was refused before it touched the database is over: there is nothing to go back from."""
    desk = Desk(data_dir)
    if desk.read().state == PREPARING:
        desk.move(state=RETURNED)


def note_source(base_dir: Path, data_dir: Path) -> None:
    """Write down which version runs over *data_dir*, where it is another than before."""
    desk, now = Desk(data_dir), sources.here(base_dir)
    if desk.installed() != now:
        desk.note_installed(now)
