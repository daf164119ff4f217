"""What must hold after every row, whatever the fault was: asserted on the node's own log and state.

Each check yields sentences; none means that all is well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provisioning.machines.rebuilding import spare_vmid
from provisioning.models import Job
from tests.provisioning.faults.table import KindUnderTest
from tests.provisioning.jobs.conftest import MAC, VMID
from tests.provisioning.pve.worlds import SECRETS

HOST = "netctrl-vm01"
OURS, SPARE = str(VMID), str(spare_vmid(VMID))
CARD = re.compile(rf"virtio={MAC}(?=,).*,bridge=vmbr0(?=,|$)", re.IGNORECASE)
#: what may be asked for in the name of this machine, besides looking
_OWN = re.compile(rf"/nodes/[^/]+/qemu/(?:{OURS}|{SPARE})(?:/|$)")
_WAY_OUT = re.compile(
    r"\b(?:run this again|run it again|ask again|ask for|look at|look on|see that|check|compare|declare|free it|give"
    r"|create it|say keep|type|add|name|start it|choose|wait|allow|survey|park it|make room|make one|adopt it)\b",
    re.IGNORECASE,
)


@dataclass
class Look:
    """The node as it is, what was asked of it since, and what stood there before."""

    before: dict[str, Any]
    after: dict[str, Any]
    log: list[dict[str, Any]]
    #: guests that the fault itself put there: VMID as text → their configuration
    theirs: dict[str, dict[str, str]] = field(default_factory=dict)
    #: VMIDs of others that the fault took away
    taken: tuple[int, ...] = ()


def harm(look: Look) -> Iterator[str]:
    """Whatever must never be, also while a job has failed."""
    yield from _foreign(look)
    yield from _machines(look)
    yield from _starts(look)
    yield from _asked(look)


def _foreign(look: Look) -> Iterator[str]:
    """Templates and everybody else's guests are byte for byte what they were."""
    for vmid, guest in look.before["guests"].items():
        if vmid != OURS and int(vmid) not in look.taken and look.after["guests"].get(vmid) != guest:
            yield f"{vmid} of somebody else was changed: {look.after['guests'].get(vmid)} instead of {guest}"
    for vmid, config in look.theirs.items():
        found = look.after["guests"].get(vmid, {"config": {}, "running": False})
        if found["config"] != config or found["running"]:
            yield f"{vmid}, which somebody made meanwhile, was changed: {found}"
    for volume, facts in look.before["volumes"].items():
        if str(facts["vmid"]) != OURS and look.after["volumes"].get(volume) != facts:
            yield f"volume {volume} of somebody else was changed"


def _machines(look: Look) -> Iterator[str]:
    """One machine with the declared identity, or none; a rebuild's spare is named as one, and is none."""
    known = {*look.before["guests"], *look.theirs}
    for vmid, guest in look.after["guests"].items():
        if vmid == SPARE:
            yield from _spare(look, guest["config"])
            continue
        text = repr(guest["config"]).lower()
        bears = guest["config"].get("name") == HOST or f"host={HOST}" in text or MAC in text
        if vmid != OURS and bears and vmid not in known:
            yield f"{vmid} bears the machine's identity as well"
        if vmid not in known and vmid != OURS:
            yield f"{vmid} is a machine that nobody declared"


def _spare(look: Look, config: dict[str, str]) -> Iterator[str]:
    being_made = config.get("lock") == "clone" and "description" not in config
    if f"host={HOST}:spare" not in config.get("description", "") and not being_made:
        yield f"the spare is not named as one: {config}"
    if config.get("onboot") == "1" or MAC in repr(config).lower():
        yield f"the spare could be taken for the machine: {config}"


def _starts(look: Look) -> Iterator[str]:
    """Nothing was ever started with another card, and nothing else was started."""
    for boot in look.after["boots"][len(look.before["boots"]) :]:
        card = boot["config"].get("net0", "")
        if str(boot["vmid"]) != OURS:
            yield f"{boot['vmid']} was started"
        elif not CARD.match(card) or "tag=99" not in card.split(","):
            yield f"it was started with the card {card}"


def _asked(look: Look) -> Iterator[str]:
    """Nothing else was asked to be changed, refused or not."""
    for entry in look.log:
        path, params = entry["path"], entry["params"]
        if entry["method"] == "GET" or _OWN.match(path):
            continue
        clone = path.endswith("/clone") and params.get("newid") in (OURS, SPARE)
        about = re.search(r"/(?:vzdump|qemu)$", path) and params.get("vmid") == OURS
        volume = "/content/" in path and f"-{OURS}-" in path
        if not (clone or about or volume):
            yield f"{entry['method']} {path} was asked for, which is not about {OURS}"


def truth(job: Job) -> Iterator[str]:
    """The job ended, in words that help, without anything secret."""
    active = [f"{one.kind} is {one.state}" for one in Job.objects.all() if one.is_active]
    if active:
        yield f"left over: {', '.join(active)}"
    said = "\n".join([job.message, *job.events.values_list("text", flat=True)])
    if any(secret in said for secret in SECRETS.values()):
        yield "a secret stands in what the job said"
    if "Traceback" in said or "unexpected" in said:
        yield f"a fault that nobody foresaw: {job.message}"
    if job.state == "failed":
        yield from _words(job.message)


def _words(message: str) -> Iterator[str]:
    named = (
        HOST,
        OURS,
        "hv01",
        "127.0.0.1",
        "GET /",
        "POST /",
        "PUT /",
        "DELETE /",
        "task ",
        "node ",
        "/vms/",
        "/storage",
        "The database",
    )
    if not any(one in message for one in named):
        yield f"the message names nothing: {message}"
    if not _WAY_OUT.search(message):
        yield f"the message has no way out: {message}"
    if "does not accept the API token" in message and "lacks" in message:
        yield f"a token that is not accepted lacks nothing: {message}"


def left(state: dict[str, Any], job: Job) -> Iterator[str]:
    """A spare that a job leaves is named in it."""
    said = "\n".join([repr(job.plan), job.message, *job.events.values_list("text", flat=True)])
    if SPARE in state["guests"] and SPARE not in said:
        yield f"{SPARE} is left, and nothing says so"


def wrong(state: dict[str, Any], kind: KindUnderTest, before: dict[str, Any]) -> Iterator[str]:
    """Where the world is not as it is after success of *kind*, from *before* on."""
    yield from _machine(state, kind.ends)
    if SPARE in state["guests"]:
        yield f"the spare {SPARE} is left"
    there = set(state["guests"].get(OURS, {}).get("snapshots", ()))
    if there != ({kind.leaves} - {""}):
        yield f"its snapshots are {sorted(there)}"
    notes = [one["notes"] for one in state["volumes"].values() if one["content"] == "backup"]
    of_rebuilds = [one for one in notes if "before its rebuild" in one]
    if kind.kept is not None and len(of_rebuilds) != kind.kept:
        yield f"backups of rebuilds are left: {of_rebuilds}"
    starts = sum(str(boot["vmid"]) == OURS for boot in state["boots"][len(before["boots"]) :])
    if twice := {one for one in notes if notes.count(one) > max(starts, 1)}:
        yield f"a job made more than one backup, and the machine was not started in between: {sorted(twice)}"


def _machine(state: dict[str, Any], ends: str) -> Iterator[str]:
    guest = state["guests"].get(OURS)
    volumes = {name for name, volume in state["volumes"].items() if str(volume["vmid"]) == OURS}
    images = {name for name in volumes if state["volumes"][name]["content"] == "images"}
    if ends == "gone":
        if guest is not None or images:
            yield f"{OURS} is still there, or its disks: {sorted(images)}"
        return
    if guest is None:
        yield f"{OURS} is not there"
        return
    config = guest["config"]
    drives = {value.split(",")[0] for value in config.values() if "disk" in value or "cloudinit" in value}
    if images - drives:
        yield f"disks that belong to nothing: {sorted(images - drives)}"
    if guest["running"] != (ends == "running"):
        yield f"it is {'running' if guest['running'] else 'stopped'} instead of {ends}"
    card = config.get("net0", "")
    wanted = {
        "net0": bool(CARD.match(card)) and {"tag=99", "firewall=1"} <= set(card.split(",")),
        "cores": config.get("cores") == "4",
        "memory": config.get("memory") == "4096",
        "scsi0": "size=20G" in config.get("scsi0", "").split(","),
        "data disk": sum("serial=data01" in value.split(",") for value in config.values()) == 1,
        "ciuser": config.get("ciuser") == "ops",
        "marker": f"host={HOST}" in config.get("description", ""),
        "tags": "mgmtplane" in config.get("tags", "").split(";"),
        "lock": not config.get("lock"),
        "nothing pending": not guest["pending"],
        "cloud-init image": guest["image"].get("ciuser") == "ops",
    }
    if not all(wanted.values()):
        yield f"not as declared: {[name for name, right in wanted.items() if not right]} of {config}"
