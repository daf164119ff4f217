"""A storage takes so many backups of one guest: where it is full, that is said before anything is done."""

from __future__ import annotations

import pytest

from provisioning import requests
from provisioning.adapters.base import Strange
from provisioning.adapters.proxmox.shapes import backup_limits
from provisioning.machines.facts import BackupLimits
from provisioning.steps.remaking import Remaker
from tests.provisioning.jobs.conftest import VMID, do, made
from tests.provisioning.jobs.rebuilding import HOST, assert_rebuilt, backups, confirmed, put
from tests.provisioning.jobs.test_keeping import killed_in
from tests.provisioning.pve.worlds import SECRETS, WRITE_TOKEN, minimal

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]


def lie_there(pve, count: int, *, protected: bool) -> None:
    names = [f"local:backup/vzdump-qemu-{VMID}-2026_01_0{n}-00_00_00.vma.zst" for n in range(1, count + 1)]
    pve.change(volumes={name: {"size": 1 << 30, "vmid": VMID} for name in names})
    pve.change(volumes={name: {"content": "backup", "protected": protected} for name in names})


def test_a_backup_beyond_the_retention_is_refused_with_both_numbers(lab, pve):
    made(pve, lab)
    pve.change(storages={"local": {"prune_backups": "keep-last=2,keep-weekly=1"}})
    lie_there(pve, 3, protected=False)
    job = do("backup_vm", lab, host=HOST, stopped=True)
    assert job.state == "failed" and pve.writes() == [] and len(backups(pve)) == 3
    assert "takes 3 backups of one guest (prune-backups), and 3 of netctrl-vm01 (200)" in job.message
    assert "Name another storage (storage), raise the retention of local" in job.message


@pytest.mark.parametrize(("keeps", "protected"), [("", False), ("keep-all=1", False), ("keep-last=3", True)])
def test_what_is_kept_whole_or_protected_is_in_no_ones_way(lab, pve, keeps, protected):
    made(pve, lab)
    pve.change(storages={"local": {"prune_backups": keeps}})
    lie_there(pve, 3, protected=protected)
    assert do("backup_vm", lab, host=HOST).state == "succeeded"
    assert len(backups(pve)) == 4


def test_a_limit_that_only_the_task_knows_is_told_from_its_log(lab, pve):
    """That of /etc/vzdump.conf."""
    made(pve, lab)
    line = "ERROR: Backup of VM 200 failed - There is a max backup limit of 1 enforced by the target storage or …"
    pve.fault("task", "POST", "/vzdump", exitstatus="job errors", effect=False, log=[line], seconds=0)
    job = do("backup_vm", lab, host=HOST)
    assert job.state == "failed" and "not backed up to local: There is a max backup limit of 1" in job.message
    assert "raise the retention" in job.message


@pytest.mark.parametrize(("most", "lie"), [(None, 5), (2, 2)])
def test_a_rebuild_beyond_the_protected_backups_is_refused_before_anything_is_stopped(lab, pve, most, lie):
    put(pve, lab)
    pve.change(storages={"local": {"max_protected_backups": most}})
    lie_there(pve, lie, protected=True)
    job = do("rebuild_vm", lab, host=HOST)
    assert job.state == "failed" and pve.writes() == [] and pve.guest(VMID)["running"]
    assert f"takes {lie} protected backups of one guest, and {lie} of netctrl-vm01 (200)" in job.message
    assert "delete_backups_vm" in job.message


def test_its_own_last_backup_is_in_no_ones_way_when_its_worker_dies(lab, pve, monkeypatch):
    put(pve, lab)
    lie_there(pve, 4, protected=True)
    job = do("rebuild_vm", lab, host=HOST)
    requests.confirm(job, job.fingerprint, by="test")
    job = killed_in(monkeypatch, Remaker, "begin", job)
    assert job.state == "succeeded" and len(backups(pve)) == 5, job.message


def test_without_a_limit_there_may_be_any_number(lab, pve):
    put(pve, lab)
    pve.change(storages={"local": {"max_protected_backups": -1}})
    lie_there(pve, 6, protected=True)
    job = confirmed(do("rebuild_vm", lab, host=HOST))
    assert job.state == "succeeded", job.message
    assert_rebuilt(pve)


def test_who_may_allocate_has_no_limit_where_none_is_declared(lab, pve):
    held = minimal("9.1")
    held["/storage"] |= {"Datastore.Allocate": 1}
    pve.change(tokens={WRITE_TOKEN: {"secret": SECRETS[WRITE_TOKEN], "privsep": 1, "acl": held}})
    put(pve, lab)
    lie_there(pve, 6, protected=True)
    job = confirmed(do("rebuild_vm", lab, host=HOST))
    assert job.state == "succeeded", job.message


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("keep-last=3,keep-weekly=2", 5),
        ("keep-all=0,keep-last=3", 3),
        ("keep-all=1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_retention_is_the_sum_of_what_is_kept(said, others):
    assert backup_limits({"prune-backups": said}, "", allocates=True) == BackupLimits(None, others)


def test_a_retention_that_cannot_be_read_is_no_retention():
    with pytest.raises(Strange):
        backup_limits({"prune-backups": "keep-last=many"}, "", allocates=False)
