"""When a job ends, drift says what the job saw last of its machine: nobody waits for the next survey."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import VirtualMachine
from provisioning import drift
from provisioning.models import DriftFinding, Survey
from tests.provisioning.jobs.conftest import VMID, do, made

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]

HOST = "netctrl-vm01"


def open_rows() -> list[tuple[str, str]]:
    rows = DriftFinding.objects.filter(closed=None, host_name=HOST).order_by("kind", "field")
    return list(rows.values_list("kind", "field"))


@pytest.mark.usefixtures("guest_answers")
def test_what_was_missing_is_there_once_it_is_made(lab, pve):
    do("survey", lab)
    assert open_rows() == [("missing", "machine")]
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    assert open_rows() == []
    assert VMID in Survey.objects.get(hypervisor="hv01").vmids


def test_what_was_too_small_is_as_declared_once_it_is_resized(lab, pve):
    made(pve, lab)
    with change(lab, by="test", why="more"):
        machine = VirtualMachine.objects.get(host__name=HOST)
        machine.cores = 6
        machine.save()
    do("survey", lab)
    assert open_rows() == [("size", "cores")]
    assert do("resize_vm", lab, host=HOST).state == "succeeded"
    assert ("size", "cores") not in open_rows()


def test_what_waits_for_a_power_cycle_is_still_told_after_the_job(lab, pve):
    made(pve, lab)
    with change(lab, by="test", why="more"):
        machine = VirtualMachine.objects.get(host__name=HOST)
        machine.cores = 6
        machine.save()
    do("survey", lab)
    job = do("resize_vm", lab, host=HOST)
    assert job.outcome["pending"] == ["cores"]
    before = open_rows()
    do("survey", lab)
    assert open_rows() == before


def test_a_machine_that_a_job_stopped_is_drift_when_the_job_ends(lab, pve):
    made(pve, lab)
    do("survey", lab)
    assert open_rows() == []
    assert do("power", lab, host=HOST, action="stop").state == "succeeded"
    assert open_rows() == [("stopped", "state")]
    do("survey", lab)
    assert open_rows() == [("stopped", "state")]


def test_without_a_survey_nothing_is_concluded(lab, pve):
    made(pve, lab)
    assert do("power", lab, host=HOST, action="stop").state == "succeeded"
    assert not Survey.objects.exists() and not DriftFinding.objects.exists()


def test_a_job_does_not_fail_where_what_it_saw_cannot_be_judged(lab, pve, monkeypatch):
    from django.db import OperationalError

    made(pve, lab)
    do("survey", lab)

    def away(*_, **__):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(drift, "judge", away)
    assert do("power", lab, host=HOST, action="stop").state == "succeeded"
    assert open_rows() == []
