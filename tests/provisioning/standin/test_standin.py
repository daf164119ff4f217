"""The stand-in is strict: what Proxmox refuses it refuses, in the same words, and what it answers has happened."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.components import unavailable
from tests.provisioning.pve import extract
from tests.provisioning.pve.calls import ANSWERS
from tests.provisioning.pve.fixtures import VERSIONS
from tests.provisioning.pve.schema import Schema
from tests.provisioning.pve.standin import REPOSITORY, context_for
from tests.provisioning.pve.worlds import READ_TOKEN, ROOT_TOKEN, SECRETS, WRITE_TOKEN
from tests.shared_data import REPOSITORY as HERE

SHARED = Path(os.environ.get("MGMTPLANE_SHARED") or HERE.parent / "shared") / "data" / "pve"


def ask(pve, method: str, path: str, token: str = WRITE_TOKEN, **params: str):
    """(status, reason, document) of one request without any of our code in between."""
    context = context_for(pve.ca_file)
    query = urllib.parse.urlencode({key.replace("__", "-"): value for key, value in params.items()})
    in_address = method in ("GET", "DELETE")
    url = f"{pve.url}/api2/json{path}" + (f"?{query}" if in_address and query else "")
    request = urllib.request.Request(url, data=None if in_address else query.encode(), method=method)
    request.add_header("Authorization", f"PVEAPIToken={token}={SECRETS.get(token, 'wrong')}")
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status, answer.reason, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.reason, json.loads(error.read())


@pytest.mark.parametrize("version", VERSIONS)
def test_its_extract_is_the_api_description(version):
    described = SHARED / f"pve-api-schema-{version}.json.gz"
    if not described.is_file():
        reason = (
            "needs the API descriptions in ../shared/data/pve: set MGMTPLANE_SHARED to the shared directory"
        )
        if os.environ.get("MGMTPLANE_SHARED"):
            unavailable(reason)
        pytest.skip(reason)
    with gzip.open(described) as opened:
        expected = extract.text_of(extract.extract(json.load(opened)))
    kept = Path(extract.__file__).with_name(f"schema-{version}.json")
    assert kept.read_text() == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_every_method_of_the_extract_is_answered_and_no_other(version):
    assert set(ANSWERS) == set(Schema(version)._methods) == set(extract.METHODS)


@pytest.mark.parametrize(
    ("method", "path", "params", "field", "why"),
    [
        (
            "POST",
            "/nodes/pve/qemu/9000/clone",
            {"newid": "x"},
            "newid",
            "type check ('integer') failed - got 'x'",
        ),
        (
            "POST",
            "/nodes/pve/qemu/9000/clone",
            {"newid": "99"},
            "newid",
            "value must have a minimum value of 100",
        ),
        ("POST", "/nodes/pve/qemu/9000/clone", {}, "newid", "property is missing and it is not optional"),
        ("POST", "/nodes/pve/qemu/9000/clone", {"newid": "200", "name": "a_b"}, "name", "valid DNS name"),
        (
            "POST",
            "/nodes/pve/qemu/9000/clone",
            {"newid": "200", "net0": "virtio"},
            "net0",
            "not defined in schema",
        ),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"net0": "virtio=02:de:20:00:00,bridge=vmbr0"},
            "net0",
            "MAC address",
        ),
        ("PUT", "/nodes/pve/qemu/100/config", {"net0": "virtio=03:de:20:00:00:01"}, "net0", "unicast MAC"),
        ("PUT", "/nodes/pve/qemu/100/config", {"net0": "virtio,tag=5000"}, "net0", "maximum value of 4094"),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"net0": "virtio,colour=red"},
            "net0",
            "colour: property is not defined",
        ),
        ("PUT", "/nodes/pve/qemu/100/config", {"net32": "virtio"}, "net32", "not defined in schema"),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"sshkeys": "ssh-ed25519 AAAA a@b"},
            "sshkeys",
            "not urlencoded",
        ),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"sshkeys": "ssh-ed25519%2520AAAA"},
            "sshkeys",
            "SSH public key validation",
        ),
        ("PUT", "/nodes/pve/qemu/100/config", {"ipconfig0": "ip=192.0.2.1"}, "ipconfig0", "CIDR"),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"ipconfig0": "ip=dhcp,gw=192.0.2.1"},
            "ipconfig0",
            "requires ip",
        ),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"cpu": "hots"},
            "cpu",
            "Built-in cputype 'hots' is not defined",
        ),
        ("PUT", "/nodes/pve/qemu/100/config", {"cpu": "flags=+aes"}, "cpu", "CPU is missing cputype"),
        ("PUT", "/nodes/pve/qemu/100/config", {"cpu": "host,flags=+x"}, "cpu", "must be a subset of"),
        ("PUT", "/nodes/pve/qemu/100/config", {"rng0": "/dev/zero"}, "rng0", "value '/dev/zero' does not"),
        ("PUT", "/nodes/pve/qemu/100/config", {"rng0": "period=1"}, "rng0", "source: property is missing"),
        ("PUT", "/nodes/pve/qemu/100/config", {"onboot": "maybe"}, "onboot", "type check ('boolean')"),
        ("PUT", "/nodes/pve/qemu/100/config", {"delete": "colour"}, "delete", "unknown option 'colour'"),
        (
            "PUT",
            "/nodes/pve/qemu/100/config",
            {"scsi0": "local-lvm:1,serial=" + "x" * 61},
            "scsi0",
            "60 characters",
        ),
        ("PUT", "/nodes/pve/qemu/100/resize", {"disk": "net0", "size": "1G"}, "disk", "enumeration"),
        ("PUT", "/nodes/pve/qemu/100/resize", {"disk": "scsi0", "size": "64GB"}, "size", "regex pattern"),
        ("GET", "/nodes/pve/tasks/UPID:x/status", {}, "upid", "unable to parse worker upid"),
        (
            "POST",
            "/nodes/pve/vzdump",
            {"vmid": "100", "notes__template": "x"},
            "storage",
            "requires this property",
        ),
        (
            "POST",
            "/nodes/pve/vzdump",
            {"vmid": "100", "storage": "local", "notes__template": "{{x}}"},
            "notes-template",
            "unknown variable",
        ),
    ],
)
def test_parameters_are_checked_and_named(pve, method, path, params, field, why):
    status, reason, document = ask(pve, method, path, **params)
    assert (status, reason) == (400, "Parameter verification failed.")
    assert why in document["errors"][field]


@pytest.mark.parametrize(
    ("method", "path", "params", "reason"),
    [
        (
            "POST",
            "/nodes/pve/qemu/9000/clone",
            {"newid": "100"},
            "unable to create VM 100: config file already exists",
        ),
        (
            "POST",
            "/nodes/pve/qemu/8888/clone",
            {"newid": "200"},
            "Configuration file 'nodes/pve/qemu-server/8888.conf' does not exist",
        ),
        (
            "POST",
            "/nodes/pve/qemu/9000/clone",
            {"newid": "200", "full": "1", "storage": "local"},
            "storage 'local' does not support content-type 'images'",
        ),
        ("GET", "/nodes/other/qemu", {}, "hostname lookup 'other' failed"),
        ("DELETE", "/nodes/pve/qemu/100", {}, "VM 100 is running - destroy failed"),
        ("POST", "/nodes/pve/qemu/9000/status/start", {}, "you can't start a vm if it's a template"),
        (
            "GET",
            "/nodes/pve/qemu/101/config",
            {},
            "Configuration file 'nodes/pve/qemu-server/101.conf' does not exist",
        ),
        (
            "POST",
            "/nodes/pve/vzdump",
            {"vmid": "100", "storage": "local-lvm"},
            "does not support content-type 'backup'",
        ),
        (
            "POST",
            "/nodes/pve/qemu",
            {"vmid": "200", "archive": "local:backup/x.vma.zst"},
            "unable to restore VM 200",
        ),
        ("GET", "/nodes/pve/qemu/100/agent/network-get-interfaces", {}, "No QEMU guest agent configured"),
    ],
)
def test_refusals_stand_in_the_reason(pve, method, path, params, reason):
    status, said, document = ask(pve, method, path, **params)
    assert status == 500 and reason in said and document["data"] is None


def test_what_it_does_not_know_is_refused(pve):
    assert ask(pve, "GET", "/nodes/pve/apt")[0] == 501
    assert ask(pve, "PUT", "/version")[0] == 501


def test_tokens_are_checked(pve):
    assert ask(pve, "GET", "/version", "nobody@pve!x")[:2] == (401, "no such token")
    pve.change(tokens={READ_TOKEN: {"secret": "other", "privsep": 1, "acl": {}}})
    assert ask(pve, "GET", "/version", READ_TOKEN)[:2] == (401, "invalid token value!")


@pytest.mark.parametrize(
    ("method", "path", "params", "said"),
    [
        ("POST", "/nodes/pve/qemu/9000/clone", {"newid": "200"}, "(/vms/9000, VM.Clone)"),
        ("PUT", "/nodes/pve/qemu/100/config", {"memory": "512"}, "VM.Config.Memory"),
        ("POST", "/nodes/pve/qemu/100/status/stop", {}, "(/vms/100, VM.PowerMgmt)"),
        ("POST", "/nodes/pve/vzdump", {"vmid": "100", "storage": "local"}, "(/vms/100, VM.Backup)"),
        ("DELETE", "/nodes/pve/qemu/100", {}, "(/vms/100, VM.Allocate)"),
    ],
)
def test_a_token_that_may_read_may_not_write(each_version, method, path, params, said):
    status, reason, _ = ask(each_version, method, path, READ_TOKEN, **params)
    assert status == 403 and "Permission check failed" in reason and said in reason


def test_the_agent_takes_another_privilege_on_each_version(each_version):
    acl = {"/vms": {"VM.Audit": 1, "VM.Monitor": 1}}
    each_version.change(tokens={READ_TOKEN: {"secret": SECRETS[READ_TOKEN], "privsep": 1, "acl": acl}})
    each_version.change(users={"mgmtplane@pve": {"/": {"VM.Audit": 1, "VM.Monitor": 1}}})
    status, reason, _ = ask(
        each_version, "GET", "/nodes/pve/qemu/100/agent/network-get-interfaces", READ_TOKEN
    )
    version = ask(each_version, "GET", "/version")[2]["data"]["release"]
    assert (status, "VM.GuestAgent.Audit" in reason) == (
        (500, False) if version.startswith("8") else (403, True)
    )


def test_missing_rights_shrink_lists(pve):
    assert ask(pve, "GET", "/nodes/pve/qemu", ROOT_TOKEN)[2]["data"] == []
    assert ask(pve, "GET", "/cluster/resources", ROOT_TOKEN, type="vm")[2]["data"] == []
    assert ask(pve, "GET", "/nodes/pve/storage", ROOT_TOKEN)[2]["data"] == []


def test_a_clone_invents_macs_and_bears_the_templates_vmid(pve):
    upid = ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")[2]["data"]
    assert ":qmclone:9000:mgmtplane@pve!write:" in upid
    assert pve.guest(200)["config"]["net0"] != pve.guest(9000)["config"]["net0"]
    assert pve.guest(200)["config"]["net0"].endswith(",bridge=vmbr0,firewall=1,mtu=1,queues=4")


def test_a_clone_is_locked_until_it_is_done(pve):
    pve.change(task_seconds=60)
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")
    assert ask(pve, "PUT", "/nodes/pve/qemu/200/config", name="vm")[1] == "VM is locked (clone)"
    assert ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200")[1].endswith(
        "config file already exists"
    )


def test_what_is_cloned_says_so_of_itself(pve):
    pve.change(task_seconds=30)
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1", description="mine")
    now = ask(pve, "GET", "/nodes/pve/qemu/200/config")[2]["data"]
    assert (now["lock"], now["description"]) == ("clone", " qmclone temporary file\n")
    pve.finish()
    assert ask(pve, "GET", "/nodes/pve/qemu/200/config")[2]["data"]["description"] == "mine\n"


def test_a_clone_has_the_protection_of_its_template(pve):
    pve.change(guests={9000: {"config": {"protection": "1"}}})
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")
    assert ask(pve, "DELETE", "/nodes/pve/qemu/200")[1] == "can't remove VM 200 - protection mode enabled"


def test_of_what_is_destroyed_a_lock_is_left_until_the_end(pve):
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")
    pve.change(task_seconds=30)
    ask(pve, "DELETE", "/nodes/pve/qemu/200")
    assert pve.guest(200)["config"] == {"lock": "destroyed"}
    assert not [one for one in pve.state()["volumes"].values() if one["vmid"] == 200]
    assert ask(pve, "DELETE", "/nodes/pve/qemu/200")[1] == "VM is locked (destroyed)"
    pve.finish()
    assert "200" not in pve.state()["guests"]


def test_a_put_replaces_the_whole_card_and_orders_its_properties(pve):
    ask(pve, "PUT", "/nodes/pve/qemu/100/config", net0="bridge=vmbr0,tag=99,virtio=02:de:20:00:00:c8")
    assert (
        ask(pve, "GET", "/nodes/pve/qemu/100/config")[2]["data"]["net0"]
        == "virtio=02:de:20:00:00:c8,bridge=vmbr0,tag=99"
    )
    ask(pve, "PUT", "/nodes/pve/qemu/100/config", net0="virtio,bridge=vmbr0")
    assert "=BC:24:11:" in pve.guest(100)["config"]["net0"]


def test_types_of_what_is_read_back(pve):
    config = ask(pve, "GET", "/nodes/pve/qemu/100/config")[2]["data"]
    assert (config["cores"], config["onboot"], config["memory"]) == (2, 1, "2048")


def test_a_running_machine_gets_memory_later_and_names_at_once(pve):
    ask(pve, "PUT", "/nodes/pve/qemu/100/config", memory="512", name="new")
    assert ask(pve, "GET", "/nodes/pve/qemu/100/config")[2]["data"]["memory"] == "512"
    now = ask(pve, "GET", "/nodes/pve/qemu/100/config", current="1")[2]["data"]
    assert (now["memory"], now["name"]) == ("2048", "new")
    ask(pve, "POST", "/nodes/pve/qemu/100/status/reset")
    assert ask(pve, "GET", "/nodes/pve/qemu/100/config", current="1")[2]["data"]["memory"] == "2048"
    ask(pve, "POST", "/nodes/pve/qemu/100/status/reboot")
    assert ask(pve, "GET", "/nodes/pve/qemu/100/config", current="1")[2]["data"]["memory"] == "512"


def test_the_cloud_init_image_is_stale_until_it_is_made_again(pve):
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")
    ask(pve, "PUT", "/nodes/pve/qemu/200/cloudinit")
    ask(pve, "PUT", "/nodes/pve/qemu/200/config", ciuser="ops")
    waiting = ask(pve, "GET", "/nodes/pve/qemu/200/cloudinit")[2]["data"]
    assert {"key": "ciuser", "pending": "ops"} in waiting
    ask(pve, "PUT", "/nodes/pve/qemu/200/cloudinit")
    assert not any("pending" in line for line in ask(pve, "GET", "/nodes/pve/qemu/200/cloudinit")[2]["data"])


def test_of_what_changed_the_pending_list_leaves_out_addresses_and_the_name(pve):
    changes = {"ciuser": "ops", "ipconfig0": "ip=dhcp"}
    pve.change(guests={100: {"config": changes, "image": {**changes, "name": "opnsense"}}})
    ask(pve, "PUT", "/nodes/pve/qemu/100/config", name="new", ciuser="ada", ipconfig0="ip=192.0.2.5/24")
    ask(pve, "PUT", "/nodes/pve/qemu/100/config", searchdomain="example.net")
    waiting = ask(pve, "GET", "/nodes/pve/qemu/100/cloudinit")[2]["data"]
    assert {line["key"] for line in waiting if "pending" in line} == {"ciuser", "searchdomain"}


def test_a_balloon_is_no_larger_than_the_memory(pve):
    refused = "balloon value too large (must be smaller than assigned memory)"
    assert ask(pve, "PUT", "/nodes/pve/qemu/9000/config", balloon="4096")[1] == refused
    assert ask(pve, "PUT", "/nodes/pve/qemu/9000/config", balloon="2048")[0] == 200
    assert ask(pve, "PUT", "/nodes/pve/qemu/9000/config", memory="1024")[1] == refused
    assert ask(pve, "PUT", "/nodes/pve/qemu/9000/config", memory="1024", balloon="1024")[0] == 200


def test_a_base_volume_with_linked_clones_stays(pve):
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="0")
    upid = ask(pve, "DELETE", "/nodes/pve/qemu/9000", purge="1")[2]["data"]
    assert (
        "still in use by linked cloned"
        in ask(pve, "GET", f"/nodes/pve/tasks/{upid}/status")[2]["data"]["exitstatus"]
    )
    assert "9000" in pve.state()["guests"]


def test_a_log_has_fifty_lines_unless_asked_for_more(pve):
    pve.fault("task", "POST", "/stop", log=[str(number) for number in range(80)])
    upid = ask(pve, "POST", "/nodes/pve/qemu/100/status/stop")[2]["data"]
    assert len(ask(pve, "GET", f"/nodes/pve/tasks/{upid}/log")[2]["data"]) == 50
    assert len(ask(pve, "GET", f"/nodes/pve/tasks/{upid}/log", start="50", limit="500")[2]["data"]) == 31


def test_tasks_of_others_are_invisible_without_sys_audit(pve):
    upid = ask(pve, "POST", "/nodes/pve/qemu/100/status/stop")[2]["data"]
    assert ask(pve, "GET", "/nodes/pve/tasks", READ_TOKEN, source="all")[2]["data"] == []
    assert ask(pve, "GET", f"/nodes/pve/tasks/{upid}/status", READ_TOKEN)[0] == 403


def test_leftovers_of_a_failed_clone(pve):
    pve.fault(
        "task",
        "POST",
        "/clone",
        exitstatus="clone failed: unable to create image",
        effect=False,
        leftovers=True,
    )
    ask(pve, "POST", "/nodes/pve/qemu/9000/clone", newid="200", full="1")
    assert pve.guest(200)["config"] == {"lock": "clone", "description": " qmclone temporary file"}


def test_it_needs_neither_django_nor_pytest_to_be_served():
    code = (
        "import sys, tests.provisioning.pve.__main__;"
        "print([name for name in ('django', 'pytest', 'requests', 'proxmoxer') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
