"""A machine that runs, without having been made by a job; workers that die at one call; what must be true of both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from provisioning import requests, runner
from provisioning.adapters.proxmox.wire import Wire
from provisioning.engine import sweeping
from provisioning.models import Job
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, do

HOST = "netctrl-vm01"
SPARE = 900_000_000 + VMID
SYSTEM, DATA, DRIVE = (f"local-lvm:vm-{VMID}-{name}" for name in ("disk-0", "disk-1", "cloudinit"))
GIB = 1 << 30


def put(pve, site, **config: str | None) -> None:
    """netctrl-vm01 as it was made of an older template, running, with something on both disks."""
    whole = {
        "name": HOST,
        "description": f"mgmtplane: site=lab uid={site.uid} host={HOST}",
        "tags": "mgmtplane",
        "net0": f"virtio={MAC.upper()},bridge=vmbr0,firewall=1,tag=99",
        "cores": "4",
        "memory": "4096",
        "cpu": "host",
        "agent": "1",
        "boot": "order=scsi0;net0",
        "ostype": "l26",
        "scsihw": "virtio-scsi-pci",
        "scsi0": f"{SYSTEM},size=20G",
        "scsi1": f"{DATA},serial=data01,size=5G",
        "ide2": f"{DRIVE},media=cdrom,size=4M",
        "onboot": "1",
        "ciuser": "ops",
        "ipconfig0": "ip=dhcp",
        "searchdomain": "lab.example.net",
    }
    running = {key: value for key, value in {**whole, **config}.items() if value is not None}
    pve.change(
        volumes={
            SYSTEM: {"size": 20 * GIB, "vmid": VMID, "holds": "an old system"},
            DATA: {"size": 5 * GIB, "vmid": VMID, "holds": "what nobody has twice"},
            DRIVE: {"size": 4 << 20, "vmid": VMID},
        },
        guests={VMID: {"config": running, "running": True, "booted": running}},
        leases={MAC: ADDRESS},
    )


def asked(site, **parameters: Any) -> Job:
    return do("rebuild_vm", site, host=HOST, **parameters)


def confirmed(job: Job) -> Job:
    """Confirm what the job shows, and carry it out."""
    assert job.state == "waiting", job.message
    requests.confirm(job, job.fingerprint, by="test")
    return carried_on(job)


def carried_on(job: Job) -> Job:
    """Carry it out until it is finished or waits, as workers do that find it."""
    for _ in range(8):
        Job.objects.filter(pk=job.pk).update(not_before=None)
        runner.run(job.pk, "here")
        job.refresh_from_db()
        if job.is_finished or job.state == "waiting":
            break
    return job


def rebuilt(site, **parameters: Any) -> Job:
    return confirmed(asked(site, **parameters))


class Killed(BaseException):
    """The worker is gone: nothing catches it."""


class Death:
    """Raises at the writing call numbered *number*, before it is sent or after it was done."""

    def __init__(self, monkeypatch, number: int, when: str) -> None:
        self.calls = 0
        original = Wire.write

        def write(wire: Wire, method: str, *path: str | int, **params: Any) -> Any:
            mine = self.calls == number
            self.calls += 1
            if mine and when == "before":
                raise Killed
            answer = original(wire, method, *path, **params)
            if mine:
                raise Killed
            return answer

        monkeypatch.setattr(Wire, "write", write)


def dies(job: Job) -> bool:
    """Carry the job out with a worker that may die; then what a sweep finds: its lease has expired."""
    try:
        runner.run(job.pk, "doomed")
    except Killed:
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(hours=1))
        assert sweeping.reap() == 1
        return True
    return False


def foreign(pve) -> dict[str, Any]:
    """Everybody else's guests and volumes."""
    known = pve.state()
    own = (VMID, SPARE)
    return {
        "guests": {vmid: guest for vmid, guest in known["guests"].items() if int(vmid) not in own},
        "volumes": {name: volume for name, volume in known["volumes"].items() if volume["vmid"] not in own},
    }


def backups(pve) -> list[dict[str, Any]]:
    return [one for one in pve.state()["volumes"].values() if one["content"] == "backup"]


def assert_data_is_whole(pve) -> None:
    """The data disk is what it was, and where it was."""
    known = pve.state()
    assert known["volumes"][DATA]["holds"] == "what nobody has twice"
    assert known["guests"][str(VMID)]["config"]["scsi1"].startswith(f"{DATA},")
    assert MAC.upper() in known["guests"][str(VMID)]["config"]["net0"]


def assert_rebuilt(pve) -> None:
    """One machine of the newest template, running under its identity, and nothing left over."""
    known, guest = pve.state(), pve.guest(VMID)
    system = guest["config"]["scsi0"].split(",")[0]
    assert known["volumes"][system]["holds"] == "debian-13-1.10" and "size=20G" in guest["config"]["scsi0"]
    assert guest["running"] and guest["config"]["boot"] == "order=scsi0;net0"
    assert guest["config"]["onboot"] == "1" and guest["config"]["scsihw"] == "virtio-scsi-single"
    assert guest["image"]["ciuser"] == "ops"
    assert str(SPARE) not in known["guests"] and "mgmtplane-rebuild:" not in guest["config"]["description"]
    own = {name for name, one in known["volumes"].items() if one["vmid"] in (VMID, SPARE)}
    images = {name for name in own if known["volumes"][name]["content"] == "images"}
    assert images == {system, DATA, DRIVE}
    assert not [key for key in guest["config"] if key.startswith("unused")]
