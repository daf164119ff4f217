"""A world in a file: what a node still knows after it was switched off. Tasks that ran then are undone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from tests.provisioning.pve.world import Guest, Storage, Task, Volume, World

#: with functions in them, or counting on
_NOT_KEPT = {"effect", "undo"}


def as_text(world: World) -> str:
    document = {
        "guests": [asdict(guest) for guest in world.guests.values()],
        "storages": [asdict(storage) for storage in world.storages.values()],
        "volumes": [asdict(volume) for volume in world.volumes.values()],
        "tasks": [_task(task) for task in world.tasks.values() if task.status],
        "unfinished": [guest.vmid for guest in world.guests.values() if guest.config.get("lock")],
    }
    return json.dumps(document, indent=1)


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    os.replace(draft, path)


def put_back(world: World, text: str) -> None:
    """*world* as it was when *text* was made; what a task was at then is cleaned up."""
    document = json.loads(text)
    world.guests = {each["vmid"]: _of(Guest, each) for each in document["guests"]}
    world.storages = {each["name"]: _of(Storage, each) for each in document["storages"]}
    world.volumes = {each["volid"]: _of(Volume, each) for each in document["volumes"]}
    world.tasks = {each["upid"]: _of(Task, {**each, "effect": lambda: None}) for each in document["tasks"]}
    for vmid in document["unfinished"]:
        lock = world.guests[vmid].config.pop("lock")
        if lock in ("clone", "create", "destroyed"):
            del world.guests[vmid]
            for volid in [one.volid for one in world.volumes.values() if one.vmid == vmid]:
                if world.volumes[volid].content != "backup":
                    world.free_volume(volid)


def _task(task: Task) -> dict[str, Any]:
    return {key: value for key, value in vars(task).items() if key not in _NOT_KEPT}


def _of(kind: type, document: dict[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in document.items() if key in known})
