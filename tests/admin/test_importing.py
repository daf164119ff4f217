"""Import in the browser: paste, plan, done; what was shown is what is done, or nothing."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from inventory.changes import change
from inventory.exports import get_export
from inventory.models import Change, Group, Host, Interface, Segment
from inventory.reading import load
from tests.access.two_sites import person, signed_in

pytestmark = pytest.mark.django_db


def address(slug: str = "lab") -> str:
    return reverse("admin:import_into", args=(slug,))


def look(browser, text: str, **more):
    answer = browser.post(address(), {"text": text, **more})
    assert answer.status_code == 200
    return answer


def told(page) -> list[str]:
    return [str(entry) for entry, _ in page.context["plan"].rows]


def confirm(browser, seen, **more):
    """Send the plan's form back as the page has it."""
    given = seen.context["form"].cleaned_data
    data = {
        "text": seen.context["offered_text"],
        "kind": given["kind"],
        "confirmed": seen.context["outcome"].fingerprint,
        "why": "new hardware",
        **more,
    }
    if given["ignore_unknown"]:
        data["ignore_unknown"] = "on"
    return browser.post(address(), data)


def test_a_table_is_pasted_looked_at_and_stored_in_one_change(browser, host):
    before = Change.objects.count()
    page = look(browser, "host,platform,interface,mac\npi01,NUC 11,,\npi02,,eth0,02:00:00:00:00:02\n")
    assert told(page) == [
        "change host pi01: platform nothing → NUC 11",
        "create host pi02",
        "create interface pi02/eth0",
    ]
    assert [line for _, line in page.context["plan"].rows] == [2, 3, 3]
    assert Change.objects.count() == before
    done = confirm(browser, page)
    assert done.status_code == 302
    made = Change.objects.latest("id")
    assert (Change.objects.count(), made.source, made.why, made.by_name) == (
        before + 1,
        "admin",
        "new hardware",
        "ada",
    )
    assert f"Stored as revision {made.revision}" in browser.get(done.url).content.decode()


def test_mistakes_are_listed_with_their_lines_and_nothing_can_be_stored(browser, host):
    page = look(browser, "host,form\npi01,toaster\n\n,pi\npi02,pi\n")
    text = page.content.decode()
    assert "2 mistakes; nothing was stored" in text
    assert 'href="#L2"' in text and 'id="L2" class="mp-bad"' in text
    assert [(one.line, one.column) for one in page.context["complaints"]] == [(2, "form"), (4, "host")]
    assert 'value="Import"' not in text and "id_why" not in text
    refused = confirm(browser, page)
    assert refused.status_code == 200 and not Host.objects.filter(name="pi02").exists()


def test_a_plan_that_is_no_longer_true_is_shown_anew(browser, site, host):
    page = look(browser, "host,platform\npi01,NUC 11\n")
    with change(site, by="eve", why="meanwhile"):
        host.platform = "NUC 10"
        host.save()
    again = confirm(browser, page)
    assert "The plan is another one by now" in again.content.decode()
    assert told(again) == ["change host pi01: platform NUC 10 → NUC 11"]
    assert Host.objects.get().platform == "NUC 10"
    assert confirm(browser, again).status_code == 302
    assert Host.objects.get().platform == "NUC 11"


def test_a_text_that_was_changed_on_the_way_is_not_what_was_shown(browser, host):
    page = look(browser, "host,platform\npi01,NUC 11\n")
    again = confirm(browser, page, text="host,platform\npi01,NUC 12\n")
    assert "another one by now" in again.content.decode()
    assert Host.objects.get().platform == ""


def test_a_reason_is_needed(browser, host):
    page = look(browser, "host,platform\npi01,NUC 11\n")
    again = confirm(browser, page, why=" ")
    assert "Say why; nothing was changed yet." in again.content.decode()
    assert confirm(browser, again).status_code == 302


def test_a_file_of_windows_is_read_and_carried_to_its_confirmation(browser, host):
    upload = SimpleUploadedFile("hosts.csv", 'host;notes\r\npi01;"Büro\r\noben"\r\n'.encode("cp1252"))
    page = browser.post(address(), {"upload": upload})
    assert "Windows-1252" in page.content.decode()
    assert confirm(browser, page, text=page.context["offered_text"].replace("\n", "\r\n")).status_code == 302
    assert Host.objects.get().notes == "Büro\noben"


def test_the_export_pasted_again_is_nothing_to_do(browser, host):
    (content,) = get_export("csv").render(load("lab"), None).files.values()
    page = look(browser, content.decode())
    assert "Nothing to do" in page.content.decode()
    assert "1 as before" in page.content.decode()


def test_yaml_that_names_a_part_changes_that_part_alone(browser, host):
    page = look(
        browser, "hosts:\n  pi01:\n    location: rack 2\n    interfaces:\n      eth0: {ipv4: 192.0.2.11}\n"
    )
    assert told(page) == [
        "change host pi01: location nothing → rack 2",
        "change interface pi01/eth0: ipv4 192.0.2.10 → 192.0.2.11",
    ]
    assert confirm(browser, page).status_code == 302
    assert Interface.objects.get().mac == "bc:24:11:ce:51:ec"


def test_a_mistake_in_yaml_has_its_line(browser, host):
    page = look(
        browser,
        "hosts:\n  pi01:\n    colour: red\n  pi02:\n    interfaces:\n      eth0: {segment: managment}\n",
    )
    assert [(one.line, one.sentence.split(";")[-1].strip()[:20]) for one in page.context["complaints"]] == [
        (3, "known are form, role"),
        (6, "add it to segments, "),
    ]  # fmt: skip


def test_a_whole_document_retires_what_it_leaves_out_and_is_strict(browser, site, host):
    page = look(browser, "mgmtplane: 1\nsite: lab\nhosts: {}\n", kind="whole")
    assert "retire host pi01" in told(page)
    assert confirm(browser, page).status_code == 302
    assert Host.objects.get().status == "retired"
    page = look(browser, "mgmtplane: 1\nsite: lab\nhosts:\n  pi02: {form: toaster}\n", kind="whole")
    assert [(one.line, "is not one of" in one.sentence) for one in page.context["complaints"]] == [(4, True)]
    page = look(browser, "mgmtplane: 1\nsite: other\nhosts: {}\n", kind="whole")
    assert "this imports into lab" in page.context["complaints"][0].sentence


def test_a_whole_document_is_not_applied_to_a_site_that_moved_on(browser, site, host):
    page = look(browser, "mgmtplane: 1\nsite: lab\nhosts: {}\n", kind="whole")
    with change(site, by="eve", why="meanwhile"):
        Host(site=site, name="pi09").save()
    again = confirm(browser, page)
    assert "another one by now" in again.content.decode() and "retire host pi09" in told(again)
    assert not Host.objects.filter(status="retired").exists()


def test_an_operator_imports_what_an_operator_may(site, host):
    kim = signed_in(person("kim", (site, "operator")))
    page = look(kim, "host,platform\npi01,NUC 11\n")
    assert confirm(kim, page).status_code == 302
    page = look(kim, "mgmtplane: 1\nsite: lab\ngroups: {}\n", kind="whole")
    assert any(
        "You may not delete a group at lab (pis)" in one.sentence for one in page.context["complaints"]
    )
    assert confirm(kim, page).status_code == 200
    assert Group.objects.exists() and Segment.objects.exists()


def test_viewers_and_strangers_get_no_import(site, host):
    assert signed_in(person("lee", (site, "viewer"))).get(address()).status_code == 403
    assert signed_in(person("eve")).get(address()).status_code in (403, 404)
    assert signed_in(person("root", is_superuser=True)).get(address("nowhere")).status_code == 404


def test_the_entry_of_the_menu_leads_to_the_one_site_and_empty_says_what_is_next(browser, db):
    assert "There is no site yet" in browser.get(reverse("admin:imports")).content.decode()


def test_with_one_site_nobody_is_asked_which(browser, site):
    assert browser.get(reverse("admin:imports"), {"noun": "groups"}).url == f"{address()}?noun=groups"
    assert browser.get(f"{address()}?noun=groups").context["form"].initial["kind"] == "groups"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"text": ""},
        {"text": "\0"},
        {"text": "x", "kind": "nonsense"},
        {"text": "host\npi01", "confirmed": "x", "page": "nine", "why": "x"},
        {"text": "host\npi01", "confirmed": "\0", "why": "x"},
        {"text": "hosts: [", "kind": "part"},
        {"text": "hosts: 5\nsegments: {x: 3}", "kind": "part"},
        {"text": "[1, 2]", "kind": "part"},
        {"text": "hosts: {pi01: {interfaces: {eth0: null}, services: 7}}", "kind": "part"},
        {"text": "site: 5\nhosts: {pi01: null}", "kind": "part"},
        {"text": "hosts: {1: {name: x}}\nsegments: null\nfacts: {}", "kind": "part"},
        {"text": "nonsense", "kind": "whole"},
        {"text": "a,b\n\ud800,1".encode("utf-8", "replace").decode()},
        {"text": 'sep="\nhost\npi01'},
        {"text": 'host\t"\npi01'},
    ],
)
def test_nothing_that_is_sent_makes_a_traceback(browser, host, data):
    revision = load("lab").revision
    assert browser.post(address(), data).status_code == 200
    assert load("lab").revision == revision


def test_a_long_plan_is_read_page_by_page(browser, host):
    rows = "".join(f"vm{n:03},vm\n" for n in range(150))
    page = look(browser, f"host,form\n{rows}")
    assert len(told(page)) == 100 and page.context["plan"].pages == 2
    second = confirm(browser, page, page="2")
    assert len(told(second)) == 50 and Host.objects.count() == 1
    assert confirm(browser, second).status_code == 302
    assert Host.objects.count() == 151
