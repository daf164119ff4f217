"""Backups put back under the same identity; machines parked, and destroyed only then."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from inventory.changes import change
from inventory.models import Host, Segment
from provisioning import requests, runner
from provisioning.adapters.proxmox import Proxmox
from provisioning.admin.shown import context_of
from provisioning.engine import sweeping
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job
from provisioning.requests import Refused
from provisioning.steps.making import Maker
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, do, made
from tests.provisioning.jobs.test_lost import last_seen

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def machine(lab, pve, guest_answers):
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    pve.forget()
    return lab


def go_on(job: Job) -> Job:
    for _ in range(6):
        Job.objects.filter(pk=job.pk).update(not_before=None)
        runner.run(job.pk, "here")
        job.refresh_from_db()
        if job.is_finished or job.state == "waiting":
            break
    return job


def confirmed(job: Job) -> Job:
    """Confirm what the job shows, and carry it out."""
    assert job.state == "waiting", job.message
    requests.confirm(job, job.fingerprint, by="test")
    return go_on(job)


class Killed(BaseException):
    """As kill -9: nobody catches it."""


def killed_in(monkeypatch, owner: type, name: str, job: Job) -> Job:
    """The worker that takes *job* up dies where it first calls *name*; another one goes on."""
    original, calls = getattr(owner, name), []

    def dying(*given, **named):
        calls.append(name)
        if len(calls) == 1:
            raise Killed
        return original(*given, **named)

    monkeypatch.setattr(owner, name, dying)
    with pytest.raises(Killed):
        runner.run(job.pk, "doomed")
    Job.objects.filter(pk=job.pk).update(lease_until=DatabaseTime(-1))
    sweeping.reap()
    return go_on(job)


def park(site) -> Job:
    return confirmed(do("park_vm", site, host=HOST))


def test_a_backup_is_found_again_on_its_storage(machine, pve):
    job = do("backup_vm", machine, host=HOST)
    assert job.state == "succeeded" and job.outcome["storage"] == "local" and job.outcome["bytes"] > 0
    assert job.outcome["volume"] in pve.state()["volumes"]


def test_a_backup_whose_task_did_nothing_is_a_failure(machine, pve):
    pve.fault("ignore", "POST", "/vzdump")
    job = do("backup_vm", machine, host=HOST)
    assert job.state == "failed" and "no backup of 200 lies on local" in job.message


def test_put_back_it_has_the_identity_that_it_had(machine, pve):
    do("backup_vm", machine, host=HOST)
    job = confirmed(do("restore_vm", machine, host=HOST))
    assert job.state == "succeeded", job.message
    found = pve.guest(VMID)
    assert found["running"] and MAC.upper() in found["config"]["net0"]
    assert pve.requests("POST", "/clone") == []


REBUILD = "mgmtplane-rebuild: job=7-20260101000000 template=debian-13-1 data=kept boot=scsi0 backup=- old=local-lvm:x"


@pytest.mark.parametrize("line", ["mgmtplane-parked: 2026-01-01T00:00:00+00:00", REBUILD])
def test_put_back_it_is_neither_parked_nor_half_rebuilt(machine, pve, line):
    text = pve.guest(VMID)["config"]["description"]
    pve.change(guests={VMID: {"config": {"description": f"{line}\n\nWritten by hand.\n\n{text}"}}})
    do("backup_vm", machine, host=HOST)
    job = confirmed(do("restore_vm", machine, host=HOST))
    assert job.state == "succeeded", job.message
    found = pve.guest(VMID)
    assert found["running"]
    assert found["config"]["description"].split() == f"Written by hand. {text}".split()
    assert do("power", machine, host=HOST, action="start").state == "succeeded"


def test_without_a_backup_nothing_is_stopped(machine, pve):
    job = do("restore_vm", machine, host=HOST)
    assert job.state == "failed" and "No backup of netctrl-vm01" in job.message
    assert pve.writes() == []


def test_a_machine_is_destroyed_only_after_it_was_parked_long_enough(machine, pve, settings):
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    assert job.state == "failed" and "is not parked" in job.message and pve.writes() == []
    assert park(machine).state == "succeeded"
    assert not pve.guest(VMID)["running"] and pve.guest(VMID)["config"].get("onboot", "0") == "0"
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    assert job.state == "failed" and "may be destroyed from" in job.message
    settings.MACHINE_PARK_HOURS = 0
    job = confirmed(do("destroy_vm", machine, host=HOST, typed=HOST))
    assert job.state == "succeeded" and str(VMID) not in pve.state()["guests"]


def test_a_destroy_whose_answer_is_lost_is_waited_for_while_the_lock_is_left(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    assert park(machine).state == "succeeded"
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    pve.change(task_seconds=0.4)
    pve.fault("lost", "DELETE", f"/qemu/{VMID}$")
    job = confirmed(job)
    assert job.state == "succeeded" and str(VMID) not in pve.state()["guests"], job.message


def test_a_destroy_that_broke_off_is_named_with_what_ends_it(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    assert park(machine).state == "succeeded"
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    pve.fault("task", "DELETE", f"/qemu/{VMID}$", exitstatus="interrupted", effect=False, leftovers=True)
    assert "interrupted" in confirmed(job).message
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    assert job.state == "failed" and f"qm destroy {VMID} --skiplock" in job.message, job.message
    assert "adopt" not in job.message


@pytest.mark.parametrize("listens", [True, False])
def test_parked_a_guest_is_asked_before_the_plug_is_pulled(machine, pve, listens):
    pve.change(guests={VMID: {"ignores_shutdown": not listens}})
    pve.forget()
    job = do("park_vm", machine, host=HOST, timeout=1)
    assert "> shut it down: within 1 s; then the plug is pulled" in map(str, job.planned.lines)
    assert confirmed(job).state == "succeeded"
    (asked,) = pve.requests("POST", "/status/shutdown")
    assert (
        asked["params"] == {"timeout": "1", "forceStop": "1"} and pve.requests("POST", "/status/stop") == []
    )
    assert not pve.guest(VMID)["running"]


def test_a_parked_guest_whose_shutdown_fails_is_stopped(machine, pve):
    pve.forget()
    pve.fault("task", "POST", "/status/shutdown", exitstatus="got timeout", effect=False)
    assert park(machine).state == "succeeded"
    assert len(pve.requests("POST", "/status/stop")) == 1 and not pve.guest(VMID)["running"]


@pytest.mark.parametrize("when", ["before it is asked for", "after it was confirmed"])
def test_one_that_somebody_started_is_not_destroyed(machine, pve, settings, when):
    settings.MACHINE_PARK_HOURS = 0
    park(machine)
    running = {"running": True, "booted": pve.guest(VMID)["config"]}
    if when == "before it is asked for":
        pve.change(guests={VMID: running})
        job = do("destroy_vm", machine, host=HOST, typed=HOST)
    else:
        job = do("destroy_vm", machine, host=HOST, typed=HOST)
        pve.change(guests={VMID: running})
        job = confirmed(job)
    assert job.state == "failed" and "runs although it is parked" in job.message, job.message
    assert pve.guest(VMID)["running"] and pve.requests("DELETE", f"/qemu/{VMID}") == []
    assert park(machine).state == "succeeded" and not pve.guest(VMID)["running"]


def test_a_destruction_is_not_run_again_by_one_click(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    park(machine)
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    pve.fault("ignore", "DELETE", f"/qemu/{VMID}")
    job = confirmed(job)
    assert job.state == "failed"
    with pytest.raises(Refused, match="typed anew each time"):
        requests.run_again(job, by="test", why="again")
    shown = context_of(job, User.objects.create_superuser("ada"))
    assert not shown["may_run_again"]
    assert shown["anew"].address == f"{reverse('admin:start_job_at', args=('lab', 'destroy_vm'))}?host={HOST}"


def test_another_name_than_the_hosts_destroys_nothing(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    park(machine)
    pve.forget()
    job = do("destroy_vm", machine, host=HOST, typed="netctrl-vm02")
    assert job.state == "failed" and "is not netctrl-vm01" in job.message
    assert pve.writes() == []


@pytest.mark.parametrize("kind", ["lost", "ignore"])
def test_a_destruction_is_believed_when_it_is_seen(machine, pve, settings, kind):
    settings.MACHINE_PARK_HOURS = 0
    park(machine)
    pve.forget()
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    pve.fault(kind, "DELETE", f"/qemu/{VMID}")
    job = confirmed(job)
    assert job.state == ("succeeded" if kind == "lost" else "failed"), job.message
    assert len(pve.requests("DELETE", f"/qemu/{VMID}")) == 1


FORGOTTEN = f"local-lvm:vm-{VMID}-disk-7"


def _removed(job):
    return {line.subject for line in job.planned.lines if line.act == "remove"}


def _forgotten(pve):
    pve.change(volumes={FORGOTTEN: {"size": 1 << 30, "vmid": VMID, "holds": "what somebody detached"}})


def test_the_plan_of_a_destruction_names_what_nothing_refers_to_and_no_backup(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    do("backup_vm", machine, host=HOST)
    _forgotten(pve)
    park(machine)
    before = {name for name, one in pve.state()["volumes"].items() if one["vmid"] == VMID}
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    named = {subject.removeprefix("disk ") for subject in _removed(job) if subject.startswith("disk ")}
    assert FORGOTTEN in named
    assert confirmed(job).state == "succeeded"
    after = {name for name, one in pve.state()["volumes"].items() if one["vmid"] == VMID}
    assert before - after == named and after, "what went is what was named; the backup stays"


def test_a_volume_that_appears_after_the_plan_is_confirmed_anew(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    park(machine)
    job = do("destroy_vm", machine, host=HOST, typed=HOST)
    assert f"disk {FORGOTTEN}" not in _removed(job)
    _forgotten(pve)
    job = confirmed(job)
    assert str(VMID) in pve.state()["guests"]
    assert job.state == "waiting" and f"disk {FORGOTTEN}" in _removed(job)


def test_created_again_a_parked_machine_is_taken_back(machine, pve):
    park(machine)
    job = do("create_vm", machine, host=HOST)
    assert job.state == "succeeded" and job.outcome["addresses"] == [ADDRESS]
    assert "mgmtplane-parked" not in pve.guest(VMID)["config"]["description"]
    assert pve.requests("POST", "/clone") == []


def test_a_destructive_job_does_nothing_before_its_plan_is_confirmed(machine, pve):
    job = do("park_vm", machine, host=HOST)
    assert job.state == "waiting" and pve.writes() == []
    with pytest.raises(Refused):
        requests.confirm(job, "0" * 64, by="test")


# --- a restore: looked at before, and done once ---


@pytest.fixture
def kept(lab, pve, guest_answers):
    """The machine as it was made, with a backup."""
    made(pve, lab)
    assert do("backup_vm", lab, host=HOST).state == "succeeded"
    pve.forget()
    return lab


def backups(pve) -> list[str]:
    return [name for name, one in pve.state()["volumes"].items() if one["content"] == "backup"]


def test_what_runs_elsewhere_with_its_mac_is_not_met_by_a_twin(kept, pve):
    config = {**pve.guest(VMID)["config"], "name": "moved"}
    pve.change(guests={VMID: None, 777: {"config": config, "running": True}})
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and f"MAC {MAC} is on moved (777) on hv01 already" in job.message
    assert pve.writes() == []


def test_what_comes_up_with_its_mac_before_the_confirmation_stops_the_restore(kept, pve):
    job = do("restore_vm", kept, host=HOST)
    config = {**pve.guest(VMID)["config"], "name": "moved"}
    pve.change(guests={777: {"config": config, "running": True}})
    job = confirmed(job)
    assert job.state == "failed" and "moved (777)" in job.message
    assert pve.writes() == []


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        ({"active": False}, "is not active on hv01"),
        ({"content": "rootdir"}, "of hv01 takes no disk images"),
    ],
)
def test_a_storage_that_cannot_take_its_disks_stops_nothing_that_runs(kept, pve, storage, says):
    pve.change(storages={"local-lvm": storage})
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and f"Storage local-lvm {says}" in job.message
    assert pve.writes() == [] and pve.guest(VMID)["running"]


def test_room_is_needed_only_for_what_is_not_there(kept, pve):
    pve.change(storages={"local-lvm": {"free": 1 << 30}})
    assert do("restore_vm", kept, host=HOST).state == "waiting"
    Job.objects.all().delete()
    pve.change(guests={VMID: None})
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and "needs 25G on local-lvm of hv01; 1 GiB are free" in job.message
    assert pve.writes() == []


def test_moved_to_another_hypervisor_by_hand_it_is_not_put_back(kept, pve):
    with change(kept, by="test", why="another hypervisor"):
        Host(site=kept, name="hv02", form="hv").save()
    last_seen(kept, pve.guest(VMID)["config"]["description"])
    pve.change(guests={VMID: None})
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and f"VMID {VMID} is taken on hv02 by {HOST}" in job.message
    assert f"MAC {MAC} is on {HOST} ({VMID}) on hv02 already" in job.message
    assert pve.writes() == []


def test_without_its_reservation_it_is_not_put_back(kept, pve):
    with change(kept, by="test", why="no more reservations there"):
        segment = Segment.objects.get(name="management")
        segment.policy = "none"
        segment.save()
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and "is in no DHCP export" in job.message, job.message
    assert pve.writes() == [] and pve.guest(VMID)["running"]


def test_put_back_and_started_it_is_not_put_back_again(kept, pve, monkeypatch):
    job = do("restore_vm", kept, host=HOST)
    requests.confirm(job, job.fingerprint, by="test")
    job = killed_in(monkeypatch, Maker, "answers", job)
    assert job.state == "succeeded", job.message
    assert [one.split("/")[-1] for one in pve.writes()] == ["stop", "qemu", "start"]
    assert job.outcome == {"volume": backups(pve)[0], "vmid": VMID}


def test_a_start_that_is_not_seen_at_once_restores_nothing_anew(kept, pve):
    job = do("restore_vm", kept, host=HOST)
    pve.fault("reset", "POST", "/status/start")
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert [one.split("/")[-1] for one in pve.writes()] == ["stop", "qemu", "start", "start"]


def test_a_restore_that_outlives_its_worker_is_waited_for(kept, pve, monkeypatch):
    job = do("restore_vm", kept, host=HOST)
    pve.change(guests={VMID: {"running": False}}, task_seconds=0.6)
    requests.confirm(job, job.fingerprint, by="test")
    job = killed_in(monkeypatch, Proxmox, "wait", job)
    assert job.state == "succeeded", job.message
    assert [one.split("/")[-1] for one in pve.writes()] == ["qemu", "start"]


def test_asked_for_again_by_a_person_it_is_restored_anew(kept, pve):
    assert confirmed(do("restore_vm", kept, host=HOST)).state == "succeeded"
    pve.forget()
    assert confirmed(do("restore_vm", kept, host=HOST)).state == "succeeded"
    assert [one.split("/")[-1] for one in pve.writes()] == ["stop", "qemu", "start"]


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_a_restore_whose_answer_was_lost_is_gone_on_with(kept, pve, seconds):
    job = do("restore_vm", kept, host=HOST)
    pve.change(guests={VMID: {"running": False}}, task_seconds=seconds)
    pve.fault("lost", "POST", "/qemu$")
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert [one.split("/")[-1] for one in pve.writes()] == ["qemu", "start"]


def test_what_a_failed_restore_left_is_gone_over_by_the_next_one_and_by_nothing_else(kept, pve):
    job = do("restore_vm", kept, host=HOST)
    free = pve.state()["storages"]["local-lvm"]["free"]
    full = {"storages": {"local-lvm": {"free": -(1 << 40)}}}  # also after the old disks are gone
    pve.fault("change", "POST", "/qemu$", document=full)
    job = confirmed(job)
    assert job.state == "failed" and "was not put back" in job.message
    assert "run this again, which goes over what it left" in job.message
    assert pve.guest(VMID)["config"] == {"memory": "128"}
    pve.change(storages={"local-lvm": {"free": free}})
    pve.forget()
    job = do("create_vm", kept, host=HOST)
    assert job.state == "failed" and "put its backup back (restore_vm)" in job.message
    assert pve.writes() == []
    job = do("restore_vm", kept, host=HOST)
    assert f"- machine {VMID}: what a failed restore left" in "\n".join(map(str, job.planned.lines))
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert pve.guest(VMID)["running"] and MAC.upper() in pve.guest(VMID)["config"]["net0"]


def test_what_somebody_began_to_make_under_its_vmid_is_no_wreck(kept, pve):
    pve.change(guests={VMID: None})
    pve.change(guests={VMID: {"config": {"memory": "128", "scsihw": "virtio-scsi-pci"}}})
    pve.forget()
    job = do("restore_vm", kept, host=HOST)
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


def test_the_plan_of_a_restore_names_the_snapshots_that_go_and_the_disks_that_come_off(kept, pve):
    proxmox, more = pve.proxmox(), f"local-lvm:vm-{VMID}-disk-7"
    proxmox.wait(proxmox.snapshot(VMID, "before"))
    pve.change(
        volumes={more: {"size": 1 << 30, "vmid": VMID}},
        guests={VMID: {"config": {"scsi3": f"{more},size=1G"}}},
    )
    job = do("restore_vm", kept, host=HOST)
    lines = [str(line) for line in job.planned.lines]
    assert "- snapshot before: a restore keeps none" in lines
    assert f"~ disk {more}: scsi3 is not in the backup: it stays, and is attached to nothing" in lines
    assert len([line for line in lines if "~ disk" in line]) == 1
    assert confirmed(job).state == "succeeded"
    found = pve.guest(VMID)
    assert found["snapshots"] == {} and found["config"]["unused0"] == more and "scsi3" not in found["config"]


def test_a_disk_that_backups_leave_out_is_not_in_them_though_their_configuration_names_it(lab, pve):
    made(pve, lab)
    data = pve.guest(VMID)["config"]["scsi1"]
    pve.change(guests={VMID: {"config": {"scsi1": f"{data},backup=0"}}})
    assert do("backup_vm", lab, host=HOST).state == "succeeded"
    job = do("restore_vm", lab, host=HOST)
    volume = data.split(",")[0]
    assert f"~ disk {volume}: scsi1 is not in the backup" in "\n".join(map(str, job.planned.lines))


def test_a_restore_that_never_began_is_said_with_a_way_out(kept, pve):
    job = do("restore_vm", kept, host=HOST)
    pve.fault("reset", "POST", "/qemu$")
    job = confirmed(job)
    assert job.state == "failed" and "no task qmrestore was begun" in job.message
    assert "it is switched off. Start it, or ask for it again." in job.message


def test_a_backup_of_before_its_host_was_renamed_is_its_own(kept, pve):
    with change(kept, by="test", why="another name"):
        host = Host.objects.get(name=HOST)
        host.name = "netctrl-vm02"
        host.save()
    job = confirmed(do("restore_vm", kept, host="netctrl-vm02"))
    assert job.state == "succeeded", job.message
    assert [one.split("/")[-1] for one in pve.writes()] == ["stop", "qemu", "start"]
