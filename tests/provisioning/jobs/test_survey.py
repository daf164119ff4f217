"""Surveys as jobs: with which token, completely or not at all, and what stays known."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Hypervisor
from provisioning.models import Survey
from provisioning.observed import surveys
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import declare_lab, do
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


def declare(lab, **fields):
    hypervisor = Hypervisor.objects.get()
    with change(lab, by="fixture", why="another declaration"):
        for name, value in fields.items():
            setattr(hypervisor, name, value)
        hypervisor.save()


def tokens(pve):
    return {each["token"] for each in pve.requests()}


def test_a_survey_sees_everything_with_the_reading_token_and_changes_nothing(each_version, db):
    job = do("survey", declare_lab(each_version))
    assert (job.state, job.outcome) == ("succeeded", {"surveyed": 1, "guests": 6, "failed": 0})
    assert each_version.writes() == [] and tokens(each_version) == {READ_TOKEN}
    assert not any("more than looking takes" in text for text in texts(job))


def test_without_a_reading_token_the_writing_one_reads_and_says_so(lab, pve):
    declare(lab, read_token_id="", read_secret="")
    job = do("survey", lab)
    assert job.state == "succeeded" and tokens(pve) == {WRITE_TOKEN}
    (said,) = [text for text in texts(job) if "more than looking takes" in text]
    assert said.startswith(f"hv01: {WRITE_TOKEN} reads and writes") and "Declare a reading token." in said
    assert "SDN.Use on /sdn/zones/localnetwork/vmbr0" in said


def test_a_reading_token_that_may_write_is_a_warning_by_name_and_path(lab, pve):
    acl = {"/vms": {"VM.Audit": 1, "VM.PowerMgmt": 1}, "/storage": {"Datastore.Audit": 1}}
    pve.change(tokens={READ_TOKEN: {"secret": SECRETS[READ_TOKEN], "privsep": 1, "acl": acl}})
    job = do("survey", lab)
    assert job.state == "succeeded"
    (said,) = [text for text in texts(job) if "more than looking takes" in text]
    assert (
        said.startswith(f"hv01: the reading token {READ_TOKEN} has more") and "VM.PowerMgmt on /vms" in said
    )


@pytest.mark.parametrize(
    ("half", "lacking"),
    [({"read_secret": ""}, "lacks the reference to its secret"), ({"read_token_id": ""}, "lacks its id")],
)
def test_half_a_reading_token_is_not_filled_up_from_the_writing_one(lab, pve, half, lacking):
    declare(lab, **half)
    job = do("survey", lab)
    assert job.state == "failed" and lacking in job.message
    assert pve.requests() == []


def test_a_job_that_writes_looks_with_the_one_and_writes_with_the_other(lab, pve, guest_answers):
    assert do("create_vm", lab, host="netctrl-vm01").state == "succeeded"
    assert {each["token"] for each in pve.requests() if each["method"] != "GET"} == {WRITE_TOKEN}
    assert {each["token"] for each in pve.requests("GET", "/access/permissions")} == {READ_TOKEN}


def test_a_failed_survey_keeps_what_was_seen_and_says_that_it_is_old(lab, pve):
    do("survey", lab)
    pve.change(tokens={READ_TOKEN: {"secret": SECRETS[READ_TOKEN], "privsep": 1, "acl": {}}})
    job = do("survey", lab)
    assert job.state == "failed" and "VM.Audit on /vms" in job.message
    row = Survey.objects.get()
    assert row.failed and row.failure and row.document["guests"]


def test_a_reference_that_leads_nowhere_is_said_without_a_call(lab, pve, monkeypatch):
    monkeypatch.delenv("PVE_READ_TOKEN")
    job = do("survey", lab)
    assert job.state == "failed" and "The environment variable PVE_READ_TOKEN is not set" in job.message
    assert pve.requests() == []


def test_the_vmids_of_a_lost_hypervisor_stay_taken(lab, pve):
    do("survey", lab)
    snapshot = reading.load("lab")
    for typed, why in (("hv", "it burnt"), ("hv01", " ")):
        with pytest.raises(surveys.NotLost):
            surveys.declare_lost(snapshot, lab, "hv01", typed=typed, by="ada", why=why)
    surveys.declare_lost(snapshot, lab, "hv01", typed="hv01", by="ada", why="it burnt")
    world = surveys.world_of(snapshot, lab)
    assert world.lost["hv01"] >= {100, 101} and world.unknown == ()


def test_a_site_without_a_declared_api_says_what_to_declare(lab):
    with change(lab, by="fixture", why="no API"):
        Hypervisor.objects.get().delete()
    with pytest.raises(Refused, match="declares no hypervisor with an API"):
        do("survey", lab)
    assert Host.objects.filter(form="hv").exists()
