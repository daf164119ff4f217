"""Disks of the stand-in: detached, removed, handed over, and put back, as Proxmox does it."""

from __future__ import annotations

import pytest

from provisioning.adapters.base import NotFound, Refused, Unauthorized
from tests.provisioning.pve.standin import StandIn

FREE = "local-lvm:vm-100-disk-9"


@pytest.fixture
def off(pve: StandIn) -> StandIn:
    """The guest 100 is switched off and has a second disk with something on it."""
    pve.change(
        volumes={FREE: {"size": 1 << 30, "vmid": 100, "holds": "data"}},
        guests={100: {"running": False, "config": {"scsi1": f"{FREE},serial=data,size=1G"}}},
    )
    return pve


def test_a_disk_that_is_deleted_is_unused_first_and_leaves_the_boot_order(off):
    proxmox = off.proxmox()
    proxmox.configure(100, {}, delete=["scsi0"])
    config = off.guest(100)["config"]
    assert config["unused0"] == "local-lvm:vm-100-disk-0" and config["boot"] == "order=net0"
    proxmox.configure(100, {}, delete=["unused0"])
    assert "unused0" not in off.guest(100)["config"]
    assert "local-lvm:vm-100-disk-0" not in off.state()["volumes"]


def test_an_order_names_what_is_there(off):
    with pytest.raises(NotFound, match="invalid bootorder: device 'scsi7' does not exist"):
        off.proxmox().configure(100, {"boot": "order=scsi7"})


def test_a_protected_machine_keeps_its_disks(off):
    off.change(guests={100: {"config": {"protection": "1"}}})
    with pytest.raises(Refused, match="protection mode enabled"):
        off.proxmox().configure(100, {}, delete=["scsi1"])


def test_removing_takes_the_same_right_as_adding(off):
    acl = {path: dict(held) for path, held in off.state()["tokens"]["mgmtplane@pve!write"].items()}
    del acl["/vms"]["VM.Config.Disk"]
    off.change(tokens={"mgmtplane@pve!write": {**token_of(off), "acl": acl}})
    with pytest.raises(Unauthorized, match=r"VM\.Config\.Disk"):
        off.proxmox().configure(100, {}, delete=["scsi1"])


def token_of(pve: StandIn) -> dict[str, object]:
    return {"secret": pve.access().secret, "privsep": 1}


def test_a_disk_is_handed_over_with_what_is_on_it(off):
    proxmox = off.proxmox()
    proxmox.wait(proxmox.clone(9000, 300, name="other"))
    proxmox.wait(proxmox.move_disk(100, "scsi1", to=300, key="scsi5"))
    config = off.guest(300)["config"]
    volume, _, options = config["scsi5"].partition(",")
    assert (volume, options) == ("local-lvm:vm-300-disk-1", "serial=data,size=1G")
    assert off.state()["volumes"][volume]["holds"] == "data" and "scsi1" not in off.guest(100)["config"]


@pytest.mark.parametrize(
    ("disk", "key", "said"),
    [
        ("ide2", "scsi5", "is a CD-ROM"),
        ("scsi1", "scsi0", "already in use"),
        ("scsi9", "scsi5", "does not exist"),
    ],
)
def test_what_is_not_handed_over(off, disk, key, said):
    proxmox = off.proxmox()
    proxmox.wait(proxmox.clone(9000, 300, name="other"))
    with pytest.raises(Refused, match=said):
        proxmox.move_disk(100, disk, to=300, key=key)


def test_a_restore_keeps_what_the_backup_does_not_hold(off):
    proxmox = off.proxmox()
    off.change(guests={100: {"config": {"scsi1": f"{FREE},size=1G,backup=0"}}})
    proxmox.wait(proxmox.backup(100, "local", mode="stop"))
    (kept,) = proxmox.backups("local", 100)
    proxmox.wait(proxmox.restore(100, kept.volume, over=True))
    known = off.state()
    assert off.guest(100)["config"]["unused0"] == FREE and known["volumes"][FREE]["holds"] == "data"


def test_the_description_in_a_backup_is_read_as_it_was(off):
    text = "Rack 3: 100% ours\n\nmgmtplane: site=lab uid=1 host=vm01"
    off.change(guests={100: {"config": {"description": text}}})
    proxmox = off.proxmox()
    proxmox.wait(proxmox.backup(100, "local"))
    (kept,) = proxmox.backups("local", 100)
    assert proxmox.backup_config(kept.volume).get("description") == text
