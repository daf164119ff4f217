"""Every call that the stand-in answers, by its name in the API description."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.provisioning.pve import configuring, making, operating
from tests.provisioning.pve.refusals import Refusal, TaskError, died, wrong
from tests.provisioning.pve.rights import Caller
from tests.provisioning.pve.schema import Schema
from tests.provisioning.pve.world import LOG_LIMIT, Guest, Task, World

N, M = "/nodes/{node}", "/nodes/{node}/qemu/{vmid}"
UPID = re.compile(
    r"UPID:[A-Za-z0-9-]+:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:\Z"
)

#: kind of storage → the key under which storage.cfg has its server, where that is another
_SERVER = {
    "iscsi": "portal",
    "iscsidirect": "portal",
    "zfs": "portal",
    "rbd": "monhost",
    "cephfs": "monhost",
}


@dataclass
class Call:
    """One request, checked: *dropped* are settings that a fault loses."""

    world: World
    schema: Schema
    caller: Caller
    params: dict[str, Any]
    dropped: set[str] = field(default_factory=set)

    @property
    def guest(self) -> Guest:
        return self.world.guest(self.params["vmid"])


def version(call: Call) -> Any:
    release = call.world.version
    return {"version": f"{release}.1", "release": release, "repoid": "0123456789abcdef"}


def permissions(call: Call) -> Any:
    path = call.params.get("path")
    if path is None:
        return call.caller.everything()
    held = call.caller.rights(path)
    return {path: held} if held else {}


def nextid(call: Call) -> Any:
    vmid = call.params.get("vmid")
    if vmid is None:
        return str(next(n for n in range(100, 10**9) if n not in call.world.guests))
    if vmid in call.world.guests:
        raise wrong(vmid=f"VM {vmid} already exists")
    return str(vmid)


def _line(world: World, guest: Guest) -> dict[str, Any]:
    line: dict[str, Any] = {
        "vmid": guest.vmid,
        "name": guest.name,
        "status": "running" if guest.running else "stopped",
    }
    for key in ("lock", "tags"):
        if guest.config.get(key):
            line[key] = guest.config[key]
    if guest.config.get("template") == "1":
        line["template"] = 1
    return line


def _visible(call: Call, kind: str) -> list[Guest]:
    world = call.world
    here = [g for g in world.guests.values() if g.kind == kind and (g.node or world.node) == world.node]
    return [guest for guest in here if call.caller.has(f"/vms/{guest.vmid}", "VM.Audit")]


def resources(call: Call) -> Any:
    rows = []
    for guest in call.world.guests.values():
        if call.caller.has(f"/vms/{guest.vmid}", "VM.Audit"):
            node = guest.node or call.world.node
            row = {
                **_line(call.world, guest),
                "type": guest.kind,
                "node": node,
                "id": f"{guest.kind}/{guest.vmid}",
            }
            rows.append({"template": 0, **row})
    return rows if call.params.get("type") == "vm" else [*rows, {"type": "node", "node": call.world.node}]


def storages(call: Call) -> Any:
    rows = []
    for each in call.world.storages.values():
        if call.caller.has(
            f"/storage/{each.name}", "Datastore.Audit", "Datastore.AllocateSpace", any_of=True
        ):
            row = {"storage": each.name, "type": each.kind, "content": each.content, "enabled": 1}
            row |= {"active": int(each.active), "shared": int(each.shared)}
            if each.active:
                row |= {"total": each.total, "used": each.total - each.free, "avail": each.free}
            rows.append(row)
    return rows


def declared_storages(call: Call) -> Any:
    """``GET /storage``: what storage.cfg says, of those on which the caller may look."""
    rows = []
    for each in call.world.storages.values():
        if call.caller.has(
            f"/storage/{each.name}", "Datastore.Audit", "Datastore.AllocateSpace", any_of=True
        ):
            row: dict[str, Any] = {"storage": each.name, "type": each.kind, "content": each.content}
            row |= {"digest": "0" * 40}
            row |= {_SERVER.get(each.kind, "server"): each.server} if each.server else {}
            row |= {"prune-backups": each.prune_backups} if each.prune_backups else {}
            if each.max_protected_backups is not None:
                row["max-protected-backups"] = each.max_protected_backups
            rows.append(row)
    return rows


def content(call: Call) -> Any:
    name = call.params["storage"]
    if name not in call.world.storages:
        raise died(f"storage '{name}' does not exist")
    rows = []
    for volume in call.world.volumes.values():
        wanted = volume.volid.startswith(f"{name}:") and call.params.get("vmid") in (None, volume.vmid)
        if wanted and call.params.get("content") in (None, volume.content):
            row = {
                "volid": volume.volid,
                "content": volume.content,
                "size": volume.size,
                "ctime": int(volume.made),
            }
            row |= {"format": "raw" if volume.content == "images" else "vma.zst", "vmid": volume.vmid}
            row |= {"notes": volume.notes} if volume.notes else {}
            rows.append(row | ({"protected": 1} if volume.protected else {}))
    return rows


def remove_volume(call: Call) -> Any:
    volid, storage = call.params["volume"], call.params["storage"]
    volid = volid if ":" in volid else f"{storage}:{volid}"
    volume = call.world.volumes.get(volid)
    if volume is None:
        raise died(f"volume '{volid}' does not exist")
    if volume.content == "backup" and call.caller.has(f"/vms/{volume.vmid}", "VM.Backup"):
        call.caller.require(f"/storage/{storage}", "Datastore.AllocateSpace")
    else:
        needed = "Datastore.AllocateSpace" if volume.content == "images" else "Datastore.Allocate"
        call.caller.require(f"/storage/{storage}", needed)
    if volume.protected:
        raise died("can't remove protected backup")
    subject = storage if volume.vmid is None else f"{volume.vmid}@{storage}"
    return call.world.start_task("imgdel", subject, call.caller.id, lambda: call.world.free_volume(volid))


def change_volume(call: Call) -> Any:
    """``PUT …/content/{volume}``: the notes and the protection of a backup."""
    volid, storage = call.params["volume"], call.params["storage"]
    volume = call.world.volumes.get(volid if ":" in volid else f"{storage}:{volid}")
    if volume is None or volume.content != "backup":
        raise died(f"volume '{volid}' does not exist, or is no backup")
    call.caller.require(f"/vms/{volume.vmid}", "VM.Backup")
    call.caller.require(f"/storage/{storage}", "Datastore.AllocateSpace")
    if "protected" in call.params:
        volume.protected = str(call.params["protected"]) in ("1", "True", "true")
    volume.notes = call.params.get("notes", volume.notes)
    return None


def network(call: Call) -> Any:
    """Bridges on which, or on a VLAN of which, the caller has a right."""
    seen = [name for name in call.world.bridges if call.caller.sees_bridge(name)]
    return [{"iface": name, "type": "bridge", "active": 1} for name in seen]


def status(call: Call) -> Any:
    guest = call.guest
    state = "running" if guest.running else "stopped"
    return {**_line(call.world, guest), "qmpstatus": state, "status": state, "ha": {"managed": 0}}


def get_config(call: Call) -> Any:
    if call.params.get("snapshot"):
        return operating.config_of(call.guest, call.params["snapshot"])
    return configuring.read(call.guest, current=bool(call.params.get("current")))


def set_config(call: Call) -> None:
    guest = call.world.guest(call.params["vmid"])
    settings = {k: str(v) for k, v in call.params.items() if k not in configuring.NOT_SETTINGS}
    deleted = [key for key in re.split(r"[,;\s]+", str(call.params.get("delete", ""))) if key]
    _check_change(call, guest, settings, deleted)
    call.world.unlocked(guest.vmid)
    configuring.configure(call.world, call.schema, guest, call.params, call.dropped)


def _check_change(call: Call, guest: Guest, settings: dict[str, str], deleted: list[str]) -> None:
    """Rights for what will be, then for what is taken away or replaced: a card's bridge and VLAN as it has them."""
    path = f"/vms/{guest.vmid}"
    call.caller.check_settings(path, settings)
    call.caller.check_settings(path, {key: guest.config.get(key, "") for key in deleted})
    for key in settings:
        if configuring.NET.match(key):
            call.caller.check_bridge(guest.config.get(key, ""))
    if "tags" in settings or "tags" in deleted:
        call.caller.check_tags(guest.vmid, guest.config.get("tags", ""), settings.get("tags", ""))


def set_config_later(call: Call) -> Any:
    guest = call.world.unlocked(call.params["vmid"])
    settings = {k: str(v) for k, v in call.params.items() if k not in configuring.NOT_SETTINGS}
    _check_change(call, guest, settings, [])

    def effect() -> None:
        try:
            configuring.configure(call.world, call.schema, guest, call.params, call.dropped)
        except Refusal as refusal:
            raise TaskError(refusal.reason) from None

    upid = call.world.start_task("qmconfig", guest.vmid, call.caller.id, effect)
    call.world.tick()
    done = call.params.get("background_delay") and call.world.tasks[upid].status == "OK"
    return None if done else upid


def tasks(call: Call) -> Any:
    sees_all = call.caller.has(f"/nodes/{call.world.node}", "Sys.Audit")
    source = call.params.get("source", "archive")
    rows = []
    for task in reversed(call.world.tasks.values()):
        mine = sees_all or task.user in (call.caller.id, call.caller.user)
        if mine and _listed(task, source, call.params):
            row: dict[str, Any] = {
                "upid": task.upid,
                "type": task.kind,
                "id": task.subject,
                "user": task.user,
            }
            row |= {"node": call.world.node, "starttime": int(task.started), "pid": 1000, "pstart": 1}
            ended = {"status": task.status, "endtime": int(task.ended or 0)}
            rows.append(row | (ended if task.status else {"status": "RUNNING"}))
    start = call.params.get("start", 0)
    return rows[start : start + call.params.get("limit", 50)]


def _listed(task: Task, source: str, params: dict[str, Any]) -> bool:
    in_source = source == "all" or (source == "active") == (not task.status)
    of_guest = params.get("vmid") is None or task.subject == str(params["vmid"])
    return (
        in_source
        and of_guest
        and params.get("typefilter") in (None, task.kind)
        and task.started >= params.get("since", 0)
    )


def _task(call: Call) -> Task:
    upid = call.params["upid"]
    if not UPID.match(upid):
        raise wrong(upid=f"unable to parse worker upid '{upid}'")
    task = call.world.tasks.get(upid)
    if task is None:
        raise wrong(upid="no such task")
    if task.user not in (call.caller.id, call.caller.user):
        call.caller.require(f"/nodes/{call.world.node}", "Sys.Audit")
    return task


def task_status(call: Call) -> Any:
    task = _task(call)
    row: dict[str, Any] = {"upid": task.upid, "type": task.kind, "id": task.subject, "user": task.user}
    row |= {"node": call.world.node, "pid": 1000, "pstart": 1, "starttime": int(task.started)}
    return row | ({"status": "stopped", "exitstatus": task.status} if task.status else {"status": "running"})


def task_log(call: Call) -> Any:
    lines, start = _task(call).log, call.params.get("start", 0)
    limit = call.params.get("limit", LOG_LIMIT) or len(lines)
    if not lines:
        return [{"n": 1, "t": "no content"}]
    return [{"n": start + n + 1, "t": text} for n, text in enumerate(lines[start : start + limit])]


def _lxc_config(call: Call) -> Any:
    return configuring.read(call.world.guest(call.params["vmid"], "lxc"), current=True)


def _power(how: str) -> Callable[[Call], Any]:
    return lambda call: operating.power(call.world, call.caller, call.params, how)


def _with_params(function: Callable[[World, Caller, dict[str, Any]], Any]) -> Callable[[Call], Any]:
    return lambda call: function(call.world, call.caller, call.params)


ANSWERS: dict[str, Callable[[Call], Any]] = {
    "GET /version": version,
    "GET /access/permissions": permissions,
    "GET /cluster/nextid": nextid,
    "GET /cluster/resources": resources,
    "GET /nodes": lambda call: [{"node": call.world.node, "status": "online", "type": "node"}],
    "GET /storage": declared_storages,
    f"GET {N}/storage": storages,
    f"GET {N}/storage/{{storage}}/content": content,
    f"DELETE {N}/storage/{{storage}}/content/{{volume}}": remove_volume,
    f"PUT {N}/storage/{{storage}}/content/{{volume}}": change_volume,
    f"GET {N}/network": network,
    f"GET {N}/qemu": lambda call: [_line(call.world, guest) for guest in _visible(call, "qemu")],
    f"GET {N}/lxc": lambda call: [_line(call.world, g) | {"type": "lxc"} for g in _visible(call, "lxc")],
    f"GET {N}/lxc/{{vmid}}/config": _lxc_config,
    f"POST {N}/qemu": lambda call: making.create(call.world, call.schema, call.caller, call.params),
    f"DELETE {M}": _with_params(making.destroy),
    f"GET {M}/config": get_config,
    f"PUT {M}/config": set_config,
    f"POST {M}/config": set_config_later,
    f"GET {M}/pending": lambda call: configuring.pending(call.guest),
    f"PUT {M}/resize": _with_params(making.resize),
    f"POST {M}/move_disk": _with_params(making.move_disk),
    f"POST {M}/clone": _with_params(making.clone),
    f"PUT {M}/cloudinit": lambda call: operating.regenerate(call.world.unlocked(call.params["vmid"])),
    f"GET {M}/cloudinit": lambda call: configuring.cloudinit_pending(call.guest),
    f"GET {M}/cloudinit/dump": lambda call: configuring.dump(call.guest, call.params["type"]),
    f"GET {M}/status/current": status,
    **{f"POST {M}/status/{how}": _power(how) for how in ("start", "stop", "shutdown", "reset", "reboot")},
    f"GET {M}/snapshot": lambda call: operating.snapshots(call.guest),
    f"POST {M}/snapshot": _with_params(operating.snapshot),
    f"DELETE {M}/snapshot/{{snapname}}": _with_params(operating.delete_snapshot),
    f"POST {M}/snapshot/{{snapname}}/rollback": _with_params(operating.rollback),
    f"GET {M}/agent/network-get-interfaces": lambda call: operating.interfaces(call.world, call.guest),
    f"POST {N}/vzdump": _with_params(making.backup),
    f"GET {N}/vzdump/extractconfig": _with_params(making.extract_config),
    f"GET {N}/tasks": tasks,
    f"GET {N}/tasks/{{upid}}/status": task_status,
    f"GET {N}/tasks/{{upid}}/log": task_log,
    f"DELETE {N}/tasks/{{upid}}": lambda call: call.world.stop(_task(call)),
}


def answer(
    world: World,
    schema: Schema,
    header: str,
    method: str,
    path: str,
    given: dict[str, str],
    dropped: set[str],
) -> Any:
    """The data of one call; raises Refusal. The order is Proxmox's: who, what, right parameters, rights, node, act."""
    caller = Caller(world, header)
    name, variables = schema.find(method, path)
    params = schema.checked(name, {**given, **variables})
    caller.check(schema.check_expression(name), params)
    if params.get("node", world.node) != world.node:
        raise died(
            f"hostname lookup '{params['node']}' failed - failed to get address info for: {params['node']}: "
            "Name or service not known"
        )
    world.tick()
    call = Call(world, schema, caller, params, dropped)
    result = ANSWERS[name](call)
    world.tick()
    return result
