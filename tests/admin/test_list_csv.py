"""Any list as CSV: what it shows now, all of its pages, for those who may see it, and importable again."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory import reading
from inventory.changes import change
from inventory.document import amending
from inventory.importers import csv as tables
from inventory.models import Group, Host, Interface, Membership, Nesting, Schedule, Segment, WorkloadProfile
from tests.access.two_sites import furnish, person, signed_in
from tests.admin.pages import url

pytestmark = pytest.mark.django_db
NOUNS = [
    "site", "segment", "host", "interface", "service", "alias", "role", "authority", "severityoverride", "group",
    "workloadprofile", "identity", "change", "rendering", "consumer", "token", "schedule", "project",
    "jobtemplate", "emergencyuse", "kitplace",
]  # fmt: skip
IMPORTED = ["host", "interface", "segment", "service", "group", "workloadprofile", "role", "alias"]


def csv_of(browser, noun: str, query: str = "") -> bytes:
    answer = browser.get(f"{url(noun)}csv/{query}")
    assert answer.status_code == 200, (noun, query, answer.status_code)
    return b"".join(answer.streaming_content)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("noun", NOUNS)
def test_every_list_is_taken_away_and_keeps_to_the_sites_of_the_person(noun):
    ours, _ = furnish("ours", 1), furnish("theirs", 2)
    kim = signed_in(person("kim", (ours.site, "administrator")))
    found = csv_of(kim, noun)
    assert b"ours" in found and b"theirs" not in found


def test_who_may_not_see_the_list_gets_no_file(host):
    assert signed_in(person("eve")).get(f"{url('host')}csv/").status_code == 403


def test_search_filters_and_order_hold_for_all_pages(browser, site, host):
    with change(site, by="fixture") as the_change:
        the_change.create([Host(site=site, name=f"vm{n:03}", form="vm") for n in range(150)])
    assert len(rows_of(csv_of(browser, "host"))) == 151
    assert {row["host"] for row in rows_of(csv_of(browser, "host", "?q=pi"))} == {"pi01"}
    assert len(rows_of(csv_of(browser, "host", "?of_form=vm&p=2"))) == 150
    backwards = [row["host"] for row in rows_of(csv_of(browser, "host", "?o=-1"))]
    assert backwards[0] == "vm149"


def test_the_list_leads_to_its_file_as_it_is_filtered(browser, host):
    page = browser.get(url("host"), {"q": "pi", "o": "-1"}).content.decode()
    assert 'href="csv/?o=-1&amp;q=pi"' in page


def test_a_filter_that_the_list_does_not_have_is_refused_in_words(browser, host):
    answer = browser.get(f"{url('host')}csv/?nonsense__x=1")
    assert (answer.status_code, answer.content[:22]) == (400, b"The address asks for a")


def test_formulas_are_guarded_and_excel_gets_its_mark(browser, site, host):
    with change(site, by="fixture"):
        Host(site=site, name="pi02", form="pi", role=None).save()
        WorkloadProfile(site=site, name="metrics").save()
        Group.objects.filter(name="pis").get().save()
    content = csv_of(browser, "host", "?bom=1")
    assert content.startswith(b"\xef\xbb\xbfsite,host")
    with change(site, by="import", source="import") as the_change:
        the_change.create([Group(site=site, name="=cmd")])
    assert "'=cmd" in {row["group"] for row in rows_of(csv_of(browser, "group"))}


@pytest.mark.parametrize("noun", IMPORTED)
def test_a_list_imported_again_changes_nothing(noun):
    site = furnish("lab", 1)
    with change(site.site, by="fixture"):
        Host(site=site.site, name="gone", status="retired").save()
        Interface(host=site["host"], name="eth1", segment=site["segment"], addressing="dhcp").save()
        Nesting(
            parent=Group.objects.get(name="lab_parent"),
            child=Group.objects.create(site=site.site, name="below"),
        ).save()
        Membership(group=site["workloadprofile"], host=site["host"]).save()
    reading.forget()
    content = csv_of(signed_in(person("root", is_superuser=True)), noun, "?bom=1")
    (found,) = amending.plan({"lab": lambda stored: tables.read(content, "list.csv", stored)})
    assert [str(one) for one in found.complaints] == []
    assert [str(entry) for entry in found.entries] == []
    assert sum(found.unchanged.values()) >= 1


@pytest.mark.parametrize("noun", IMPORTED)
def test_queries_do_not_grow_with_the_rows(noun):
    site = furnish("lab", 1)
    root = signed_in(person("root", is_superuser=True))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            csv_of(root, noun)
        return len(captured)

    few = queries()
    with change(site.site, by="fixture"):
        for number in range(20):
            host = Host(site=site.site, name=f"h{number}")
            host.save()
            Interface(host=host, name="eth0", segment=site["segment"]).save()
            Segment(site=site.site, name=f"s{number}", jump_host=host).save()
            group = Group(site=site.site, name=f"g{number}")
            group.save()
            Membership(group=group, host=host).save()
            Nesting(parent=Group.objects.get(name="lab_parent"), child=group).save()
    assert queries() == few


def test_the_list_of_schedules_has_what_they_declare(browser, site):
    with change(site, by="fixture"):
        Schedule(
            site=site,
            name="nightly",
            kind="survey",
            parameters={"host": "hv01", "deep": True},
            cron="30 2 * * *",
            time_zone="Europe/Berlin",
            enabled=False,
            owner="ada",
            why="-1 surprises",
        ).save()
    (row,) = rows_of(csv_of(browser, "schedule"))
    assert row == {
        "site": site.slug,
        "schedule": "nightly",
        "kind": "survey",
        "parameters": '{"host": "hv01", "deep": true}',
        "cron": "30 2 * * *",
        "every_hours": "",
        "time_zone": "Europe/Berlin",
        "enabled": "no",
        "owner": "ada",
        "why": "'-1 surprises",
        "state": "off",
        "next_run": "'-",
        "last_run": "never",
    }


def test_chosen_rows_are_taken_away_alone(browser, site, host):
    with change(site, by="fixture"):
        Host(site=site, name="pi02").save()
    answer = browser.post(url("host"), {"action": "csv_of_chosen", "_selected_action": [host.pk]})
    assert [row["host"] for row in rows_of(b"".join(answer.streaming_content))] == ["pi01"]
