"""A site whose hypervisor is the stand-in, with a machine that is declared and not yet made."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Hypervisor, Interface, Segment, Site, VirtualMachine
from provisioning import requests, runner
from provisioning.kinds import machine as of_machines
from provisioning.machines.declared import machine_of
from provisioning.machines.facts import Config
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import settings
from provisioning.models import Job
from provisioning.observed import hypervisors
from provisioning.steps.watching import Patience
from tests.provisioning.pve.configuring import is_cloudinit
from tests.provisioning.pve.fixtures import _each_version as _each_version
from tests.provisioning.pve.fixtures import _newest as _newest
from tests.provisioning.pve.fixtures import each_version as each_version
from tests.provisioning.pve.fixtures import pve as pve
from tests.provisioning.pve.standin import PATIENCE, StandIn
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN

MAC, ADDRESS, VMID = "02:de:20:00:00:c8", "192.0.2.20", 200


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(hypervisors, "PATIENCE", PATIENCE)
    monkeypatch.setattr(of_machines, "PATIENCE", Patience(boot=2.0, settle=1.0, pause=0.05))
    monkeypatch.setenv("PVE_TOKEN", SECRETS[WRITE_TOKEN])
    monkeypatch.setenv("PVE_READ_TOKEN", SECRETS[READ_TOKEN])


def declare_lab(pve: StandIn) -> Site:
    """Site lab: hv01 is the stand-in; netctrl-vm01 is declared on it, with a reservation."""
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24", vmid_first=200, vmid_last=299)
    with change(site, by="fixture", why="a small site"):
        segment = Segment(
            site=site, name="management", vlan=99, network4="192.0.2.0/24", gateway4="192.0.2.1"
        )
        segment.save()
        carrier = Host(site=site, name="hv01", form="hv")
        carrier.save()
        Hypervisor(
            host=carrier,
            api_url=pve.url,
            node=pve.node,
            token_id=WRITE_TOKEN,
            secret="env:PVE_TOKEN",
            read_token_id=READ_TOKEN,
            read_secret="env:PVE_READ_TOKEN",
            ca_file=pve.ca_file,
            storage="local-lvm",
            bridge="vmbr0",
        ).save()
        host = Host(site=site, name="netctrl-vm01", form="vm", hypervisor=carrier, vmid=VMID)
        host.save()
        Interface(
            host=host,
            name="eth0",
            mac=MAC,
            mac_kind="assigned",
            segment=segment,
            addressing="static",
            ipv4=ADDRESS,
            a_record=True,
            reservation=True,
            primary=True,
        ).save()
        VirtualMachine(
            host=host,
            cores=4,
            memory=4096,
            os_disk=20,
            data_disk=5,
            data_disk_serial="data01",
            template="debian-13",
            ciuser="ops",
        ).save()
    return site


@pytest.fixture
def lab(db, pve) -> Site:
    return declare_lab(pve)


@pytest.fixture
def guest_answers(pve):
    """Once it runs, the machine's agent tells of the reserved address."""
    pve.change(leases={MAC: ADDRESS})


def made(pve: StandIn, site: Site, name: str = "netctrl-vm01", *, running: bool = True) -> None:
    """The machine of *name* as ``create_vm`` leaves it, without the jobs and the time that this takes."""
    spec = machine_of(reading.load(site.slug), name).spec
    system, data, drive = (f"local-lvm:vm-{spec.vmid}-{what}" for what in ("disk-0", "disk-1", "cloudinit"))
    volumes = {system: spec.disk, drive: 4 << 20}
    config = {key: value for key, value in pve.guest(9003)["config"].items() if key != "template"}
    config |= {"scsi0": f"{system},discard=on,size={disk_text(spec.disk)}"}
    config |= {"ide2": f"{drive},media=cdrom,size=4M"}
    if spec.data:
        volumes[data] = spec.data.size
        config["scsi1"] = f"{data},serial={spec.data.serial},size={disk_text(spec.data.size)}"
    config |= settings(spec, Config(config))
    cloudinit = {key: value for key, value in config.items() if is_cloudinit(key) or key == "name"}
    state = {"running": running, "booted": config if running else {}, "image": cloudinit}
    pve.change(
        guests={spec.vmid: {"config": config, **state}},
        volumes={volid: {"size": size, "vmid": spec.vmid} for volid, size in volumes.items()},
    )


def do(kind: str, site: Site, **parameters) -> Job:
    """Ask for a job and carry it out here, until it is finished or waits."""
    job = requests.request(kind, site=site, parameters=parameters, by="test", why="to see")
    for _ in range(6):
        runner.run(job.pk, "here")
        job.refresh_from_db()
        if job.is_finished or job.state == "waiting":
            break
        Job.objects.filter(pk=job.pk).update(not_before=None)
    return job
