"""Each way in which a call can go wrong, at readings and at writes: the right error, and never a second write."""

from __future__ import annotations

import pytest

from provisioning.adapters.base import (
    AdapterError,
    AlreadyThere,
    Busy,
    Changed,
    NotFound,
    Refused,
    Strange,
    TokenRefused,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from tests.provisioning.pve.standin import PATIENCE

LOCK = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"

#: a write each: how it is called, and how its request is seen in the log
WRITES = {
    "clone": (lambda pve: pve.clone(9000, 200, name="vm"), "POST", "/qemu/9000/clone"),
    "create": (lambda pve: pve.create(200, {"name": "vm"}), "POST", "/nodes/pve/qemu"),
    "restore": (lambda pve: pve.restore(200, "local:backup/x.vma.zst"), "POST", "/nodes/pve/qemu"),
    "configure": (lambda pve: pve.configure(100, {"onboot": "0"}), "PUT", "/qemu/100/config"),
    "add_disk": (lambda pve: pve.add_disk(100, "scsi1", "local-lvm:5"), "POST", "/qemu/100/config"),
    "resize": (lambda pve: pve.resize(100, "scsi0", 20 << 30), "PUT", "/qemu/100/resize"),
    "move_disk": (
        lambda pve: pve.move_disk(100, "scsi0", to=9000, key="scsi5"),
        "POST",
        "/qemu/100/move_disk",
    ),
    "cloudinit": (lambda pve: pve.regenerate_cloudinit(100), "PUT", "/qemu/100/cloudinit"),
    "start": (lambda pve: pve.start(100), "POST", "/qemu/100/status/start"),
    "stop": (lambda pve: pve.stop(100), "POST", "/qemu/100/status/stop"),
    "shutdown": (lambda pve: pve.shutdown(100, timeout=9), "POST", "/qemu/100/status/shutdown"),
    "reset": (lambda pve: pve.reset(100), "POST", "/qemu/100/status/reset"),
    "reboot": (lambda pve: pve.reboot(100, timeout=9), "POST", "/qemu/100/status/reboot"),
    "snapshot": (lambda pve: pve.snapshot(100, "before"), "POST", "/qemu/100/snapshot"),
    "rollback": (lambda pve: pve.rollback(100, "before"), "POST", "/qemu/100/snapshot/before/rollback"),
    "delete_snapshot": (
        lambda pve: pve.delete_snapshot(100, "before"),
        "DELETE",
        "/qemu/100/snapshot/before",
    ),
    "backup": (lambda pve: pve.backup(100, "local"), "POST", "/vzdump"),
    "destroy": (lambda pve: pve.destroy(100), "DELETE", "/qemu/100"),
    "remove_volume": (
        lambda pve: pve.remove_volume("local-lvm:x-disk-0"),
        "DELETE",
        "/storage/local-lvm/content/",
    ),
}
READS = {
    "version": (lambda pve: pve.version(), "/version"),
    "nodes": (lambda pve: pve.nodes(), "/nodes"),
    "storages": (lambda pve: pve.storages(), "/storage"),
    "permissions": (lambda pve: pve.permissions(), "/access/permissions"),
    "guests": (lambda pve: pve.guests(), "/cluster/resources"),
    "config": (lambda pve: pve.config(100), "/qemu/100/config"),
    "status": (lambda pve: pve.status(100), "/status/current"),
    "snapshots": (lambda pve: pve.snapshots(100), "/snapshot"),
    "volumes": (lambda pve: pve.volumes("local"), "/content"),
    "cloudinit": (lambda pve: pve.cloudinit(100), "/cloudinit/dump"),
    "interfaces": (lambda pve: pve.interfaces(100), "/network-get-interfaces"),
    "tasks": (lambda pve: pve.tasks(), "/tasks"),
}
#: fault → (error at a write, may it be done, error at a reading, is a reading tried again)
FAULTS = {
    "lost": ({"kind": "lost"}, Unanswered, True, Unreachable, True),
    "hang": ({"kind": "hang", "seconds": 3}, Unanswered, True, Unreachable, True),
    "reset": ({"kind": "reset"}, Unanswered, True, Unreachable, True),
    "cut": ({"kind": "cut"}, Unanswered, True, Unreachable, True),
    "596": ({"kind": "status", "status": 596, "reason": "Broken pipe"}, Unanswered, True, Unreachable, True),
    "595": ({"kind": "status", "status": 595, "reason": "No route to host"}, Unreachable, False, Unreachable, True),
    "502": ({"kind": "html", "status": 502, "reason": "Bad Gateway"}, Unanswered, True, Unreachable, True),
    "504": ({"kind": "html", "status": 504, "reason": "Gateway Time-out"}, Unanswered, True, Unreachable, True),
    "401": ({"kind": "status", "status": 401, "reason": "invalid token value!"}, TokenRefused, False, TokenRefused, False),
    "403": (
        {"kind": "status", "status": 403, "reason": "Permission check failed (/vms/100, VM.Audit|VM.Clone)"},
        Unauthorized, False, Unauthorized, False,
    ),
    "500": ({"kind": "status", "status": 500, "reason": "unable to do that"}, Refused, False, Refused, False),
    "501": ({"kind": "status", "status": 501, "reason": "Method 'x' not implemented"}, Refused, False, Refused, False),
    "html": ({"kind": "html"}, Unanswered, True, Strange, False),
    "html 500": ({"kind": "html", "status": 500, "reason": "Oops"}, Unanswered, True, Strange, False),
    "redirect": ({"kind": "redirect"}, Unanswered, True, Strange, False),
    "gone": (
        {"kind": "status", "status": 500, "reason": "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist"},
        NotFound, False, NotFound, False,
    ),
    "node": (
        {"kind": "status", "status": 500, "reason": "hostname lookup 'pve' failed - failed to get address info"},
        NotFound, False, NotFound, False,
    ),
    "timeout inside": (
        {"kind": "status", "status": 500, "reason": "command 'lvs' failed: got timeout"},
        Unanswered, True, Unreachable, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", ["clone", "configure", "start"])
def test_a_write_that_goes_wrong_is_sent_once(pve, write, fault):
    _check_write(pve, write, fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", sorted(set(WRITES) - {"clone", "configure", "start"}))
def test_every_write_that_goes_wrong_is_sent_once(pve, write, fault):
    _check_write(pve, write, fault)


def _check_write(pve, write, fault):
    document, error, maybe_done, _, _ = FAULTS[fault]
    act, method, path = WRITES[write]
    pve.fault(**{"times": 0, "method": method, "path": path, **document})
    with pytest.raises(AdapterError) as raised:
        act(pve.proxmox())
    if not (fault == "lost" and _refuses(write)) and not (fault == "cut" and _refuses(write)):
        assert type(raised.value) is error, raised.value
        assert raised.value.maybe_done is maybe_done
        assert not (raised.value.maybe_done and raised.value.retryable)
    assert len(pve.writes()) == 1


def _refuses(write: str) -> bool:
    """Writes that this world refuses before it could lose their answer."""
    return write in ("restore", "rollback", "destroy", "remove_volume", "move_disk")


@pytest.mark.parametrize("fault", ["lost", "596", "401", "html", "redirect", "gone"])
@pytest.mark.parametrize("read", READS)
def test_a_reading_that_goes_wrong_is_tried_again_only_where_no_answer_came(pve, read, fault):
    _check_read(pve, read, fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"lost", "596", "401", "html", "redirect", "gone"}))
@pytest.mark.parametrize("read", READS)
def test_every_reading_that_goes_wrong(pve, read, fault):
    _check_read(pve, read, fault)


def _check_read(pve, read, fault):
    document, _, _, error, again = FAULTS[fault]
    act, path = READS[read]
    if read == "interfaces":  # an answer that can be lost
        pve.change(guests={100: {"config": {"agent": "1"}}})
    pve.fault(**{"times": 0, "method": "GET", "path": path, **document})
    with pytest.raises(AdapterError) as raised:
        act(pve.proxmox())
    assert type(raised.value) is error, raised.value
    assert not raised.value.maybe_done
    assert len(pve.requests("GET", path)) == (PATIENCE.reads if again else 1)


@pytest.mark.parametrize("kind", ["lost", "reset", "cut"])
def test_a_reading_that_fails_once_succeeds(pve, kind):
    pve.fault(kind, "GET", "/version")
    assert pve.reader().version().major == 9


def test_a_lost_answer_leaves_what_was_done_to_be_found(pve):
    pve.fault("lost", "POST", "/clone")
    proxmox = pve.proxmox()
    with pytest.raises(Unanswered, match="not known until somebody looks"):
        proxmox.clone(9000, 200, name="vm")
    assert proxmox.config(200).get("name") == "vm"
    (task,) = proxmox.tasks(vmid=9000, kind="qmclone")
    assert proxmox.wait(task.upid).status == "OK"
    assert pve.writes() == ["POST /nodes/pve/qemu/9000/clone"]


@pytest.mark.parametrize(
    "said",
    [
        LOCK,
        "VM is locked (backup)",
        "VM 100 is locked (backup)",
        "cfs-lock 'file-user_cfg' error: got lock request timeout",
        "CT is locked (clone)",
    ],
)
def test_a_lock_is_waited_for(pve, said):
    pve.fault("status", "PUT", "/config", status=500, reason=said, times=2)
    pve.proxmox().configure(100, {"onboot": "0"})
    assert pve.guest(100)["config"]["onboot"] == "0"
    assert len(pve.writes()) == 3


def test_a_lock_that_stays_is_busy_and_may_be_tried_later(pve):
    pve.fault("status", "PUT", "/config", status=500, reason=LOCK, times=0)
    with pytest.raises(Busy, match="got timeout") as raised:
        pve.proxmox().configure(100, {"onboot": "0"})
    assert raised.value.retryable and not raised.value.maybe_done


def test_between_two_tries_the_caller_can_stop_it(pve):
    class Stop(Exception):
        pass

    def check() -> None:
        if len(pve.writes()) == 1:
            raise Stop

    from provisioning.adapters.proxmox import Proxmox

    pve.fault("status", "PUT", "/config", status=500, reason=LOCK, times=0)
    with pytest.raises(Stop):
        Proxmox(pve.access(), check=check).configure(100, {"onboot": "0"})
    assert len(pve.writes()) == 1


def test_who_lost_the_lease_writes_nothing(pve):
    from provisioning.adapters.proxmox import Proxmox

    def check() -> None:
        raise RuntimeError("another worker has this job")

    with pytest.raises(RuntimeError):
        Proxmox(pve.access(), check=check).start(100)
    assert pve.writes() == []


def test_fields_and_reasons_of_a_refusal_are_told(pve):
    pve.fault(
        "status",
        "POST",
        "/clone",
        status=400,
        reason="Parameter verification failed.",
        errors={"newid": "invalid format"},
    )
    with pytest.raises(Refused, match="newid: invalid format") as raised:
        pve.proxmox().clone(9000, 200, name="vm")
    assert raised.value.fields == {"newid": "invalid format"}


def test_a_vmid_that_was_taken_meanwhile_is_told_apart(pve):
    with pytest.raises(AlreadyThere, match="unable to create VM 100"):
        pve.proxmox().clone(9000, 100, name="vm")


def test_a_template_that_is_gone_is_not_found(pve):
    with pytest.raises(NotFound, match=r"8888\.conf"):
        pve.proxmox().clone(8888, 200, name="vm")


def test_a_node_of_another_name_is_named(pve):
    with pytest.raises(NotFound, match="it calls itself: pve"):
        pve.reader(node="hv01").check_node()
    with pytest.raises(NotFound, match="no node hv01"):
        pve.reader(node="hv01").storages()


@pytest.mark.parametrize(
    ("call", "data"),
    [
        (lambda pve: pve.version(), {"version": "unknown"}),
        (lambda pve: pve.version(), []),
        (lambda pve: pve.nodes(), {"pve": 1}),
        (lambda pve: pve.nodes(), [{}]),
        (lambda pve: pve.config(100), None),
        (lambda pve: pve.guests(), None),
        (lambda pve: pve.guests(), [{"vmid": 1}]),
        (lambda pve: pve.status(100), {}),
        (lambda pve: pve.cloudinit(100), {}),
    ],
)
def test_another_shape_is_strange_and_no_empty_world(pve, call, data):
    pve.fault("shape", "GET", "", data=data, times=0)
    with pytest.raises(Strange):
        call(pve.proxmox())


def test_a_write_without_the_id_of_its_task_may_be_done(pve):
    pve.fault("null", "POST", "/clone")
    with pytest.raises(
        Unanswered, match="did not answer with the id of a task: whether it was done"
    ) as raised:
        pve.proxmox().clone(9000, 200, name="vm")
    assert raised.value.maybe_done


def test_a_changed_digest_may_be_tried_again_after_reading(pve):
    with pytest.raises(Changed) as raised:
        pve.proxmox().configure(100, {"onboot": "0"}, digest="f" * 40)
    assert raised.value.retryable


@pytest.mark.parametrize(
    "said",
    [
        "detected modified configuration - file changed by other user? Try again.",
        "checksum missmatch (file change by other user?)",
    ],
)
def test_a_configuration_that_moved_is_told_in_either_wording(pve, said):
    pve.fault("status", "PUT", "/config", status=500, reason=said)
    with pytest.raises(Changed):
        pve.proxmox().configure(100, {"onboot": "0"})
