"""Drift in the browser: the list, one of them, what is decided there, and who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inventory.changes import change
from inventory.models import Grant, Host, Site, VirtualMachine
from provisioning import drift
from provisioning.models import DriftFinding, Job
from tests.provisioning.drift.conftest import HOST, PIHOLE, World, declare_machine, only, rows

pytestmark = pytest.mark.django_db

LIST = "/admin/provisioning/driftfinding/"


def person(name: str, level: str, site: Site | None) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    Grant.objects.create(user=user, site=site, level=level)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(lab) -> Client:
    return person("kim", "operator", lab.site)


@pytest.fixture
def viewer(lab) -> Client:
    return person("vic", "viewer", lab.site)


def page(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def at(row: DriftFinding, what: str = "change") -> str:
    return reverse(f"admin:provisioning_driftfinding_{what}", args=(row.pk,))


def chosen(client: Client, action: str, rows, **more) -> str:
    body = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more}
    answer = client.post(LIST, body, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- looking ---


def test_where_nothing_was_surveyed_the_list_says_so_and_how_to(lab, operator, viewer):
    said = page(operator)
    assert "No hypervisor was surveyed yet" in said
    assert f'href="{reverse("admin:start_job_at", args=("lab", "survey"))}"' in said
    assert "No hypervisor was surveyed yet" in page(viewer) and "/job/survey/" not in page(viewer)
    first = page(operator, "/admin/")
    assert "no hypervisor was surveyed yet" in first and "survey now" in first


def test_the_list_shows_what_stands_and_how_old_the_surveys_are(lab, viewer):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    lab.survey(lab.machine(), PIHOLE)
    said = page(viewer)
    assert "VMID 101" in said and "bc:24:11:0a:0b:0c" in said and "was surveyed" in said
    assert "memory" not in said.partition('id="result_list"')[2]
    assert "memory" in page(viewer, f"{LIST}?in_state=closed").partition('id="result_list"')[2]
    lab.failed()
    said = page(viewer)
    assert "the newest survey failed" in said and "no answer" in said
    assert "unknown" in page(viewer, f"{LIST}?in_state=unknown")


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("kind__exact=size", {"memory"}),
        ("kind__exact=undeclared", {"VMID 101"}),
        ("on_hypervisor=hv01", {"memory", "VMID 101"}),
        ("on_hypervisor=hv02", set()),
        (f"of_host={HOST}", {"memory"}),
        ("in_state=accepted", {"VMID 101"}),
        ("in_state=open", {"memory"}),
        ("q=0a:0b:0c", {"VMID 101"}),
    ],
)
def test_the_list_is_narrowed(lab, viewer, question, shown):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    drift.accept(DriftFinding.objects.filter(kind="undeclared"), by="ada", why="the old DNS")
    listed = page(viewer, f"{LIST}?{question}").partition('id="result_list"')[2]
    assert {word for word in ("memory", "VMID 101") if word in listed} == shown


def test_a_page_tells_when_it_was_seen_and_never_a_stale_claim_as_a_fact(lab, operator):
    lab.survey(lab.machine(memory="512"))
    said = page(operator, at(only()))
    assert "2026-01-02" in said and "The declaration has changed" not in said
    with change(lab.site, by="ada", why="it needs no more"):
        machine = VirtualMachine.objects.get()
        machine.memory = 512
        machine.save()
    Job.objects.create(
        kind="resize_vm",
        site=lab.site,
        site_slug="lab",
        parameters={"host": HOST},
        machine_key=f"lab/{HOST}",
        state="succeeded",
        finished=timezone.now(),
    )
    said = page(operator, at(only()))
    assert "The declaration has changed since this was judged" in said
    assert "A job was at the machine after this was seen" in said


@pytest.mark.parametrize(
    ("guest", "link"),
    [
        (None, "/create_vm/?host=netctrl-vm01"),
        ({"memory": "512"}, "/resize_vm/?host=netctrl-vm01"),
        ({"onboot": "0"}, "/repair_vm/?host=netctrl-vm01"),
        (
            {"net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"},
            "/power/?host=netctrl-vm01&amp;action=stop",
        ),
        ({"status": "stopped"}, "/power/?host=netctrl-vm01&amp;action=start"),
    ],
)
def test_each_leads_to_the_job_that_mends_it(lab, operator, viewer, guest, link):
    lab.survey(*([lab.machine(**guest)] if guest else []))
    said = page(operator, at(only()))
    assert f"/admin/site/lab/job{link}" in said
    assert f"job{link}" not in page(viewer, at(only()))
    address = next(part.partition('"')[0] for part in said.split('href="') if link in part)
    assert f'value="{HOST}"' in page(operator, address.replace("&amp;", "&"))


def test_the_generated_mac_is_shown(lab, viewer):
    lab.survey(lab.machine(net0="virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"))
    said = page(viewer, at(only()))
    assert "bc:24:11:00:00:99" in said and "02:de:20:00:00:c8" in said


def test_the_pages_of_hosts_and_the_first_page_count(lab, operator, viewer):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    said = page(viewer, reverse("admin:inventory_host_change", args=(Host.objects.get(name=HOST).pk,)))
    assert at(DriftFinding.objects.get(kind="size")) in said and "was surveyed" in said
    assert at(DriftFinding.objects.get(kind="undeclared")) not in said
    said = page(viewer, reverse("admin:inventory_host_change", args=(Host.objects.get(name="hv01").pk,)))
    assert at(DriftFinding.objects.get(kind="undeclared")) in said
    for address in ("/admin/", reverse("admin:site_overview", args=("lab",))):
        assert f'<a href="{LIST}?on_site=lab&amp;in_state=open">2 open</a>' in page(viewer, address)


# --- deciding ---


def test_one_is_ignored_until_a_day_and_taken_back(lab, operator):
    lab.survey(lab.machine(memory="512"))
    until = timezone.localdate() + timedelta(days=2)
    operator.post(at(only(), "ignore"), {"until": until.isoformat(), "why": "the RAM is ordered"})
    assert (only().state, only().ignored_until, only().decided_by) == ("ignored", until, "kim")
    assert "the RAM is ordered" in page(operator, at(only()))
    operator.post(at(only(), "withdraw"), {"why": "it is here"})
    assert only().state == "open"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"until": "soon", "why": "so"}, "is no day"),
        ({"until": "2020-01-01", "why": "so"}, "is over"),
        ({"until": "2999-01-01", "why": " "}, "Say why"),
    ],
)
def test_a_decision_that_lacks_something_is_refused_in_words(lab, operator, body, message):
    lab.survey(lab.machine(memory="512"))
    assert message in operator.post(at(only(), "ignore"), body, follow=True).content.decode()
    assert rows() == [("size", "memory", "open")]


def test_an_undeclared_guest_is_accepted_on_its_page(lab, operator):
    lab.survey(lab.machine(), PIHOLE)
    operator.post(at(only(), "accept"), {"why": "the old DNS"})
    assert only().state == "accepted"


def test_a_visit_alone_decides_nothing(lab, operator):
    lab.survey(lab.machine(), PIHOLE)
    for what in ("accept", "ignore", "withdraw"):
        assert operator.get(at(only(), what), {"why": "so", "until": "2999-01-01"}).status_code == 302
    assert only().state == "open"


def test_what_was_found_is_taken_as_declared_after_a_preview(lab, operator):
    lab.survey(lab.machine(memory="512"))
    said = page(operator, at(only(), "take"))
    assert "memory of netctrl-vm01: 2048 → 512" in said
    fingerprint = said.partition('name="fingerprint" value="')[2].partition('"')[0]
    answer = operator.post(
        at(only(), "take"),
        {"fingerprint": fingerprint.replace("&gt;", ">"), "why": "it is enough"},
        follow=True,
    )
    assert "Declared: memory of netctrl-vm01 is 512" in answer.content.decode()
    assert VirtualMachine.objects.get().memory == 512 and only().state == "closed"


def test_many_are_ignored_together_after_a_page_that_names_them(lab, operator):
    lab.survey(lab.machine(memory="512", onboot="0"), PIHOLE)
    every = list(DriftFinding.objects.all())
    said = chosen(operator, "ignore_these", every)
    assert "VMID 101" in said and 'type="date"' in said and {state for *_, state in rows()} == {"open"}
    decided = said.partition('name="decided" value="')[2].partition('"')[0]
    until = timezone.localdate().isoformat()
    answer = chosen(operator, "ignore_these", every, confirmed="1", decided=decided, until=until, why="later")
    assert "3 ignored." in answer and {state for *_, state in rows()} == {"ignored"}


def test_of_many_those_are_accepted_that_nobody_declares(lab, operator):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    every = list(DriftFinding.objects.all())
    said = chosen(operator, "accept_these", every)
    decided = said.partition('name="decided" value="')[2].partition('"')[0]
    answer = chosen(operator, "accept_these", every, confirmed="1", decided=decided, why="the old DNS")
    assert "1 accepted." in answer
    assert set(rows()) == {("size", "memory", "open"), ("undeclared", "machine", "accepted")}
    assert "Nothing was decided" in chosen(
        operator, "withdraw_these", [row for row in every if row.kind == "size"]
    )


# --- who may ---


def test_a_viewer_looks_and_decides_nothing(lab, viewer):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    for row in DriftFinding.objects.all():
        assert "you need the permission" in page(viewer, at(row))
        for what in ("accept", "ignore", "withdraw", "take"):
            assert viewer.post(at(row, what), {"why": "so", "until": "2999-01-01"}).status_code == 403
    chosen(viewer, "ignore_these", DriftFinding.objects.all(), confirmed="1", until="2999-01-01", why="so")
    assert {state for *_, state in rows()} == {"open"}


def test_drift_of_another_site_is_not_there(lab, db):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    other = Site(slug="other", root_domain="example.org")
    with change(other, by="fixture", why="another site"):
        pass
    stranger = person("sid", "operator", other)
    assert "VMID 101" not in page(stranger) and "hv01" not in page(stranger)
    for row in DriftFinding.objects.all():
        assert stranger.get(at(row)).status_code == 302  # to the first page, as for one that is not there
        for what in ("accept", "ignore", "withdraw", "take"):
            assert stranger.post(at(row, what), {"why": "so", "until": "2999-01-01"}).status_code in (
                403,
                404,
            )
    chosen(stranger, "ignore_these", DriftFinding.objects.all(), confirmed="1", until="2999-01-01", why="so")
    assert {state for *_, state in rows()} == {"open"}


def test_taking_needs_the_right_to_declare(lab):
    from django.contrib.auth.models import Permission

    lab.survey(lab.machine(memory="512"))
    user = User.objects.create_user("dan", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_driftfinding", "decide_drift"]))
    client = Client()
    client.force_login(user)
    assert client.get(at(only(), "take")).status_code == 403
    assert at(only(), "take") not in page(client, at(only()))


# --- queries ---


def test_pages_ask_as_much_for_many_as_for_few(lab, operator):
    def counted() -> list[int]:
        addresses = [LIST, "/admin/", at(DriftFinding.objects.earliest("pk"))]
        addresses += [
            reverse("admin:inventory_host_change", args=(Host.objects.get(name=name).pk,))
            for name in (HOST, "hv01")
        ]
        found = []
        for address in addresses:
            page(operator, address)
            with CaptureQueriesContext(connection) as seen:
                page(operator, address)
            found.append(len(seen))
        return found

    grown = World(lab.site, lab.at)
    grown.survey(lab.machine(memory="512"), PIHOLE)
    few = counted()
    names = [f"m{number}" for number in range(15)]
    with change(lab.site, by="ada", why="growth"):
        for number, name in enumerate(names):
            declare_machine(
                lab.site, name, 300 + number, f"02:de:20:00:01:{number:02x}", f"192.0.2.{100 + number}"
            )
    grown.survey(
        lab.machine(memory="512", onboot="0"),
        PIHOLE,
        *[lab.machine(name, memory="512", cores="9") for name in names],
    )
    assert len(rows()) > 30
    assert counted() == few
