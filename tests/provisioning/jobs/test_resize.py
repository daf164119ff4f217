"""A machine of ours grows to what is declared; what waits for a power cycle is told, and nothing shrinks."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host
from provisioning import kinds
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do, made
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"
CONFIG = f"/qemu/{VMID}/config"


@pytest.fixture
def machine(lab, pve, guest_answers):
    made(pve, lab)
    return lab


def test_the_machine_that_these_tests_begin_with_is_what_create_leaves(lab, pve, guest_answers):
    def found():
        guest = pve.guest(VMID)
        own = {key: sorted(text.split(",")) for key, text in guest["config"].items()}
        return {key: value for key, value in own.items() if key not in ("vmgenid", "smbios1")}, guest["image"]

    do("create_vm", lab, host=HOST)
    by_the_job = found()
    pve.change(guests={VMID: None})
    made(pve, lab)
    assert found() == by_the_job


def declare(site, **values) -> None:
    machine = Host.objects.get(name=HOST).machine
    with change(site, by="fixture", why="another size"):
        for name, value in values.items():
            setattr(machine, name, value)
        machine.save()


def resize(site, **more) -> Job:
    do("survey", site)
    return do("resize_vm", site, host=HOST, **more)


def sizes(pve) -> dict[str, str]:
    """What the machine has: at once, and after its next power cycle."""
    guest = pve.guest(VMID)
    return {key: guest["config"].get(key, "") for key in ("cores", "memory", "cpu", "rng0")} | guest[
        "pending"
    ]


def booted(pve) -> list[str]:
    """What it was started with last."""
    return [pve.guest(VMID)["booted"].get(key, "") for key in ("cores", "memory", "rng0")]


def test_it_grows_and_is_restarted_only_when_that_is_asked_for(db, each_version):
    pve, lab = each_version, declare_lab(each_version)
    pve.change(leases={MAC: ADDRESS})
    made(pve, lab)
    declare(lab, cores=8, memory=8192, os_disk=40, data_disk=10, rng=True)
    pve.forget()
    job = resize(lab)
    assert job.state == "succeeded", job.message
    assert job.message.endswith("wait for a power cycle: a reboot inside it is not enough.")
    assert job.outcome["pending"] == ["cores", "memory", "rng0"] and not job.outcome["restarted"]
    assert {"cores", "memory", "rng0", "scsi0", "scsi1"} == set(job.outcome["changed"])
    guest = pve.guest(VMID)
    assert guest["running"] and pve.requests("POST", "/status/") == []
    assert booted(pve) == ["4", "4096", ""]  # as it was, whatever the configuration shows
    assert "size=40G" in guest["config"]["scsi0"] and "size=10G" in guest["config"]["scsi1"]
    job = resize(lab, restart=True)
    assert (job.state, job.outcome) == ("succeeded", {"changed": [], "pending": [], "restarted": True}), (
        job.message
    )
    assert booted(pve) == ["8", "8192", "source=/dev/urandom"]
    assert [each["path"].rpartition("/")[2] for each in pve.requests("POST", "/status/")] == [
        "shutdown",
        "start",
    ]


def test_the_plan_names_each_value_and_what_waits(machine, pve):
    declare(machine, cores=8, os_disk=40)
    job = resize(machine, restart=True)
    assert [str(line) for line in job.planned.lines] == [
        "~ cores of netctrl-vm01: 4 → 8, with its next power cycle",
        "~ scsi0 of netctrl-vm01: 20G → 40G",
        "> switch it off and on: shut down, then started",
    ]


def test_what_is_as_declared_is_left_alone_also_when_a_restart_is_asked_for(machine, pve):
    job = resize(machine, restart=True)
    assert (job.state, job.message) == ("succeeded", "netctrl-vm01 is as declared.")
    assert pve.writes() == []


def test_a_machine_that_is_off_has_it_all_at_once(machine, pve):
    do("power", machine, host=HOST, action="stop")
    declare(machine, cores=8)
    pve.forget()
    job = resize(machine, restart=True)
    assert job.outcome == {"changed": ["cores"], "pending": [], "restarted": False}
    assert pve.requests("POST", "/status/") == [] and pve.guest(VMID)["config"]["cores"] == "8"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cores": 2}, "cores: 4 are there, 2 declared"),
        ({"memory": 2048}, "memory: 4096 MiB are there, 2048 MiB declared"),
        ({"os_disk": 10}, "disk scsi0: 20G are there, 10G declared"),
        ({"data_disk": 2}, "data disk data01: 5G are there, 2G declared"),
    ],
)
def test_less_is_refused_by_name_before_anything_is_done(machine, pve, values, said):
    declare(machine, **{"cores": 8, "memory": 8192, **values})
    with pytest.raises(Refused, match=said):
        resize(machine)
    assert pve.writes() == []


def test_less_is_refused_also_where_the_survey_is_old(machine, pve):
    do("survey", machine)
    declare(machine, cores=6)
    pve.change(guests={VMID: {"config": {"cores": "8"}}})
    pve.forget()
    job = do("resize_vm", machine, host=HOST)
    assert job.state == "failed" and "cores: 8 are there, 6 declared" in job.message
    assert pve.writes() == []


def test_a_data_disk_that_is_missing_is_added_while_it_runs(machine, pve):
    pve.change(guests={VMID: {"config": {"scsi1": None}}})
    job = resize(machine)
    assert (job.state, job.outcome["changed"]) == ("succeeded", ["data01"]), job.message
    assert "serial=data01,size=5G" in pve.guest(VMID)["config"]["scsi1"]


def test_without_room_nothing_is_begun(machine, pve):
    declare(machine, cores=8, os_disk=400)
    pve.change(storages={"local-lvm": {"free": 10 * 1024**3}})
    job = resize(machine)
    assert job.state == "failed" and "needs 380G more on local-lvm; 10 GiB are free" in job.message
    assert pve.writes() == []


def test_one_that_does_not_shut_down_runs_on_and_is_named(machine, pve):
    declare(machine, cores=8)
    pve.change(guests={VMID: {"ignores_shutdown": True}})
    job = resize(machine, restart=True)
    assert job.state == "failed" and "did not shut down within 180 s" in job.message
    assert pve.guest(VMID)["running"] and pve.requests("POST", "/status/stop") == []


def test_a_machine_with_another_mac_is_not_switched_off_to_be_started_again(machine, pve):
    declare(machine, cores=8)
    pve.change(guests={VMID: {"config": {"net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"}}})
    job = resize(machine, restart=True)
    assert job.state == "failed" and "net0 MAC is bc:24:11:00:00:99" in job.message
    assert pve.guest(VMID)["running"] and pve.requests("POST", "/status/") == []


def test_another_owners_machine_is_not_resized(machine, pve):
    declare(machine, cores=8)
    pve.change(guests={VMID: {"config": {"description": "by hand"}}})
    with pytest.raises(Refused, match="carries no marker"):
        resize(machine)
    assert pve.writes() == []


FAULTS = {
    "config lost": ({"kind": "lost", "method": "PUT", "path": CONFIG}, "succeeded", 1),
    "config dropped": (
        {"kind": "drop", "method": "PUT", "path": CONFIG, "keys": ["cores"], "times": 0},
        "failed",
        0,
    ),
    "resize lost": ({"kind": "lost", "method": "PUT", "path": "/resize"}, "succeeded", 1),
    "resize ignored": ({"kind": "ignore", "method": "PUT", "path": "/resize", "times": 0}, "failed", 0),
    "shutdown lost": ({"kind": "lost", "method": "POST", "path": "/status/shutdown"}, "succeeded", 1),
    "start lost": ({"kind": "lost", "method": "POST", "path": "/status/start"}, "succeeded", 1),
    "start ignored": ({"kind": "ignore", "method": "POST", "path": "/status/start", "times": 0}, "failed", 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_end_well_or_in_words_and_nothing_is_sent_twice(machine, pve, name):
    fault, state, shutdowns = FAULTS[name]
    declare(machine, cores=8, os_disk=40)
    pve.fault(**fault)
    job = resize(machine, restart=True)
    assert (job.state, len(pve.requests("POST", "/status/shutdown"))) == (state, shutdowns), texts(job)
    assert len(pve.requests("PUT", "/resize")) <= 1


def test_a_start_that_did_not_reach_the_node_is_made_by_the_next_attempt(machine, pve):
    declare(machine, cores=8)
    pve.fault("status", "POST", "/status/start", status=595, reason="Connection refused")
    job = resize(machine, restart=True)
    assert job.state == "succeeded" and job.outcome["restarted"], job.message
    assert pve.guest(VMID)["running"] and booted(pve)[0] == "8"


def test_left_switched_off_it_is_started_by_the_next_job_that_may_restart_it(machine, pve):
    declare(machine, cores=8)
    pve.fault("status", "POST", "/status/start", status=500, reason="no")
    job = resize(machine, restart=True)
    assert job.state == "failed" and "switched off, and is not on again" in job.message
    assert kinds.find("resize_vm").way_out(job).kind == "power"
    assert "start it (power)" in resize(machine).message
    assert not pve.guest(VMID)["running"]
