"""The jobs against fakepve, which others wrote. It grows no disk and models no restore: what is asked here it can do."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Hypervisor, VirtualMachine
from provisioning import requests
from tests.provisioning.adapters.test_second_opinion import SECRET, TOKEN
from tests.provisioning.adapters.test_second_opinion import url_and_ca as url_and_ca
from tests.provisioning.jobs.conftest import MAC, VMID, declare_lab, do
from tests.provisioning.pve.standin import StandIn

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def site(db, url_and_ca, monkeypatch):
    url, ca_file = url_and_ca
    monkeypatch.setenv("PVE_TOKEN", SECRET)
    site = declare_lab(StandIn(url=url, ca_file=ca_file, fingerprint="", node="pve1", process=None))
    with change(site, by="fixture", why="what fakepve models"):
        carrier = Hypervisor.objects.get()
        carrier.token_id = TOKEN
        carrier.read_token_id = carrier.read_secret = ""
        carrier.save()
        machine = VirtualMachine.objects.get()
        machine.os_disk, machine.data_disk, machine.data_disk_serial, machine.agent = 10, None, "", False
        machine.save()
    return site


def confirmed(job):
    requests.confirm(job, job.fingerprint, by="test")
    from provisioning import runner

    runner.run(job.pk, "here")
    job.refresh_from_db()
    return job


def test_a_machine_is_made_switched_off_and_on_and_destroyed(site, settings):
    settings.MACHINE_PARK_HOURS = 0
    job = do("create_vm", site, host=HOST)
    assert job.state == "succeeded", job.message
    assert (job.outcome["vmid"], job.outcome["mac"]) == (VMID, MAC)
    assert do("power", site, host=HOST, action="stop").state == "succeeded"
    assert do("power", site, host=HOST, action="start").state == "succeeded"
    assert do("create_vm", site, host=HOST).state == "succeeded"
    assert confirmed(do("park_vm", site, host=HOST)).state == "succeeded"
    job = confirmed(do("destroy_vm", site, host=HOST, typed=HOST))
    assert job.state == "succeeded", job.message


def test_a_disk_that_was_not_grown_is_noticed(site):
    with change(site, by="fixture", why="larger than the template's"):
        machine = VirtualMachine.objects.get()
        machine.os_disk = 20
        machine.save()
    job = do("create_vm", site, host=HOST)
    assert job.state == "failed" and "scsi0" in job.message, job.message
