"""Snapshots of a machine of ours: taken, gone back to, deleted; and what a rollback brings back is compared."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Site
from provisioning import requests, runner
from provisioning.machines.owning import Owner, owner_of
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do, made
from tests.provisioning.jobs.test_keeping import confirmed
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST, NAME = "netctrl-vm01", "before-upgrade"
SNAPSHOT, ROLLBACK = f"/qemu/{VMID}/snapshot", f"/snapshot/{NAME}/rollback"


@pytest.fixture
def machine(lab, pve, guest_answers):
    made(pve, lab)
    return lab


def take(site, name: str = NAME, **more) -> Job:
    return do("snapshot_vm", site, host=HOST, name=name, **more)


def go_back(site, name: str = NAME) -> Job:
    return do("rollback_vm", site, host=HOST, name=name)


def by_hand(pve, name: str, **config) -> None:
    """A snapshot that somebody took on the node, of a machine that had *config* then."""
    before = pve.guest(VMID)["config"]
    pve.change(guests={VMID: {"config": config}})
    proxmox = pve.proxmox()
    proxmox.wait(proxmox.snapshot(VMID, name))
    pve.change(guests={VMID: {"config": {key: before.get(key) for key in config}}})
    pve.forget()


def runs(pve) -> bool:
    return pve.guest(VMID)["running"]


def test_one_is_taken_gone_back_to_and_deleted(db, each_version):
    pve, lab = each_version, declare_lab(each_version)
    pve.change(leases={MAC: ADDRESS})
    made(pve, lab)
    job = take(lab)
    assert (job.state, job.outcome) == ("succeeded", {"snapshot": NAME, "ram": False, "snapshots": [NAME]}), (
        job.message
    )
    kept = pve.guest(VMID)["snapshots"][NAME]
    assert owner_of(kept["description"]) == Owner("lab", str(lab.uid), HOST)
    assert f"job {job.pk}, test: to see" in kept["description"]
    pve.change(guests={VMID: {"config": {"cores": "2"}}})
    job = confirmed(go_back(lab))
    assert job.state == "succeeded", job.message
    assert pve.guest(VMID)["config"]["cores"] == "4" and runs(pve)
    assert len(pve.requests("POST", ROLLBACK)) == 1
    job = confirmed(do("delete_snapshot_vm", lab, host=HOST, name=NAME))
    assert (job.state, job.outcome["snapshots"]) == ("succeeded", []) and pve.guest(VMID)["snapshots"] == {}


def test_the_plan_of_a_rollback_names_what_is_lost_and_does_nothing(machine, pve):
    take(machine)
    volume = {"local-lvm:vm-200-disk-7": {"size": 1 << 30, "vmid": VMID}}
    config = {"memory": "8192", "scsi7": "local-lvm:vm-200-disk-7,size=1G"}
    pve.change(guests={VMID: {"config": config}}, volumes=volume)
    pve.forget()
    job = go_back(machine)
    assert job.state == "waiting" and pve.writes() == []
    lines = [str(line) for line in job.planned.lines]
    assert any(line.startswith("~ machine netctrl-vm01: 200 on hv01: everything since 20") for line in lines)
    assert "~ memory of netctrl-vm01: 8192 → 4096" in lines
    assert "- disk scsi7: detached: it came later" in lines


@pytest.mark.parametrize("when", ["before it is asked for", "before it is confirmed"])
def test_what_is_parked_is_not_gone_back_from(machine, pve, when):
    take(machine)
    job = go_back(machine) if when == "before it is confirmed" else None
    text = pve.guest(VMID)["config"]["description"]
    off = {"description": f"mgmtplane-parked: 2026-01-01T00:00:00+00:00\n\n{text}", "onboot": "0"}
    pve.change(guests={VMID: {"config": off, "running": False}})
    pve.forget()
    job = confirmed(job) if job else go_back(machine)
    assert job.state == "failed" and "is parked since 2026-01-01" in job.message, job.message
    assert pve.writes() == [] and not runs(pve)


def test_with_memory_it_runs_at_once(machine, pve):
    job = take(machine, ram=True)
    assert job.outcome["ram"] and pve.requests("POST", SNAPSHOT)[0]["params"]["vmstate"] == "1"
    do("power", machine, host=HOST, action="stop")
    pve.forget()
    assert confirmed(go_back(machine)).state == "succeeded"
    assert runs(pve) and pve.requests("POST", "/status/start") == []


def test_what_a_snapshot_keeps_of_the_process_is_no_setting(machine, pve):
    take(machine, ram=True)
    assert "running-nets-host-mtu" in pve.guest(VMID)["snapshots"][NAME]["config"]
    lines = [str(line) for line in go_back(machine).planned.lines]
    assert not [line for line in lines if "running-nets-host-mtu" in line or "runningcpu" in line], lines


def test_of_a_machine_that_is_off_no_memory_is_asked_for(machine, pve):
    pve.change(guests={VMID: {"running": False}})
    job = take(machine, ram=True)
    assert job.state == "succeeded" and not job.outcome["ram"]
    assert "vmstate" not in pve.requests("POST", SNAPSHOT)[0]["params"]
    assert confirmed(go_back(machine)).state == "succeeded" and not runs(pve)


def test_a_rollback_that_brings_an_old_mac_back_fails_by_name_and_starts_nothing(machine, pve):
    by_hand(pve, NAME, net0="virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99")
    job = go_back(machine)
    assert any("is not started: net0 MAC is bc:24:11:00:00:99" in one for one in job.planned.warnings)
    job = confirmed(job)
    assert job.state == "failed" and f"net0 MAC is bc:24:11:00:00:99 instead of {MAC}" in job.message
    assert not runs(pve) and pve.requests("POST", "/status/start") == []


def test_one_with_memory_and_an_old_mac_is_refused_before_anything_is_done(machine, pve):
    own = pve.guest(VMID)["config"]["net0"]
    pve.change(guests={VMID: {"config": {"net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"}}})
    take(machine, ram=True)
    pve.change(guests={VMID: {"config": {"net0": own}}})
    pve.forget()
    job = go_back(machine)
    assert job.state == "failed" and "would run at once as what is not declared: net0 MAC" in job.message
    assert pve.writes() == [] and runs(pve)


def test_what_is_not_as_declared_but_harmless_is_a_warning(machine, pve):
    by_hand(pve, NAME, cores="2")
    job = confirmed(go_back(machine))
    assert job.state == "succeeded" and runs(pve)
    assert any(text.startswith("cores is 2 instead of 4; it was so then.") for text in texts(job))


def test_a_name_that_is_taken_is_refused_and_one_that_is_missing_names_what_there_is(machine, pve):
    take(machine)
    pve.forget()
    assert "has a snapshot before-upgrade already" in take(machine).message
    assert "has no snapshot other. There is: before-upgrade." in go_back(machine, "other").message
    assert pve.writes() == []


@pytest.mark.parametrize("name", ["x", "1st", "a b", "current", "pending", "a" * 41])
def test_a_name_is_of_proxmoxs_grammar(machine, name):
    with pytest.raises(Refused):
        take(machine, name)
    assert not Job.objects.filter(kind="snapshot_vm").exists()


def test_somebody_elses_snapshot_is_not_deleted(machine, pve):
    by_hand(pve, NAME)
    job = do("delete_snapshot_vm", machine, host=HOST, name=NAME)
    assert job.state == "failed" and "carries no marker of netctrl-vm01" in job.message
    assert pve.writes() == [] and NAME in pve.guest(VMID)["snapshots"]


def test_another_owners_machine_is_left_alone(machine, pve):
    pve.change(guests={VMID: {"config": {"description": "by hand"}}})
    for job in (take(machine), go_back(machine), do("delete_snapshot_vm", machine, host=HOST, name=NAME)):
        assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


def test_a_storage_without_snapshots_says_so(machine, pve):
    pve.change(storages={"local-lvm": {"kind": "lvm"}})
    job = take(machine)
    assert job.state == "failed" and "snapshot feature is not available" in job.message


FAULTS = {
    "take lost": ("take", {"kind": "lost", "method": "POST", "path": f"{SNAPSHOT}$"}, "succeeded"),
    "take ignored": ("take", {"kind": "ignore", "method": "POST", "path": f"{SNAPSHOT}$"}, "failed"),
    "take reset": ("take", {"kind": "reset", "method": "POST", "path": f"{SNAPSHOT}$"}, "succeeded"),
    "back lost": ("back", {"kind": "lost", "method": "POST", "path": ROLLBACK}, "succeeded"),
    "back reset": ("back", {"kind": "reset", "method": "POST", "path": ROLLBACK}, "failed"),
    "back fails": (
        "back",
        {"kind": "task", "method": "POST", "path": ROLLBACK, "exitstatus": "no space", "effect": False},
        "failed",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_well_or_in_words_and_nothing_is_sent_twice(machine, pve, name):
    which, fault, state = FAULTS[name]
    if which == "back":
        take(machine)
    pve.forget()
    pve.fault(**fault)
    job = take(machine) if which == "take" else confirmed(go_back(machine))
    assert job.state == state and "Traceback" not in job.message, texts(job)
    sent = 2 if name == "take reset" else 1  # looked for, not there, and begun again
    assert len(pve.requests("POST", "/snapshot")) == sent and runs(pve)


def test_a_snapshot_that_an_earlier_attempt_took_is_gone_on_with(machine, pve):
    job = take(machine)
    Job.objects.filter(pk=job.pk).update(state="queued", finished=None)
    pve.forget()
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "succeeded" and pve.writes() == [], texts(job)


def test_the_page_that_asks_lists_those_that_were_seen(machine, pve):
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    page = reverse("admin:start_job_at", args=("lab", "rollback_vm"))
    assert "hv01 was not surveyed yet." in browser.get(page, {"host": HOST}).content.decode()
    do("survey", machine)
    assert "None was seen." in browser.get(page, {"host": HOST}).content.decode()
    take(machine)
    shown = browser.get(page, {"host": HOST}).content.decode()
    assert f"<td>{NAME}</td>" in shown and "<td>taken here</td>" in shown
    by_hand(pve, "theirs")
    do("survey", machine)
    assert "<td>somebody else</td>" in browser.get(page, {"host": HOST}).content.decode()
    assert "Name a host" in browser.get(page).content.decode()


def test_the_page_of_another_site_shows_none_of_them(machine, pve):
    other = Site(slug="far", root_domain="example.net")
    with change(other, by="fixture", why="elsewhere"):
        pass
    do("survey", machine)
    take(machine)
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    page = browser.get(reverse("admin:start_job_at", args=("far", "rollback_vm")), {"host": HOST})
    assert page.status_code == 200 and NAME not in page.content.decode().replace(f"such as {NAME}", "")


def test_one_that_an_earlier_attempt_deleted_is_no_fault(machine, pve):
    take(machine)
    job = do("delete_snapshot_vm", machine, host=HOST, name=NAME)
    proxmox = pve.proxmox()
    proxmox.wait(proxmox.delete_snapshot(VMID, NAME))
    requests.confirm(job, job.fingerprint, by="test")
    Job.objects.filter(pk=job.pk).update(plan_begun=True)
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
