"""A rebuild that came to nothing: the way back to what the machine was, and from whatever is left of it."""

from __future__ import annotations

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from provisioning import kinds, requests
from tests.provisioning.jobs.conftest import VMID, do
from tests.provisioning.jobs.rebuilding import (
    DATA,
    HOST,
    SPARE,
    SYSTEM,
    Death,
    asked,
    backups,
    carried_on,
    confirmed,
    dies,
    foreign,
    put,
    rebuilt,
)
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(lab, pve):
    put(pve, lab)
    return lab


@pytest.fixture
def failed(machine, pve):
    """The new disk is in, and the guest never answers."""
    pve.change(leases={}, guests={VMID: {"agent": {"absent": True}}})
    job = rebuilt(machine)
    assert job.state == "failed" and "is half rebuilt" in job.message, job.message
    pve.change(guests={VMID: {"agent": {}}})
    return job


def put_back(site, volume: str = ""):
    return confirmed(do("restore_vm", site, host=HOST, volume=volume))


def assert_as_it_was(pve) -> None:
    known, config = pve.state(), pve.guest(VMID)["config"]
    holds = {key: known["volumes"][config[key].split(",")[0]]["holds"] for key in ("scsi0", "scsi1")}
    assert holds == {"scsi0": "an old system", "scsi1": "what nobody has twice"}
    assert "mgmtplane-rebuild" not in config["description"] and config["scsihw"] == "virtio-scsi-pci"
    assert pve.guest(VMID)["running"]


def test_the_message_and_the_page_lead_back(failed, machine, pve, client: Client):
    volume = failed.outcome["backup"]
    assert f"manage.py job restore --site lab --host {HOST} --param volume={volume}" in failed.message
    client.force_login(User.objects.create_superuser("ada"))
    page = client.get(reverse("admin:provisioning_job_change", args=(failed.pk,))).content.decode()
    (address,) = [part.split('"')[0] for part in page.split('href="') if "restore_vm" in part.split('"')[0]]
    questions = client.get(html.unescape(address)).content.decode()
    assert f'value="{HOST}"' in questions and f'value="{volume}"' in questions


def test_the_way_back_stays_though_the_hypervisor_went_away_meanwhile(machine, pve, monkeypatch):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, 6, "after")
        assert dies(job)
    pve.fault("status", "GET", "/config", status=401, reason="authentication failure", times=0)
    job = carried_on(job)
    (kept,) = backups(pve)
    assert job.state == "failed" and "does not accept the API token" in job.message
    way = kinds.find("rebuild_vm").way_out(job)
    assert (way.kind, way.parameters) == ("restore_vm", {"host": HOST, "volume": kept["volid"]})


def test_put_back_it_is_what_it_was_and_nothing_is_left(failed, machine, pve):
    others = foreign(pve)
    job = put_back(machine, failed.outcome["backup"])
    assert job.state == "succeeded", job.message
    assert_as_it_was(pve)
    known = pve.state()
    assert str(SPARE) not in known["guests"] and foreign(pve) == others
    assert not [key for key in pve.guest(VMID)["config"] if key.startswith("unused")]
    images = [one for one in known["volumes"].values() if one["vmid"] == VMID and one["content"] == "images"]
    assert len(images) == 3


def test_run_again_it_goes_on_and_needs_no_second_backup(failed, machine, pve):
    pve.forget()
    job = asked(machine)
    assert job.planned.warnings == (f"Job {failed.pk} left it half rebuilt; this goes on with that.",)
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert pve.requests("POST", "/clone") == [] and len(backups(pve)) == 1
    assert pve.state()["volumes"][DATA]["holds"] == "what nobody has twice"


@pytest.mark.parametrize(("kind", "more"), [("create_vm", {}), ("power", {"action": "start"})])
def test_half_rebuilt_it_is_neither_created_nor_started(failed, machine, pve, kind, more):
    pve.forget()
    job = do(kind, machine, host=HOST, **more)
    assert job.state == "failed" and f"half rebuilt: job {failed.pk}" in job.message
    assert pve.writes() == []


def test_half_rebuilt_it_is_not_rebuilt_with_another_wish(failed, machine, pve):
    pve.forget()
    job = asked(machine, keep_data="no")
    assert job.state == "failed" and "keep_data=yes is half done" in job.message
    assert pve.writes() == []


@pytest.mark.parametrize("number", [3, 4, 6, 8, 11])
def test_put_back_from_wherever_a_worker_died_for_good(machine, pve, monkeypatch, number):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, number, "after")
        assert dies(job)
    requests.cancel(job, by="test")
    job = put_back(machine)
    assert job.state == "succeeded", job.message
    assert_as_it_was(pve)
    assert str(SPARE) not in pve.state()["guests"]


def test_a_machine_that_is_gone_is_put_back(failed, machine, pve):
    pve.change(guests={VMID: None})
    job = put_back(machine, failed.outcome["backup"])
    assert job.state == "succeeded", job.message
    assert_as_it_was(pve)


def test_a_backup_of_another_machine_with_the_same_vmid_is_refused(machine, pve):
    assert do("backup_vm", machine, host=HOST).state == "succeeded"
    (kept,) = backups(pve)
    pve.change(volumes={kept["volid"]: {"config": {**kept["config"], "description": "somebody's router"}}})
    pve.forget()
    job = do("restore_vm", machine, host=HOST)
    assert job.state == "failed" and "is a backup of a machine without our marker" in job.message
    assert pve.writes() == []


def test_a_machine_that_is_somebody_elses_by_now_is_refused(machine, pve):
    assert do("backup_vm", machine, host=HOST).state == "succeeded"
    pve.change(guests={VMID: {"config": {"description": "somebody's"}}})
    pve.forget()
    job = do("restore_vm", machine, host=HOST)
    assert job.state == "failed" and "carries no marker" in job.message and pve.writes() == []


def test_a_machine_that_was_started_by_hand_meanwhile_is_not_taken_apart(machine, pve, monkeypatch):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, 3, "after")
        assert dies(job)
    pve.change(guests={VMID: {"running": True}})
    job = carried_on(job)
    assert job.state == "failed" and "runs on its old disk" in job.message
    assert pve.guest(VMID)["config"]["scsi0"].startswith(SYSTEM)


def test_destroyed_half_rebuilt_it_leaves_nothing(failed, machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    assert confirmed(do("park_vm", machine, host=HOST)).state == "succeeded"
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    removed = [line.subject for line in job.planned.lines if line.act == "remove"]
    assert {f"machine {HOST}", f"spare {SPARE}", f"disk {SYSTEM}", f"disk {DATA}"} <= set(removed)
    assert confirmed(job).state == "succeeded"
    known = pve.state()
    assert not {str(VMID), str(SPARE)} & set(known["guests"])
    assert {one["content"] for one in known["volumes"].values() if one["vmid"] in (VMID, SPARE)} == {"backup"}


LOST = {
    "clone": ("POST", "/clone"),
    "shutdown": ("POST", "/status/shutdown"),
    "description": ("PUT", f"/{VMID}/config"),
    "move": ("POST", "/move_disk"),
    "spare away": ("DELETE", f"/qemu/{SPARE}"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_lost_answer_is_resolved_by_looking(machine, pve, name):
    method, path = LOST[name]
    pve.fault("lost", method, path)
    job = rebuilt(machine)
    assert job.state == "succeeded", (job.message, texts(job))
    assert len(pve.requests("POST", "/clone")) == 1 and len(pve.requests("POST", "/move_disk")) == 1


@pytest.mark.parametrize(("method", "path"), [("POST", "/move_disk"), ("PUT", f"/{VMID}/resize")])
def test_a_task_that_did_nothing_fails_in_words_and_is_gone_on_with(machine, pve, method, path):
    pve.fault("ignore", method, path, times=0)
    job = rebuilt(machine)
    assert job.state == "failed" and "is half rebuilt" in job.message and backups(pve)
    pve.forget()
    assert rebuilt(machine).state == "succeeded"


def test_a_disk_that_got_lost_while_it_was_moved_is_cloned_anew(machine, pve, monkeypatch):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, 6, "before")
        assert dies(job)
    pve.change(guests={SPARE: {"config": {"scsi0": None}}})  # the node died in the middle of it
    job = carried_on(job)
    assert job.state == "succeeded", job.message
    assert len(pve.requests("POST", "/clone")) == 2 and str(SPARE) not in pve.state()["guests"]
