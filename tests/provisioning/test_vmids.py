"""VMIDs are handed out from complete surveys of all hypervisors of the site, through whichever door one asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory import reading
from inventory.acts.cloning import Like
from inventory.acts.making import clone_host, make_host
from inventory.acts.new_hosts import Asked
from inventory.acts.writing import Order
from inventory.allocation import Refused, reidentifying
from inventory.changes import change
from inventory.models import Host, Hypervisor, Interface
from provisioning.machines.facts import GuestLine, NodeFacts, StorageFacts, Version
from provisioning.models import Survey as Row
from provisioning.observed import surveys
from provisioning.surveying.survey import Guest, Survey
from tests.admin.pages import url
from tests.allocation.conftest import ask, make_site, retire

pytestmark = pytest.mark.django_db

ORDER = Order(by="test", why="for a test")


@pytest.fixture
def browser(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="a long password"))
    return client


def hypervisor(estate, name, **api):
    row = Host(site=estate, name=name, form="hv", status=api.pop("status", "active"))
    with change(estate, by="fixture"):
        row.save()
        if api:
            Hypervisor(host=row, **api).save()
    return row


def keep(estate, name, *vmids, kind="qemu", taken=None, is_template=False):
    guests = tuple(
        Guest(GuestLine(vmid, kind, "pve", f"guest-{vmid}", "stopped", is_template)) for vmid in vmids
    )
    storage = StorageFacts("local", "dir", frozenset({"images"}), True, True, False, 10, 5)
    taken = taken or timezone.now()
    nodes = (NodeFacts("pve", True),)
    surveys.keep(estate, Survey(name, taken.isoformat(), Version("9.1.1"), "pve", nodes, (storage,), guests))


@pytest.fixture
def estate(db):
    """hv01 and hv02 have APIs; VMIDs are 200 to 205; dns-vm01 lacks one."""
    found = make_site()
    for name in ("hv01", "hv02"):
        hypervisor(found, name, token_id="a@pve!w", secret="env:W")
    with change(found, by="fixture"):
        Host(site=found, name="dns-vm01", form="vm").save()
    return found


@pytest.fixture
def seen(estate):
    """hv01 has a machine and a template, hv02 a container, of nobody that is declared."""
    keep(estate, "hv01", 200, 203, is_template=True)
    keep(estate, "hv02", 201, kind="lxc")
    return estate


def refusal(estate) -> str:
    with pytest.raises(Refused) as refused:
        ask(estate, host="dns-vm01", vmid=True)
    assert Host.objects.get(name="dns-vm01").vmid is None
    return str(refused.value)


def test_what_any_guest_anywhere_has_is_not_handed_out(seen):
    found = ask(seen, host="dns-vm01", vmid=True)
    assert (found.vmid, found.unasked) == (202, False)


def test_one_that_was_never_surveyed_is_named_with_the_way_out(estate):
    keep(estate, "hv01", 200)
    said = refusal(estate)
    assert said == (
        "No VMID is handed out at lab: hv02 was never surveyed. Survey now (Survey at lab on the page of jobs, or "
        "manage.py job survey --site lab --wait), or declare lost what will not come back."
    )


def test_one_whose_newest_survey_failed_counts_as_unknown_until_one_succeeds(seen):
    surveys.keep_failure(seen, "hv02", "no answer")
    assert "no survey of hv02 has succeeded since" in refusal(seen)
    keep(seen, "hv02", 201)
    assert ask(seen, host="dns-vm01", vmid=True).vmid == 202


def test_a_survey_that_is_too_old_says_nothing(seen, settings):
    settings.SURVEY_MAX_AGE_MINUTES = 60
    keep(seen, "hv01", 200, taken=timezone.now() - timedelta(minutes=61))
    assert "hv01 was last surveyed on" in refusal(seen)
    keep(seen, "hv01", 200, taken=timezone.now() - timedelta(minutes=58))
    assert ask(seen, host="dns-vm01", vmid=True).vmid == 202


def test_the_vmids_of_one_that_is_lost_stay_taken_and_nobody_waits_for_it(seen):
    surveys.keep_failure(seen, "hv02", "no answer")
    surveys.declare_lost(reading.load("lab"), seen, "hv02", typed="hv02", by="ada", why="it burnt")
    assert ask(seen, host="dns-vm01", vmid=True).vmid == 202


def test_a_retired_hypervisor_is_not_waited_for(estate):
    keep(estate, "hv01", 200)
    retire(Host.objects.get(name="hv02"))
    assert ask(estate, host="dns-vm01", vmid=True).vmid == 201


def test_beside_surveyed_ones_one_without_an_api_is_waited_for_unless_it_is_yet_to_come(seen):
    hypervisor(seen, "hv04", status="provisioning")
    hypervisor(seen, "hv03")
    assert "the API of hv03 is not declared" in refusal(seen)
    retire(Host.objects.get(name="hv03"))
    assert ask(seen, host="dns-vm01", vmid=True).vmid == 202


def test_what_somebody_tells_of_is_taken_too_and_replaces_no_survey(seen):
    surveys.keep_failure(seen, "hv02", "no answer")
    with pytest.raises(Refused, match="hv02"):
        ask(seen, host="dns-vm01", vmid=True, surveyed={200})
    keep(seen, "hv02")
    assert ask(seen, host="dns-vm01", vmid=True, surveyed={201, 202}).vmid == 204


def test_without_any_api_the_declaration_alone_counts_and_that_is_said(db):
    estate = make_site()
    hypervisor(estate, "hv01")
    with change(estate, by="fixture"):
        Host(site=estate, name="dns-vm01", form="vm").save()
    found = ask(estate, host="dns-vm01", vmid=True)
    assert (found.vmid, found.unasked) == (200, True)


def test_another_site_has_its_own_hypervisors(estate):
    other = make_site("other")
    with change(other, by="fixture"):
        Host(site=other, name="dns-vm01", form="vm").save()
    assert ask(other, host="dns-vm01", vmid=True).vmid == 200


# --- the doors ---


def test_new_machines_and_clones_take_no_vmid_that_a_guest_has(seen):
    assert make_host(seen, Asked("vm", role="dns", name="dns-vm02"), ORDER).plan.host.vmid == 202
    assert clone_host(seen, Like("dns-vm02"), ORDER).plan.host.vmid == 204


def test_a_new_machine_may_be_made_without_a_vmid_while_a_hypervisor_is_unknown(seen):
    Row.objects.filter(hypervisor="hv02").delete()
    with pytest.raises(Refused, match="hv02 was never surveyed"):
        make_host(seen, Asked("vm", role="dns", name="dns-vm02"), ORDER)
    made = make_host(seen, Asked("vm", role="dns", name="dns-vm02", without=True), ORDER)
    assert made.plan.host.vmid is None


def test_a_vmid_that_somebody_names_is_theirs_with_a_warning_where_a_guest_has_it(seen):
    made = make_host(seen, Asked("vm", role="dns", name="dns-vm02", vmid=201), ORDER)
    assert made.plan.host.vmid == 201
    assert any("has a guest with VMID 201 already" in warning for warning in made.plan.warnings)


def test_another_identity_in_the_encoding_vmid_takes_a_vmid_that_no_guest_has(seen):
    with change(seen, by="fixture"):
        seen.mac_encoding = "vmid"
        seen.save()
    ask(seen, host="dns-vm01", vmid=True, mac=True)
    row = Interface.objects.get()
    moves = reidentifying.plan(row).moves
    assert [(move.what, move.new) for move in moves if move.what == "VMID"] == [("VMID", "204")]
    surveys.keep_failure(seen, "hv01", "no answer")
    with pytest.raises(Refused, match="no survey of hv01"):
        reidentifying.plan(row)


def test_the_command_refuses_in_the_same_words(seen, capsys):
    call_command("allocate", "vmid", site="lab", host="dns-vm01")
    said = capsys.readouterr()
    assert said.out == "202\n" and "not asked" not in said.err
    surveys.keep_failure(seen, "hv01", "no answer")
    with change(seen, by="fixture"):
        Host(site=seen, name="dns-vm02", form="vm").save()
    with pytest.raises(CommandError, match="No VMID is handed out at lab: no survey of hv01"):
        call_command("allocate", "vmid", site="lab", host="dns-vm02")


def test_the_page_of_a_host_says_it_beside_the_form(browser, seen):
    surveys.keep_failure(seen, "hv01", "no answer")
    host = Host.objects.get(name="dns-vm01")
    page = browser.post(
        url("host", "allocate_for_this", host.pk), {"family": "4", "group": "00", "vmid": "on"}
    )
    assert "no survey of hv01 has succeeded since" in page.content.decode()
    keep(seen, "hv01", 200)
    page = browser.post(
        url("host", "allocate_for_this", host.pk), {"family": "4", "group": "00", "vmid": "on"}, follow=True
    )
    said = [str(message) for message in page.context["messages"]]
    assert any("VMID 202" in text for text in said) and not any("not asked" in text for text in said)


def test_next_free_proposes_none_that_a_guest_has(browser, seen):
    asked = {"_field": "vmid", "form": "vm"}
    assert browser.post(reverse("admin:propose_value", args=("lab",)), asked).json() == {"value": "202"}
    surveys.keep_failure(seen, "hv01", "no answer")
    assert "hv01" in browser.post(reverse("admin:propose_value", args=("lab",)), asked).json()["problem"]
