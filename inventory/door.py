"""Whether the door is open: what rows ask before they let themselves be written.

The door itself is ``inventory.changes.change``; this is the little that models need to know of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class OutsideChange(RuntimeError):
    """A row was written past the door."""


class OpenChange(Protocol):
    """What rows may ask of the change that is under way."""

    strict: bool
    #: interfaces whose assigned MAC this change may replace; see ``inventory.allocation.reidentifying``
    reidentified: set[int]

    def covers(self, site_id: int | None) -> bool: ...
    def refuse_code(self, row: Any) -> None: ...
    def touch(self, row: Any) -> None: ...
    def record_for(self, site_id: int | None) -> Any: ...


_open: ContextVar[OpenChange | None] = ContextVar("open_change", default=None)
_bulk: ContextVar[bool] = ContextVar("bulk_through_the_door", default=False)


def open_change() -> OpenChange | None:
    return _open.get()


@contextmanager
def opened(change: OpenChange) -> Iterator[None]:
    token = _open.set(change)
    try:
        yield
    finally:
        _open.reset(token)


@contextmanager
def bulk_allowed() -> Iterator[None]:
    """Only the door's own, history-keeping bulk operations run inside this."""
    token = _bulk.set(True)
    try:
        yield
    finally:
        _bulk.reset(token)


def require_open(site_id: int | None, what: str) -> OpenChange:
    change = _open.get()
    if change is None:
        raise OutsideChange(f"{what} may only be written inside `with change(site, by=…, why=…)`.")
    if not change.covers(site_id):
        raise OutsideChange(f"{what} belongs to a site that the open change does not name.")
    return change


def require_bulk(what: str) -> None:
    if not _bulk.get():
        raise OutsideChange(f"{what}: use the bulk operations of the open change, which record history.")
