"""Many rows edited together: every row looked at first, all of them changed in one change a site, or none."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory import reading
from inventory.changes import change
from inventory.models import Change, Group, Host, Interface, Membership, Segment, Service, Site
from tests.access.two_sites import furnish, person, signed_in
from tests.admin.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def pis(site, segment, host) -> list[Host]:
    """pi01 to pi03, on the management segment."""
    found = [host]
    with change(site, by="fixture"):
        Segment(site=site, name="storage", vlan=20, network4="192.0.2.128/25").save()
        Group(site=site, name="rack_a").save()
        for n in (2, 3):
            one = Host(site=site, name=f"pi0{n}", form="pi")
            one.save()
            Interface(
                host=one,
                name="eth0",
                segment=segment,
                addressing="static",
                ipv4=f"192.0.2.1{n}",
                mac=f"bc:24:11:00:00:0{n}",
            ).save()
            found.append(one)
    return found


def page_of(noun: str) -> str:
    return reverse(f"admin:edit_many_{noun}")


def choose(browser, noun: str, rows, **more):
    chosen = {"action": "edit_chosen", "_selected_action": [row.pk for row in rows], **more}
    return browser.post(url(noun), chosen)


def look(browser, noun: str, rows, **edits):
    answer = browser.post(page_of(noun), {"rows": ",".join(str(row.pk) for row in rows), **edits})
    assert answer.status_code == 200
    return answer


def apply(browser, noun: str, rows, page, **edits):
    return browser.post(
        page_of(noun),
        {
            "rows": ",".join(str(row.pk) for row in rows),
            "seen": page.context["seen"],
            "apply": "1",
            "why": "all of them",
            **edits,
        },
    )


def told(page) -> dict[str, list[str]]:
    return {line.name: line.details for line in page.context["lines"]}


def refused(page) -> dict[str, list[str]]:
    return {line.name: line.refusals for line in page.context["lines"] if line.refusals}


def test_the_list_leads_to_a_page_on_which_every_field_is_left_as_it_is(browser, pis):
    page = choose(browser, "host", pis)
    assert page.status_code == 200
    text = page.content.decode()
    assert "Edit 3 hosts together" in text and "leave as it is" in text
    nothing = look(browser, "host", pis)
    assert "every field is left as it is" in nothing.content.decode()


def test_every_row_is_shown_first_and_changed_in_one_change(browser, site, pis):
    edits = {"status": "maintenance", "how_location": "set", "location": "rack 2"}
    before = Change.objects.count()
    page = look(browser, "host", pis, **edits)
    assert told(page) == {
        name: ["status active → maintenance", "location nothing → rack 2"]
        for name in ("pi01", "pi02", "pi03")
    } or told(page) == {
        name: ["location nothing → rack 2", "status active → maintenance"]
        for name in ("pi01", "pi02", "pi03")
    }
    assert Change.objects.count() == before
    assert apply(browser, "host", pis, page, **edits).status_code == 302
    assert set(Host.objects.values_list("status", "location")) == {("maintenance", "rack 2")}
    made = Change.objects.latest("id")
    assert (Change.objects.count(), made.why, made.source, made.by_name) == (
        before + 1,
        "all of them",
        "admin",
        "ada",
    )
    assert made.pk == Host.history.filter(name="pi03").latest("history_id").change_id


def test_rows_that_are_so_already_are_counted_and_left(browser, site, pis):
    with change(site):
        pis[0].platform = "NUC"
        pis[0].save()
    page = look(browser, "host", pis, how_platform="set", platform="NUC")
    assert set(told(page)) == {"pi02", "pi03"} and page.context["as_before"] == 1


def test_groups_are_added_to_taken_out_of_and_replaced(browser, pis):
    page = look(browser, "host", pis, how_groups="add", groups=["rack_a"])
    assert told(page)["pi01"] == ["into rack_a"]
    assert apply(browser, "host", pis, page, how_groups="add", groups=["rack_a"]).status_code == 302
    assert Membership.objects.filter(group__name="rack_a").count() == 3
    page = look(browser, "host", pis, how_groups="replace", groups=["pis"])
    assert told(page) == {
        "pi01": ["out of rack_a"],
        "pi02": ["out of rack_a", "into pis"],
        "pi03": ["out of rack_a", "into pis"],
    } or told(page)["pi02"] == ["into pis", "out of rack_a"]
    page = look(browser, "host", pis, how_groups="remove", groups=["pis"])
    assert told(page) == {"pi01": ["out of pis"]}


def test_notes_are_appended(browser, pis):
    edits = {"how_notes": "append", "notes": "moved to rack 2"}
    page = look(browser, "host", pis, **edits)
    apply(browser, "host", pis, page, **edits)
    assert Host.objects.get(name="pi01").notes == "behind the red door\nmoved to rack 2"
    assert Host.objects.get(name="pi02").notes == "moved to rack 2"


def test_a_refusal_stands_beside_its_row_and_nothing_is_stored(browser, pis):
    interfaces = list(Interface.objects.order_by("host__name"))
    page = look(browser, "interface", interfaces, segment="storage")
    assert set(refused(page)) == {"pi01/eth0", "pi02/eth0", "pi03/eth0"}
    assert "192.0.2.12 lies outside 192.0.2.128/25 of segment storage" in refused(page)["pi02/eth0"][0]
    assert not page.context["may_apply"] and 'name="apply"' not in page.content.decode()
    answer = apply(browser, "interface", interfaces, page, segment="storage")
    assert answer.status_code == 200
    assert not Interface.objects.filter(segment__name="storage").exists()


def test_the_ledger_refuses_in_words(browser, site, pis):
    with change(site):
        pis[2].status = "retired"
        pis[2].save()
        interface = Interface.objects.get(host=pis[1])
        interface.mac = None
        interface.save()
    with change(site, by="import", source="import"):
        interface = Interface.objects.get(host=pis[2])
        interface.mac = "bc:24:11:ce:51:ec"  # pi01's, while this one is retired
        interface.save()
    page = look(browser, "host", pis, status="active")
    assert list(refused(page)) == ["pi03"]
    assert "which is pi01's" in refused(page)["pi03"][0]


def test_a_plan_that_is_no_longer_true_is_shown_anew(browser, site, pis):
    page = look(browser, "host", pis, status="standby")
    with change(site, by="eve", why="meanwhile"):
        pis[1].status = "maintenance"
        pis[1].save()
    again = apply(browser, "host", pis, page, status="standby")
    assert "The plan is another one by now" in again.content.decode()
    assert told(again)["pi02"] == ["status maintenance → standby"]
    assert not Host.objects.filter(status="standby").exists()
    assert apply(browser, "host", pis, again, status="standby").status_code == 302


def test_another_choice_than_the_one_that_was_shown_is_shown_first(browser, pis):
    page = look(browser, "host", pis, status="standby")
    assert "another one by now" in apply(browser, "host", pis, page, status="retired").content.decode()
    assert not Host.objects.filter(status="retired").exists()


def test_a_reason_is_needed(browser, pis):
    page = look(browser, "host", pis, status="standby")
    again = apply(browser, "host", pis, page, status="standby", why="")
    assert "Say why; nothing was changed yet." in again.content.decode()


def test_rows_that_are_gone_meanwhile_are_told(browser, site, pis):
    rows = list(pis)
    with change(site):
        Host.objects.get(name="pi03").delete()
    page = look(browser, "host", rows, status="standby")
    assert "1 of the chosen rows is no longer there" in page.content.decode()
    assert set(told(page)) == {"pi01", "pi02"}


def test_all_rows_of_a_list_over_several_pages_are_edited(browser, site, pis):
    with change(site) as the_change:
        the_change.create([Host(site=site, name=f"vm{n:03}", form="vm") for n in range(150)])
    page = browser.post(
        f"{url('host')}?of_form=vm",
        {
            "action": "edit_chosen",
            "_selected_action": [Host.objects.last().pk],
            "select_across": "1",
            "index": "0",
        },
    )
    chosen = Host.objects.filter(form="vm")
    assert page.context["rows"].number == 150
    plan = look(browser, "host", chosen, status="standby")
    assert (len(plan.context["lines"]), plan.context["changed"]) == (100, 150)
    second = look(browser, "host", chosen, status="standby", page="2")
    assert len(second.context["lines"]) == 50
    assert apply(browser, "host", chosen, second, status="standby").status_code == 302
    assert Host.objects.filter(status="standby").count() == 150


def test_segments_services_and_groups_are_edited_as_well(browser, site, pis):
    segments = Segment.objects.all()
    edits = {"policy": "both", "how_dns_servers": "add", "dns_servers": "192.0.2.1 2001:db8::1"}
    page = look(browser, "segment", segments, **edits)
    assert apply(browser, "segment", segments, page, **edits).status_code == 302
    assert {tuple(one.dns_servers) for one in Segment.objects.all()} == {("192.0.2.1", "2001:db8::1")}
    edits = {"how_host": "set", "host": "pi02", "how_port": "set", "port": "8080"}
    page = look(browser, "service", Service.objects.all(), **edits)
    assert told(page) == {"artifacts on pi01": ["host pi01 → pi02", "port nothing → 8080"]}
    assert apply(browser, "service", Service.objects.all(), page, **edits).status_code == 302
    assert Service.objects.values_list("host__name", "port").get() == ("pi02", 8080)
    groups = Group.objects.filter(name="pis")
    edits = {"how_parents": "add", "parents": ["rack_a"], "how_priority": "set", "priority": "-3"}
    page = look(browser, "group", groups, **edits)
    assert apply(browser, "group", groups, page, **edits).status_code == 302
    assert Group.objects.get(name="pis").priority == -3
    assert Group.objects.get(name="pis").parents.get().name == "rack_a"


def test_what_cannot_be_a_value_is_said_beside_the_field(browser, pis, segment):
    page = look(browser, "segment", [segment], how_next_server="set", next_server="2001:db8::1", trust="high")
    errors = page.context["form"].errors
    assert "is an IPv6 address" in errors["next_server"][0]
    assert "left as it is so far" in errors["trust"][0]
    page = look(browser, "host", pis, how_groups="add", how_platform="set")
    assert set(page.context["form"].errors) == {"groups", "platform"}


# --- who may ---


def test_rows_at_a_site_where_the_person_only_looks_are_named_and_left_out_when_said_so():
    ours, theirs = furnish("ours", 1), furnish("theirs", 2)
    kim = signed_in(person("kim", (ours.site, "operator"), (theirs.site, "viewer")))
    rows = [ours["host"], theirs["host"]]
    page = choose(kim, "host", rows)
    assert "Rows that you may not change" in page.content.decode()
    assert "theirs: theirs-host" in page.content.decode()
    page = look(kim, "host", rows, status="standby")
    assert apply(kim, "host", rows, page, status="standby").status_code == 200
    assert not Host.objects.filter(status="standby").exists()
    assert apply(kim, "host", rows, page, status="standby", leave_out="on").status_code == 302
    assert Host.objects.get(status="standby").name == "ours-host"


def test_rows_of_sites_that_the_person_does_not_see_are_not_there():
    ours, theirs = furnish("ours", 1), furnish("theirs", 2)
    kim = signed_in(person("kim", (ours.site, "operator")))
    page = look(kim, "host", [ours["host"], theirs["host"]], status="standby")
    assert "theirs" not in page.content.decode()
    assert kim.post(page_of("host"), {"rows": str(theirs["host"].pk), "status": "standby"}).status_code == 302


def test_viewers_are_not_offered_it(site, host):
    lee = signed_in(person("lee", (site, "viewer")))
    assert "edit_chosen" not in lee.get(url("host")).content.decode()
    choose(lee, "host", [host])
    assert lee.post(page_of("host"), {"rows": str(host.pk), "status": "standby"}).status_code == 403


def test_rows_of_two_sites_change_in_one_change_each_or_not_at_all(browser):
    one, other = furnish("ours", 1), furnish("theirs", 2)
    rows = [one["host"], other["host"]]
    page = look(browser, "host", rows, status="standby")
    assert [line.site for line in page.context["lines"]] == ["ours", "theirs"]
    before = Change.objects.count()
    assert apply(browser, "host", rows, page, status="standby").status_code == 302
    assert Change.objects.count() == before + 2
    page = look(browser, "host", rows, role="ours-role")
    assert list(refused(page)) == ["theirs-host"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rows": ""},
        {"rows": "x,-1,9999999999999999999999"},
        {"rows": "\0"},
        {"rows": "{pk}", "status": "nonsense"},
        {"rows": "{pk}", "how_groups": "add", "groups": ["ghosts"]},
        {"rows": "{pk}", "how_platform": "set", "platform": "\0"},
        {"rows": "{pk}", "how_platform": "set", "platform": "x" * 300},
        {"rows": "{pk}", "status": "standby", "seen": "\0", "apply": "1", "why": "x"},
        {"rows": "{pk}", "status": "standby", "page": "99999999999"},
    ],
)
def test_nothing_that_is_sent_makes_a_traceback(browser, host, data):
    sent = {key: str(host.pk) if value == "{pk}" else value for key, value in data.items()}
    revision = Site.objects.get().revision
    assert browser.post(page_of("host"), sent).status_code in (200, 302)
    assert browser.get(page_of("host")).status_code == 302
    assert Site.objects.get().revision == revision


def test_queries_do_not_grow_with_the_rows(browser, site, pis):
    with change(site) as the_change:
        hosts = the_change.create([Host(site=site, name=f"vm{n:03}", form="vm") for n in range(120)])
        the_change.create([Interface(host=host, name="eth0") for host in hosts])
    reading.load("lab")

    def queries(rows) -> int:
        with CaptureQueriesContext(connection) as captured:
            look(browser, "host", rows, status="standby", how_groups="add", groups=["pis"])
        return len(captured)

    assert queries(pis) >= queries([*pis, *hosts]) - 1
