"""Every call of the adapter against the stand-in, which checks it against the API description of 8.4 and of 9.1."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from provisioning.adapters.base import AlreadyThere, Changed, NotFound, Refused, TaskFailed, Unauthorized
from provisioning.adapters.proxmox import privileges
from provisioning.machines.comparing import addresses_of, compare, waiting
from provisioning.machines.owning import Owner, owner_of
from provisioning.machines.properties import IpConfig, new_disk
from provisioning.machines.sizes import GIB
from provisioning.machines.spec import DataDisk, MachineSpec, disk_of_serial, free_disk_key, os_disk, settings
from provisioning.machines.templates import newest
from tests.provisioning.pve.worlds import SECRETS, WRITE_TOKEN, minimal

OWNER = Owner("dvntm", "0c5f", "netctrl-vm01")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE+x/y= operator@lab, the first"
MAC = "02:de:20:00:00:c8"


def a_spec(**changes: Any) -> MachineSpec:
    usual = MachineSpec(
        vmid=200,
        name="netctrl-vm01",
        mac=MAC,
        bridge="vmbr0",
        owner=OWNER,
        tag=99,
        memory=4096,
        cores=4,
        disk=64 * GIB,
        data=DataDisk("data-0001", 20 * GIB, "local-lvm"),
        onboot=True,
        cpu="x86-64-v2-AES",
        rng=True,
        user="ops",
        ssh_keys=(KEY,),
        ipconfig=IpConfig("192.0.2.10/24", "192.0.2.1"),
        nameservers=("192.0.2.1", "192.0.2.2"),
        search_domain="dvntm.example.net",
    )
    return replace(usual, **changes)


def make(proxmox, spec: MachineSpec) -> None:
    """From template to configured machine, as a job would do it."""
    template = newest(proxmox.guests(), "debian-13")
    proxmox.wait(
        proxmox.clone(
            template.vmid, spec.vmid, name=spec.name, storage="local-lvm", description=spec.owner.marker
        )
    )
    config = proxmox.config(spec.vmid)
    proxmox.configure(spec.vmid, settings(spec, config), digest=config.digest)
    if spec.disk:
        proxmox.wait(proxmox.resize(spec.vmid, os_disk(config).key, spec.disk))
    if spec.data and not disk_of_serial(config, spec.data.serial):
        value = new_disk(spec.data.storage, spec.data.gib, serial=spec.data.serial)
        upid = proxmox.add_disk(spec.vmid, free_disk_key(config), value)
        if upid:
            proxmox.wait(upid)
    proxmox.regenerate_cloudinit(spec.vmid)


def test_a_machine_is_made_as_declared_started_and_found_under_its_address(each_version):
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    config = proxmox.config(200)
    assert compare(spec, config) == ()
    assert owner_of(config.get("description")) == OWNER
    assert dict(config.nics["net0"].rest) == {"firewall": "1", "mtu": "1", "queues": "4"}
    assert proxmox.cloudinit_pending(200) == ()
    assert f"  - {KEY}" in proxmox.cloudinit(200)
    assert proxmox.interfaces(200) is None
    assert proxmox.status(200).status == "stopped"
    proxmox.wait(proxmox.start(200))
    assert proxmox.status(200).status == "running"
    assert addresses_of(proxmox.interfaces(200), MAC) == ("192.0.2.10",)


def test_a_startup_order_takes_a_right_on_everything(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    with pytest.raises(Unauthorized, match=r"lacks Sys\.Modify on /"):
        proxmox.configure(200, {"startup": "order=2,up=30"})
    acl = {**minimal(proxmox.version().text), "/": {"Sys.Modify": 1}}
    each_version.change(tokens={WRITE_TOKEN: {"secret": SECRETS[WRITE_TOKEN], "privsep": 1, "acl": acl}})
    proxmox.configure(200, {"startup": "order=2,up=30"})
    assert proxmox.config(200).get("startup") == "order=2,up=30"


def test_configuring_again_sends_nothing_since_nothing_differs(each_version):
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    assert settings(spec, proxmox.config(200)) == {}


def test_the_newest_template_is_found_by_version_and_not_by_vmid(each_version):
    assert newest(each_version.reader().guests(), "debian-13").name == "debian-13-1.10"


def test_the_node_is_read(each_version):
    reader = each_version.reader()
    assert reader.version().text.startswith(str(reader.version().major))
    assert [node.name for node in reader.check_node()] == ["pve"]
    storages = {storage.name: storage for storage in reader.storages()}
    assert "images" in storages["local-lvm"].content and storages["local-lvm"].free == 400 * GIB
    assert each_version.proxmox().bridges() == ("vmbr0",) and reader.bridges() == ()


def test_guests_of_every_type_are_listed_with_their_macs(each_version):
    reader = each_version.reader()
    found = {guest.vmid: guest for guest in reader.guests()}
    assert (found[100].kind, found[100].status, found[101].kind) == ("qemu", "running", "lxc")
    assert found[9000].is_template
    assert reader.macs(101, "lxc") == ("bc:24:11:0a:0b:0c",)
    assert reader.macs(100) == ("bc:24:11:00:00:64",)


def test_a_vmid_is_free_or_taken_also_by_a_guest_that_stays_invisible(each_version):
    each_version.change(tokens={"mgmtplane@pve!read": {"secret": "s" * 36, "privsep": 1, "acl": {}}})
    reader = each_version.reader(secret="s" * 36)
    assert reader.guests() == ()
    assert reader.is_free(200) and not reader.is_free(100)


def test_waiting_values_are_told_apart(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec(ssh_keys=()))
    proxmox.wait(proxmox.start(200))
    proxmox.configure(200, {"memory": "8192", "onboot": "0"})
    config = proxmox.config(200, pending=True)
    assert config.memory == 8192 and not config.onboot
    assert [difference.field for difference in waiting(config)] == ["memory"]
    proxmox.wait(proxmox.shutdown(200, timeout=60))
    assert proxmox.config(200, pending=True).pending == {}


def test_power(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    for step in (proxmox.start, proxmox.reset, lambda vmid: proxmox.reboot(vmid, timeout=60), proxmox.stop):
        assert proxmox.wait(step(200)).status == "OK"
    with pytest.raises(TaskFailed, match="VM 200 not running"):
        proxmox.wait(proxmox.shutdown(200, timeout=60))


def test_a_shutdown_that_never_ends_is_a_failed_task_and_can_be_forced(each_version):
    proxmox = each_version.proxmox()
    each_version.change(guests={100: {"ignores_shutdown": True}})
    with pytest.raises(TaskFailed, match="powerdown failed - got timeout") as failure:
        proxmox.wait(proxmox.shutdown(100, timeout=5))
    assert not failure.value.retryable
    proxmox.wait(proxmox.shutdown(100, timeout=5, force=True))
    assert proxmox.status(100).status == "stopped"


def test_snapshots_are_taken_gone_back_to_and_removed(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    proxmox.wait(proxmox.snapshot(200, "before-upgrade", description="for a day"))
    proxmox.configure(200, {"memory": "1024"})
    proxmox.wait(proxmox.rollback(200, "before-upgrade"))
    assert proxmox.config(200).memory == 4096
    (taken,) = proxmox.snapshots(200)
    assert (taken.name, taken.description) == ("before-upgrade", "for a day")
    proxmox.wait(proxmox.delete_snapshot(200, "before-upgrade"))
    assert proxmox.snapshots(200) == ()
    with pytest.raises(TaskFailed, match="snapshot 'before-upgrade' does not exist"):
        proxmox.wait(proxmox.rollback(200, "before-upgrade"))
    with pytest.raises(NotFound):
        proxmox.config(200, snapshot="before-upgrade")
    with pytest.raises(Refused, match="no name of a snapshot"):
        proxmox.snapshot(200, "../x")


def test_a_snapshot_with_memory_runs_at_once_and_keeps_the_description(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    proxmox.wait(proxmox.start(200))
    proxmox.wait(proxmox.snapshot(200, "with-memory", description="warm", ram=True))
    (taken,) = proxmox.snapshots(200)
    assert taken.has_ram
    proxmox.wait(proxmox.stop(200))
    later = proxmox.config(200)
    proxmox.configure(200, {"memory": "1024", "description": later.get("description") + "\nlater"})
    proxmox.wait(proxmox.add_disk(200, "scsi5", new_disk("local-lvm", 1)))
    proxmox.wait(proxmox.resize(200, "scsi0", 80 * GIB))
    then = proxmox.config(200, snapshot="with-memory")
    assert then.memory == 4096 and then.get("description").strip() == "warm"
    proxmox.wait(proxmox.rollback(200, "with-memory"))
    found = proxmox.config(200)
    assert proxmox.status(200).status == "running" and "later" in found.get("description")
    assert found.memory == 4096 and "scsi5" not in found.values and found.get("unused0")
    assert os_disk(found).size == 64 * GIB


def test_a_name_that_is_taken_is_said_by_the_task_and_a_reserved_one_at_once(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    proxmox.wait(proxmox.snapshot(200, "one"))
    with pytest.raises(TaskFailed, match="already used"):
        proxmox.wait(proxmox.snapshot(200, "one"))
    with pytest.raises(Refused, match="reserved name"):
        proxmox.wire.write("post", "nodes", "pve", "qemu", 200, "snapshot", snapname="pending")


def test_a_restored_machine_has_its_old_identity(each_version):
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    notes = "before rebuild {{vmid}}\\ of netctrl-vm01\nsecond line"
    proxmox.wait(proxmox.backup(200, "local", mode="stop", notes=notes, protected=True))
    (kept,) = proxmox.backups("local", 200)
    assert kept.is_protected and kept.notes == notes.replace("{{", "{ {") and kept.made >= time.time() - 60
    proxmox.wait(proxmox.destroy(200))
    with pytest.raises(NotFound):
        proxmox.config(200)
    proxmox.wait(proxmox.restore(200, kept.volume, storage="local-lvm"))
    assert compare(spec, proxmox.config(200)) == ()
    with pytest.raises(AlreadyThere):
        proxmox.restore(200, kept.volume)
    proxmox.configure(200, {"memory": "512"})
    proxmox.wait(proxmox.restore(200, kept.volume, over=True))
    assert proxmox.config(200).memory == 4096
    assert not any("unique" in each["params"] for each in each_version.requests("POST"))


def test_a_backup_without_notes_prunes_nothing_either(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    proxmox.wait(proxmox.backup(200, "local"))
    (asked,) = each_version.requests("POST", "vzdump")
    assert asked["params"]["remove"] == "0"


def test_a_data_disk_survives_by_moving_to_another_machine(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    disk = disk_of_serial(proxmox.config(200), "data-0001")
    proxmox.wait(proxmox.create(299, {"name": "parking", "description": OWNER.marker}))
    proxmox.wait(proxmox.move_disk(200, disk.key, to=299, key="scsi1"))
    proxmox.wait(proxmox.destroy(200))
    assert disk_of_serial(proxmox.config(299), "data-0001").size == 20 * GIB


def test_a_shell_for_pxe_is_made_of_settings_alone(each_version):
    proxmox = each_version.proxmox()
    shell = {
        "name": "pxe-vm01",
        "bios": "ovmf",
        "efidisk0": "local-lvm:1,efitype=4m,pre-enrolled-keys=0",
        "rng0": "source=/dev/urandom",
        "boot": "order=net0;scsi0",
        "scsi0": "local-lvm:32,serial=os-0001",
        "net0": f"virtio={MAC.upper()},bridge=vmbr0,tag=99",
        "memory": "2048",
    }
    proxmox.wait(proxmox.create(201, shell))
    assert proxmox.config(201).nics["net0"].mac == MAC
    with pytest.raises(Refused, match="never made with unique"):
        proxmox.create(202, {"unique": "1"})


def test_tasks_are_found_again_by_template_and_time(each_version):
    proxmox = each_version.proxmox()
    upid = proxmox.clone(9000, 200, name="netctrl-vm01")
    proxmox.wait(upid)
    assert [task.upid for task in proxmox.tasks(vmid=9000, kind="qmclone")] == [upid]
    assert proxmox.tasks(running=True) == ()
    assert proxmox.tasks(vmid=9000, since=int(time.time()) + 60) == ()


def test_a_log_longer_than_a_page_is_read_to_its_end(each_version):
    lines = [f"transferred {number} GiB" for number in range(1234)]
    each_version.fault("task", "POST", "/clone", exitstatus="WARNINGS: 2", log=lines)
    proxmox, told = each_version.proxmox(), []
    result = proxmox.wait(proxmox.clone(9000, 200, name="vm"), tell=told.extend)
    assert (result.warnings, result.log) == (2, (*lines, "TASK WARNINGS: 2"))
    assert tuple(told) == result.log


def test_a_task_can_be_stopped(each_version):
    each_version.change(task_seconds=600)
    proxmox = each_version.proxmox()
    upid = proxmox.clone(9000, 200, name="vm")
    proxmox.stop_task(upid)
    with pytest.raises(TaskFailed, match="unexpected status"):
        proxmox.wait(upid)
    assert "200" not in each_version.state()["guests"]


def test_leftovers_are_listed_and_removed(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    (drive,) = [v for v in proxmox.volumes("local-lvm", vmid=200) if v.volume.endswith("cloudinit")]
    upid = proxmox.remove_volume(drive.volume)
    assert proxmox.wait(upid).status == "OK"
    assert drive not in proxmox.volumes("local-lvm", vmid=200)


def test_a_configuration_that_moved_is_not_overwritten(each_version):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    with pytest.raises(Changed) as refused:
        proxmox.configure(200, {"memory": "512"}, digest="0" * 40)
    assert refused.value.retryable


def test_what_does_not_fit_the_description_is_named_by_field(each_version):
    with pytest.raises(Refused) as refused:
        each_version.proxmox().configure(100, {"memory": "much", "ciuser": "ops", "colour": "red"})
    assert set(refused.value.fields) == {"memory", "colour"}
    with pytest.raises(Refused) as refused:
        each_version.proxmox().configure(100, {}, delete=["colour"])
    assert set(refused.value.fields) == {"delete"}


def test_the_privilege_of_the_other_version_is_missed_and_named(each_version):
    proxmox = each_version.proxmox()
    version = proxmox.version()
    needs = privileges.for_machine(version, "/vms", storages=["local-lvm"], bridge="vmbr0", tag=99)
    verdict = proxmox.judge(needs, privileges.allowed_for_writing(version))
    assert verdict == privileges.Verdict()
    other = "VM.GuestAgent.Audit" if version.major < 9 else "VM.Monitor"
    verdict = proxmox.judge((privileges.Need(other, "/vms"),), privileges.allowed_for_writing(version))
    assert [need.privilege for need in verdict.missing] == [other]


def test_an_owner_without_the_privilege_takes_it_from_a_separated_token(each_version):
    proxmox = each_version.proxmox()
    each_version.change(users={"mgmtplane@pve": {"/": {"VM.Audit": 1, "Sys.Audit": 1}}})
    verdict = proxmox.judge((privileges.Need("VM.Clone", "/vms", below=True),), frozenset())
    assert [need.privilege for need in verdict.missing] == ["VM.Clone"]
    with pytest.raises(Unauthorized, match="separation") as refused:
        proxmox.clone(9000, 200, name="vm")
    assert (refused.value.privilege, refused.value.path) == ("VM.Clone", "/vms/9000")


def test_without_the_right_on_the_vlan_the_card_is_refused_by_name(each_version):
    acl = {
        **each_version.state()["tokens"]["mgmtplane@pve!write"],
        "/sdn/zones/localnetwork/vmbr0": {"SDN.Use": 0},
    }
    each_version.change(tokens={"mgmtplane@pve!write": {"secret": "t" * 36, "privsep": 1, "acl": acl}})
    proxmox = each_version.proxmox(secret="t" * 36)
    proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    with pytest.raises(Unauthorized) as refused:
        proxmox.configure(200, settings(a_spec(), proxmox.config(200)))
    assert refused.value.path == "/sdn/zones/localnetwork/vmbr0/99"


def test_the_template_s_own_card_and_one_that_is_changed_take_the_right_to_their_bridge(each_version):
    acl = each_version.state()["tokens"]["mgmtplane@pve!write"]
    acl["/sdn/zones/localnetwork/vmbr0/99"] = acl.pop("/sdn/zones/localnetwork/vmbr0")
    each_version.change(tokens={"mgmtplane@pve!write": {"secret": "t" * 36, "privsep": 1, "acl": acl}})
    proxmox = each_version.proxmox(secret="t" * 36)
    with pytest.raises(Unauthorized) as refused:
        proxmox.clone(9000, 200, name="vm")
    assert refused.value.path == "/sdn/zones/localnetwork/vmbr0"
    with pytest.raises(Unauthorized) as refused:
        proxmox.configure(100, {"net0": "virtio,bridge=vmbr0,tag=99"})
    assert refused.value.path == "/sdn/zones/localnetwork/vmbr0"
    assert proxmox.bridges() == ("vmbr0",)
