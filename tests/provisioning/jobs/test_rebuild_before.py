"""Before anything of the machine is exchanged: its backup is made once, and whoever gives up leaves a way to start it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from provisioning import kinds, requests
from provisioning.models import Job
from tests.provisioning.jobs.conftest import VMID, do
from tests.provisioning.jobs.rebuilding import (
    HOST,
    Death,
    asked,
    assert_rebuilt,
    backups,
    carried_on,
    dies,
    put,
)
from tests.provisioning.support import texts

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]


@pytest.fixture
def machine(lab, pve):
    put(pve, lab)
    return lab


def dead_at(monkeypatch, job: Job, number: int, when: str) -> None:
    """Its worker dies at the writing call *number*: 2 is the backup, 3 the line that names what goes."""
    requests.confirm(job, job.fingerprint, by="test")
    with monkeypatch.context() as patched:
        Death(patched, number, when)
        assert dies(job)


@pytest.mark.parametrize(("number", "when"), [(2, "after"), (3, "before")])
def test_the_backup_of_a_worker_that_died_is_the_one_that_is_kept(machine, pve, monkeypatch, number, when):
    job = asked(machine)
    dead_at(monkeypatch, job, number, when)
    job = carried_on(job)
    assert job.state == "succeeded", job.message
    (kept,) = backups(pve)
    assert job.outcome["backup"] == kept["volid"] and kept["protected"]
    assert kept["contents"]["scsi0"] == "an old system"
    assert_rebuilt(pve)


def test_what_was_written_after_that_backup_is_backed_up_anew(machine, pve, monkeypatch):
    job = asked(machine)
    dead_at(monkeypatch, job, 3, "before")
    pve.proxmox().start(VMID)
    job = carried_on(job)
    assert job.state == "succeeded", job.message
    assert len(backups(pve)) == 2 and job.outcome["backup"] == max(one["volid"] for one in backups(pve))


def test_started_and_stopped_again_in_between_it_is_backed_up_anew(machine, pve, monkeypatch):
    job = asked(machine)
    dead_at(monkeypatch, job, 3, "before")
    proxmox = pve.proxmox()
    proxmox.wait(proxmox.start(VMID))
    proxmox.wait(proxmox.stop(VMID))
    job = carried_on(job)
    assert job.state == "succeeded" and len(backups(pve)) == 2, job.message


def test_given_up_between_two_attempts_its_page_starts_it(machine, pve, monkeypatch, client):
    job = asked(machine)
    dead_at(monkeypatch, job, 2, "before")
    requests.cancel(job, by="test")
    job.refresh_from_db()
    assert job.state == "cancelled" and not pve.guest(VMID)["running"]
    way = kinds.find("rebuild_vm").way_out(job)
    assert (way.said, way.kind, way.parameters) == ("Start it", "power", {"host": HOST, "action": "start"})
    client.force_login(User.objects.create_superuser("ada", password="x"))
    page = client.get(reverse("admin:provisioning_job_change", args=(job.pk,))).content.decode()
    assert "Start it…" in page and f"host={HOST}&amp;action=start" in page
    assert do(way.kind, machine, **way.parameters).state == "succeeded"
    assert pve.guest(VMID)["running"]


def test_a_template_with_uefi_and_no_random_numbers_is_told_before_it_is_confirmed(machine, pve):
    pve.change(guests={9003: {"config": {"bios": "ovmf", "efidisk0": "local-lvm:base-9003-disk-1,size=4M"}}})
    pve.change(volumes={"local-lvm:base-9003-disk-1": {"size": 4 << 20, "vmid": 9003}})
    job = asked(machine)
    assert job.state == "waiting", job.message
    assert any("has no random number device" in said for said in job.planned.warnings), texts(job)


def test_of_a_machine_that_has_the_device_nothing_is_told(machine, pve):
    put(pve, machine, rng0="source=/dev/urandom")
    pve.change(guests={9003: {"config": {"bios": "ovmf", "efidisk0": "local-lvm:base-9003-disk-1,size=4M"}}})
    pve.change(volumes={"local-lvm:base-9003-disk-1": {"size": 4 << 20, "vmid": 9003}})
    job = asked(machine)
    assert job.state == "waiting" and not any("random number" in said for said in job.planned.warnings)
