"""Machines without a template: made empty, installed over the network, turned to their disk by a real power cycle."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Segment
from provisioning.machines.declared import machine_of
from provisioning.machines.owning import Owner, owner_of
from provisioning.machines.shell import shell as settings_of
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do
from tests.provisioning.jobs.rebuilding import confirmed
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST, CREATE = "netctrl-vm01", "/nodes/pve/qemu"


def from_network(site) -> None:
    host = Host.objects.get(name=HOST)
    with change(site, by="fixture", why="installed over the network"):
        host.machine.boot, host.machine.rng, host.machine.template = "pxe", True, ""
        host.machine.save()
        card = host.interfaces.get()
        card.pxe_file = "grubx64.efi"
        card.save()
        segment = card.segment
        segment.next_server = "192.0.2.5"
        segment.save()


@pytest.fixture
def shell(lab, pve):
    from_network(lab)
    return lab


def create(site) -> Job:
    return do("create_vm", site, host=HOST)


def finish(site, **more) -> Job:
    return do("finish_install_vm", site, host=HOST, **more)


def made(pve) -> int:
    return len([each for each in pve.requests("POST") if each["path"] == CREATE])


def power(pve) -> list[str]:
    return [each["path"].rpartition("/")[2] for each in pve.requests("POST", f"/qemu/{VMID}/status/")]


def test_it_is_made_empty_and_installed_and_then_boots_from_its_disk(db, each_version):
    pve, lab = each_version, declare_lab(each_version)
    from_network(lab)
    pve.change(leases={MAC: ADDRESS})
    job = create(lab)
    assert job.state == "succeeded" and "It boots from the network; finish_install_vm" in job.message, (
        job.message
    )
    guest = pve.guest(VMID)
    config = guest["config"]
    assert guest["running"] and guest["booted"]["boot"] == "order=net0;scsi0"
    assert (config["bios"], config["rng0"], config["machine"]) == ("ovmf", "source=/dev/urandom", "q35")
    assert config["efidisk0"] == "local-lvm:vm-200-disk-0,efitype=4m,pre-enrolled-keys=0,size=4M"
    assert "size=20G" in config["scsi0"] and "serial=data01" in config["scsi1"]
    assert config["net0"] == f"virtio={MAC.upper()},bridge=vmbr0,tag=99"
    assert owner_of(config["description"]) == Owner("lab", str(lab.uid), HOST)
    assert {"ciuser", "ipconfig0", "ide2"} & set(config) == set()
    assert pve.requests("POST", "/clone") == [] and made(pve) == 1
    pve.forget()
    job = finish(lab)
    assert job.state == "succeeded" and job.message.endswith(f"boots from its disk, at {ADDRESS}."), (
        job.message
    )
    assert pve.guest(VMID)["booted"]["boot"] == "order=scsi0;net0"
    assert power(pve) == ["shutdown", "start"]


def test_the_plan_says_that_it_is_made_empty(shell):
    do("survey", shell)
    lines = [str(line) for line in create(shell).planned.lines]
    assert "> make it empty: 200 on hv01, local-lvm" in lines
    assert "> set the boot order where it is made: network, then disk" in lines
    assert not any("cloud-init" in line or "clone" in line for line in lines)


def test_created_again_an_installed_machine_is_not_turned_back(shell, pve):
    pve.change(leases={MAC: ADDRESS})
    create(shell)
    finish(shell)
    pve.forget()
    job = create(shell)
    assert job.state == "succeeded" and pve.writes() == [] and "boots from the network" not in job.message
    job = finish(shell)
    assert job.state == "succeeded" and pve.writes() == []


def test_one_that_switched_itself_off_after_the_installation_is_only_started(shell, pve):
    pve.change(leases={MAC: ADDRESS})
    create(shell)
    do("power", shell, host=HOST, action="stop")
    pve.forget()
    assert finish(shell).state == "succeeded"
    assert power(pve) == ["start"] and pve.guest(VMID)["booted"]["boot"] == "order=scsi0;net0"


def test_an_installer_that_does_not_shut_down_is_cut_off_only_when_that_is_asked_for(shell, pve):
    pve.change(leases={MAC: ADDRESS})
    create(shell)
    pve.change(guests={VMID: {"ignores_shutdown": True}})
    job = finish(shell)
    assert job.state == "failed" and "did not shut down within 180 s" in job.message
    assert pve.guest(VMID)["running"] and pve.guest(VMID)["booted"]["boot"] == "order=net0;scsi0"
    assert finish(shell, force=True).state == "succeeded"
    assert pve.guest(VMID)["booted"]["boot"] == "order=scsi0;net0"


def test_a_machine_with_another_mac_is_neither_switched_off_nor_started(shell, pve):
    create(shell)
    pve.change(guests={VMID: {"config": {"net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"}}})
    pve.forget()
    job = finish(shell)
    assert job.state == "failed" and "net0 MAC is bc:24:11:00:00:99" in job.message
    assert power(pve) == [] and pve.guest(VMID)["running"]


def test_a_parked_machine_is_neither_turned_nor_started(shell, pve):
    create(shell)
    assert confirmed(do("park_vm", shell, host=HOST)).state == "succeeded"
    pve.forget()
    job = finish(shell)
    assert job.state == "failed" and "create it again, which takes it back" in job.message, job.message
    assert pve.writes() == []


def undeclare(site, what: str) -> None:
    host = Host.objects.get(name=HOST)
    card, segment, machine = host.interfaces.get(), Segment.objects.get(site=site), host.machine
    with change(site, by="fixture", why="something is missing"):
        if what == "server":
            segment.next_server = None
        elif what == "file":
            card.pxe_file = ""
        elif what == "reservation":
            card.reservation = False
        else:
            machine.rng = False
        for row in (card, segment, machine):
            row.save()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("server", "segment management has no boot server"),
        ("file", "names no boot file that can be rendered"),
        ("reservation", "has no reservation, and boot files are handed out by DHCP"),
        ("rng", "has no random number device: it would never ask for an address"),
    ],
)
def test_what_it_cannot_boot_without_must_be_declared(shell, pve, what, said):
    undeclare(shell, what)
    with pytest.raises(Refused, match=said):
        create(shell)
    assert pve.requests() == []


def test_a_pxe_server_of_its_own_is_enough(shell, pve):
    undeclare(shell, "server")
    card = Host.objects.get(name=HOST).interfaces.get()
    with change(shell, by="fixture", why="its own"):
        card.pxe_server = "192.0.2.6"
        card.save()
    assert create(shell).state == "succeeded"


def test_it_is_not_rebuilt_from_a_template_that_there_is_not(shell, pve):
    job = do("rebuild_vm", shell, host=HOST)
    assert job.state == "failed" and "has no template: it is installed over the network" in job.message
    assert pve.requests() == []


def test_a_clone_is_not_finished(lab, pve):
    with pytest.raises(Refused, match="is a clone of a template"):
        finish(lab)


def test_a_foreign_machine_with_the_vmid_is_never_touched(shell, pve):
    pve.change(
        guests={VMID: {"config": {"name": "somebody", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}}}
    )
    for job in (create(shell), finish(shell)):
        assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


FAULTS = {
    # fault, state of create at the end, how often it was asked to be made
    "create lost": ({"kind": "lost", "method": "POST", "path": "/qemu$"}, "succeeded", 1),
    "create reset": ({"kind": "reset", "method": "POST", "path": "/qemu$"}, "succeeded", 2),
    "create fails": (
        {"kind": "task", "method": "POST", "path": "/qemu$", "exitstatus": "no space", "effect": False},
        "failed",
        1,
    ),
    "create ignored": ({"kind": "ignore", "method": "POST", "path": "/qemu$", "times": 0}, "failed", 1),
    "start lost": ({"kind": "lost", "method": "POST", "path": "/status/start"}, "succeeded", 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_well_or_in_words_with_one_machine_at_most(shell, pve, name):
    fault, state, number = FAULTS[name]
    pve.fault(**fault)
    job = create(shell)
    assert (job.state, made(pve)) == (state, number), texts(job)
    ours = [one for one in pve.state()["guests"].values() if one["config"].get("name") == HOST]
    assert len(ours) == int(state == "succeeded")


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"kind": "lost", "method": "PUT", "path": "/config"}, "succeeded"),
        ({"kind": "drop", "method": "PUT", "path": "/config", "keys": ["boot"], "times": 0}, "failed"),
        ({"kind": "lost", "method": "POST", "path": "/status/shutdown"}, "succeeded"),
        ({"kind": "ignore", "method": "POST", "path": "/status/start", "times": 0}, "failed"),
    ],
)
def test_a_fault_while_it_is_turned_ends_well_or_in_words(shell, pve, fault, state):
    pve.change(leases={MAC: ADDRESS})
    create(shell)
    pve.forget()
    pve.fault(**fault)
    job = finish(shell)
    assert job.state == state and len(pve.requests("POST", "/status/shutdown")) <= 1, texts(job)


def test_one_whose_firmware_was_changed_is_not_started(shell, pve):
    create(shell)
    do("power", shell, host=HOST, action="stop")
    pve.change(guests={VMID: {"config": {"bios": None, "efidisk0": None}}})
    pve.forget()
    job = create(shell)
    assert job.state == "failed" and "bios is not set instead of ovmf" in job.message
    assert power(pve) == []


def test_a_worker_that_died_while_it_was_made_is_gone_on_with(shell, pve):
    pve.change(task_seconds=0.6)
    pve.proxmox().create(VMID, settings_of(machine_of(reading.load("lab"), HOST)))
    job = create(shell)
    assert (job.state, made(pve)) == ("succeeded", 1), job.message
