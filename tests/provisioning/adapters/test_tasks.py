"""Waiting for tasks: what is success, what is not, and when waiting ends."""

from __future__ import annotations

import pytest

from provisioning.adapters.base import (
    NotFound,
    Refused,
    StillRunning,
    Strange,
    TaskFailed,
    Unauthorized,
    Unreachable,
    Unsendable,
)

LOCK = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"


@pytest.mark.parametrize(
    "status", ["unable to parse volume", "WARNINGS", "OK?", "job errors", "unexpected status"]
)
def test_whatever_is_not_ok_is_a_failed_task(pve, status):
    pve.fault("task", "POST", "/stop", exitstatus=status, log=["line one", "line two"])
    with pytest.raises(TaskFailed) as raised:
        pve.proxmox().wait(pve.proxmox().stop(100))
    assert raised.value.status == status and raised.value.log[:2] == ("line one", "line two")
    assert not raised.value.retryable


def test_a_task_that_died_of_a_lock_may_be_tried_later(pve):
    pve.fault("task", "POST", "/clone", exitstatus=LOCK, effect=False)
    with pytest.raises(TaskFailed) as raised:
        pve.proxmox().wait(pve.proxmox().clone(9000, 200, name="vm"))
    assert raised.value.retryable
    assert "200" not in pve.state()["guests"]


def test_a_full_storage_and_a_shrinking_disk_fail_in_the_task(pve):
    proxmox = pve.proxmox()
    pve.change(storages={"local-lvm": {"free": 1 << 30}})
    with pytest.raises(TaskFailed, match="insufficient free space"):
        proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    with pytest.raises(TaskFailed, match="Insufficient free space"):
        proxmox.wait(proxmox.resize(100, "scsi0", 64 << 30))
    with pytest.raises(TaskFailed, match="shrinking disks is not supported"):
        proxmox.wait(proxmox.resize(100, "scsi0", 5 << 30))
    with pytest.raises(TaskFailed, match="'scsi9' does not exist"):
        proxmox.wait(proxmox.resize(100, "scsi9", 64 << 30))
    assert proxmox.wait(proxmox.resize(100, "scsi0", 10 << 30)).status == "OK"


def test_a_task_outlasts_its_limit_and_is_found_again(pve):
    pve.change(task_seconds=60)
    proxmox = pve.proxmox()
    upid = proxmox.stop(100)
    with pytest.raises(StillRunning) as raised:
        proxmox.wait(upid, limit=0.5)
    assert raised.value.upid == upid and raised.value.retryable
    assert [task.upid for task in proxmox.tasks(running=True)] == [upid]


def test_a_node_that_is_silent_for_a_while_does_not_end_the_waiting(pve):
    pve.change(task_seconds=0.4)
    pve.fault("lost", "GET", "/status", times=5)
    proxmox = pve.proxmox()
    assert proxmox.wait(proxmox.stop(100)).status == "OK"


def test_a_node_that_stays_silent_ends_it(pve):
    pve.change(task_seconds=60)
    pve.fault("lost", "GET", "/status", times=0)
    proxmox = pve.proxmox()
    with pytest.raises(Unreachable):
        proxmox.wait(proxmox.stop(100))


@pytest.mark.parametrize(
    "stumble",
    [
        {"kind": "status", "status": 500, "reason": "Internal Server Error"},
        {"kind": "html"},
        {"kind": "redirect"},
        {"kind": "null"},
        {"kind": "empty"},
    ],
    ids=lambda one: one["kind"],
)
def test_a_look_that_fails_while_a_task_runs_is_silence(pve, stumble):
    proxmox = pve.proxmox()
    upid = proxmox.stop(100)
    pve.fault(method="GET", path="/tasks/.*/status", **stumble)
    assert proxmox.wait(upid).status == "OK"
    assert len(pve.requests("GET", "/status")) == 2, "it struck once, and was asked again"


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"kind": "html"}, Strange),
        ({"kind": "status", "status": 500, "reason": "Internal Server Error"}, Refused),
    ],
    ids=["html", "500"],
)
def test_looks_that_fail_for_too_long_end_it(pve, document, error):
    pve.change(task_seconds=60)
    pve.fault(method="GET", path="/tasks/.*/status", times=0, **document)
    proxmox = pve.proxmox()
    with pytest.raises(error):
        proxmox.wait(proxmox.stop(100))
    assert len(pve.requests("GET", "/status")) > 1


def test_a_token_that_is_refused_ends_the_wait_at_once(pve):
    pve.fault("status", "GET", "/tasks/.*/status", status=401, reason="invalid token value!", times=0)
    proxmox = pve.proxmox()
    with pytest.raises(Unauthorized):
        proxmox.wait(proxmox.stop(100))
    assert len(pve.requests("GET", "/status")) == 1


def test_waiting_ends_when_the_caller_says_so(pve):
    pve.change(task_seconds=60)
    proxmox, polls = pve.proxmox(), []

    def check() -> None:
        polls.append(1)
        if len(polls) > 2:
            raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        proxmox.wait(proxmox.stop(100), check=check)


def test_what_is_no_id_of_a_task_is_not_asked_for(pve):
    with pytest.raises(Strange, match="no id of a task"):
        pve.proxmox().wait("UPID:nonsense")
    assert pve.requests() == []


def test_a_task_that_the_node_lists_as_running_has_no_status(pve):
    pve.change(task_seconds=60)
    proxmox = pve.proxmox()
    upid = proxmox.stop(100)
    assert [(task.upid, task.status) for task in proxmox.tasks(vmid=100)] == [(upid, "")]


def test_a_disk_that_is_moved_is_waited_for_under_the_id_that_its_task_has(pve):
    proxmox = pve.proxmox()
    proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    pve.change(guests={100: {"running": False}})
    upid = proxmox.move_disk(200, "scsi0", to=100, key="scsi5")
    assert ":qmmove:200-scsi0>100-scsi5:" in upid
    assert proxmox.wait(upid).status == "OK" and proxmox.task_log(upid) == ("TASK OK",)


def test_what_no_call_can_name_is_no_silence(pve):
    with pytest.raises(Unsendable, match="cannot stand in an address"):
        pve.proxmox().wait("UPID:pve:000003E8:000003E8:000003E8:qmstart:1?0:ada@pam:")
    assert pve.requests() == []


def test_a_task_that_the_node_does_not_know_any_more_ends_the_wait_at_once(pve):
    with pytest.raises(NotFound, match="no such task"):
        pve.proxmox().wait("UPID:pve:000003E8:000003E8:000003E8:qmstart:100:ada@pam:")
    assert len(pve.requests("GET", "/status")) == 1
