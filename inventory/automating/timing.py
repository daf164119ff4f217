"""When a schedule is due: a cron expression in a time zone, or every so many hours. Pure.

A due time is a moment, and the same for whoever works it out. Where a day has no such time (clocks go forward) it is
the moment at which they do; where it has it twice (clocks go back), the first of the two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import ParseException, crontab_parser

#: minute, hour, day of month, month, day of week: how many, from which on
FIELDS = {
    "minute": (60, 0),
    "hour": (24, 0),
    "day of month": (31, 1),
    "month": (12, 1),
    "day of week": (7, 0),
}
#: weekdays and months by name are for these alone
NAMED = {
    "month": "jan feb mar apr may jun jul aug sep oct nov dec",
    "day of week": "sun mon tue wed thu fri sat",
}
PART = re.compile(r"(?:\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:/[1-9][0-9]{0,2})?\Z")
MOST_HOURS = 24 * 366
#: a 29 February comes again within nine years, whatever the century
LOOK_AHEAD = timedelta(days=9 * 366)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotATime(ValueError):
    """What is wrong with an expression or a zone, in one sentence."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The five fields as sets of numbers; Sunday is 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def is_on(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def times(self, day: date) -> Iterator[datetime]:
        """The wall clock's times of one day, without a zone, in order."""
        if self.is_on(day):
            for hour in self.hours:
                for minute in self.minutes:
                    yield datetime.combine(day, time(hour, minute))


@lru_cache(maxsize=1024)
def cron_of(expression: str) -> Cron:
    """Read five fields. Raises NotATime."""
    given = expression.lower().split()
    if len(given) != len(FIELDS):
        raise NotATime(
            f"“{expression}” has {len(given)} fields; a cron expression has five: minute, hour, day of month, month, "
            "day of week, such as 30 2 * * *."
        )
    sets = [_field(name, text) for name, text in zip(FIELDS, given, strict=True)]
    days, weekdays = given[2], given[4]
    if not days.startswith("*") and not weekdays.startswith("*"):
        raise NotATime(
            f"“{expression}” names days of the month and days of the week, which some programs read as both and others "
            "as either; name one of them, and write * for the other."
        )
    minutes, hours, month_days, months, week_days = sets
    found = Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        frozenset(month_days),
        frozenset(months),
        frozenset(week_days),
    )
    if not any(
        found.is_on(date(2024, 1, 1) + timedelta(days=n)) for n in range(366 * 2)
    ):  # 2024 is a leap year
        raise NotATime(f"“{expression}” never comes: no such month has such a day.")
    return found


def _field(name: str, text: str) -> set[int]:
    most, first = FIELDS[name]
    words = NAMED.get(name, "").split()
    for part in text.split(","):
        shape = PART.match(part)
        strange = [word for word in re.findall(r"[a-z]+", part) if word not in words]
        if shape is None or strange:
            raise NotATime(_wrong(name, part, most, first))
    try:
        return set(crontab_parser(most, first).parse(text))
    except (ParseException, ValueError, KeyError):
        raise NotATime(_wrong(name, text, most, first)) from None


def _wrong(name: str, part: str, most: int, first: int) -> str:
    words = NAMED.get(name, "").split()
    named = f", or {words[0]} to {words[-1]}" if words else ""
    sunday = "; Sunday is 0" if name == "day of week" else ""
    return (
        f"“{part}” is no {name}: write *, numbers from {first} to {first + most - 1}{named}, lists such as 1,15, ranges "
        f"such as 1-5, steps such as */5{sunday}."
    )


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Raises NotATime for what is no time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotATime(f"“{name}” is no time zone; write one as Europe/Berlin, or UTC.") from None


@dataclass(frozen=True, slots=True)
class Timing:
    """One of a cron expression (in *zone*) or a number of hours; of hours, those that begin at midnight UTC of a day
    in 1970: every 6 hours is at 0, 6, 12 and 18 o'clock UTC."""

    cron: str = ""
    hours: int | None = None
    zone: str = "UTC"

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, sentence) of what is wrong."""
        if bool(self.cron) == (self.hours is not None):
            yield "cron", "Give a cron expression, or a number of hours; one of the two."
        if self.cron:
            try:
                cron_of(self.cron)
            except NotATime as wrong:
                yield "cron", str(wrong)
        if self.hours is not None and not 1 <= self.hours <= MOST_HOURS:
            yield "every_hours", f"Every 1 to {MOST_HOURS} hours."
        try:
            zone_of(self.zone)
        except NotATime as wrong:
            yield "time_zone", str(wrong)

    def after(self, moment: datetime) -> datetime | None:
        """The first due time after *moment*, in UTC; None where none comes. Raises NotATime."""
        return _after(self, moment.astimezone(UTC))

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last due time after *after* and not after *until*; None where there is none."""
        if self.hours is not None:
            step = timedelta(hours=self.hours)
            found = EPOCH + (until - EPOCH) // step * step
            return found if found > after else None
        zone, cron = zone_of(self.zone), cron_of(self.cron)
        day, first = (moment.astimezone(zone).date() for moment in (until, after - timedelta(days=1)))
        while day >= first:
            if place := _place(cron, zone, day, until):
                found = moment_of(_times(cron, day)[place - 1], zone)
                return found if found > after else None
            day -= timedelta(days=1)
        return None

    def missed(self, after: datetime, until: datetime, most: int) -> int:
        """How many due times lie after *after* and not after *until*; at most *most* are counted."""
        count, moment = 0, self.after(after)
        while moment is not None and moment <= until and count < most:
            count, moment = count + 1, self.after(moment)
        return count

    def __str__(self) -> str:
        if self.hours is not None:
            return "every hour" if self.hours == 1 else f"every {self.hours} hours"
        return f"{self.cron} ({self.zone})"


@lru_cache(maxsize=4096)
def _after(timing: Timing, moment: datetime) -> datetime | None:
    if timing.hours is not None:
        step = timedelta(hours=timing.hours)
        return EPOCH + ((moment - EPOCH) // step + 1) * step
    zone, cron = zone_of(timing.zone), cron_of(timing.cron)
    day = moment.astimezone(zone).date() - timedelta(days=1)  # a gap may carry a time into the next day
    last = day + LOOK_AHEAD
    while day <= last:
        place = _place(cron, zone, day, moment)
        if place < len(_times(cron, day)):
            return moment_of(_times(cron, day)[place], zone)
        day += timedelta(days=1)
    return None


@lru_cache(maxsize=64)
def _times(cron: Cron, day: date) -> tuple[datetime, ...]:
    return tuple(cron.times(day))


def _place(cron: Cron, zone: ZoneInfo, day: date, moment: datetime) -> int:
    """How many due times of one local day are not after *moment*; they are in order."""
    return bisect_right(_times(cron, day), moment, key=lambda clock: moment_of(clock, zone))


def moment_of(clock: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which clocks of *zone* show *clock*: the first of two; in a gap the moment at which clocks go on."""
    found = clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == clock:
        return found
    before = clock.replace(tzinfo=zone, fold=0).utcoffset()
    after = clock.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None and after is not None  # noqa: S101
    naive = clock.replace(tzinfo=UTC)
    low, high = naive - max(before, after), naive - min(before, after)
    while high - low > timedelta(seconds=1):  # where the offset changes, to the second
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
