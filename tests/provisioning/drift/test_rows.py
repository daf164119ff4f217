"""Rows of drift: opened once, closed by the survey that sees them gone, unknown in between, decided about by people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import reading
from inventory.changes import change
from inventory.models import Host, VirtualMachine
from provisioning import drift
from provisioning.models import DriftFinding, Job
from provisioning.observed import surveys
from tests.provisioning.drift.conftest import FIRST, HOST, PIHOLE, declare_machine, only, rows

pytestmark = pytest.mark.django_db


def test_as_declared_there_is_no_row(lab):
    lab.survey(lab.machine())
    assert rows() == []


def test_a_fault_opens_once_and_closes_itself(lab):
    lab.survey(lab.machine(memory="512"))
    first = only()
    assert (first.kind, first.field, first.wanted, first.found) == ("size", "memory", "2048", "512")
    assert first.opened == first.last_seen == FIRST + timedelta(minutes=1)
    lab.survey(lab.machine(memory="512"))
    again = only()
    assert (again.pk, again.opened) == (first.pk, first.opened)
    assert again.last_seen == FIRST + timedelta(minutes=3)
    lab.survey(lab.machine())
    assert rows() == [("size", "memory", "closed")]
    lab.survey(lab.machine(memory="512"))
    assert rows() == [("size", "memory", "closed"), ("size", "memory", "open")]


def test_the_database_holds_one_open_row_a_fault(lab):
    lab.survey(lab.machine(memory="512"))
    twin = only()
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
    twin.closed = timezone.now()
    twin.save(force_insert=True)


def test_a_failed_survey_makes_rows_unknown_and_neither_missing_nor_closed(lab):
    lab.survey(lab.machine(memory="512"))
    lab.failed()
    assert rows() == [("size", "memory", "unknown")]
    assert only().last_seen == FIRST + timedelta(minutes=1)
    lab.survey(lab.machine(memory="512"))
    assert rows() == [("size", "memory", "open")]
    lab.failed()
    lab.survey(lab.machine())
    assert rows() == [("size", "memory", "closed")]


def test_nothing_is_missing_where_nobody_looked(lab):
    lab.failed()
    assert rows() == []
    lab.seen("hv02")
    drift.judge(lab.site)
    assert rows() == []


def test_a_lost_hypervisor_has_its_own_word(lab):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    snapshot = reading.load("lab")
    surveys.declare_lost(snapshot, lab.site, "hv01", typed="hv01", by="ada", why="it burnt")
    drift.judge(lab.site)
    assert rows() == [("undeclared", "machine", "lost"), ("size", "memory", "lost")]


def test_a_machine_on_another_hypervisor_is_unknown_while_that_one_is(lab):
    lab.seen("hv01")
    lab.seen("hv02", lab.machine())
    drift.judge(lab.site)
    assert (only().kind, only().wanted, only().found) == ("node", "hv01", "hv02")
    lab.failed("hv02")
    assert rows() == [("node", "hypervisor", "unknown")]
    lab.seen("hv02")
    drift.judge(lab.site)
    assert rows() == [("node", "hypervisor", "closed"), ("missing", "machine", "open")]


def test_rows_are_judged_against_the_declaration_of_now(lab):
    lab.survey(lab.machine(memory="512"))
    with change(lab.site, by="ada", why="it needs no more"):
        machine = VirtualMachine.objects.get()
        machine.memory = 512
        machine.save()
    drift.judge(lab.site)
    assert rows() == [("size", "memory", "closed")]
    assert only().revision == reading.load("lab").revision


def test_a_hypervisor_that_is_declared_no_more_takes_its_rows_along(lab):
    lab.seen("hv01", lab.machine())
    lab.seen("hv02", PIHOLE)
    drift.judge(lab.site)
    assert rows() == [("undeclared", "machine", "open")]
    with change(lab.site, by="ada", why="sold"):
        carrier = Host.objects.get(name="hv02")
        carrier.status = "retired"
        carrier.save()
    drift.judge(lab.site)
    assert rows() == [("undeclared", "machine", "closed")]


def test_what_is_not_declared_there_any_more_closes_though_nobody_can_look(lab):
    lab.survey(lab.machine(memory="512"))
    lab.failed()
    with change(lab.site, by="ada", why="made again elsewhere"):
        host = Host.objects.get(name=HOST)
        host.hypervisor = Host.objects.get(name="hv02")
        host.save()
    drift.judge(lab.site)
    assert rows() == [("size", "memory", "closed"), ("missing", "machine", "open")]


def test_a_machine_that_a_job_is_at_stays_as_it_was(lab):
    lab.survey()
    job = Job.objects.create(kind="create_vm", site=lab.site, site_slug="lab", machine_key=f"lab/{HOST}")
    lab.survey(lab.machine(memory="512"))
    assert rows() == [("missing", "machine", "open")]
    drift.judge(lab.site, but=job.pk)
    assert rows() == [("missing", "machine", "closed"), ("size", "memory", "open")]


# --- decisions ---


def test_an_undeclared_guest_is_accepted_once_until_it_changes(lab):
    lab.survey(lab.machine(), PIHOLE)
    assert only().found == "pihole (lxc) with bc:24:11:0a:0b:0c"
    drift.accept([only()], by="ada", why="the old DNS")
    lab.survey(lab.machine(), PIHOLE)
    lab.failed()
    assert only().state == "unknown"
    lab.survey(lab.machine(), PIHOLE)
    assert (only().state, only().decided_by, only().decided_why) == ("accepted", "ada", "the old DNS")
    other = type(PIHOLE)(PIHOLE.line, ("bc:24:11:00:00:01",), PIHOLE.config)
    lab.survey(lab.machine(), other)
    row = only()
    assert (row.state, row.decided_why) == ("open", "")
    assert [one.verb for one in row.decisions.all()] == ["accept", "changed"]
    assert "bc:24:11:00:00:01" in row.decisions.last().why


def test_what_was_accepted_can_be_withdrawn(lab):
    lab.survey(lab.machine(), PIHOLE)
    drift.accept([only()], by="ada", why="the old DNS")
    assert drift.withdraw([only()], by="kim", why="it is to go") == 1
    assert only().state == "open"
    assert [(one.verb, one.by, one.why) for one in only().decisions.all()] == [
        ("accept", "ada", "the old DNS"),
        ("withdraw", "kim", "it is to go"),
    ]


def test_an_accepted_guest_that_comes_back_is_a_new_row(lab):
    lab.survey(lab.machine(), PIHOLE)
    drift.accept([only()], by="ada", why="the old DNS")
    lab.survey(lab.machine())
    lab.survey(lab.machine(), PIHOLE)
    assert rows() == [("undeclared", "machine", "closed"), ("undeclared", "machine", "open")]


def test_what_is_ignored_comes_back_by_itself(lab):
    lab.survey(lab.machine(memory="512"))
    until = timezone.localdate() + timedelta(days=3)
    drift.ignore([only()], until=until, by="ada", why="the new RAM is ordered")
    lab.survey(lab.machine(memory="512"))
    assert rows() == [("size", "memory", "ignored")]
    on = lambda day: DriftFinding.objects.judged(day).get().state  # noqa: E731
    assert (on(until), on(until + timedelta(days=1))) == ("ignored", "open")


def test_what_changes_is_ignored_no_longer(lab):
    lab.survey(lab.machine(memory="512"))
    drift.ignore([only()], until=timezone.localdate(), by="ada", why="later")
    lab.survey(lab.machine(memory="256"))
    assert (only().state, only().found, only().ignored_until) == ("open", "256", None)


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (lambda rows: drift.accept(rows, by="ada", why="so"), "repair it, or ignore it until a day"),
        (lambda rows: drift.ignore(rows, until=date(2020, 1, 1), by="ada", why="so"), "2020-01-01 is over"),
        (lambda rows: drift.ignore(rows, until=date(2999, 1, 1), by="ada", why=" "), "Say why"),
    ],
)
def test_a_decision_that_cannot_be_says_the_way_out(lab, decide, message):
    lab.survey(lab.machine(memory="512"))
    with pytest.raises(drift.Refused, match=message):
        decide([only()])
    assert rows() == [("size", "memory", "open")]


def test_what_is_closed_is_not_decided_about(lab):
    lab.survey(lab.machine(memory="512"))
    stale = only()
    lab.survey(lab.machine())
    with pytest.raises(drift.Refused, match="is closed"):
        drift.ignore([only()], until=date(2999, 1, 1), by="ada", why="so")
    drift.ignore([stale], until=date(2999, 1, 1), by="ada", why="so")  # it closed behind the page
    assert rows() == [("size", "memory", "closed")]


# --- queries ---


def test_judging_asks_as_much_for_many_as_for_few(lab):
    def counted(*guests) -> int:
        lab.seen("hv01", *guests)
        with CaptureQueriesContext(connection) as seen:
            drift.judge(lab.site)
        return len(seen)

    names = [f"m{number}" for number in range(40)]
    with change(lab.site, by="ada", why="growth"):
        for number, name in enumerate(names):
            declare_machine(
                lab.site, name, 300 + number, f"02:de:20:00:01:{number:02x}", f"192.0.2.{100 + number}"
            )
    lab.survey(lab.machine(memory="512"), *[lab.machine(name) for name in names])
    few = [
        counted(lab.machine(memory=size), *[lab.machine(name) for name in names]) for size in ("512", "256")
    ]
    lab.survey(lab.machine(memory="512"), *[lab.machine(name, memory="512") for name in names])
    assert len(rows()) == 41
    many = [
        counted(lab.machine(memory=size), *[lab.machine(name, memory=size) for name in names])
        for size in ("512", "256")
    ]
    assert few == many
