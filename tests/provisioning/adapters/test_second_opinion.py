"""The adapter against fakepve, which others wrote: what it models works, and what it does not is noticed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.adapters.base import AlreadyThere, Changed, NotFound, Refused, Unauthorized
from provisioning.adapters.proxmox import Access, Proxmox
from provisioning.machines.comparing import compare
from provisioning.machines.spec import settings
from provisioning.surveying.looking import survey
from tests.components import unavailable
from tests.provisioning.adapters.test_every_call import a_spec
from tests.provisioning.pve.certificates import make_certificate

TOKEN, SECRET = "root@pam!mgmtplane", "8a0e9b9c-0000-4000-8000-00000000000d"
PROGRAM = Path(__file__).parent.parent / "pve" / "second_opinion.py"


@pytest.fixture(scope="module")
def url_and_ca(tmp_path_factory):
    if importlib.util.find_spec("fakepve") is None:
        unavailable("needs fakepve: make venv-dev")
    certificate, key = make_certificate(tmp_path_factory.mktemp("fakepve"), ["localhost"], ["127.0.0.1"])
    command = [sys.executable, str(PROGRAM), str(certificate), str(key), TOKEN, SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip(), str(certificate)
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def proxmox(url_and_ca):
    url, ca_file = url_and_ca
    made = Proxmox(Access(url, "pve1", TOKEN, SECRET, ca_file=ca_file))
    yield made
    for vmid in (200, 201):
        if not made.is_free(vmid):
            made.wait(made.stop(vmid))
            made.wait(made.destroy(vmid))


def test_a_survey(proxmox):
    found = survey(proxmox, hypervisor="hv01", taken="2026-01-02T03:04:05+00:00")
    assert found.vmids == {100, 9000} and found.version.major == 9
    assert found.guest_by_vmid[100].macs == ("bc:24:11:00:00:64",)
    assert "Sys.Modify on /" in found.excess


def test_a_machine_is_made_and_what_was_not_done_is_noticed(proxmox):
    spec = a_spec(data=None)
    proxmox.wait(proxmox.clone(9000, 200, name=spec.name, storage="local-lvm", description=spec.owner.marker))
    config = proxmox.config(200)
    proxmox.configure(200, settings(spec, config), digest=config.digest)
    proxmox.wait(proxmox.resize(200, "scsi0", spec.disk))
    assert [difference.field for difference in compare(spec, proxmox.config(200))] == ["scsi0 size"]
    proxmox.wait(proxmox.start(200))
    assert proxmox.status(200).status == "running"
    assert proxmox.interfaces(200) is None


def test_what_waits_for_a_power_cycle(proxmox):
    proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    proxmox.wait(proxmox.start(200))
    proxmox.configure(200, {"memory": "512"})
    assert proxmox.config(200, pending=True).pending == {"memory": "512"}


def test_snapshots(proxmox):
    proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    proxmox.wait(proxmox.snapshot(200, "before", description="words"))
    assert [snapshot.name for snapshot in proxmox.snapshots(200)] == ["before"]
    proxmox.wait(proxmox.rollback(200, "before"))
    proxmox.wait(proxmox.delete_snapshot(200, "before"))
    assert proxmox.snapshots(200) == ()


def test_a_destroyed_machine_is_gone_and_its_task_told_why(proxmox):
    proxmox.wait(proxmox.clone(9000, 200, name="vm"))
    upid = proxmox.destroy(200)
    assert proxmox.wait(upid).status == "OK" and proxmox.task_log(upid)[-1] == "TASK OK"
    with pytest.raises(NotFound):
        proxmox.config(200)


def test_refusals_in_its_words(proxmox, url_and_ca):
    with pytest.raises(AlreadyThere):
        proxmox.clone(9000, 100, name="vm")
    with pytest.raises(NotFound):
        proxmox.clone(8888, 201, name="vm")
    with pytest.raises(Refused) as refused:
        proxmox.configure(100, {"colour": "red"})
    assert set(refused.value.fields) == {"colour"}
    with pytest.raises(Changed):
        proxmox.configure(100, {"onboot": "1"}, digest="0" * 40)
    with pytest.raises(Unauthorized):
        Proxmox(Access(url_and_ca[0], "pve1", TOKEN, "another-secret", ca_file=url_and_ca[1])).version()
    assert not proxmox.is_free(100) and proxmox.is_free(201)
