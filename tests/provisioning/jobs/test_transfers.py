"""Plans name what crosses the router."""

from __future__ import annotations

import pytest

from provisioning import requests
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


def test_backup_and_restore_over_the_router_say_so_in_their_plans(db, each_version):
    lab = declare_lab(each_version)
    each_version.change(
        storages={
            "nas": {"kind": "nfs", "content": "backup", "shared": True, "server": "198.51.100.7"},
            "local": {"content": "iso"},
        }
    )
    each_version.change(leases={MAC: ADDRESS})
    assert do("create_vm", lab, host=HOST).outcome["vmid"] == VMID
    assert do("survey", lab).state == "succeeded"
    shown = requests.show_plan("backup_vm", site=lab, parameters={"host": HOST}, by="test")
    said = f"The backup of {HOST} writes to nas on 198.51.100.7: hv01 is not there, so it crosses the router."
    assert shown.warnings == (said,)
    assert do("backup_vm", lab, host=HOST).state == "succeeded"
    job = do("restore_vm", lab, host=HOST)
    assert [line for line in job.plan["warnings"] if "crosses the router" in line] == [
        f"The restore of {HOST} reads from nas on 198.51.100.7: hv01 is not there, so it crosses the router."
    ]


def test_a_clone_to_a_storage_behind_the_router_says_so(lab, pve):
    pve.change(storages={"local-lvm": {"kind": "nfs", "server": "198.51.100.7"}})
    assert do("survey", lab).state == "succeeded"
    shown = requests.show_plan("create_vm", site=lab, parameters={"host": HOST}, by="test")
    assert [line for line in shown.warnings if "writes to local-lvm on 198.51.100.7" in line]
    assert [line for line in shown.warnings if "reads from local-lvm on 198.51.100.7" in line]


@pytest.mark.parametrize(
    ("kind", "server"), [("zfs", "198.51.100.7"), ("iscsi", "198.51.100.7:3260"), ("rbd", "198.51.100.7")]
)
def test_the_server_of_a_storage_stands_under_another_key_for_some_kinds(lab, pve, kind, server):
    pve.change(storages={"local-lvm": {"kind": kind, "server": server}})
    assert do("survey", lab).state == "succeeded"
    shown = requests.show_plan("create_vm", site=lab, parameters={"host": HOST}, by="test")
    assert [line for line in shown.warnings if "writes to local-lvm on 198.51.100.7" in line], shown.warnings


def test_local_storages_cross_nothing(lab, pve):
    assert do("survey", lab).state == "succeeded"
    assert requests.show_plan("create_vm", site=lab, parameters={"host": HOST}, by="test").warnings == ()
    assert pve.requests("GET", "/api2/json/storage") == []
