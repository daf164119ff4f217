"""Ages in powered-on time: what counts is time in which workers were heard.

Labs are switched off for weeks. What was made an hour before the switch was thrown is an hour old when the power comes
back, and nobody is to be alarmed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.models import PoweredSpan

#: seconds between two times that one process says so
SAY_EVERY = 30.0
#: seconds of silence after which a new span begins
GAP = 180.0
#: spans that ended so long ago are forgotten
KEEP_DAYS = 730

Span = tuple[datetime, datetime]

_said = float("-inf")


def reckoned(spans: Iterable[Span], since: datetime, now: datetime) -> float:
    """Seconds between *since* and *now* that lie in *spans*; where several of them overlap they count once. Pure."""
    total, at = timedelta(), since
    for began, until in sorted(spans):
        first, last = max(began, at), min(until, now)
        if last > first:
            total += last - first
            at = last
    return total.total_seconds()


def age(since: datetime) -> float:
    """Seconds of powered-on time since that moment; as far back as it was written down."""
    spans = PoweredSpan.objects.filter(until__gt=since).values_list("began", "until")
    return reckoned(spans, since, database_now())


def ages(moments: Iterable[datetime]) -> dict[datetime, float]:
    """The same of many moments, asked for at once."""
    wanted = set(moments)
    if not wanted:
        return {}
    spans = list(PoweredSpan.objects.filter(until__gt=min(wanted)).values_list("began", "until"))
    now = database_now()
    return {since: reckoned(spans, since, now) for since in wanted}


def known() -> float:
    """Seconds of powered-on time in all that was written down."""
    first = PoweredSpan.objects.order_by("began").values_list("began", flat=True).first()
    return age(first) if first is not None else 0.0


def heard() -> None:
    """Part of each sweep: somebody works, so that the power is on. Written down twice a minute."""
    global _said
    if time.monotonic() < _said + SAY_EVERY:
        return
    _said = time.monotonic()
    newest = PoweredSpan.objects.order_by("-pk").values_list("pk", flat=True).first()
    now = DatabaseTime()
    # A clock that was put back begins a span as well: what was heard in its future is not heard now.
    near = {"until__gt": DatabaseTime(-GAP), "until__lte": DatabaseTime(GAP)}
    if newest is None or not PoweredSpan.objects.filter(pk=newest, **near).update(until=now):
        PoweredSpan.objects.create(began=now, until=now)


def forget() -> int:
    """Remove the spans of long ago; how many."""
    return PoweredSpan.objects.filter(until__lt=DatabaseTime(-86_400.0 * KEEP_DAYS)).delete()[0]
