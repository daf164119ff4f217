"""From an empty installation to a first site, in the browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inventory.models import Change, Grant, Host, Site
from tests.starting.test_archives import TREE, tarred

pytestmark = pytest.mark.django_db

ANSWERS = {
    "slug": "lab",
    "root_domain": "example.net",
    "block": "10.20.0.0/16",
    "organisation": "de",
    "environment": "20",
    "vmid_first": "200",
    "vmid_last": "299",
    "segments": ["management", "guest"],
    "router": "on",
    "hypervisor": "on",
    "host": "on",
    "host_form": "vm",
    "host_role": "metrics",
    "host_segment": "management",
}


def confirmation(response) -> str:
    found = re.search(r'name="confirmed" value="([0-9a-f]{64})"', response.content.decode())
    assert found, response.context["form"].errors
    return found[1]


def test_the_answers_are_shown_before_they_are_declared(browser):
    plan = browser.post("/admin/start/", ANSWERS)
    assert not Site.objects.exists()
    assert "metrics-vm01" in plan.content.decode() and "02:de:20:01:00:01" in plan.content.decode()
    done = browser.post("/admin/start/", {**ANSWERS, "confirmed": confirmation(plan)})
    assert done.status_code == 302 and done.url == "/admin/site/lab/"
    assert sorted(Host.objects.values_list("name", flat=True)) == ["hv01", "metrics-vm01", "rt01"]
    assert Change.objects.get().by_name == "ada"
    assert browser.get(done.url).status_code == 200


def test_other_answers_than_those_confirmed_are_shown_again(browser):
    fingerprint = confirmation(browser.post("/admin/start/", ANSWERS))
    again = browser.post("/admin/start/", {**ANSWERS, "host_role": "logs", "confirmed": fingerprint})
    assert again.status_code == 200 and not Site.objects.exists()
    assert confirmation(again) != fingerprint


def test_every_wrong_answer_is_said_beside_its_field(browser, site):
    wrong = {
        **ANSWERS,
        "slug": "lab",
        "block": "10.20.0.0/33",
        "organisation": "xyz",
        "vmid_last": "150",
        "host_role": "",
    }
    errors = browser.post("/admin/start/", wrong).context["form"].errors
    assert "already a site lab" in errors["slug"][0]
    assert "is not an IPv4 network" in errors["block"][0]
    assert "before it begins at 200" in errors["vmid_last"][0]
    assert "Say what the host is for" in errors["host_role"][0]
    assert errors["organisation"]


def test_the_demo_is_opened_once(browser):
    assert browser.get("/admin/start/demo/").status_code == 405
    browser.post("/admin/start/demo/")
    assert Site.objects.count() == 2
    answer = browser.post("/admin/start/demo/", follow=True)
    assert b"There are sites already" in answer.content and Site.objects.count() == 2


def tree(files=None) -> SimpleUploadedFile:
    return SimpleUploadedFile("tree.tar.gz", tarred(files or TREE))


def test_a_tree_is_planned_and_then_imported(browser):
    files = {"hosts.yml": "all:\n  hosts:\n    pi01:\n      env: {role: x}\n"}
    plan = browser.post("/admin/import/ansible/", {"site": "lab", "archive": tree(files)})
    assert not Site.objects.exists()
    assert any("create host pi01" in line for line in plan.context["lines"])
    data = {
        "site": "lab",
        "carried": plan.context["carried"],
        "confirmed": confirmation(plan),
        "why": "hello",
    }
    done = browser.post("/admin/import/ansible/", data)
    assert done.status_code == 302 and Host.objects.get().name == "pi01"
    assert Change.objects.get().why == "hello"
    again = browser.post("/admin/import/ansible/", {"site": "lab", "archive": tree(files)})
    assert b"Nothing to change" in again.content


def test_a_site_that_moved_on_gets_its_new_plan(browser, site, host):
    files = {"hosts.yml": "all:\n  hosts:\n    pi09: {}\n"}
    plan = browser.post("/admin/import/ansible/", {"site": "lab", "archive": tree(files)})
    from inventory.changes import change

    with change(site, by="else"):
        Host(site=site, name="pi08").save()
    data = {"site": "lab", "carried": plan.context["carried"], "confirmed": confirmation(plan)}
    again = browser.post("/admin/import/ansible/", data)
    assert again.status_code == 200 and b"The plan is another one by now" in again.content
    assert not Host.objects.filter(name="pi09").exists()


def test_errors_of_a_tree_stand_with_file_and_line_and_nothing_is_stored(browser):
    answer = browser.post(
        "/admin/import/ansible/", {"site": "lab", "archive": tree({"hosts.yml": "all:\n  hosts: [1\n"})}
    )
    assert "hosts.yml" in answer.content.decode() and "1 errors in the tree" in answer.content.decode()
    assert not Site.objects.exists()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"site": "lab"}, "archive"),
        ({"site": "lab", "carried": "%%%"}, "archive"),
        ({"site": "No Slug", "carried": "AAAA"}, "site"),
        ({"site": "lab", "carried": "AAAA"}, "archive"),
    ],
)
def test_what_is_no_tree_is_refused_in_words(browser, data, field):
    answer = browser.post("/admin/import/ansible/", data)
    assert answer.status_code == 200 and field in answer.context["form"].errors


def test_importing_asks_for_the_permission_at_that_very_site(site):
    kim = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=kim, site=site, level="administrator")
    client = Client()
    client.force_login(kim)
    assert client.post("/admin/import/ansible/", {"site": "lab", "archive": tree()}).status_code == 200
    assert client.post("/admin/import/ansible/", {"site": "other", "archive": tree()}).status_code in (
        200,
        403,
    )
    Grant.objects.update(level="operator")
    client.force_login(User.objects.get(pk=kim.pk))
    assert client.get("/admin/import/ansible/").status_code == 403
    assert client.get("/admin/start/").status_code == 403
