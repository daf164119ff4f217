"""When a schedule is due: expressions, hours, and days on which clocks are put on or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.automating.timing import NotATime, Timing, cron_of, moment_of, zone_of

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def next_ones(timing: Timing, after: str, number: int) -> list[str]:
    moment, found = at(after), []
    for _ in range(number):
        moment = timing.after(moment)
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("cron", "after", "following"),
    [
        ("30 2 * * *", "2026-01-01T02:30", "2026-01-02 02:30"),
        ("30 2 * * *", "2026-01-01T02:29:59", "2026-01-01 02:30"),
        ("*/20 8-9 * * mon-fri", "2026-01-02T09:40", "2026-01-05 08:00"),
        ("0 0 1,15 * *", "2026-01-02T00:00", "2026-01-15 00:00"),
        ("0 6 * jan sun", "2026-01-26T00:00", "2027-01-03 06:00"),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29 00:00"),
    ],
)
def test_a_cron_expression_comes_as_people_read_it(cron, after, following):
    assert next_ones(Timing(cron), after, 1) == [following]


def test_what_falls_into_a_gap_runs_once_when_clocks_go_on():
    """At 2:00 of 2026-03-29 clocks in Berlin go on to 3:00."""
    nightly = next_ones(Timing("30 2 * * *", zone=BERLIN), "2026-03-28T00:00", 3)
    assert nightly == ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]
    often = next_ones(Timing("*/30 * * * *", zone=BERLIN), "2026-03-29T00:00", 4)
    assert often == ["2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 02:00"]


def test_what_comes_twice_when_clocks_go_back_runs_the_first_time():
    """At 3:00 of 2026-10-25 clocks in Berlin go back to 2:00."""
    nightly = next_ones(Timing("30 2 * * *", zone=BERLIN), "2026-10-24T00:00", 4)
    assert nightly == ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"]


def test_hours_are_counted_without_clocks():
    assert next_ones(Timing(hours=6, zone=BERLIN), "2026-03-28T23:00", 3) == [
        "2026-03-29 00:00", "2026-03-29 06:00", "2026-03-29 12:00",
    ]  # fmt: skip
    assert str(Timing(hours=1)) == "every hour" and str(Timing(hours=6)) == "every 6 hours"


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("30 2 * *", "has 4 fields; a cron expression has five"),
        ("", "has 0 fields"),
        ("60 * * * *", "“60” is no minute: write *, numbers from 0 to 59"),
        ("jan * * * *", "“jan” is no minute"),
        ("*/0 * * * *", "“*/0” is no minute"),
        ("*/15-30 * * * *", "“*/15-30” is no minute"),
        ("1,,2 * * * *", "is no minute"),
        ("0 0 * * 7", "“7” is no day of week: write *, numbers from 0 to 6, or sun to sat"),
        ("0 0 31 feb *", "never comes"),
        ("0 0 1 * mon", "name one of them"),
        ("@daily", "has 1 fields"),
    ],
)
def test_what_is_no_expression_is_refused_in_words(cron, message):
    with pytest.raises(NotATime, match=r".") as refusal:
        cron_of(cron)
    assert message in str(refusal.value)


@pytest.mark.parametrize("zone", ["Europe/Berln", "", "/etc/passwd", "../UTC", "\0"])
def test_what_is_no_time_zone_is_refused(zone):
    assert [field for field, _ in Timing("0 0 * * *", zone=zone).problems()] == ["time_zone"]


@pytest.mark.parametrize("timing", [Timing(), Timing("0 0 * * *", 3), Timing(hours=0)])
def test_a_schedule_has_one_of_expression_and_hours(timing):
    assert list(timing.problems())


fields = st.sampled_from(["*", "0", "30", "5,45", "*/20"])
hours = st.sampled_from(["*", "1", "2", "2,3", "*/6", "23"])
days = st.sampled_from(["* * *", "1 * *", "* * sun", "*/2 * *", "29 2 *"])
zones = st.sampled_from(
    ["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"]
)
timings = st.builds(
    lambda minute, hour, day, zone: Timing(f"{minute} {hour} {day}", zone=zone), fields, hours, days, zones
) | st.builds(lambda number: Timing(hours=number), st.integers(1, 50))
moments = st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(timings, moments)
def test_due_times_go_forward_and_are_found_from_either_side(timing, moment):
    following = timing.after(moment)
    assert following is not None and following > moment
    assert timing.after(following - timedelta(seconds=1)) == following, "none lies between"
    assert timing.latest(moment, following) == following
    assert timing.latest(moment, following - timedelta(seconds=1)) is None
    later = timing.after(following)
    assert timing.latest(moment, later) == later
    assert timing.missed(moment, later, 10) == 2


@given(zones, st.dates(datetime(2009, 1, 1).date(), datetime(2030, 1, 1).date()))  # noqa: DTZ001
def test_each_time_of_a_day_comes_once_and_never_before_its_time(name, day):
    zone = ZoneInfo(name)
    nightly = Timing("30 2 * * *", zone=name)
    due = nightly.latest(*_around(day, zone))
    assert due is not None
    shown = due.astimezone(zone)
    assert shown.replace(tzinfo=None) >= datetime.combine(day, datetime.min.time()) + timedelta(
        hours=2, minutes=30
    )
    again = nightly.after(due)
    assert timedelta(hours=0) < again - due <= timedelta(hours=49)


def _around(day, zone) -> tuple[datetime, datetime]:
    noon = moment_of(datetime.combine(day, datetime.min.time()) + timedelta(hours=12), zone)
    return noon - timedelta(hours=40), noon


@pytest.mark.parametrize("name", ["UTC", BERLIN, "Australia/Lord_Howe", "Pacific/Apia"])
def test_moments_are_in_the_order_of_the_wall_clock(name):
    zone = zone_of(name)
    start = datetime(2011, 12, 25)  # noqa: DTZ001 - Apia had no 30th
    found = [moment_of(start + timedelta(minutes=15 * n), zone) for n in range(4 * 24 * 10)]
    assert all(one <= other for one, other in pairwise(found))


def test_a_dense_schedule_is_counted_after_weeks_without_working_out_each_minute_of_them():
    timing, until = Timing("* * * * *", zone=BERLIN), at("2026-11-26T12:00")
    assert timing.missed(until - timedelta(days=21), until, 1001) == 1001
    assert timing.latest(until - timedelta(days=21), until) == until
