"""Rebuilt, a machine has the identity and the data that it had, whatever happens in between."""

from __future__ import annotations

import re
from io import StringIO
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Host, Interface, Segment, VirtualMachine
from provisioning import requests
from provisioning.adapters.proxmox import Proxmox
from provisioning.models import Job
from provisioning.steps import remaking
from provisioning.steps.making import Maker
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab
from tests.provisioning.jobs.rebuilding import (
    DATA,
    HOST,
    SPARE,
    SYSTEM,
    Death,
    Killed,
    asked,
    assert_data_is_whole,
    assert_rebuilt,
    backups,
    carried_on,
    confirmed,
    dies,
    foreign,
    put,
    rebuilt,
)
from tests.provisioning.support import texts
from tests.scale import share

pytestmark = pytest.mark.django_db

#: every call that changes something, in its order
WRITES = (
    "POST /nodes/pve/qemu/9003/clone",
    f"POST /nodes/pve/qemu/{VMID}/status/shutdown",
    "POST /nodes/pve/vzdump",
    f"PUT /nodes/pve/qemu/{VMID}/config",  # the line that names what goes
    f"PUT /nodes/pve/qemu/{VMID}/config",  # the old disk out
    f"PUT /nodes/pve/qemu/{VMID}/config",  # built as its template
    f"POST /nodes/pve/qemu/{SPARE}/move_disk",
    f"PUT /nodes/pve/qemu/{VMID}/config",  # boot order
    f"PUT /nodes/pve/qemu/{VMID}/resize",
    f"PUT /nodes/pve/qemu/{VMID}/cloudinit",
    f"PUT /nodes/pve/qemu/{VMID}/config",  # started with its node
    f"POST /nodes/pve/qemu/{VMID}/status/start",
    f"PUT /nodes/pve/qemu/{VMID}/config",  # the old disk away
    f"DELETE /nodes/pve/qemu/{SPARE}",
    f"PUT /nodes/pve/qemu/{VMID}/config",  # the line off
)


@pytest.fixture
def machine(lab, pve):
    put(pve, lab)
    return lab


def exported(site) -> list[str]:
    """What the router is given: reservations and names."""
    found = []
    for name in ("kea", "dnsmasq", "hosts"):
        out = StringIO()
        call_command("export", name, site=site.slug, stdout=out)
        found.append(out.getvalue())
    assert all(ADDRESS in text for text in found)
    return found


def test_a_machine_is_made_anew_under_the_identity_that_it_has(db, each_version):
    lab = declare_lab(each_version)
    put(each_version, lab)
    before, others = exported(lab), foreign(each_version)
    job = asked(lab)
    assert job.state == "waiting" and each_version.writes() == []
    assert [f"{line.act} {line.subject}" for line in job.planned.lines] == [
        f"change machine {HOST}",
        f"remove disk {SYSTEM}",
        "run clone debian-13-1.10",
        "run shut it down",
        "run back it up to local",
        "run take the old disk out, put the new one in",
        "run leave the data disk data01 where it is",
        "run set it as declared",
        "run read back, start, wait for it",
        "run remove the old disk",
    ]
    each_version.forget()
    job = confirmed(job)
    assert (job.state, job.message) == ("succeeded", f"{HOST} is rebuilt, at {ADDRESS}.")
    assert tuple(each_version.writes()) == WRITES
    assert_data_is_whole(each_version)
    assert_rebuilt(each_version)
    assert foreign(each_version) == others and exported(lab) == before
    (kept,) = backups(each_version)
    assert job.outcome["backup"] == kept["volid"] and any(kept["volid"] in text for text in texts(job))
    assert kept["protected"] and kept["contents"]["scsi0"] == "an old system"
    assert f"host={HOST} job={job.pk} before its rebuild" in kept["notes"]


def test_where_neither_machine_nor_template_has_a_cloud_init_drive_it_is_named(machine, pve):
    pve.change(guests={9003: {"config": {"ide2": None}}})
    assert "cloud-init" not in str(asked(machine).planned.warnings)  # the machine has its own
    Job.objects.all().delete()
    pve.change(guests={VMID: {"config": {"ide2": None}}})
    assert "(9003) has no cloud-init drive" in str(asked(machine).planned.warnings)


def test_the_data_disk_goes_only_where_that_is_confirmed(machine, pve):
    job = asked(machine, keep_data="no")
    assert f"- disk {DATA}" in [str(line) for line in job.planned.lines]
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    known = pve.state()
    fresh = known["guests"][str(VMID)]["config"]["scsi1"]
    assert "serial=data01" in fresh and known["volumes"][fresh.split(",")[0]]["holds"] == ""
    assert DATA not in known["volumes"] and backups(pve)[0]["contents"]["scsi1"] == "what nobody has twice"


def test_what_is_declared_decides_where_nothing_is_asked(machine, pve):
    declared = VirtualMachine.objects.get()
    with change(machine, by="fixture", why="its data is elsewhere"):
        declared.keep_data_disk = False
        declared.save()
    assert f"- disk {DATA}" in [str(line) for line in asked(machine).planned.lines]


def test_a_disk_that_is_not_declared_stays(machine, pve):
    more = "local-lvm:vm-200-disk-7"
    pve.change(
        volumes={more: {"size": 1 << 30, "vmid": VMID, "holds": "somebody's"}},
        guests={VMID: {"config": {"scsi5": f"{more},size=1G"}}},
    )
    job = asked(machine)
    assert job.planned.warnings == (f"scsi5 ({more}) is not declared; it stays in the machine as it is.",)
    assert confirmed(job).state == "succeeded"
    assert pve.guest(VMID)["config"]["scsi5"].startswith(more) and more in pve.state()["volumes"]


def test_it_is_built_as_its_template_with_firmware_and_cloud_init(lab, pve):
    put(pve, lab, ide2=None, machine="pc-i440fx-9.0")
    firmware = "local-lvm:base-9003-disk-1"
    uefi = {"bios": "ovmf", "rng0": "source=/dev/urandom"}  # without the second it would send no DHCP
    pve.change(
        volumes={firmware: {"size": 4 << 20, "vmid": 9003, "holds": "boot entries"}},
        guests={9003: {"config": {**uefi, "efidisk0": f"{firmware},efitype=4m,size=4M"}}},
    )
    job = rebuilt(lab)
    assert job.state == "succeeded", job.message
    known, config = pve.state(), pve.guest(VMID)["config"]
    assert config["bios"] == "ovmf" and config["rng0"] == uefi["rng0"] and "machine" not in config
    assert known["volumes"][config["efidisk0"].split(",")[0]]["holds"] == "boot entries"
    assert "cloudinit" in config["ide2"] and pve.guest(VMID)["image"]["ciuser"] == "ops"
    assert_data_is_whole(pve)
    assert confirmed(asked(lab)).state == "succeeded"  # and once more, with firmware that goes
    assert len([one for one in pve.state()["volumes"].values() if one["holds"] == "boot entries"]) == 2


def test_a_slot_that_is_taken_stops_it_before_anything_is_stopped(machine, pve):
    pve.change(guests={VMID: {"config": {"ide2": "none,media=cdrom"}}})
    job = rebuilt(machine)
    assert job.state == "failed" and "Free ide2" in job.message
    assert pve.guest(VMID)["running"] and backups(pve) == []


REFUSED = {
    "foreign": ({"guests": {VMID: {"config": {"description": "somebody's"}}}}, "carries no marker"),
    "gone": ({"guests": {VMID: None}}, "Create it first"),
    "protected": ({"guests": {VMID: {"config": {"protection": "1"}}}}, "Take the protection off"),
    "snapshots": (
        {"guests": {VMID: {"snapshots": {"old": {"name": "old", "config": {}}}}}},
        "has snapshots (old)",
    ),
    "left out of backups": (
        {"guests": {VMID: {"config": {"scsi0": f"{SYSTEM},size=20G,backup=0"}}}},
        f"scsi0 of {HOST} would go, and no backup holds it",
    ),
    "no room": ({"storages": {"local-lvm": {"free": 5 << 30}}}, "needs 20 GiB on local-lvm"),
    "no backups": ({"storages": {"local": {"content": "iso"}}}, "say backup=no"),
    "only a shared one": ({"storages": {"local": {"shared": True}}}, "Of the network there is local"),
    "no template": ({"guests": {9000: None, 9001: None, 9003: None}}, "No template's name begins"),
    "a twin's MAC": (
        {"guests": {300: {"config": {"name": "twin", "net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr0"}}}},
        "is on twin (300)",
    ),
    "a foreign spare": (
        {"guests": {SPARE: {"config": {"name": "theirs"}}}},
        f"VMID {SPARE}: theirs carries no",
    ),
    "unclear disk": (
        {"guests": {VMID: {"config": {"boot": "order=net0", "scsi4": "local-lvm:vm-200-disk-9,size=1G"}}}},
        "boots from is not clear",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_rebuilt_is_said_before_anything_is_done(machine, pve, name):
    document, said = REFUSED[name]
    pve.change(**document)
    job = asked(machine)
    assert job.state == "failed" and said in job.message, job.message
    assert pve.writes() == []


def test_without_a_backup_the_loss_is_a_line_of_its_own(machine, pve):
    pve.change(storages={"local": {"content": "iso"}})
    job = asked(machine, backup="no")
    assert f"- what is on {HOST} now: backup=no: it cannot be put back" in map(str, job.planned.lines)
    job = confirmed(job)
    assert job.state == "succeeded" and job.outcome["backup"] == "" and backups(pve) == []


def test_a_guest_that_does_not_shut_down_runs_on(machine, pve):
    pve.change(guests={VMID: {"ignores_shutdown": True}})
    job = rebuilt(machine, timeout=1)
    assert job.state == "failed" and "did not shut down within 1 s" in job.message
    assert pve.guest(VMID)["running"] and backups(pve) == []
    job = rebuilt(machine, timeout=1, force="on")
    assert job.state == "succeeded", job.message


@pytest.mark.parametrize("kind", ["task", "ignore"])
def test_a_backup_that_is_none_leaves_the_machine_running_as_it_was(machine, pve, kind):
    pve.fault(kind, "POST", "/vzdump", exitstatus="job errors", effect=False)
    before = pve.guest(VMID)["config"]
    job = rebuilt(machine)
    assert job.state == "failed" and "half rebuilt" not in job.message
    assert pve.guest(VMID)["running"] and pve.guest(VMID)["config"] == before


def test_what_may_not_be_started_is_not_stopped(machine, pve):
    config = pve.guest(VMID)["config"]
    other = config["net0"].replace(MAC.upper(), "BC:24:11:00:00:99")
    pve.change(guests={VMID: {"config": {"net0": other}}})
    job = asked(machine)
    assert job.state == "failed" and "Nothing was stopped" in job.message, job.message
    assert pve.guest(VMID)["running"] and pve.writes() == []


def test_with_another_card_meanwhile_it_is_not_started_again(machine, pve):
    other = pve.guest(VMID)["config"]["net0"].replace(MAC.upper(), "BC:24:11:00:00:99")
    pve.fault("ignore", "POST", "/vzdump")
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")

    def meanwhile(work: Maker, *_: object, **__: object) -> None:
        pve.change(guests={VMID: {"running": False, "config": {"net0": other}}})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(remaking, "turned_off", meanwhile)
        job = carried_on(job)
    assert job.state == "failed" and any("could not be started again" in text for text in texts(job))
    assert not pve.guest(VMID)["running"] and pve.requests("POST", "/status/start") == []


def test_from_a_protected_template_it_is_rebuilt_and_nothing_is_left(machine, pve):
    pve.change(guests={9003: {"config": {"protection": "1", "onboot": "1"}}})
    job = rebuilt(machine)
    assert job.state == "succeeded", job.message
    assert_rebuilt(pve)
    assert pve.guest(VMID)["config"].get("protection", "0") == "0"


def test_a_protected_spare_that_was_left_is_removed(machine, pve):
    marker = f"mgmtplane: site=lab uid={machine.uid} host={HOST}:spare"
    pve.proxmox().clone(9001, SPARE, name=HOST, storage="local-lvm", description=marker)
    pve.change(guests={SPARE: {"config": {"protection": "1"}}})
    job = rebuilt(machine)
    assert job.state == "succeeded", job.message
    assert_rebuilt(pve)


def test_a_backup_that_goes_on_after_its_answer_was_lost_is_waited_out(machine, pve):
    pve.change(task_seconds=0.7)
    pve.fault("lost", "POST", "/vzdump")
    job = rebuilt(machine)
    assert job.state == "succeeded" and "ran" not in job.outcome, job.message
    assert pve.guest(VMID)["running"] and "lock" not in pve.guest(VMID)["config"]


def test_one_that_ran_is_started_again_by_whoever_goes_on_after_a_dead_worker(machine, pve, monkeypatch):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, 2, "before")
        assert dies(job)
    assert not pve.guest(VMID)["running"]
    pve.fault("ignore", "POST", "/vzdump")
    job = carried_on(job)
    assert job.state == "failed" and pve.guest(VMID)["running"] and "ran" not in job.outcome


def test_cancelled_while_it_is_backed_up_it_runs_again(machine, pve, monkeypatch):
    job = asked(machine)
    requests.confirm(job, job.fingerprint, by="test")
    original = Proxmox.backup

    def backup(proxmox: Proxmox, *args: Any, **more: Any) -> str:
        upid = original(proxmox, *args, **more)
        requests.cancel(Job.objects.get(pk=job.pk), by="test")
        return upid

    monkeypatch.setattr(Proxmox, "backup", backup)
    job = carried_on(job)
    assert job.state == "cancelled" and pve.guest(VMID)["running"], job.message
    assert any("it runs again" in text for text in texts(job))
    assert "mgmtplane-rebuild:" not in pve.guest(VMID)["config"]["description"]


def test_a_data_disk_that_is_not_there_is_made_and_a_dead_worker_gone_on_for(machine, pve, monkeypatch):
    config = {key: value for key, value in pve.guest(VMID)["config"].items() if key != "scsi1"}
    pve.change(guests={VMID: None})
    pve.change(guests={VMID: {"config": config, "running": True, "booted": config}})
    job = asked(machine)
    assert job.planned.warnings == ("There is no data disk data01 to keep; an empty one is made.",)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        patched.setattr(Maker, "image", _dead)
        assert dies(job)
    assert "serial=data01" in pve.guest(VMID)["config"]["scsi1"]
    job = carried_on(job)
    assert job.state == "succeeded", job.message


def _dead(work: Maker) -> None:
    raise Killed


def test_what_a_spare_took_already_is_not_asked_for_again(machine, pve, monkeypatch):
    pve.change(storages={"local-lvm": {"free": 21 << 30}})
    _die_and_converge(machine, pve, monkeypatch, 0, "after")


def test_a_disk_that_crosses_the_router_is_named(machine, pve):
    with change(machine, by="fixture", why="where it is"):
        Interface(
            host=Host.objects.get(name="hv01"),
            name="eth0",
            segment=Segment.objects.get(),
            addressing="static",
            ipv4="192.0.2.5",
            primary=True,
        ).save()
    pve.change(
        storages={"nas": {"name": "nas", "kind": "nfs", "content": "backup", "server": "198.51.100.7"}}
    )
    job = asked(machine, storage="nas")
    (said,) = job.planned.warnings
    assert said.startswith(f"The backup of {HOST} writes to nas on 198.51.100.7")


def test_from_the_page_of_the_host_to_the_plan(machine, pve, client: Client):
    client.force_login(User.objects.create_superuser("ada"))
    host = reverse("admin:inventory_host_change", args=(Host.objects.get(name=HOST).pk,))
    start = reverse("admin:start_job_at", args=("lab", "rebuild_vm"))
    assert f'href="{start}?host={HOST}"' in client.get(host).content.decode()
    given = {"host": HOST, "keep_data": "", "backup": "yes"}
    page = client.post(start, given).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = client.post(start, {**hidden, **given, "why": "a newer template"})
    assert answer.status_code == 302, page
    job = carried_on(Job.objects.latest("pk"))
    shown = client.get(reverse("admin:provisioning_job_change", args=(job.pk,))).content.decode()
    assert (
        job.state == "waiting" and "made anew from debian-13-1.10" in shown and "Confirm this plan" in shown
    )


@pytest.mark.parametrize("number", range(len(WRITES)))
def test_a_worker_that_dies_after_any_call_is_gone_on_for(machine, pve, monkeypatch, number):
    _die_and_converge(machine, pve, monkeypatch, number, "after")


#: every death; in CI every tenth
DEATHS = list(product(range(len(WRITES)), ("before", "after"), ("yes", "no")))
SOME = DEATHS[:: len(DEATHS) // share(len(DEATHS))]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "when", "keep_data"), SOME)
def test_a_worker_that_dies_at_any_call_on_any_version(
    db, each_version, monkeypatch, number, when, keep_data
):
    lab = declare_lab(each_version)
    put(each_version, lab)
    _die_and_converge(lab, each_version, monkeypatch, number, when, keep_data)


def _die_and_converge(site, pve, monkeypatch, number, when, keep_data="yes") -> None:
    others = foreign(pve)
    job = asked(site, keep_data=keep_data)
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, number, when)
        assert dies(job)
    if keep_data == "yes":
        assert_data_is_whole(pve)
    job = carried_on(job)
    assert job.state == "succeeded", job.message
    if keep_data == "yes":
        assert_data_is_whole(pve)
        assert_rebuilt(pve)
    assert foreign(pve) == others and str(SPARE) not in pve.state()["guests"]
    kept = backups(pve)[0]["contents"]
    assert (kept["scsi0"], kept["scsi1"]) == ("an old system", "what nobody has twice")
