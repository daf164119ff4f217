"""What a host needs of others: as rows, in a Snapshot, in a document, by a table, and through the acts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from inventory import reading
from inventory.acts import cloning, renaming
from inventory.acts.making import write_host
from inventory.changes import change
from inventory.contribution.around import Draft, reduced
from inventory.document import amending
from inventory.document.declaring import Refused, declare
from inventory.importers import csv
from inventory.models import Change, Host, HostNeed, Site
from inventory.pointing import declared
from inventory.snapshot import HostFacts, Snapshot
from tests.document.support import apply, export, lines

pytestmark = pytest.mark.django_db

NAMES = ("lic01", "nas01", "web01")
DOCUMENT = """\
mgmtplane: 1
site: lab
hosts:
  lic01: {form: ph}
  nas01: {form: ph}
  web01: {form: ph, needs: [nas01, lic01]}
"""


@pytest.fixture(autouse=True)
def _fresh_snapshots():
    reading.forget()
    yield
    reading.forget()


@pytest.fixture
def site() -> Site:
    row = Site(slug="lab", root_domain="example.net")
    with change(row, by="fixture"):
        for name in NAMES:
            Host(site=row, name=name, form="ph").save()
        for position, name in enumerate(("nas01", "lic01")):
            HostNeed(host=host("web01"), needed=host(name), position=position).save()
    return row


def host(name: str) -> Host:
    return Host.objects.get(site__slug="lab", name=name)


def needs() -> tuple[str, ...]:
    return reading.load("lab").host_by_name["web01"].needs


# --- rows ---


def test_the_snapshot_has_them_in_their_order(site):
    assert needs() == ("nas01", "lic01")


def test_itself_one_twice_and_one_of_another_site_are_refused(site):
    other = Site(slug="other", root_domain="example.org")
    with change(other, by="fixture"):
        stranger = Host(site=other, name="nas01")
        stranger.save()
    for needed, said in (
        (host("web01"), "A host cannot need itself."),
        (host("nas01"), "The host needs this one already."),
        (stranger, "nas01 belongs to another site."),
    ):
        with pytest.raises(ValidationError, match=said), change(site, by="ada"):
            HostNeed(host=host("web01"), needed=needed).save()


def test_a_host_that_others_need_is_not_deleted_and_one_that_needs_others_is(site):
    with (
        pytest.raises(ValidationError, match="still used by need nas01 of web01"),
        change(site, by="ada"),
    ):
        host("nas01").delete()
    with change(site, by="ada"):
        host("web01").delete()
    gone = HostNeed.history.filter(change=Change.objects.latest("id"), history_type="-")
    assert gone.count() == 2 and not HostNeed.objects.exists()


# --- the document ---


def test_a_document_brings_them_and_an_export_gives_them_back(db):
    apply(DOCUMENT)
    assert needs() == ("nas01", "lic01")
    assert b"needs: [nas01, lic01]" in export("lab")
    assert lines(export("lab")) == []


def test_the_order_may_change_and_one_that_is_left_out_goes(site):
    turned = DOCUMENT.replace("[nas01, lic01]", "[lic01, nas01]")
    assert [line for line in lines(turned) if "need" in line] == [
        "change need lic01 of web01: position 1 → 0",
        "change need nas01 of web01: position 0 → 1",
    ]
    apply(turned)
    assert needs() == ("lic01", "nas01")
    apply(DOCUMENT.replace(", needs: [nas01, lic01]", ""))
    assert needs() == ()


def test_numbers_alone_are_no_change(site):
    with change(site, by="ada"):
        row = HostNeed.objects.get(needed__name="lic01")
        row.position = 7
        row.save()
    assert not [line for line in lines(export("lab")) if "need" in line]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[web01]", "needs name the host itself; a host cannot need itself."),
        ("[nas01, nas01]", "needs names nas01 2 times; once is enough."),
        ("[nas02]", "names the host nas02, which is not declared"),
        ("nas01", "is text, and must be a list"),
    ],
)
def test_what_a_document_may_not_say(db, given, said):
    with pytest.raises(Refused) as refused:
        declare(DOCUMENT.replace("[nas01, lic01]", given).encode(), "lab.yml", apply=True)
    assert any(said in str(one) for one in refused.value.complaints), refused.value.complaints


def test_hosts_that_need_each_other_are_stored(db):
    apply(DOCUMENT.replace("nas01: {form: ph}", "nas01: {form: ph, needs: [web01]}"))
    assert reading.load("lab").host_by_name["nas01"].needs == ("web01",)


def test_a_table_says_them_and_a_dash_takes_them_out(site):
    def imported(cell: str) -> None:
        content = f"host,needs\nweb01,{cell}\n".encode()
        makers = {"lab": lambda stored: csv.read(content, "t.csv", stored)}
        amending.amend(makers, seen=None, by="ada", why="a table")

    imported("lic01 nas01")
    assert needs() == ("lic01", "nas01")
    imported("-")
    assert needs() == ()


# --- acts ---


def test_a_rename_follows_and_says_so(site):
    now = reading.load("lab")
    plan = renaming.plan(now, "nas01", "nas09", datetime.now(UTC))
    assert plan.draft.host_by_name["web01"].needs == ("nas09", "lic01")
    assert "It is needed by web01; that follows." in plan.follows
    assert not [place for place in plan.places if place.subject == "host web01"]
    with change(site, by="ada"):
        row = host("nas01")
        row.name = "nas09"
        row.save()
    assert needs() == ("nas09", "lic01")


def test_a_clone_needs_what_its_source_needs(site):
    plan = cloning.plan(reading.load("lab"), cloning.Like("web01"), datetime.now(UTC))
    with change(site, by="ada"):
        write_host(site, plan.host, (), ())
    assert reading.load("lab").host_by_name[plan.host.name].needs == ("nas01", "lic01")


def test_what_needs_a_host_points_at_it(site):
    snapshot = reading.load("lab")
    found = [(one.heading, one.subject) for one in declared(snapshot, snapshot.host_by_name["nas01"])]
    assert found == [("Needed by", "host web01")]


def test_a_site_reduced_to_one_host_keeps_whom_it_needs_and_who_needs_it(site):
    snapshot = reading.load("lab")
    more = Snapshot(snapshot.site, hosts=(HostFacts("idle"), *snapshot.hosts))
    for name, kept in (("web01", NAMES), ("lic01", NAMES)):
        assert tuple(one.name for one in reduced(more, Draft(more.host_by_name[name], name)).hosts) == kept
