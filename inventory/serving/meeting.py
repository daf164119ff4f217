"""How copies of the application learn of each other: consumers carry what they saw from one to the other.

Every answer has the header ``Mgmtplane-Copy: <epoch>.<copy>.<signature>``: which copy writes the site, since which
promotion. A consumer keeps it with the file, and sends what it kept (and another that it refused) as ``Mgmtplane-Seen``
with whatever it asks. The signature is of this installation's own secret key, which a copy that is restored with its
secrets has as well: what it proves makes this copy read-only, anything else is only told.

Two installations may each have a site of one name, so every answer has the site's own id too, as ``Mgmtplane-Site``. A
consumer sends that of what it saw: what was seen of another site is no news of this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare, salted_hmac

from inventory.copying import copies
from inventory.serving.best_effort import best_effort

#: which copy writes the site: in answers; and what a consumer saw of it: in requests
COPY, SEEN = "Mgmtplane-Copy", "Mgmtplane-Seen"
#: the site's id: in answers; and of which site that was seen: in requests
SITE = "Mgmtplane-Site"

_SHAPE = re.compile(r"(?P<epoch>\d{1,9})\.(?P<copy>[0-9a-f]{16})\.(?P<signature>[0-9a-f]{20})", re.ASCII)
#: so many of those that a consumer names are looked at
MOST = 4
_SALT = "inventory.serving.meeting"


@dataclass(frozen=True, slots=True)
class Met:
    """A copy as a consumer saw it."""

    epoch: int
    copy: str
    signature: str


def signed(uid: str, epoch: int, live_copy: str) -> str:
    """The header of a site (its *uid*): which copy writes it since *epoch*."""
    return f"{epoch}.{live_copy}.{_signature(uid, epoch, live_copy)}" if live_copy else ""


def _signature(uid: str, epoch: int, live_copy: str) -> str:
    said = f"{uid} {epoch} {live_copy}"
    return salted_hmac(_SALT, said, algorithm="sha256").hexdigest()[:20]


def read(header: str) -> Iterator[Met]:
    """What a consumer says it saw; what has another shape is passed over."""
    for part in header[:400].split(",")[:MOST]:
        if (found := _SHAPE.fullmatch(part.strip())) is not None:
            yield Met(int(found["epoch"]), found["copy"], found["signature"])


def is_of(uid: str, named: str) -> bool:
    """Whether what a consumer saw is of the site *uid*; one that does not name any saw it of this one."""
    return not named.strip() or named.strip() == uid


def note(
    header: str,
    *,
    site_id: int,
    uid: str,
    epoch: int,
    live_copy: str,
    told_by: str,
    token_id: int | None = None,
) -> None:
    """Remember the other copies that a consumer saw of the site, which stands at *epoch* here. Never fails."""
    for met in read(header):
        if met.epoch < epoch or met.copy == live_copy:
            continue
        proven = constant_time_compare(_signature(uid, met.epoch, met.copy), met.signature)
        with best_effort(f"another copy, told by {told_by}"):
            copies.note_met(
                site_id,
                epoch=met.epoch,
                other=met.copy,
                proven=proven,
                told_by=told_by,
                token_id=token_id,
            )
