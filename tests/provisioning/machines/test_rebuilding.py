"""What a rebuild exchanges and what it leaves; the line that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.machines import rebuilding
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config
from provisioning.machines.owning import marked, owner_of
from provisioning.machines.rebuilding import Rebuild, Unclear
from tests.provisioning.machines.test_comparing import AS_DECLARED, OWNER, SPEC

MACHINE = Machine(
    host="netctrl-vm01",
    hypervisor="hv01",
    template="debian-13",
    storage="local-lvm",
    pool="",
    interface="eth0",
    address="192.0.2.20",
    by_dhcp=True,
    spec=SPEC,
)
REBUILD = Rebuild(
    job="7-20260101000000",
    template="debian-13-1.10",
    keeps_data=True,
    boot=("scsi0", "net0"),
    backup="local:backup/vzdump-qemu-200.vma.zst",
    old=("local-lvm:vm-200-disk-0", "local-lvm:vm-200-disk-3"),
)


def having(**changes: str | None) -> Config:
    return Config({key: value for key, value in {**AS_DECLARED, **changes}.items() if value is not None})


@pytest.mark.parametrize("rebuild", [REBUILD, replace(REBUILD, keeps_data=False, boot=(), backup="", old=())])
def test_the_line_is_read_as_it_was_written_and_survives_our_marker(rebuild):
    text = rebuilding.beginning(f"notes of somebody\n\n{OWNER.marker}\n", rebuild)
    assert rebuilding.begun(text) == rebuild
    assert rebuilding.begun(marked(text, OWNER) + "\n") == rebuild and owner_of(text) == OWNER
    done = rebuilding.ending(text, rebuild)
    assert rebuilding.begun(done) is None and rebuilding.done_by(done) == rebuild.job
    assert "notes of somebody" in done and owner_of(done) == OWNER
    again = rebuilding.beginning(done, rebuild)
    assert rebuilding.done_by(again) == "" and again.count("mgmtplane-rebuild") == 1


def test_the_disk_that_it_boots_from_goes_and_the_data_disk_stays():
    found = having()
    going = rebuilding.exchanged(MACHINE, found, keep_data=True)
    assert going == {"scsi0": "local-lvm:vm-200-disk-0"}
    assert rebuilding.staying(found, going) == {"scsi1": "local-lvm:vm-200-disk-1"}
    assert set(rebuilding.exchanged(MACHINE, found, keep_data=False)) == {"scsi0", "scsi1"}


def test_firmware_goes_with_the_system():
    found = having(efidisk0="local-lvm:vm-200-disk-5,efitype=4m,size=4M", tpmstate0="local-lvm:vm-200-disk-6")
    assert set(rebuilding.exchanged(MACHINE, found, keep_data=True)) == {"scsi0", "efidisk0", "tpmstate0"}


def test_the_data_disk_never_goes_for_the_system():
    found = having(scsi0=None, boot="order=scsi1")
    assert rebuilding.exchanged(MACHINE, found, keep_data=True) == {}


def test_which_disk_boots_is_not_guessed():
    with pytest.raises(Unclear, match="Which of scsi0, scsi2 it boots from"):
        rebuilding.exchanged(MACHINE, having(boot="order=net0", scsi2="local-lvm:x,size=1G"), keep_data=True)


def test_what_no_backup_holds_is_told_of_what_goes():
    found = having(scsi1="local-lvm:vm-200-disk-1,serial=data-0001,size=20G,backup=0")
    going = {keep: rebuilding.exchanged(MACHINE, found, keep_data=keep) for keep in (True, False)}
    assert rebuilding.left_out(found, going[True]) == ()
    assert rebuilding.left_out(found, going[False]) == ("scsi1",)


def test_a_spare_is_nobodys_host_and_far_from_every_range():
    spare = rebuilding.spare_of(MACHINE).spec
    assert (spare.vmid, spare.owner.host) == (900_000_200, "netctrl-vm01:spare")
    described = rebuilding.spare_description(spare.owner.marker, "debian-13-1.10")
    assert rebuilding.template_in(described) == "debian-13-1.10" and owner_of(described) == spare.owner
    with pytest.raises(Unclear, match="lies where spares are made"):
        rebuilding.spare_of(replace(MACHINE, spec=replace(SPEC, vmid=900_000_200)))


def test_a_spare_is_known_by_its_marker_or_while_it_is_made():
    marked = Config({"description": rebuilding.spare_of(MACHINE).spec.owner.marker})
    assert rebuilding.is_spare(marked, "netctrl-vm01") and not rebuilding.is_spare(marked, "netctrl-vm02")
    assert rebuilding.is_spare(Config({"lock": "clone"}), "netctrl-vm01")
    cloning = {"lock": "clone", "description": " qmclone temporary file\n"}
    assert rebuilding.is_spare(Config(cloning), "netctrl-vm01")
    assert rebuilding.is_spare(Config({"lock": "destroyed"}), "netctrl-vm01")
    assert not rebuilding.is_spare(Config({"lock": "clone", "description": "theirs"}), "netctrl-vm01")


def test_everything_that_goes_with_a_machine_is_named():
    found = having(unused0="local-lvm:vm-200-disk-9", efidisk0="local-lvm:vm-200-disk-5,size=4M")
    assert rebuilding.volumes(found) == (
        "local-lvm:vm-200-cloudinit",
        *(f"local-lvm:vm-200-disk-{number}" for number in (0, 1, 5, 9)),
    )


def test_the_machine_is_built_as_its_template():
    spare = Config({"bios": "ovmf", "machine": "q35", "ostype": "l26", "vga": "serial0", "cpu": "kvm64"})
    found = Config({"bios": "seabios", "scsihw": "lsi", "ostype": "l26", "tablet": "0", "cpu": "host"})
    changes, gone = rebuilding.hardware(spare, found)
    assert changes == {"bios": "ovmf", "machine": "q35", "vga": "serial0"} and gone == ("scsihw",)
