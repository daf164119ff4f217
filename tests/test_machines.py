"""What a machine specification may hold: judged for people, and by the database when nobody was asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from inventory import reading, specs
from inventory.changes import change
from inventory.models import Host, Site, VirtualMachine
from inventory.references import naming_value
from inventory.rules.specifications import PLAUSIBLE_MEMORY
from inventory.snapshot import MachineFacts
from tests.document.generated import KEY

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def site(db) -> Site:
    """Site lab with vm01 and the Raspberry Pi pi01."""
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, by="fixture"):
        Host(site=lab, name="vm01", form="vm").save()
        Host(site=lab, name="pi01", form="pi").save()
    return lab


def refused(site: Site, host: str = "vm01", **given: Any) -> dict[str, list[str]]:
    row = VirtualMachine(host=Host.objects.get(name=host), **given)
    with pytest.raises(ValidationError) as raised, change(site, by="ada"):
        row.save()
    return raised.value.message_dict


def test_the_defaults_are_those_of_the_facts(site):
    with change(site, by="ada"):
        VirtualMachine(host=Host.objects.get(name="vm01")).save()
    assert reading.load("lab").host_by_name["vm01"].machine == MachineFacts()


def test_every_field_is_in_the_snapshot(site):
    said: dict[str, Any] = {
        "cores": 4, "memory": 8192, "os_disk": 64, "data_disk": 100, "data_disk_serial": "data01",
        "keep_data_disk": False, "boot": "pxe", "template": "debian-13-", "ciuser": "ops", "ssh_keys": KEY,
        "cpu": "x86-64-v2-AES", "agent": False, "rng": True, "start_on_boot": False, "startup_order": 3,
        "storage": "local-zfs", "bridge": "vmbr1", "pool": "web",
    }  # fmt: skip
    with change(site, by="ada"):
        VirtualMachine(host=Host.objects.get(name="vm01"), **said).save()
    found = reading.load("lab").host_by_name["vm01"].machine
    assert found == MachineFacts(**said)
    assert all(value != getattr(MachineFacts(), name) for name, value in said.items())


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"cores": 0}, "__all__", "A machine has 1 to 1024 cores."),
        ({"memory": 4}, "__all__", "Memory is counted in MiB"),
        ({"os_disk": 0}, "__all__", "The OS disk is counted in GiB"),
        ({"data_disk": 10}, "data_disk_serial", "A data disk carries a serial"),
        ({"data_disk_serial": "data01"}, "data_disk_serial", "There is no data disk that could carry"),
        ({"data_disk": 10, "data_disk_serial": "d" * 21}, "data_disk_serial", "use 1 to 20 letters"),
        ({"data_disk": 10, "data_disk_serial": "data 1"}, "data_disk_serial", "is no serial of a disk"),
        ({"template": "debian 13"}, "template", "begins no name of a template"),
        ({"ciuser": "Ops"}, "ciuser", "is no name of a user"),
        ({"startup_order": 100_000}, "__all__", "The startup order is a number up to 99999."),
        ({"ssh_keys": PRIVATE}, "ssh_keys", "This is a private key, which must never be stored"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(site, given, field, sentence):
    assert any(sentence in message for message in refused(site, **given)[field])


def test_only_virtual_machines_have_one(site):
    assert "pi01 is no virtual machine; set its form to vm first." in refused(site, "pi01")["host"]


@pytest.mark.parametrize(
    "given",
    [
        {"cores": 0},
        {"memory": 15},
        {"os_disk": 200_000},
        {"data_disk": 10},
        {"data_disk_serial": "data01"},
        {"data_disk": 0, "data_disk_serial": "data01"},
        {"data_disk": 10, "data_disk_serial": "d" * 21},
        {"startup_order": 100_000},
        {"ssh_keys": PRIVATE.lower()},
    ],
    ids=str,
)
def test_the_database_refuses_what_nobody_judged(site, given):
    """An import judges no rows; what must never be stored is not stored by it either."""
    row = VirtualMachine(host=Host.objects.get(name="vm01"), **given)
    with (
        pytest.raises((DatabaseError, ValidationError)),
        transaction.atomic(),
        change(site, by="import", source="import") as the_change,
    ):
        the_change.create([row])
    assert not VirtualMachine.objects.exists()


def test_keys_are_kept_a_line_each(site):
    with change(site, by="ada"):
        VirtualMachine(host=Host.objects.get(name="vm01"), ssh_keys=f"  {KEY} a@b \r\n\r\n{KEY}\r\n").save()
    assert VirtualMachine.objects.get().ssh_keys == f"{KEY} a@b\n{KEY}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{KEY}\nssh-ed25519", "Line 2 is no whole ssh-ed25519 key"),
        (f"no-pty {KEY}", "Line 1 does not begin with the type of an SSH public key"),
        (KEY.replace("ssh-ed25519", "ssh-rsa", 1), "Line 1 is no whole ssh-rsa key"),
        ("ssh-ed25519 !!!!", "is no whole ssh-ed25519 key"),
        (PRIVATE, "private key"),
    ],
)
def test_what_is_no_public_key_is_told_by_its_line(text, sentence):
    found = specs.keys_problem(text)
    assert sentence in found
    assert "b3BlbnNzaC1rZXktdjEA" not in found
    assert specs.keys_problem(f"{KEY}\n\n{KEY} ops@example.net") == ""


def test_sizes_are_no_vmids_and_names_within_it_are_found(site):
    with change(site, by="ada"):
        VirtualMachine(host=Host.objects.get(name="vm01"), memory=2048, os_disk=200, pool="vm01").save()
    snapshot = reading.load("lab")
    assert naming_value(snapshot, "200") == naming_value(snapshot, "2048") == ()
    assert ("host vm01", "pool") in {(one.subject, one.where) for one in naming_value(snapshot, "vm01")}


def test_the_smallest_memory_is_odd_before_it_is_impossible():
    assert PLAUSIBLE_MEMORY[0] > 16
