"""A hypervisor that is declared lost: nobody waits for it, and its machines are made again elsewhere."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.urls import reverse

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Hypervisor
from provisioning import requests, runner
from provisioning.engine.moments import database_now
from provisioning.machines.facts import Config, GuestLine, NodeFacts, StorageFacts, Version
from provisioning.models import Survey as Row
from provisioning.observed import surveys
from provisioning.requests import Refused
from provisioning.surveying.survey import Guest, Survey
from tests.access.two_sites import person, signed_in
from tests.provisioning.jobs.conftest import MAC, VMID, do
from tests.provisioning.pve.worlds import READ_TOKEN, WRITE_TOKEN

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


def last_seen(lab, description: str, vmid: int = VMID) -> None:
    """hv02 carried one guest, and does not answer any more."""
    config = Config({"name": HOST, "net0": f"virtio={MAC},bridge=vmbr0", "description": description})
    guest = Guest(GuestLine(vmid, "qemu", "other", HOST, "running"), (MAC,), config)
    storage = StorageFacts("local", "dir", frozenset({"images"}), True, True, False, 10, 5)
    taken = database_now().isoformat()
    nodes = (NodeFacts("other", True),)
    surveys.keep(lab, Survey("hv02", taken, Version("9.1.1"), "other", nodes, (storage,), (guest,)))


def lose(lab, name: str = "hv02") -> None:
    surveys.declare_lost(reading.load("lab"), lab, name, typed=name, by="ada", why="it burnt")


@pytest.fixture
def away(lab):
    """hv02 is declared, and its API leads nowhere."""
    row = Host(site=lab, name="hv02", form="hv")
    with change(lab, by="fixture", why="one more"):
        row.save()
        Hypervisor(
            host=row,
            api_url="https://127.0.0.1:1",
            token_id=WRITE_TOKEN,
            secret="env:PVE_TOKEN",
            read_token_id=READ_TOKEN,
            read_secret="env:PVE_READ_TOKEN",
        ).save()
    return lab


def test_while_it_is_only_away_nothing_is_made(away, pve):
    job = do("create_vm", away, host=HOST)
    assert job.state == "failed" and "hv02" in job.message
    assert pve.writes() == []


def test_what_ran_on_it_is_made_again_elsewhere_under_the_same_identity(away, pve, guest_answers):
    last_seen(away, f"mgmtplane: site=lab uid={away.uid} host={HOST}")
    lose(away)
    job = do("create_vm", away, host=HOST)
    assert job.state == "succeeded", job.message
    assert (job.outcome["vmid"], job.outcome["mac"], job.outcome["hypervisor"]) == (VMID, MAC, "hv01")
    assert Row.objects.get(hypervisor="hv02").lost


def test_a_vmid_that_it_had_given_to_another_machine_stays_taken(away, pve):
    last_seen(away, "by hand")
    lose(away)
    job = do("create_vm", away, host=HOST)
    assert job.state == "failed" and f"VMID {VMID} was taken on hv02, which is declared lost" in job.message
    assert pve.writes() == []


def test_nothing_is_made_on_it(lab, pve):
    assert do("survey", lab).state == "succeeded"
    lose(lab, "hv01")
    pve.forget()
    with pytest.raises(Refused, match="hv01 is declared lost: nothing is made there"):
        do("create_vm", lab, host=HOST)
    assert pve.requests() == []


def test_one_that_is_still_to_be_installed_is_not_waited_for(lab, pve, guest_answers):
    with change(lab, by="fixture", why="ordered"):
        Host(site=lab, name="hv03", form="hv", status="provisioning").save()
    assert do("create_vm", lab, host=HOST).state == "succeeded"


def test_a_survey_that_succeeds_ends_the_loss_and_one_that_fails_does_not(lab, pve):
    assert do("survey", lab).state == "succeeded"
    lose(lab, "hv01")
    pve.fault("status", "GET", "/version", status=500)
    assert do("survey", lab, host="hv01").state == "failed"
    assert Row.objects.get().lost
    pve.forget()
    assert do("survey", lab, host="hv01").state == "succeeded"
    row = Row.objects.get()
    assert (row.lost, row.lost_by, row.lost_why) == (None, "", "")


# --- declaring it ---


def declare(lab, by, **given):
    parameters = {"host": "hv01", "typed": "hv01", **given}
    return requests.request("declare_lost", site=lab, parameters=parameters, by=by, why="it burnt")


def test_it_takes_the_name_typed_once_more_and_an_administrator(lab):
    with pytest.raises(Refused, match="Type the name of the hypervisor, hv01"):
        declare(lab, "ada", typed="hv1")
    with pytest.raises(Refused, match="has no hypervisor hv09; there are: hv01"):
        declare(lab, "ada", host="hv09")
    with pytest.raises(PermissionDenied):
        declare(lab, person("bob", (lab, "operator")))
    assert declare(lab, person("eve", (lab, "administrator"))).state == "waiting"


def test_the_plan_is_confirmed_and_says_what_stays_taken(lab, pve):
    do("survey", lab)
    job = do("declare_lost", lab, host="hv01", typed="hv01")
    assert job.state == "waiting" and not Row.objects.get().lost
    (line,) = job.planned.lines
    assert line.detail == "lost; its VMIDs stay taken: 100, 101, 9000, 9001, 9002, 9003"
    assert any(f"Declared on it: {HOST}" in text for text in job.planned.warnings)
    requests.confirm(job, job.fingerprint, by="ada")
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert (job.state, job.outcome) == ("succeeded", {"vmids": 6})
    row = Row.objects.get()
    assert row.lost and (row.lost_by, row.lost_why) == ("test", "to see")


def test_the_shell_shows_the_same_plan(lab, capsys):
    call_command("job", "declare_lost", site="lab", host="hv01", param=["typed=hv01"], plan=True)
    said = capsys.readouterr().out
    assert "hypervisor hv01: lost; its VMIDs stay taken: none known" in said
    assert "Warning: hv01 was never surveyed" in said
    assert not Row.objects.filter(lost__isnull=False).exists()


def test_a_survey_of_the_site_leaves_it_out_and_a_named_one_does_not(away, pve):
    lose(away)
    job = do("survey", away)
    assert (job.state, job.outcome["surveyed"], job.outcome["failed"]) == ("succeeded", 1, 0)
    assert any("hv02 is declared lost" in text for text in job.planned.warnings)
    assert do("survey", away, host="hv02").state == "failed"


def test_its_page_and_the_overview_say_so_and_what_takes_it_back(lab):
    lose(lab, "hv01")
    browser = signed_in(person("eve", (lab, "administrator")))
    host = Host.objects.get(name="hv01")
    page = browser.get(reverse("admin:inventory_host_change", args=(host.pk,))).content.decode()
    assert "it burnt" in page and "A survey of it that succeeds takes this back." in page
    assert reverse("admin:start_job_at", args=("lab", "declare_lost")) in page
    for address in (reverse("admin:index"), reverse("admin:site_overview", args=("lab",))):
        assert "is declared lost since" in browser.get(address).content.decode()


def test_who_does_not_see_the_site_is_told_of_no_loss(lab):
    lose(lab, "hv01")
    browser = signed_in(person("bob"))
    assert "hv01" not in browser.get(reverse("admin:index")).content.decode()
