"""A job makes one backup, whatever befalls it, and starts nothing as what is not declared."""

from __future__ import annotations

import pytest

from provisioning import requests
from provisioning.adapters.proxmox import Proxmox
from tests.provisioning.jobs.conftest import MAC, VMID, do
from tests.provisioning.jobs.test_keeping import HOST, backups, killed_in
from tests.provisioning.jobs.test_keeping import machine as machine
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_a_backup_whose_answer_was_lost_is_found(machine, pve, seconds):
    pve.change(task_seconds=seconds)
    pve.fault("lost", "POST", "/vzdump")
    job = do("backup_vm", machine, host=HOST)
    assert job.state == "succeeded", job.message
    assert [job.outcome["volume"]] == backups(pve) and len(pve.requests("POST", "/vzdump")) == 1


def test_a_backup_that_never_began_is_said_with_a_way_out(machine, pve):
    pve.fault("reset", "POST", "/vzdump")
    job = do("backup_vm", machine, host=HOST)
    assert job.state == "failed" and "no task vzdump was begun" in job.message and backups(pve) == []


def test_a_backup_that_outlives_its_worker_is_waited_for_and_is_the_one(machine, pve, monkeypatch):
    pve.change(task_seconds=0.8)
    job = requests.request("backup_vm", site=machine, parameters={"host": HOST}, by="test", why="to see")
    job = killed_in(monkeypatch, Proxmox, "wait", job)
    assert job.state == "succeeded", job.message
    assert [job.outcome["volume"]] == backups(pve) and len(pve.requests("POST", "/vzdump")) == 1
    assert "It was made by an earlier attempt of this job." in texts(job)


def test_a_backup_never_starts_a_machine_as_what_is_not_declared(machine, pve):
    card = pve.guest(VMID)["config"]["net0"]
    pve.change(guests={VMID: {"pending": {"net0": card.replace(MAC.upper(), "BC:24:11:00:00:99")}}})
    boots = len(pve.state()["boots"])
    job = do("backup_vm", machine, host=HOST, stopped=True)
    assert job.state == "failed" and "would be started again as what is not declared" in job.message
    assert pve.writes() == [] and len(pve.state()["boots"]) == boots
    assert do("backup_vm", machine, host=HOST).state == "succeeded"


def test_stopped_for_its_backup_it_runs_again_with_what_waited_for_that(machine, pve):
    pve.change(guests={VMID: {"pending": {"cores": "6"}}})
    job = do("backup_vm", machine, host=HOST, stopped=True)
    assert job.state == "succeeded", job.message
    found = pve.guest(VMID)
    assert found["running"] and found["booted"]["cores"] == "6" and found["pending"] == {}
