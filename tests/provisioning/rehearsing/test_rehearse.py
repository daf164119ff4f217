"""``manage.py hypervisor rehearse``: everything once on a node, nothing left, nothing of anybody else's touched."""

from __future__ import annotations

import builtins
import io
import json

import pytest
from django.core.management import CommandError, call_command

from inventory.changes import change
from inventory.models import Host, Site
from provisioning.models import Job, Survey
from provisioning.rehearsing.rehearsal import NAME
from provisioning.rehearsing.stage import Stage
from provisioning.rehearsing.transcript import Transcript
from tests.provisioning.jobs.conftest import (
    _each_version as _each_version,
)
from tests.provisioning.jobs.conftest import (
    _impatient as _impatient,
)
from tests.provisioning.jobs.conftest import (
    _newest as _newest,
)
from tests.provisioning.jobs.conftest import (
    declare_lab,
)
from tests.provisioning.jobs.conftest import (
    each_version as each_version,
)
from tests.provisioning.jobs.conftest import (
    pve as pve,
)
from tests.provisioning.pve.worlds import SECRETS

pytestmark = pytest.mark.django_db

VMID, SPARE = 990_000, 900_990_000


class Rehearsed:
    def __init__(self, code: int, out: str, err: str, transcript) -> None:
        self.code, self.out, self.err = code, out, err
        self.text = transcript.read_text() if transcript.exists() else ""
        self.lines = [json.loads(line) for line in self.text.splitlines()]
        self.calls = [line for line in self.lines if "call" in line]


@pytest.fixture
def rehearse(tmp_path):
    def run(*options: str, name: str = "hv01") -> Rehearsed:
        out, err, file = io.StringIO(), io.StringIO(), tmp_path / "transcript.jsonl"
        code, more = 0, ["--site", "lab", "--transcript", str(file), *options]
        try:
            call_command("hypervisor", "rehearse", name, *more, stdout=out, stderr=err)
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        except CommandError as error:
            code = error.returncode
            err.write(str(error))
        return Rehearsed(code, out.getvalue(), err.getvalue(), file)

    return run


@pytest.fixture
def node(db, pve):
    declare_lab(pve)
    return pve


def what_is_there(standin) -> tuple:
    """Guests, volumes, and room: what a rehearsal leaves as it was."""
    state = standin.state()
    free = {name: one["free"] for name, one in state["storages"].items()}
    return (
        {vmid: one["config"] for vmid, one in state["guests"].items()},
        set(state["volumes"]),
        free["local-lvm"],
    )


def test_all_of_it_goes_well_and_nothing_is_left(db, each_version, rehearse, tmp_path):
    declare_lab(each_version)
    before = what_is_there(each_version)
    done = rehearse("--yes")
    assert (done.code, done.lines[-1]) == (
        0,
        {"end": "Everything went well. Nothing of it is left.", "code": 0},
    ), done.err
    assert what_is_there(each_version) == before
    asked = [
        f"{one['method']} {one['path'].split('/', 3)[3]}"
        for one in each_version.requests()
        if one["method"] != "GET"
    ]
    assert asked[0] == "POST qemu/9003/clone", "of the newest template"
    own = (f"qemu/{VMID}", f"qemu/{SPARE}", "storage/local/content/local:backup/vzdump-qemu-990000-")
    others = [one for one in asked if not any(part in one for part in own)]
    assert others == ["POST qemu/9003/clone"] * 2 + ["POST vzdump", "POST qemu"]
    assert all(
        int(one["params"]["vmid"]) == VMID for one in each_version.requests("POST") if "vmid" in one["params"]
    )
    steps = [line["step"] for line in done.lines if "step" in line]
    assert {"Clone debian-13-1.10", "Read back", "Start it", "Back up to local", "Destroy it"} <= set(steps)
    assert "→ Put the new disk in" in done.out
    assert not Job.objects.exists() and not Survey.objects.exists(), "it keeps no rows"


def test_the_transcript_tells_each_call_and_no_secret(node, rehearse, tmp_path):
    done = rehearse("--yes")
    assert done.lines[0]["rehearsal"] == 1
    assert (tmp_path / "transcript.jsonl").stat().st_mode & 0o077 == 0
    assert len(done.calls) == len(node.requests())
    assert [(one["call"], one["path"], one["status"]) for one in done.calls if one["call"] != "GET"] == [
        (one["method"], f"{one['path']}", one["status"]) for one in node.requests() if one["method"] != "GET"
    ]
    assert next(one for one in done.calls if one["path"] == "/version")["answer"]["release"] == "9.1"
    clone = next(one for one in done.calls if one["path"].endswith("/clone"))
    assert clone["params"]["newid"] == VMID and clone["answer"].startswith("UPID:")
    assert any("TASK OK" in one["answer"] for one in done.calls if one["path"].endswith("/log"))
    assert not any(secret in done.text + done.out + done.err for secret in SECRETS.values())


def test_an_anonymous_transcript_names_nobody(node, rehearse):
    done = rehearse("--yes", "--anonymise")
    assert done.code == 0
    site = Host.objects.get(name="hv01").site
    for name in ("hv01", "lab", str(site.uid), "mgmtplane@pve!write", "/nodes/pve/", "example.org"):
        assert name not in done.text, name
    assert "/nodes/node1/qemu" in done.text and "user@pve!token" in done.text


def test_a_plan_changes_nothing(node, rehearse):
    done = rehearse("--plan")
    assert (done.code, node.writes()) == (0, [])
    assert f"+ machine {NAME}: {VMID} on hv01" in done.out and "Nothing was done." in done.err


@pytest.mark.parametrize(("typed", "code"), [("hv01", 0), ("hv02", 2), ("", 2)])
def test_the_name_of_the_hypervisor_is_typed(node, rehearse, monkeypatch, typed, code):
    monkeypatch.setattr(builtins, "input", lambda _: typed)
    done = rehearse()
    assert done.code == code
    assert bool(node.writes()) == (code == 0)


def failing(method: str, path: str, status: str, **more: int) -> dict:
    """A task that does nothing and says so."""
    return {"kind": "task", "method": method, "path": path, "exitstatus": status, "effect": False, **more}


FAULTS = {
    "the MAC is dropped": {"kind": "drop", "method": "PUT", "path": "/config", "keys": ["net0"], "times": 0},
    "the clone fails": failing("POST", "/clone", "no space"),
    "the answer to the stop is lost": {"kind": "lost", "method": "POST", "path": "/990000/status/stop"},
    "the disk does not grow": failing("PUT", "/resize", "failed"),
    "the rebuild gets no clone": failing("POST", "/clone", "no space", skip=1),
    "the rebuild moves no disk": failing("POST", "/move_disk", "failed"),
    "the backup fails": failing("POST", "/vzdump", "job errors"),
    "the restore fails": failing("POST", "/qemu$", "broken"),
    "the start is refused": {
        "kind": "status",
        "method": "POST",
        "path": "/status/start",
        "status": 500,
        "reason": "no",
    },
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_fault_everything_is_tidied_up(node, rehearse, name):
    before = what_is_there(node)
    node.fault(**FAULTS[name])
    done = rehearse("--yes")
    assert done.code == (0 if "stop" in FAULTS[name]["path"] else 1), done.err
    assert "Nothing of it is left." in done.lines[-1]["end"]
    assert what_is_there(node) == before


def test_where_tidying_up_fails_it_says_what_is_left(node, rehearse):
    node.fault("status", "DELETE", "/qemu/990000", times=0, status=500, reason="storage is offline")
    done = rehearse("--yes")
    assert done.code == 1
    assert "storage is offline" in done.err and f"qm destroy {VMID}" in done.err


def test_interrupted_while_it_clones_it_ends_the_task_and_tidies_up(node, rehearse, monkeypatch):
    before, real = what_is_there(node), Stage.sleep
    node.fault("task", "POST", "/clone", seconds=3600)
    pressed = []

    def sleep(self, seconds):
        if node.requests("POST", "/clone") and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt
        real(self, seconds)

    monkeypatch.setattr(Stage, "sleep", sleep)
    done = rehearse("--yes")
    assert (done.code, done.lines[-1]["end"]) == (130, "Interrupted. Nothing of it is left.")
    assert what_is_there(node) == before
    assert node.requests("DELETE", "/tasks/UPID")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--vmid", "200"), "lies in the site's range 200-299"),
        (("--vmid", "100"), "VMID 100 is declared or taken"),
        (("--vmid", "9003"), "VMID 9003 is declared or taken"),
        (("--template", "windows"), "No template's name begins with “windows”"),
    ],
)
def test_what_is_somebodys_is_refused_before_anything_is_done(node, rehearse, options, words):
    done = rehearse("--yes", *options)
    assert (done.code, node.writes()) == (2, [])
    assert words in done.err


def test_backups_of_the_vmid_are_somebodys(node, rehearse):
    """A guest was there once and is gone; its backup is not."""
    proxmox = node.proxmox()
    node.change(guests={VMID: {"config": {"name": "theirs"}}})
    proxmox.wait(proxmox.backup(VMID, "local"))
    node.change(guests={VMID: None})
    node.forget()
    done = rehearse("--yes")
    assert (done.code, node.writes()) == (2, []) and f"There are backups of VMID {VMID}" in done.err


def test_a_machine_that_appears_meanwhile_is_not_touched(node, rehearse, monkeypatch):
    theirs = {"name": "theirs", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}

    def typed(_: str) -> str:
        node.change(guests={VMID: {"config": theirs, "running": True}})
        return "hv01"

    monkeypatch.setattr(builtins, "input", typed)
    done = rehearse()
    assert done.code == 1 and "carries no marker" in done.err
    assert node.writes() == [] and node.guest(VMID)["config"] == theirs and node.guest(VMID)["running"]


def test_a_hypervisor_that_cannot_be_seen_stops_it(node, rehearse):
    site = Site.objects.get(slug="lab")
    with change(site, by="fixture"):
        other = Host(site=site, name="hv02", form="hv")
        other.save()
    done = rehearse("--yes")
    assert (done.code, node.writes()) == (2, []) and "The API of hv02 is not declared" in done.err


def test_the_transcript_is_never_written_over(node, rehearse):
    assert rehearse("--plan").code == 0
    again = rehearse("--plan")
    assert again.code == 2 and "Name another with --transcript" in again.err


def test_addresses_are_replaced_and_macs_and_times_are_not():
    said: list[str] = []
    Transcript(said.append, names={"hv01": "node1"}).line(
        event="hv01 at 10.1.2.3 and fd00::7, again 10.1.2.3; 02:de:20:00:00:c8 at 12:34:56, hv01x, v9.1.1, 127.0.0.1"
    )
    assert json.loads(said[0])["event"] == (
        "node1 at 192.0.2.1 and 2001:db8::2, again 192.0.2.1; 02:de:20:00:00:c8 at 12:34:56, hv01x, v9.1.1, 127.0.0.1"
    )
