"""A host that is renamed keeps its machine; nobody else's machine becomes its by that."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host
from provisioning import requests, runner
from provisioning.machines.owning import Owner, owner_of
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import MAC, VMID, do, made

pytestmark = pytest.mark.django_db

OLD, NEW = "netctrl-vm01", "netctrl-vm02"


@pytest.fixture
def renamed(lab, pve):
    """Its machine runs, and carries the marker of the name that the host had."""
    made(pve, lab)
    with change(lab, by="fixture", why="another name"):
        host = Host.objects.get(site=lab, name=OLD)
        host.name = NEW
        host.save()
    return lab


def owner(pve):
    return owner_of(pve.guest(VMID)["config"]["description"])


def marked(pve, description: str, **config) -> None:
    pve.change(guests={VMID: {"config": {**pve.guest(VMID)["config"], "description": description, **config}}})


def arrow(site) -> str:
    uid = str(site.uid)
    return f"{Owner('lab', uid, OLD).marker} → {Owner('lab', uid, NEW).marker}"


def test_a_renamed_host_keeps_its_machine_under_its_new_name(renamed, pve, guest_answers):
    job = do("create_vm", renamed, host=NEW)
    assert job.state == "succeeded", job.message
    assert f"marker of {NEW}" in [line.subject for line in job.planned.lines]
    assert arrow(renamed) in [line.detail for line in job.planned.lines]
    assert owner(pve) == Owner("lab", str(renamed.uid), NEW)
    assert pve.requests("POST", "/clone") == [] and pve.guest(VMID)["config"]["name"] == NEW


def test_repairing_it_writes_the_new_marker_and_says_so(renamed, pve):
    job = do("repair_vm", renamed, host=NEW)
    assert job.state == "succeeded", job.message
    assert arrow(renamed) in [line.detail for line in job.planned.lines]
    assert owner(pve) == Owner("lab", str(renamed.uid), NEW)
    assert {"name", "description"} == set(job.outcome["set"])


def test_adopting_it_does_so_as_well(renamed, pve):
    job = do("adopt_vm", renamed, host=NEW)
    assert job.state == "waiting" and arrow(renamed) in [line.detail for line in job.planned.lines]
    requests.confirm(job, job.fingerprint, by="test")
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert owner(pve) == Owner("lab", str(renamed.uid), NEW)


def test_it_is_switched_on_and_off_before_it_is_marked_anew(renamed, pve):
    assert (job := do("power", renamed, host=NEW, action="shutdown")).state == "succeeded", job.message
    assert (job := do("power", renamed, host=NEW, action="start")).state == "succeeded", job.message
    assert pve.guest(VMID)["running"]


def test_the_marker_of_a_host_that_is_declared_stays_its_own(renamed, pve):
    with change(renamed, by="fixture", why="the old name lives on"):
        Host(site=renamed, name=OLD, form="vm", status="retired").save()
    for kind in ("create_vm", "repair_vm", "adopt_vm"):
        job = do(kind, renamed, host=NEW)
        assert job.state == "failed" and f"belongs to {OLD}" in job.message, kind
    assert pve.writes() == []


def test_so_does_that_of_another_site(renamed, pve):
    marked(pve, Owner("lab", "0c5f", OLD).marker)
    for kind in ("create_vm", "repair_vm", "adopt_vm"):
        job = do(kind, renamed, host=NEW)
        assert job.state == "failed" and f"belongs to {OLD} of" in job.message, kind
    assert pve.writes() == []


def test_and_that_of_a_machine_with_another_card(renamed, pve):
    strange = pve.guest(VMID)["config"]["net0"].replace(MAC.upper(), "BC:24:11:00:00:99")
    marked(pve, Owner("lab", str(renamed.uid), OLD).marker, net0=strange)
    for kind in ("create_vm", "repair_vm", "adopt_vm"):
        job = do(kind, renamed, host=NEW)
        assert job.state == "failed" and f"belongs to {OLD}" in job.message, kind
    assert pve.writes() == []


# --- a host that is none ---


@pytest.mark.parametrize("kind", ["create_vm", "rebuild_vm", "adopt_vm", "power"])
def test_no_job_is_made_for_a_host_that_the_site_does_not_declare(lab, kind):
    name = "a" * 250
    with pytest.raises(Refused, match=f"Site lab has no host {name}") as told:
        requests.request(
            kind,
            site=lab,
            parameters={"host": name, **({"action": "start"} if kind == "power" else {})},
            by="test",
            why="to see",
        )
    assert list(told.value.fields) == ["host"] and not Job.objects.exists()


# --- firmware that never asks for an address ---


@pytest.mark.parametrize(("rng", "warned"), [(False, True), (True, False)])
def test_a_template_with_uefi_and_no_random_numbers_is_warned_of(lab, pve, rng, warned):
    pve.change(guests={9003: {"config": {**pve.guest(9003)["config"], "bios": "ovmf"}}})
    with change(lab, by="fixture", why="random numbers"):
        machine = Host.objects.get(name=OLD).machine
        machine.rng = rng
        machine.save()
    do("survey", lab)
    plan = requests.show_plan("create_vm", site=lab, parameters={"host": OLD}, by="test")
    assert any("never asks for an address by DHCP" in one for one in plan.warnings) is warned
