"""The pages of the acts: what they show, what they do, what they refuse, and who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory import reading
from inventory.changes import change
from inventory.models import Change, Grant, Group, Host, Interface, Service
from tests.acts.lab import make_lab
from tests.admin.pages import url
from tests.allocation.conftest import make_site

pytestmark = pytest.mark.django_db
NEW = "BC-24-11-00-00-99"


@pytest.fixture
def lab(db):
    return make_lab(make_site())


def at(name: str, *arguments: object) -> str:
    return reverse(f"admin:{name}", args=arguments)


def said(response) -> list[str]:
    """The messages but for the offer to undo, which each act makes."""
    found = [str(message) for message in response.context["messages"]]
    return [text for text in found if not (text.startswith("Revision ") and text.endswith(">Undo</a>"))]


def interface(host: str) -> Interface:
    return Interface.objects.get(host__name=host)


def confirm(browser: Client, address: str, why: str = "the card is broken", **answers):
    """What a person sends who has looked at the plan for these answers."""
    seen = browser.get(address, {"live": "1", **answers})
    plan = seen.context["plan"]
    shown = {"fingerprint": plan.fingerprint, "answers": seen.context["answers"]} if plan else {}
    return browser.post(address, {"live": "1", "why": why, **answers, **shown}, follow=True)


# --- new hosts ---


def test_both_entries_stand_above_the_list_and_lead_to_the_only_site(browser, lab):
    page = browser.get(url("host")).content.decode()
    assert "New VM" in page
    assert "New bare-metal host" in page
    assert browser.get(url("host", "new_vm"), follow=True).redirect_chain[-1][0] == at("new_vm", "lab")


def test_with_several_sites_the_page_asks_at_which(browser, lab):
    make_site("other")
    page = browser.get(at("new_machine_somewhere") + "?segment=storage").content.decode()
    assert f"{at('new_machine', 'other')}?segment=storage" in page


def test_a_vm_is_shown_before_it_is_made(browser, lab):
    address = at("new_vm", "lab")
    first = browser.get(address).context
    assert (first["form"].data["hypervisor"], first["form"].data["segment"]) == ("hv01", "management")
    answers = {**first["form"].data.dict(), "live": "1", "role": "dns"}
    seen = browser.get(address, answers)
    page = seen.content.decode()
    for text in ("dns-vm02", "201", "02:de:20:01:00:02", "192.0.2.5", "dns-vm02.lab.example.net", "kea"):
        assert text in page
    assert not Host.objects.filter(name="dns-vm02").exists()
    done = browser.post(address, {**answers, "noted": seen.context["noted"]}, follow=True)
    assert said(done)[0] == "dns-vm02 is declared: VMID 201, MAC 02:de:20:01:00:02, Address 192.0.2.5."
    assert done.redirect_chain[-1][0] == url("host", "change", Host.objects.get(name="dns-vm02").pk)


def test_who_loses_a_race_gets_the_next_values_and_is_told(browser, lab):
    address = at("new_vm", "lab")
    answers = {"live": "1", "role": "dns", "segment": "management", "plane": "management", "a_record": "on"}
    noted = browser.get(address, answers).context["noted"]
    browser.post(address, {**answers, "noted": noted}, follow=True)
    second = browser.post(address, {**answers, "noted": noted}, follow=True)
    assert said(second)[1] == (
        "Somebody else was faster: dns-vm02, 201, 02:de:20:01:00:02, 192.0.2.5 was shown, and the next free values "
        "were taken."
    )


def test_what_cannot_be_stands_beside_its_field(browser, lab):
    answers = {"live": "1", "segment": "management", "plane": "management", "address": "192.0.2.2"}
    page = browser.post(at("new_vm", "lab"), answers)
    errors = page.context["form"].errors
    assert errors["address"] == ["192.0.2.2 belongs to dns-vm01; choose another, or change it there first."]
    assert "needs a role" in errors["name"][0]
    assert not Host.objects.filter(status="provisioning").exists()


@pytest.mark.parametrize(
    "query", ["role=nobody&live=1", "vmid=x&live=1", "address=%00&live=1", "mac_of_vm=zz&live=1"]
)
def test_nonsense_is_answered_in_words(browser, lab, query):
    page = browser.get(at("new_vm", "lab") + f"?{query}")
    assert page.status_code == 200
    assert page.context["plan"] is None


def test_a_clone_shows_its_identity_and_is_made(browser, lab):
    vm = Host.objects.get(name="dns-vm01")
    address = at("clone_host", "lab", vm.pk)
    data = browser.get(address).context["form"].data
    done = browser.post(address, {**data.dict(), "live": "1"}, follow=True)
    assert (
        "dns-vm02 is declared: VMID 201, MAC of eth0 02:de:20:01:00:02, Address of eth0 192.0.2.5."
        in said(done)
    )


# --- acts on what is there ---


def test_a_nic_is_replaced_from_the_page_of_its_host(browser, lab):
    host = Host.objects.get(name="pi02")
    address = browser.get(url("host", "replace_nic_of_this", host.pk), follow=True).redirect_chain[-1][0]
    assert address == at("replace_nic", "lab", interface("pi02").pk)
    done = confirm(browser, address, mac=NEW)
    assert said(done) == ["pi02/eth0 has bc:24:11:00:00:99 now. bc:24:11:00:00:02 is in quarantine."]
    assert Change.objects.latest("id").why == "the card is broken"


def test_without_a_reason_nothing_is_done(browser, lab):
    page = confirm(browser, at("replace_nic", "lab", interface("pi02").pk), why="", mac=NEW)
    assert page.context["form"].errors["why"] == ["Say why; nothing was changed yet."]
    assert interface("pi02").mac == "bc:24:11:00:00:02"


def test_a_plan_that_nobody_saw_is_shown_and_not_done(browser, lab):
    address = at("replace_nic", "lab", interface("pi02").pk)
    page = browser.post(address, {"live": "1", "mac": NEW, "why": "broken"})
    assert said(page) == [
        "This is the plan for what you say now. Nothing was done yet: look at it, then confirm."
    ]
    assert interface("pi02").mac == "bc:24:11:00:00:02"


def test_a_site_that_moved_on_shows_the_new_plan(browser, lab):
    address = at("replace_nic", "lab", interface("pi02").pk)
    seen = browser.get(address, {"live": "1", "mac": NEW})
    with change(lab, by="somebody else"):
        pi = Host.objects.get(name="pi03")
        pi.notes = "spare card bc:24:11:00:00:02"
        pi.save()
    page = browser.post(
        address,
        {"live": "1", "mac": NEW, "why": "x", "fingerprint": seen.context["plan"].fingerprint,
         "answers": seen.context["answers"]},
    )  # fmt: skip
    assert said(page) == ["The site has changed since; this is the plan now. Nothing was done yet."]
    assert "spare card" in page.content.decode()


def test_an_assigned_mac_is_re_identified_instead(browser, lab):
    row = interface("dns-vm01")
    assert browser.get(at("replace_nic", "lab", row.pk)).url == at("reidentify_interface", "lab", row.pk)


def test_a_host_is_renamed_with_the_values_that_were_ticked(browser, lab):
    with change(lab, by="test"):
        group = Group.objects.get(name="pis")
        group.variables = {"mirror": "pi02", "text": "on pi02"}
        group.save()
    host = Host.objects.get(name="pi02")
    address = at("rename_host", "lab", host.pk)
    (literal,) = browser.get(address, {"live": "1", "name": "pi09"}).context["plan"].literals
    done = confirm(browser, address, name="pi09", literal=literal.key)
    assert said(done) == [
        "pi02 is called pi09 now; the old name is in quarantine. 1 values in variables were replaced."
    ]
    assert Group.objects.get(name="pis").variables == {"mirror": "pi09", "text": "on pi02"}


def test_everything_that_a_host_carries_moves_at_once(browser, lab):
    with change(lab, by="test"):
        Service(host=Host.objects.get(name="pi02"), name="ntp").save()
    host = Host.objects.get(name="pi02")
    address = browser.get(url("host", "move_services_of_this", host.pk)).url
    first = browser.get(address)
    assert first.context["form"].data.getlist("service") == ["pi02/artifacts", "pi02/ntp"]
    done = confirm(
        browser, at("move_services", "lab"), why="new disk", host="pi02", to="pi03",
        service=["pi02/artifacts", "pi02/ntp"],
    )  # fmt: skip
    assert said(done) == ["artifacts, ntp: on pi03 now."]
    assert set(Service.objects.values_list("host__name", flat=True)) == {"pi03"}


def test_services_chosen_in_the_list_move_together(browser, lab):
    pk = Service.objects.get().pk
    page = browser.post(url("service"), {"action": "move", "_selected_action": [pk]})
    assert page.url == at("move_services", "lab") + "?service=pi02%2Fartifacts"


def test_an_interface_moves_to_another_segment(browser, lab):
    done = confirm(browser, at("relocate_interface", "lab", interface("pi02").pk), segment="guest")
    assert said(done) == ["pi02/eth0 lies in guest now; what it had in management is in quarantine."]


@pytest.mark.parametrize(
    "name", ["rename_host", "clone_host", "replace_nic", "relocate_interface", "reidentify_interface"]
)
def test_what_is_not_there_is_not_found(browser, lab, name):
    assert browser.get(at(name, "lab", 10**12)).status_code == 404


def test_a_service_that_is_nowhere_is_not_found(browser, lab):
    assert browser.get(at("move_services", "lab") + "?service=nobody/x").status_code == 404
    assert (
        browser.get(at("move_services", "lab") + "?service=pi02/x&host=pi02&to=pi03&live=1").status_code
        == 200
    )


# --- who may ---


@pytest.fixture
def pages(lab) -> list[str]:
    host, row = Host.objects.get(name="pi02"), interface("pi02")
    return [
        at("new_vm", "lab"), at("new_machine", "lab"), at("clone_host", "lab", host.pk),
        at("rename_host", "lab", host.pk), at("replace_nic", "lab", row.pk),
        at("relocate_interface", "lab", row.pk), at("reidentify_interface", "lab", interface("dns-vm01").pk),
        at("move_services", "lab") + "?host=pi02",
    ]  # fmt: skip


def who(level: str, site) -> Client:
    user = User.objects.create_user(level, password="a long password", is_staff=True)
    Grant(user=user, site=site, level=level).save()
    client = Client()
    client.force_login(user)
    return client


def test_an_operator_of_the_site_may_and_a_viewer_may_not(lab, pages):
    operator, viewer = who("operator", lab), who("viewer", lab)
    for page in pages:
        assert operator.get(page).status_code == 200, page
        assert viewer.get(page).status_code == 403, page
        assert viewer.post(page, {"why": "x"}).status_code == 403, page


def test_an_operator_of_another_site_learns_nothing(lab, pages):
    stranger = who("operator", make_site("other"))
    for page in pages:
        assert stranger.get(page).status_code == 404, page
    reading.forget()
    assert stranger.get(at("new_vm_somewhere")).url == at("new_vm", "other")
