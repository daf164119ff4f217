"""A writing token with rights on a pool alone: of a VMID that is in no pool it is told nothing but “forbidden”."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Hypervisor
from provisioning import requests
from provisioning.adapters.proxmox import Proxmox
from provisioning.models import Job
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, do, made
from tests.provisioning.jobs.rebuilding import (
    HOST,
    SPARE,
    assert_data_is_whole,
    assert_rebuilt,
    confirmed,
    put,
)
from tests.provisioning.jobs.test_installing import from_network
from tests.provisioning.jobs.test_keeping import killed_in
from tests.provisioning.pve.worlds import SECRETS, TEMPLATES, WRITE_TOKEN, minimal

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

POOL = "mgmt"


def give(pve, **more: dict[str, int]) -> None:
    """The token's rights: on the pool what it else has on all machines, and *more* by VMID."""
    held = minimal("9.1")
    held[f"/pool/{POOL}"] = held.pop("/vms")
    held |= {f"/vms/{vmid}": rights for vmid, rights in more.items()}
    pve.change(tokens={WRITE_TOKEN: {"secret": SECRETS[WRITE_TOKEN], "privsep": 1, "acl": held}})


@pytest.fixture
def pooled(lab, pve):
    """The templates are in the pool, and so is whatever is made."""
    carrier = Hypervisor.objects.get()
    with change(lab, by="fixture", why="machines of others are there too"):
        carrier.pool = POOL
        carrier.save()
    give(pve)
    pve.change(guests={vmid: {"pool": POOL} for vmid in TEMPLATES}, leases={MAC: ADDRESS})
    return lab


def create(site) -> Job:
    return do("create_vm", site, host=HOST)


def clones(pve) -> int:
    return len(pve.requests("POST", "/clone"))


def test_a_machine_is_made_into_the_pool(pooled, pve):
    job = create(pooled)
    assert job.state == "succeeded" and pve.guest(VMID)["pool"] == POOL, job.message


def test_a_clone_that_is_not_in_the_pool_yet_is_waited_for(pooled, pve):
    pve.change(task_seconds=0.6)
    pve.fault("lost", "POST", "/clone")
    job = create(pooled)
    assert job.state == "succeeded" and clones(pve) == 1, job.message


def test_so_is_one_whose_worker_died(pooled, pve, monkeypatch):
    pve.change(task_seconds=0.6)
    job = requests.request("create_vm", site=pooled, parameters={"host": HOST}, by="test", why="to see")
    job = killed_in(monkeypatch, Proxmox, "wait", job)
    assert job.state == "succeeded" and clones(pve) == 1, job.message


def test_a_guest_that_it_may_not_see_is_not_waited_for(pooled, pve):
    pve.fault("change", "POST", "/clone", document={"guests": {VMID: {"config": {"name": "theirs"}}}})
    job = create(pooled)
    assert job.state == "failed" and "VMID 200 is taken by a guest that the token may not see" in job.message
    assert "put it into the pool" in job.message and pve.guest(VMID)["config"] == {"name": "theirs"}


def test_one_that_is_installed_over_the_network_is_made_into_the_pool(pooled, pve):
    from_network(pooled)
    job = create(pooled)
    guest = pve.guest(VMID)
    assert job.state == "succeeded" and guest["pool"] == POOL, job.message
    assert guest["config"]["tags"] == "mgmtplane"


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_machine_is_rebuilt(pooled, pve, seconds):
    put(pve, pooled)
    pve.change(guests={VMID: {"pool": POOL}}, task_seconds=seconds)
    job = confirmed(do("rebuild_vm", pooled, host=HOST))
    assert job.state == "succeeded", job.message
    assert_rebuilt(pve)
    assert_data_is_whole(pve)


@pytest.mark.parametrize("lost", [False, True])
def test_a_machine_is_destroyed(pooled, pve, settings, lost):
    settings.MACHINE_PARK_HOURS = 0
    made(pve, pooled)
    pve.change(guests={VMID: {"pool": POOL}})
    assert confirmed(do("park_vm", pooled, host=HOST, timeout=1)).state == "succeeded"
    if lost:
        pve.fault("lost", "DELETE", f"/qemu/{VMID}")
    job = confirmed(do("destroy_vm", pooled, host=HOST, typed=HOST))
    assert job.state == "succeeded" and str(VMID) not in pve.state()["guests"], job.message


def test_a_spare_of_somebody_else_is_named_and_left(pooled, pve, settings):
    settings.MACHINE_PARK_HOURS = 0
    made(pve, pooled)
    pve.change(guests={VMID: {"pool": POOL}, SPARE: {"config": {"name": "theirs"}}})
    assert confirmed(do("park_vm", pooled, host=HOST, timeout=1)).state == "succeeded"
    job = confirmed(do("destroy_vm", pooled, host=HOST, typed=HOST))
    assert job.state == "succeeded" and str(SPARE) in pve.state()["guests"], job.message
    assert job.events.filter(level="warning", text__contains=f"VMID {SPARE}").exists()


def test_what_is_gone_is_put_back_once_its_backup_may_be_read(pooled, pve):
    assert create(pooled).state == "succeeded"
    assert do("backup_vm", pooled, host=HOST).state == "succeeded"
    pve.change(guests={VMID: None})
    job = do("restore_vm", pooled, host=HOST)
    assert job.state == "failed" and "lacks VM.Backup on /vms/200" in job.message
    give(pve, **{str(VMID): {"VM.Backup": 0}})
    job = confirmed(do("restore_vm", pooled, host=HOST))
    assert job.state == "succeeded" and pve.guest(VMID)["pool"] == POOL, job.message
