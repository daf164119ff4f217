"""Virtual machines from the shell, on 8.4 and on 9.1: plans, outcomes as JSON, and exit codes."""

from __future__ import annotations

import json

import pytest

from provisioning import requests
from provisioning.models import Job
from tests.provisioning.jobs.conftest import (
    ADDRESS,
    MAC,
    VMID,
    declare_lab,
)
from tests.provisioning.jobs.conftest import (
    _each_version as _each_version,
)
from tests.provisioning.jobs.conftest import (
    _impatient as _impatient,
)
from tests.provisioning.jobs.conftest import (
    each_version as each_version,
)
from tests.provisioning.pve.worlds import SECRETS
from tests.provisioning.test_command import run
from tests.provisioning.test_command import worker as worker

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def node(db, each_version, worker):
    """The stand-in of hv01 at site lab, where a machine is declared and not made."""
    declare_lab(each_version)
    each_version.change(leases={MAC: ADDRESS})
    return each_version


def job(kind: str, *more: str) -> tuple[int, str, str]:
    return run(kind, "--site", "lab", "--host", HOST, "--why", "to see", *more)


def waited(kind: str, *more: str) -> tuple[int, dict]:
    """(exit code, the job as JSON)"""
    code, out, err = job(kind, "--wait", "--json", *more)
    assert out, err
    return code, json.loads(out)


def test_a_plan_is_shown_and_nothing_is_asked_of_the_node(node):
    code, out, _ = job("create_vm", "--plan")
    assert code == 0
    assert f"+ machine {HOST}: VMID {VMID} on hv01" in out
    assert node.writes() == [] and not Job.objects.exists()
    found = json.loads(job("create_vm", "--plan", "--json")[1])
    assert found["lines"][0] == ["add", f"machine {HOST}", f"VMID {VMID} on hv01"] and found["fingerprint"]


def test_from_declaration_to_running_and_to_nothing_again(node, settings):
    settings.MACHINE_PARK_HOURS = 0
    code, made = waited("create_vm")
    assert (code, made["state"]) == (0, "succeeded")
    assert made["outcome"] == {"vmid": VMID, "hypervisor": "hv01", "mac": MAC, "addresses": [ADDRESS]}
    before = node.guest(VMID)["config"]
    assert before["net0"].startswith(f"virtio={MAC.upper()},")

    code, kept = waited("backup_vm")
    assert (code, kept["outcome"]["volume"] in node.state()["volumes"]) == (0, True)

    assert waited("restore_vm")[0] == 3, "a destructive job waits for a person"
    requests.cancel(Job.objects.latest("pk"), by="test")
    code, put_back = waited("restore_vm", "--yes")
    assert (code, put_back["state"]) == (0, "succeeded")
    assert node.guest(VMID)["config"]["net0"] == before["net0"]

    code, made_anew = waited("rebuild_vm", "--yes")
    assert (code, made_anew["outcome"]["template"]) == (0, "debian-13-1.10"), made_anew["message"]
    assert node.guest(VMID)["config"]["net0"] == before["net0"] and node.guest(VMID)["running"]

    assert waited("destroy_vm", "--yes", "--param", f"typed={HOST}")[0] == 1, "it is not parked"
    assert waited("park_vm", "--yes")[0] == 0
    assert not node.guest(VMID)["running"]
    code, gone = waited("destroy_vm", "--yes", "--param", f"typed={HOST}")
    assert (code, gone["state"]) == (0, "succeeded")
    assert str(VMID) not in node.state()["guests"]
    assert "100" in node.state()["guests"], "nobody else's machine went with it"


def test_a_mac_that_is_silently_lost_fails_by_name_and_starts_nothing(node):
    node.fault("drop", "PUT", f"/{VMID}/config", times=0, keys=["net0"])
    code, failed = waited("create_vm")
    assert (code, failed["state"]) == (1, "failed")
    assert HOST in failed["message"] and MAC in failed["message"] and "run this again" in failed["message"]
    assert node.requests("POST", "/status/start") == [] and not node.guest(VMID)["running"]
    node.forget()
    assert waited("create_vm")[0] == 0
    assert node.requests("POST", "/clone") == [], "gone on with, not made a second time"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("create_vm", "--site", "lab", "--host", "hv01", "--wait"), "hv01 is no virtual machine"),
        (("create_vm", "--site", "lab", "--host", "nobody", "--wait"), "Site lab has no host nobody"),
        (("create_vm", "--site", "elsewhere", "--host", HOST, "--wait"), "elsewhere"),
        (("survey", "--wait"), "belongs to a site; name one"),
        (("destroy_vm", "--site", "lab", "--host", HOST, "--wait"), "typed"),
    ],
)
def test_what_cannot_be_is_refused_before_the_node_hears_of_it(node, args, words):
    code, _, err = run(*args)
    assert (code, words in err) == (2, True), err
    assert node.requests() == [] and not Job.objects.exists()


def test_no_secret_is_printed(node):
    code, out, err = job("create_vm", "--wait")
    assert code == 0
    assert not any(secret in out + err for secret in SECRETS.values())
