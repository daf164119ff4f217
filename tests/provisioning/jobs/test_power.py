"""Power of a machine of ours, and of nobody else's."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host, VirtualMachine
from provisioning.adapters.proxmox import Proxmox
from provisioning.requests import Refused
from provisioning.steps.watching import TASK_LIMIT
from tests.provisioning.jobs.conftest import MAC, VMID, do
from tests.provisioning.jobs.rebuilding import confirmed

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def machine(lab, pve, guest_answers):
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    pve.forget()
    return lab


def power(site, action, **more):
    return do("power", site, host=HOST, action=action, **more)


def test_it_is_stopped_started_reset_and_shut_down(machine, pve):
    for action, status in (
        ("stop", "stopped"),
        ("start", "running"),
        ("reset", "running"),
        ("shutdown", "stopped"),
    ):
        job = power(machine, action)
        assert (job.state, job.outcome) == ("succeeded", {"status": status}), job.message
        assert pve.guest(VMID)["running"] == (status == "running")


@pytest.mark.parametrize(("kind", "more"), [("power", {"action": "shutdown"}), ("park_vm", {})])
def test_a_guest_that_gets_an_hour_is_waited_for_that_long(machine, pve, monkeypatch, kind, more):
    limits, wait = [], Proxmox.wait
    monkeypatch.setattr(
        Proxmox, "wait", lambda self, upid, **how: limits.append(how["limit"]) or wait(self, upid, **how)
    )
    job = do(kind, machine, host=HOST, timeout=3600, **more)
    assert (job if job.is_finished else confirmed(job)).state == "succeeded"
    assert limits == [3600 + TASK_LIMIT] and not pve.guest(VMID)["running"]


def test_a_guest_that_does_not_shut_down_runs_on_and_the_plug_is_named(machine, pve):
    pve.change(guests={VMID: {"ignores_shutdown": True}})
    job = power(machine, "shutdown", timeout=1)
    assert job.state == "failed" and pve.guest(VMID)["running"]
    assert job.message.startswith(f"{HOST} did not shut down within 1 s (") and "got timeout" in job.message
    assert job.message.endswith(
        "It runs on. Give it longer (timeout), shut it down from inside, or pull the plug (action=stop)."
    )


def test_a_token_that_is_not_accepted_is_to_be_corrected_and_lacks_nothing(machine, pve):
    pve.fault("status", "GET", "/status/current", status=401, reason="invalid token value!", times=0)
    job = power(machine, "stop")
    assert job.state == "failed" and "check the token's id, its secret and whether it expired." in job.message
    assert job.message.endswith(
        "Correct it where the hypervisor is declared, or the token in Proxmox, then run this again."
    )


def test_what_is_so_already_is_left_alone(machine, pve):
    assert power(machine, "start").state == "succeeded"
    assert pve.writes() == []


def test_a_lost_answer_is_resolved_by_looking(machine, pve):
    pve.fault("lost", "POST", "/status/stop")
    assert power(machine, "stop").state == "succeeded"
    assert len(pve.requests("POST", "/status/stop")) == 1


def test_whether_a_reset_happened_is_never_guessed(machine, pve):
    pve.fault("lost", "POST", "/status/reset")
    job = power(machine, "reset")
    assert job.state == "failed" and "not known" in job.message
    assert len(pve.requests("POST", "/status/reset")) == 1


def test_a_machine_with_another_mac_is_not_started(machine, pve):
    power(machine, "stop")
    config = pve.guest(VMID)["config"]
    pve.change(guests={VMID: {"config": {**config, "net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"}}})
    pve.forget()
    job = power(machine, "start")
    assert (
        job.state == "failed" and "net0 MAC is bc:24:11:00:00:99 instead of 02:de:20:00:00:c8" in job.message
    )
    assert pve.writes() == []


def misdeclared(site, how: str) -> None:
    """The host of a machine that is there, declared such that it could never be made."""
    host = Host.objects.get(site=site, name=HOST)
    with change(site, by="fixture", why=how):
        if how == "a tenant's":
            host.plane = "tenant"
            host.save()
        elif how == "retired":
            host.status = "retired"
            host.save()
        else:
            VirtualMachine.objects.get().delete()


@pytest.mark.parametrize("how", ["a tenant's", "retired", "without a specification"])
def test_what_could_not_be_made_like_this_is_stopped_parked_and_destroyed(machine, pve, settings, how):
    settings.MACHINE_PARK_HOURS = 0
    misdeclared(machine, how)
    for action in ("start", "reset"):
        with pytest.raises(Refused):
            power(machine, action)
    config = pve.guest(VMID)["config"]
    pve.change(guests={VMID: {"config": {**config, "description": "by hand"}}})
    assert power(machine, "stop").state == "failed" and pve.guest(VMID)["running"]
    pve.change(guests={VMID: {"config": config}})
    assert power(machine, "stop").state == "succeeded" and not pve.guest(VMID)["running"]
    assert confirmed(do("park_vm", machine, host=HOST)).state == "succeeded"
    job = confirmed(do("destroy_vm", machine, host=HOST, typed=HOST))
    assert job.state == "succeeded" and str(VMID) not in pve.state()["guests"], job.message


def test_another_owners_machine_is_not_switched(machine, pve):
    config = pve.guest(VMID)["config"]
    pve.change(guests={VMID: {"config": {**config, "description": "by hand"}}})
    pve.forget()
    job = power(machine, "stop")
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


def test_a_machine_that_is_only_being_made_is_not_switched(lab, pve):
    pve.change(task_seconds=2.0)
    pve.proxmox().clone(9003, VMID, name="theirs", storage="local-lvm")
    pve.forget()
    job = power(lab, "stop")
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


FOREIGN = "BC:24:11:00:00:99"


def runs_with_another_card(pve, *, waits: bool) -> None:
    """It runs with a card that is not declared; the declared one is configured, or *waits* for a power cycle."""
    config = pve.guest(VMID)["config"]
    other = {**config, "net0": config["net0"].replace(MAC.upper(), FOREIGN)}
    pending = {"net0": config["net0"]} if waits else {}
    pve.change(guests={VMID: {"config": other, "booted": other, "pending": pending, "running": True}})
    pve.forget()


@pytest.mark.parametrize("action", ["start", "reset"])
def test_a_card_that_only_waits_is_not_what_it_runs_with(machine, pve, action):
    runs_with_another_card(pve, waits=True)
    job = power(machine, action)
    assert job.state == "failed" and "runs with another card than is declared" in job.message, job.message
    assert FOREIGN.lower() in job.message and pve.writes() == []


@pytest.mark.parametrize("waits", [True, False])
def test_created_over_a_machine_that_runs_with_another_card_it_fails_by_name(machine, pve, waits):
    with change(machine, by="fixture", why="nobody asks the guest"):
        declared = VirtualMachine.objects.get()
        declared.agent = False
        declared.save()
    runs_with_another_card(pve, waits=waits)
    job = do("create_vm", machine, host=HOST)
    assert job.state == "failed" and "Stop it (power), then run this again" in job.message, job.message
    assert pve.writes() == []  # no card is exchanged under a guest that runs
    assert power(machine, "stop").state == "succeeded"
    assert do("create_vm", machine, host=HOST).state == "succeeded"
    assert MAC.upper() in pve.guest(VMID)["booted"]["net0"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("net1", "wrong"), ("scsi4", "local-lvm:vm-200-disk-9,size=much"), ("net2", "virtio=xy")],
)
def test_what_was_written_by_hand_and_cannot_be_read_is_named(machine, pve, key, value):
    pve.change(guests={VMID: {"config": {key: value}}})
    pve.forget()
    for kind, more in (("power", {"action": "reset"}), ("create_vm", {}), ("rebuild_vm", {})):
        job = do(kind, machine, host=HOST, **more)
        assert job.state == "failed" and f"{key} is “{value}”" in job.message, job.message
    assert pve.writes() == []


@pytest.mark.parametrize(
    ("kind", "more"),
    [("power", {"action": "start"}), ("power", {"action": "reset"}), ("resize_vm", {"restart": "on"})],
)
def test_a_parked_machine_is_taken_back_and_not_started(machine, pve, kind, more):
    parked = confirmed(do("park_vm", machine, host=HOST))
    assert parked.state == "succeeded", parked.message
    do("survey", machine)
    pve.forget()
    job = do(kind, machine, host=HOST, **more)
    assert job.state == "failed" and "create it again, which takes it back" in job.message, job.message
    assert pve.writes() == []
