"""Tasks that end badly, settings that get lost, others at work: the job ends as the table says, and then converges."""

from __future__ import annotations

import pytest

from provisioning.steps import watching
from tests.provisioning.faults import checking
from tests.provisioning.faults.ground import Ground, drawn
from tests.provisioning.faults.occasions import OCCASIONS, Occasion

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

ROWS = {row.name: row for row in OCCASIONS}
SEEN_ALWAYS = (
    "VMID taken between plan and act",
    "VLAN tag lost",
    "node renamed on the way",
    "VM.Config.Network lost on the way",
    "the address on another MAC",
)


@pytest.mark.parametrize("name", SEEN_ALWAYS)
def test_an_occasion_ends_as_the_table_says_and_the_job_converges(on, name):
    assert met(on(ROWS[name].kind), ROWS[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", drawn(sorted(ROWS)))
def test_each_occasion_ends_as_the_table_says_and_the_job_converges(on, name):
    assert met(on(ROWS[name].kind), ROWS[name]) == []


def met(ground: Ground, row: Occasion) -> list[str]:
    ground.begin()
    if row.world:
        ground.pve.change(**row.world)
        ground.before = {**ground.pve.state(), "guests": {**ground.before["guests"]}}
    for fault in row.faults:
        ground.pve.fault(**fault)
    job = ground.run()
    said = list(checking.truth(job))
    if row.faults and not any(entry["fault"] for entry in ground.pve.requests()):
        said.append("the fault did not strike")
    if (job.state, row.says in job.message) != (row.ends, True):
        said.append(f"it {job.state}: {job.message}")
    if row.ends == "succeeded":
        said += ground.wrong()
    if row.untouched and ground.pve.writes():
        said.append(f"asked for {ground.pve.writes()}")
    boots = ground.pve.state()["boots"][len(ground.before["boots"]) :]
    if row.unstarted and boots:
        said.append("it was started")
    theirs = {str(vmid): _config_of(row, vmid) for vmid in row.theirs}
    said += ground.harm(theirs=theirs, taken=row.taken)
    ground.pve.forget()
    if row.remedy:
        ground.pve.change(**row.remedy)
    gone = {int(vmid) for vmid, guest in row.remedy.get("guests", {}).items() if guest is None}
    left = {vmid: config for vmid, config in theirs.items() if int(vmid) not in gone}
    return said + ground.converges(theirs=left, taken=row.taken)


def _config_of(row: Occasion, vmid: int) -> dict[str, str]:
    documents = [row.world, *(fault.get("document", {}) for fault in row.faults)]
    found: dict[str, str] = next(
        document["guests"][str(vmid)]["config"]
        for document in documents
        if str(vmid) in document.get("guests", {})
    )
    return found


def test_a_clone_that_never_ends_is_not_begun_again(on, monkeypatch):
    monkeypatch.setattr(watching, "CLONE_LIMIT", 0.3)
    ground = on("create_vm")
    ground.begin()
    ground.pve.fault("task", "POST", "/clone$", seconds=3600)
    job = ground.run()
    assert job.state == "failed" and "stays locked (clone)" in job.message, job.message
    assert "tasks still run" in job.message
    assert len(ground.pve.requests("POST", "/clone")) == 1
    for task in ground.pve.proxmox().tasks(running=True):
        ground.pve.proxmox().stop_task(task.upid)
    ground.pve.forget()
    job = ground.run()
    assert job.state == "succeeded" and ground.wrong() == [], job.message
