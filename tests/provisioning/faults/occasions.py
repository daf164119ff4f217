# ruff: noqa: E501 - a row is a line
"""Faults of the node's world: tasks that end badly, settings that get lost, others who are at work. Data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.provisioning.faults.table import FAILS, SUCCEEDS
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN, minimal


@dataclass(frozen=True)
class Occasion:
    """*faults* strike, *world* is changed before; the job *ends* so and *says* this; *remedy* is what a person does."""

    name: str
    kind: str
    ends: str
    says: str = ""
    faults: tuple[dict[str, Any], ...] = ()
    world: dict[str, Any] = field(default_factory=dict)
    remedy: dict[str, Any] = field(default_factory=dict)
    #: nothing may have been asked for that changes something
    untouched: bool = False
    #: it is never started
    unstarted: bool = False
    #: guests that the fault put there
    theirs: tuple[int, ...] = ()
    #: guests of others that the fault took away or changed
    taken: tuple[int, ...] = ()


CLONE, CONFIG = ("POST", "/clone$"), ("PUT", f"/{VMID}/config$")
ADD, RESIZE, IMAGE = ("POST", f"/{VMID}/config$"), ("PUT", "/resize$"), ("PUT", "/cloudinit$")
START, STOP, SHUTDOWN = ("POST", "/status/start$"), ("POST", "/status/stop$"), ("POST", "/status/shutdown$")
BACKUP, RESTORE, DESTROY = ("POST", "/vzdump$"), ("POST", "/nodes/pve/qemu$"), ("DELETE", f"/qemu/{VMID}$")
FULL = "lvcreate 'pve/vm-200-disk-0' error:   Volume group has insufficient free space"
LOCKED = "can't lock file '/var/lock/qemu-server/lock-9003.conf' - got timeout"
CARD = f"virtio={MAC.upper()},bridge=vmbr0,firewall=1,tag=99"


def task(call: tuple[str, str], exitstatus: str, **more: Any) -> dict[str, Any]:
    effect = exitstatus == "OK" or exitstatus.startswith("WARNINGS")
    return {
        "kind": "task",
        "method": call[0],
        "path": call[1],
        "exitstatus": exitstatus,
        "effect": effect,
        **more,
    }


def at(kind: str, call: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"kind": kind, "method": call[0], "path": call[1], **more}


def meanwhile(call: tuple[str, str], **document: Any) -> dict[str, Any]:
    """The world is another when *call* comes."""
    return at("change", call, document=document)


def ours(**config: str | None) -> dict[str, Any]:
    return {"guests": {str(VMID): {"config": config}}}


def agent(**how: Any) -> dict[str, Any]:
    return meanwhile(START, guests={str(VMID): {"agent": how}})


def without(privilege: str, more: dict[str, dict[str, int]] | None = None) -> dict[str, Any]:
    held = {path: {name: 1 for name in names if name != privilege} for path, names in minimal("9.1").items()}
    held |= more or {}
    return {"tokens": {WRITE_TOKEN: {"secret": SECRETS[WRITE_TOKEN], "privsep": 1, "acl": held}}}


def reading(vms: dict[str, int], storage: dict[str, int]) -> dict[str, Any]:
    """What the token that looks may."""
    acl = {"/vms": vms, "/storage": storage}
    return {"tokens": {READ_TOKEN: {"secret": SECRETS[READ_TOKEN], "privsep": 1, "acl": acl}}}


ALL_RIGHTS = without("")
#: who takes a card off a bridge needs the right to that one too
OTHER_BRIDGE = without("", {"/sdn/zones/localnetwork/vmbr1": {"SDN.Use": 1}})
SOMEBODY = {"config": {"name": "somebody", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}, "kind": "qemu"}
CONTAINER = {"config": {"hostname": "somebody"}, "kind": "lxc"}
TWIN = {"config": {"name": "twin", "net0": f"virtio={MAC.upper()},bridge=vmbr0"}}
WELL: dict[str, Any] = {"guests": {str(VMID): {"agent": {}}}}
ROOM, NO_ROOM = {"storages": {"local-lvm": {"free": 400 << 30}}}, {"storages": {"local-lvm": {"free": 0}}}
BACKUP_ROOM, NO_BACKUP_ROOM = (
    {"storages": {"local": {"free": 80 << 30}}},
    {"storages": {"local": {"free": 0}}},
)

OCCASIONS = (
    # tasks
    Occasion("clone: its task fails", "create_vm", FAILS, "no space", (task(CLONE, "clone failed: no space"),), unstarted=True),
    Occasion("clone: its task warns", "create_vm", SUCCEEDS, "", (task(CLONE, "WARNINGS: 1", log=["WARN: slow"]),)),
    Occasion("clone: its task waits for a lock in vain", "create_vm", SUCCEEDS, "", (task(CLONE, LOCKED),)),
    Occasion("clone: an id of its task that is none", "create_vm", SUCCEEDS, "", (at("shape", CLONE, data="UPID:broken"),)),
    Occasion("clone: its task says well, and nothing is there", "create_vm", FAILS, "not there", (at("ignore", CLONE),), unstarted=True),
    Occasion("resize: its task fails", "create_vm", FAILS, "lvextend", (task(RESIZE, "lvextend error"),), unstarted=True),
    Occasion("resize: its task says well, and the disk is as before", "create_vm", FAILS, "size is 10G instead of 20G", (at("ignore", RESIZE),), unstarted=True),
    Occasion("data disk: its task fails", "create_vm", FAILS, "insufficient", (task(ADD, FULL),), unstarted=True),
    Occasion("start: its task fails", "create_vm", FAILS, "qmstart", (task(START, "start failed: QEMU exited with code 1"),), unstarted=True),
    Occasion("start: its task says well, and it is off", "create_vm", FAILS, "running was not seen", (at("ignore", START),), unstarted=True),
    Occasion("start: its task warns", "create_vm", SUCCEEDS, "", (task(START, "WARNINGS: 2"),)),
    Occasion("no quorum for a moment", "create_vm", SUCCEEDS, "", (at("status", CONFIG, status=500, reason="cluster not ready - no quorum?"),)),
    # settings that get lost
    Occasion("MAC dropped once", "create_vm", SUCCEEDS, "", (at("drop", CONFIG, keys=["net0"]),)),
    Occasion("MAC dropped always", "create_vm", FAILS, "net0 MAC", (at("drop", CONFIG, keys=["net0"], times=0),), unstarted=True),
    Occasion("VLAN tag lost", "create_vm", FAILS, "tag", (meanwhile(IMAGE, **ours(net0=CARD.replace(",tag=99", ""))),), unstarted=True),
    Occasion("another bridge", "create_vm", FAILS, "bridge", (meanwhile(IMAGE, **ours(net0=CARD.replace("vmbr0", "vmbr1"))),), remedy=OTHER_BRIDGE, unstarted=True),
    Occasion("another MAC after it was set", "create_vm", FAILS, "MAC", (meanwhile(IMAGE, **ours(net0=CARD.replace(MAC.upper(), "BC:24:11:00:00:99"))),), unstarted=True),
    Occasion("onboot dropped", "create_vm", FAILS, "onboot", (at("drop", CONFIG, keys=["onboot"], times=0),), unstarted=True),
    Occasion("data disk dropped", "create_vm", FAILS, "data disk data01", (at("drop", ADD, keys=["scsi1", "scsi2", "virtio0", "virtio1", "sata0"]),), unstarted=True),
    Occasion("cloud-init image not written once", "create_vm", SUCCEEDS, "", (at("ignore", IMAGE),)),
    Occasion("cloud-init image never written", "create_vm", FAILS, "lacks ciuser", (at("ignore", IMAGE, times=0),), unstarted=True),
    # others at work
    Occasion("VMID taken between plan and act", "create_vm", FAILS, "carries no marker", (meanwhile(CLONE, guests={str(VMID): SOMEBODY}),), remedy={"guests": {str(VMID): None}}, theirs=(VMID,), unstarted=True),
    Occasion("VMID taken by a container meanwhile", "create_vm", FAILS, f"VMID {VMID} is taken", (meanwhile(CLONE, guests={str(VMID): CONTAINER}),), remedy={"guests": {str(VMID): None}}, theirs=(VMID,), unstarted=True),
    Occasion("VMID taken before", "create_vm", FAILS, "carries no marker", world={"guests": {str(VMID): SOMEBODY}}, remedy={"guests": {str(VMID): None}}, theirs=(VMID,), untouched=True),
    Occasion("another guest has the MAC", "create_vm", FAILS, "twin (300)", world={"guests": {"300": TWIN}}, remedy={"guests": {"300": None}}, theirs=(300,), untouched=True),
    Occasion("somebody changes it meanwhile", "create_vm", SUCCEEDS, "", (meanwhile(CONFIG, **ours(cores="7")),)),
    Occasion("somebody holds its lock", "create_vm", FAILS, "locked", (meanwhile(CONFIG, **ours(lock="backup")),), remedy=ours(lock=None), unstarted=True),
    Occasion("template gone between plan and act", "create_vm", FAILS, "", (meanwhile(CLONE, guests={"9003": None}),), taken=(9003,), unstarted=True),
    Occasion("storage full before", "create_vm", FAILS, "GiB are free", world=NO_ROOM, remedy=ROOM, untouched=True),
    Occasion("storage full between plan and act", "create_vm", FAILS, "insufficient", (meanwhile(CLONE, **NO_ROOM),), remedy=ROOM, unstarted=True),
    Occasion("VM.Clone lost on the way", "create_vm", FAILS, "VM.Clone", (meanwhile(CLONE, **without("VM.Clone")),), remedy=ALL_RIGHTS, unstarted=True),
    Occasion("VM.Config.Network lost on the way", "create_vm", FAILS, "VM.Config.Network", (meanwhile(CONFIG, **without("VM.Config.Network")),), remedy=ALL_RIGHTS, unstarted=True),
    Occasion("VM.PowerMgmt lost on the way", "create_vm", FAILS, "VM.PowerMgmt", (meanwhile(START, **without("VM.PowerMgmt")),), remedy=ALL_RIGHTS, unstarted=True),
    Occasion("VM.Audit lost before", "create_vm", FAILS, "VM.Audit", world=reading({}, {"Datastore.Audit": 1}), remedy=reading({"VM.Audit": 1}, {"Datastore.Audit": 1}), untouched=True),
    Occasion("node renamed before", "create_vm", FAILS, "no node pve", world={"node": "pve2"}, remedy={"node": "pve"}, untouched=True),
    Occasion("node renamed on the way", "create_vm", FAILS, "node pve", (meanwhile(CONFIG, node="pve2"),), remedy={"node": "pve"}, unstarted=True),
    # the guest
    Occasion("agent absent", "create_vm", FAILS, "no agent", (agent(absent=True),), remedy=WELL),
    Occasion("agent late", "create_vm", SUCCEEDS, "", (agent(delay=0.4),)),
    Occasion("link-local address alone", "create_vm", FAILS, "no agent", (agent(addresses=["fe80::1"]),), remedy=WELL),
    Occasion("another address", "create_vm", FAILS, "holds 192.0.2.150 instead of", (agent(addresses=["192.0.2.150"]),), remedy=WELL),
    Occasion("the address on another MAC", "create_vm", FAILS, "no agent", (agent(addresses=[], extra=[{"name": "ens19", "hardware-address": "bc:24:11:00:00:98", "ip-addresses": [{"ip-address": ADDRESS, "ip-address-type": "ipv4", "prefix": 24}]}]),), remedy=WELL),
    # the other kinds
    Occasion("backup: its task fails", "backup_vm", FAILS, "job errors", (task(BACKUP, "job errors"),)),
    Occasion("backup: its task says well, and none is there", "backup_vm", FAILS, "no backup of 200", (at("ignore", BACKUP),)),
    Occasion("backup: no room", "backup_vm", FAILS, "job errors", world=NO_BACKUP_ROOM, remedy=BACKUP_ROOM),
    Occasion("backup: it warns", "backup_vm", SUCCEEDS, "", (task(BACKUP, "WARNINGS: 1"),)),
    Occasion("restore: its task fails", "restore_vm", FAILS, "qmrestore", (task(RESTORE, "unable to restore VM 200"),), unstarted=True),
    Occasion("restore: the lock is held", "restore_vm", SUCCEEDS, "", (task(RESTORE, LOCKED),)),
    Occasion("restore: its task warns", "restore_vm", SUCCEEDS, "", (task(RESTORE, "WARNINGS: 1"),)),
    Occasion("restore: another MAC comes back", "restore_vm", FAILS, "MAC", (meanwhile(("GET", "/tasks/.*qmrestore.*/log$"), **ours(net0=CARD.replace(MAC.upper(), "BC:24:11:00:00:99"))),), unstarted=True),
    Occasion("destroy: its task fails", "destroy_vm", FAILS, "in use", (task(DESTROY, "base volume is still in use"),)),
    Occasion("destroy: its task says well, and it is there", "destroy_vm", FAILS, "still there", (at("ignore", DESTROY),)),
    Occasion("destroy: it is protected", "destroy_vm", FAILS, "protection", world=ours(protection="1"), remedy=ours(protection=None)),
    Occasion("park: the note is dropped", "park_vm", FAILS, "is not parked", (at("drop", CONFIG, keys=["description"]),)),
    Occasion("park: stopping does nothing", "park_vm", FAILS, "stopped was not seen", (at("ignore", SHUTDOWN), at("ignore", STOP))),
    Occasion("shutdown that never ends", "power shutdown", FAILS, "got timeout", world={"guests": {str(VMID): {"ignores_shutdown": True}}}, remedy={"guests": {str(VMID): {"ignores_shutdown": False}}}),
    Occasion("stop: its task says well, and it runs", "power stop", FAILS, "is running afterwards", (at("ignore", STOP),)),
    Occasion("start: somebody changed its MAC", "power start", FAILS, "MAC", world=ours(net0=CARD.replace(MAC.upper(), "BC:24:11:00:00:99")), remedy=ours(net0=CARD), untouched=True, unstarted=True),
    Occasion("guests come and go during the survey", "survey", SUCCEEDS, "", (meanwhile(("GET", "/9003/config$"), guests={"400": SOMEBODY}),), theirs=(400,)),
    Occasion("Datastore.Audit lost", "survey", FAILS, "Datastore.Audit", world=reading({"VM.Audit": 1}, {}), remedy=reading({"VM.Audit": 1}, {"Datastore.Audit": 1})),
)  # fmt: skip
