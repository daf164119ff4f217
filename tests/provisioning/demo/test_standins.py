"""``make demo``: hypervisors that answer, a machine that can be made at once, and all of it still there next time."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.changes import change
from inventory.demo import declare_demo
from inventory.models import Hypervisor, Site
from inventory.rules import judge
from provisioning import runner, standins
from provisioning.adapters.proxmox import Patience
from provisioning.kinds import machine as of_machines
from provisioning.models import Job, Survey
from provisioning.observed import hypervisors, vmids
from provisioning.steps.watching import Patience as MakingPatience
from provisioning.surveying.survey import from_json
from tests.platform.test_up import environment, free_port, wait_for
from tests.provisioning.jobs.conftest import do
from tests.provisioning.support import until
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.django_db

HOST, VMID, ADDRESS = "wiki-vm01", 116, "10.10.99.37"


@pytest.fixture
def data(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(standins, "TASK_SECONDS", 0)
    monkeypatch.setattr(hypervisors, "PATIENCE", Patience(pause=0.02, longest_pause=0.1))
    monkeypatch.setattr(of_machines, "PATIENCE", MakingPatience(boot=5.0, settle=2.0, pause=0.05))
    return settings.DATA_DIR


@contextlib.contextmanager
def running():
    """Prepare as ``up --demo`` does, and run the stand-ins as its children would; which hosts are."""
    listeners = standins.listen()
    standins.prepare(listeners)
    once = iter([True, False])
    standins.LOOK_EVERY, before = 0.0, standins.LOOK_EVERY
    standins.hand_out(lambda: next(once))
    standins.LOOK_EVERY = before
    served = [child.name.removesuffix("-standin") for child in standins.children(listeners)]
    processes = [_start(host, listeners[host]) for host in served if host in listeners]
    try:
        yield served
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)
            process.stdout.close()
        for listener in listeners.values():
            listener.close()


def _start(host: str, listener: socket.socket) -> subprocess.Popen:
    command = [*standins._command(host), "--kept", "--listen-on", str(listener.fileno())]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True
    )
    assert "no machine is really made" in process.stdout.readline()
    return process


def seen(host: str):
    return from_json(Survey.objects.get(hypervisor=host).document)


def test_a_machine_is_made_at_once_and_is_there_after_a_restart(data):
    declare_demo("fixture")
    lab = Site.objects.get(slug="lab")
    with running() as served:
        assert served == ["hv01", "hv02", "dhcp"]
        job = do("create_vm", lab, host=HOST)
        assert (job.state, job.message) == ("succeeded", f"{HOST} runs on hv01 as {VMID}, at {ADDRESS}.")
        urls = list(Hypervisor.objects.order_by("host").values_list("api_url", flat=True))
        revision = reading.current("lab").revision
    with running():
        assert list(Hypervisor.objects.order_by("host").values_list("api_url", flat=True)) == urls
        assert reading.current("lab").revision == revision, "nothing changed, so nothing was written"
        job = do("create_vm", lab, host=HOST)
        assert job.state == "succeeded"
        assert "go on with what is there" in str(job.plan)
        assert seen("hv01").guest_by_vmid[VMID].line.status == "running"
    assert not any(row.secret in str(job.as_dict()) for row in Hypervisor.objects.all())


def test_vmids_are_handed_out_from_the_start_since_a_survey_is_asked_for_once(data):
    declare_demo("fixture")
    lab = Site.objects.get(slug="lab")
    with running():
        assert "never surveyed" in vmids.seen("lab").unknown
        standins.look_first()
        standins.look_first()
        job = Job.objects.get(kind="survey")
        runner.run(job.pk, "here")
        assert not vmids.seen("lab").unknown
        standins.look_first()
        assert Job.objects.get(kind="survey").site == lab


def test_there_is_something_to_see_and_a_backup_to_put_back(data):
    from tests.provisioning.jobs.test_keeping import confirmed

    declare_demo("fixture")
    lab = Site.objects.get(slug="lab")
    with running():
        job = do("survey", lab)
        assert job.state == "succeeded", job.message
        names = {guest.name for guest in seen("hv01").guests}
        assert "old-wiki" in names and "metrics-vm01" in names and HOST not in names
        assert [one.name for one in seen("hv01").templates][:2] == ["debian-13-1.9", "debian-13-1.10"]
        job = confirmed(do("restore_vm", lab, host="metrics-vm01"))
        assert job.state == "succeeded", job.message


def test_the_demo_says_that_they_are_stand_ins_and_has_no_new_errors(data):
    declare_demo("fixture")
    before = [f.id for f in judge(reading.load("lab")) if f.severity == "error"]
    with running():
        pass
    site = reading.load("lab")
    assert [f.id for f in judge(site) if f.severity == "error"] == before == []
    assert all(standins.NOTE in site.host_by_name[host].notes for host in standins.AS_DECLARED)
    for name in ("standin-hv01-write", "standin-hv01-read"):
        assert (data / "tokens" / name).stat().st_mode & 0o077 == 0


def test_hypervisors_that_somebody_pointed_elsewhere_stay_theirs(data):
    declare_demo("fixture")
    site = Site.objects.get(slug="lab")
    with change(site, by="kim", why="a real one"):
        row = Hypervisor.objects.get(host__name="hv01")
        row.api_url = "https://192.0.2.9:8006"
        row.save()
    with running() as served:
        assert served == ["hv02", "dhcp"]
    assert Hypervisor.objects.get(host__name="hv01").api_url == "https://192.0.2.9:8006"


def test_a_database_without_the_demo_is_left_as_it_is(data):
    site = Site(slug="mine", root_domain="example.net")
    with change(site, by="kim"):
        pass
    call_command("demo")
    with running() as served:
        assert served == []


def test_without_the_tests_the_demo_goes_on_without_stand_ins(data, settings, tmp_path, capsys):
    settings.BASE_DIR = tmp_path
    assert standins.listen() == {}
    assert standins.children({}) == []
    assert "which is not here" in capsys.readouterr().out


def test_what_counts_as_the_demos_own_is_what_the_demo_declares(data):
    declare_demo("fixture")
    rows = Hypervisor.objects.filter(host__site__slug="lab").values_list("host__name", "api_url", "secret")
    assert {name: (url, secret) for name, url, secret in rows} == standins.AS_DECLARED


def test_a_port_that_is_taken_is_replaced(data):
    first = standins.listen()
    taken = first["hv01"].getsockname()[1]
    second = standins.listen()
    assert second["hv01"].getsockname()[1] != taken
    for listener in (*first.values(), *second.values()):
        listener.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_up_demo_makes_a_machine_and_keeps_it(tmp_path):
    """The whole of it, as ``make demo`` starts it; killed without a word the second time."""
    data, port = tmp_path / "data", str(free_port())
    for state, words in (("made", r"clone debian-13-1\.10"), ("kept", "go on with what is there")):
        log = tmp_path / f"log-{state}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--demo"],
                cwd=REPOSITORY,
                env=environment(data, PORT=port),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(log, r"hv01-standin \| a stand-in for Proxmox VE 9.1 at https://127.0.0.1:\d+", process)
            wait_for(log, r"long@\S+ ready", process)
            done = _manage(data, "job", "create_vm", "--site", "lab", "--host", HOST, "--wait", "--json")
            job = json.loads(done.stdout)
            assert (job["state"], done.returncode) == ("succeeded", 0), done.stdout + done.stderr
            assert any(words.replace("\\", "") in line[1] for line in job["plan"]["lines"])
        finally:
            process.send_signal(signal.SIGINT if state == "made" else signal.SIGKILL)
            process.wait(timeout=60)
    ports = [int((data / "standin" / host / "port").read_text()) for host in standins.AS_DECLARED]
    until(lambda: not any(_answers(one) for one in ports), "no stand-in outlives its supervisor")


def _manage(data, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
