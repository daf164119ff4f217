"""The hypervisors of ``make demo``: stand-ins for Proxmox, so that a newcomer makes a machine without owning a node.

The stand-in is the tests' own, run out of the clone as a process of its own and never imported. Each hypervisor of the
demo's site is one, on a free port of this machine; what was made there lies in ``DATA_DIR/standin`` and is there again
after a restart. A third process writes down the reservations that the site exports, as a DHCP server would know them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from inventory import dhcp, reading
from inventory.changes import change
from inventory.models import Hypervisor, Site
from inventory.snapshot import Snapshot
from mgmtplane import processes, supervisor
from mgmtplane.own_secrets import TOKENS as TOKENS_FOLDER
from mgmtplane.supervisor import Child
from provisioning import requests
from provisioning.machines.declared import NotDeclared, machine_of
from provisioning.machines.facts import Config
from provisioning.machines.spec import differing
from provisioning.observed import vmids

SITE = "lab"
#: hypervisor → API address and secret as the demo declares them; one that says otherwise is somebody's own
AS_DECLARED = {
    "hv01": ("https://10.10.99.21:8006", "env:HV01_TOKEN"),
    "hv02": ("", "file:/etc/mgmtplane/hv02.token"),
}
#: field of the row → the token's id; the secrets are the stand-in's own
TOKENS = {"": "mgmtplane@pve!write", "read_": "mgmtplane@pve!read"}
TASK_SECONDS = 2
TEMPLATES = ("debian-13-1.9", "debian-13-1.10", "fedora-44-1.1")
#: VMIDs of the templates begin here, apart for each hypervisor
FIRST_TEMPLATE = {"hv01": 9001, "hv02": 9101}
#: what somebody made by hand, and nobody declared
OTHERS: Mapping[str, Mapping[int, str]] = {"hv01": {142: "old-wiki"}}
NOTE = "In this demo a stand-in on this very machine: what is made there is not really made."
WHY = "The hypervisors of the demo are stand-ins on this machine."
#: seconds between two looks whether the reservations changed
LOOK_EVERY = 1.0

Listeners = Mapping[str, socket.socket]


def listen() -> Listeners:
    """A socket for each stand-in, on the port of the last time if it is free; none where the tests are not here."""
    if not (settings.BASE_DIR / "tests" / "provisioning" / "pve").is_dir():
        supervisor.say(
            "the stand-ins for Proxmox lie in tests/, which is not here: hypervisors do not answer"
        )
        return {}
    return {host: _listener(_folder(host) / "port") for host in AS_DECLARED}


def _listener(kept: Path) -> socket.socket:
    try:
        found = processes.listen("127.0.0.1", int(kept.read_text()))
    except (OSError, ValueError, supervisor.Refused):
        found = processes.listen("127.0.0.1", 0)
    found.listen()  # who asks before the stand-in is there waits for it, and is not refused
    _private(kept, f"{found.getsockname()[1]}\n")
    return found


def prepare(listeners: Listeners) -> None:
    """Point the hypervisors of the demo's site at their stand-ins, and say on disk what is there already.

    A database without that site, or with hypervisors that somebody pointed elsewhere, is left as it is.
    """
    served = [host for host in listeners if _is_the_demos(host)]
    known = {host: _make_ready(host) for host in served}
    if served:
        _point(listeners, known)
        _describe(reading.load(SITE), served)
    _private(_served_file(), json.dumps(served))


def look_first() -> None:
    """Ask for a survey of them, so that VMIDs can be handed out from the start; nothing where all is known already."""
    if not _served_file().exists() or not json.loads(_served_file().read_text()):
        return
    seen = vmids.seen(SITE)
    if seen is not None and seen.unknown:
        with contextlib.suppress(requests.Refused):  # one is asked for already
            requests.request("survey", site=Site.objects.get(slug=SITE), by="demo", why=WHY)


def children(listeners: Listeners) -> list[Child]:
    """What the supervisor runs for them, once ``prepare`` is done."""
    served = json.loads(_served_file().read_text()) if listeners else []
    found = [Child(f"{host}-standin", partial(_be_standin, host, listeners[host])) for host in served]
    return [*found, Child("dhcp-standin", hand_out)] if found else []


# --- pointing the site at them ---


def _rows(host: str) -> Any:
    return Hypervisor.objects.filter(host__site__slug=SITE, host__name=host)


def _is_the_demos(host: str) -> bool:
    row = _rows(host).first()
    if row is None:
        return False
    moved_here = row.secret == f"file:{_token(host)}"
    return moved_here or (row.api_url, row.secret) == AS_DECLARED[host]


def _make_ready(host: str) -> Any:
    """Certificate and token of a stand-in; what it says of itself."""
    said = json.loads(
        subprocess.run(
            [*_command(host), "--prepare"], cwd=settings.BASE_DIR, check=True, capture_output=True, text=True
        ).stdout
    )
    for which, token in TOKENS.items():
        _private(_token(host, which), said["tokens"][token] + "\n")
    return said


def _point(listeners: Listeners, known: Mapping[str, Any]) -> None:
    with change(Site.objects.get(slug=SITE), by="demo", why=WHY):
        for host, said in known.items():
            row = _rows(host).select_related("host").get()
            wanted = {
                "api_url": f"https://127.0.0.1:{listeners[host].getsockname()[1]}",
                "node": host,
                **{f"{which}token_id": token for which, token in TOKENS.items()},
                **{f"{which}secret": f"file:{_token(host, which)}" for which in TOKENS},
                "ca_file": "",
                "fingerprint": said["fingerprint"],
                "storage": row.storage or "local-zfs",
                "bridge": row.bridge or "vmbr0",
            }
            if any(getattr(row, name) != value for name, value in wanted.items()):
                for name, value in wanted.items():
                    setattr(row, name, value)
                row.save()
            if NOTE not in row.host.notes:
                row.host.notes = f"{row.host.notes}\n{NOTE}".strip()
                row.host.save()


# --- what is there already ---


def _describe(snapshot: Snapshot, served: list[str]) -> None:
    """Once for each site: its active machines exist, others are to be made."""
    for host in served:
        file = _folder(host) / "world.json"
        if file.exists() and json.loads(file.read_text())["site"] == snapshot.site.uid:
            continue
        (_folder(host) / "state.json").unlink(missing_ok=True)
        first = FIRST_TEMPLATE[host]
        world = {
            "site": snapshot.site.uid,
            "templates": {first + number: name for number, name in enumerate(TEMPLATES)},
            "pools": _pools(snapshot),
            "others": OTHERS.get(host, {}),
            "machines": _machines(snapshot, host),
        }
        _private(file, json.dumps(world, indent=1))


def _pools(snapshot: Snapshot) -> list[str]:
    facts = [part for host in snapshot.hosts for part in (host.proxmox, host.machine) if part]
    return sorted({part.pool for part in facts if part.pool})


def _machines(snapshot: Snapshot, hypervisor: str) -> list[dict[str, Any]]:
    found = []
    for host in snapshot.live_hosts:
        if host.hypervisor != hypervisor or host.status != "active":
            continue
        try:
            machine = machine_of(snapshot, host.name)
        except NotDeclared:
            continue
        spec = machine.spec
        found.append(
            {
                "vmid": spec.vmid,
                "settings": differing(spec, Config({})),
                "storage": machine.storage,
                "disk": spec.disk,
                "data": [spec.data.serial, spec.data.size] if spec.data else None,
            }
        )
    return found


# --- what the processes do ---


def _be_standin(host: str, listener: socket.socket) -> None:
    """Become the stand-in; the supervisor's promises hold for it as well."""
    os.chdir(settings.BASE_DIR)
    os.set_inheritable(listener.fileno(), True)
    command = [*_command(host), "--kept", "--listen-on", str(listener.fileno())]
    os.execv(command[0], [*command, "--task-seconds", str(TASK_SECONDS)])  # noqa: S606


def hand_out(again: Callable[[], bool] = lambda: True) -> None:
    """Write down MAC → address of every reservation of the site, whenever it changed, while *again* says so."""
    revision = -1
    while again():
        try:
            now = reading.current(SITE)
            if now.revision != revision:
                plan = dhcp.plan(reading.load_at(now))
                leases = {one.mac: one.address for net in plan.subnets for one in net.reservations}
                _private(settings.DATA_DIR / "standin" / "leases.json", json.dumps(leases, indent=1))
                revision = now.revision
        except (DatabaseError, reading.UnknownSite) as error:  # for a moment, or removed by somebody
            supervisor.say(f"the reservations of {SITE} cannot be read: {error}")
            connection.close()
        time.sleep(LOOK_EVERY)


def _command(host: str) -> list[str]:
    return [sys.executable, "-m", "tests.provisioning.pve", "--folder", str(_folder(host)), "--node", host]


def _folder(host: str) -> Path:
    return settings.DATA_DIR / "standin" / host


def _token(host: str, which: str = "") -> Path:
    """Where references lead: the folder of the data directory that is for the tokens of others."""
    return settings.DATA_DIR / TOKENS_FOLDER / f"standin-{host}-{which.strip('_') or 'write'}"


def _served_file() -> Path:
    return settings.DATA_DIR / "standin" / "served.json"


def _private(path: Path, text: str) -> None:
    """Whole or not at all, and nobody else's to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    draft.replace(path)
