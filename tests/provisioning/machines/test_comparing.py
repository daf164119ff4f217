"""What shall be against what was read back; templates by version; whose machine it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.machines.comparing import addresses_of, compare
from provisioning.machines.facts import Config, GuestInterface, GuestLine
from provisioning.machines.owning import Owner, marked, not_ours, owner_of
from provisioning.machines.properties import IpConfig
from provisioning.machines.sizes import GIB
from provisioning.machines.spec import (
    AnotherOwners,
    DataDisk,
    MachineSpec,
    free_disk_key,
    os_disk,
    quote_keys,
    read_keys,
    settings,
)
from provisioning.machines.templates import NoTemplate, newest

OWNER = Owner("dvntm", "0c5f", "netctrl-vm01")
SPEC = MachineSpec(
    vmid=200,
    name="netctrl-vm01",
    mac="02:de:20:00:00:c8",
    bridge="vmbr0",
    owner=OWNER,
    tag=99,
    memory=2048,
    cores=2,
    disk=64 * GIB,
    data=DataDisk("data-0001", 20 * GIB, "local-lvm"),
    onboot=True,
    cpu="host",
    rng=True,
    user="ops",
    ssh_keys=("ssh-ed25519 AAAA+/= a@b",),
    ipconfig=IpConfig("dhcp"),
)
AS_DECLARED = {
    "name": "netctrl-vm01",
    "description": OWNER.marker + "\n",
    "tags": "mgmtplane",
    "net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr0,firewall=1,tag=99",
    "memory": "2048",
    "cores": "2",
    "cpu": "host,flags=+aes",
    "rng0": "source=/dev/urandom,max_bytes=1024",
    "boot": "order=scsi0;net0",
    "scsi0": "local-lvm:vm-200-disk-0,size=64G",
    "scsi1": "local-lvm:vm-200-disk-1,serial=data-0001,size=20G",
    "ide2": "local-lvm:vm-200-cloudinit,media=cdrom,size=4M",
    "onboot": "1",
    "agent": "1,fstrim_cloned_disks=1",
    "ciuser": "ops",
    "sshkeys": quote_keys(SPEC.ssh_keys),
    "ipconfig0": "ip=dhcp",
}


def found(**changes: str | None) -> Config:
    return Config({key: value for key, value in {**AS_DECLARED, **changes}.items() if value is not None})


def test_as_declared_there_is_no_difference_and_nothing_to_send():
    assert compare(SPEC, found()) == ()
    assert settings(SPEC, found()) == {}


@pytest.mark.parametrize(
    ("declared", "there", "sent"),
    [
        ("host", "kvm64,flags=+aes", "host,flags=+aes"),
        ("host", "cputype=host,hidden=1", None),
        ("host,flags=+aes", "flags=+aes,cputype=host", None),
        ("host,flags=+pcid", "host,flags=+aes", "host,flags=+pcid"),
        ("x86-64-v2-AES", None, "x86-64-v2-AES"),
        ("", "kvm64", None),
    ],
)
def test_a_type_of_processor_keeps_the_options_that_nobody_declared(declared, there, sent):
    assert settings(replace(SPEC, cpu=declared), found(cpu=there)).get("cpu") == sent


def test_a_random_number_device_is_added_and_never_taken_away():
    assert settings(SPEC, found(rng0=None)) == {"rng0": "source=/dev/urandom"}
    assert settings(replace(SPEC, rng=False), found()) == {}
    assert settings(replace(SPEC, rng=False), found(rng0=None)) == {}


@pytest.mark.parametrize(
    ("changes", "field", "grave"),
    [
        ({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=99"}, "net0 MAC", True),
        ({"net0": None}, "net0 MAC", True),
        ({"net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr0"}, "net0 VLAN tag", True),
        ({"net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr1,tag=99"}, "net0 bridge", True),
        ({"net1": "virtio=02:DE:20:00:00:C8,bridge=vmbr0"}, "net1 MAC", True),
        ({"description": None}, "owner", True),
        ({"description": "mgmtplane: site=dvntm uid=0c5f host=other-vm01"}, "owner", True),
        ({"scsi0": "local-lvm:vm-200-disk-0,size=10G"}, "scsi0 size", False),
        ({"scsi0": None}, "OS disk", False),
        ({"scsi1": None}, "data disk data-0001", False),
        ({"scsi1": "local-lvm:vm-200-disk-1,serial=data-0001,size=10G"}, "scsi1 size", False),
        ({"onboot": None}, "onboot", False),
        ({"memory": "512"}, "memory", False),
        ({"cores": None}, "cores", False),
        ({"cpu": None}, "cpu", False),
        ({"cpu": "cputype=kvm64,flags=+aes"}, "cpu", False),
        ({"rng0": None}, "rng0", False),
        ({"agent": None}, "agent", False),
        ({"tags": "other"}, "tags", False),
        ({"name": "other"}, "name", False),
        ({"sshkeys": None}, "sshkeys", False),
        ({"sshkeys": quote_keys((quote_keys(SPEC.ssh_keys),))}, "sshkeys", False),
        ({"ipconfig0": "ip=192.0.2.1/24"}, "ipconfig0", False),
    ],
)
def test_each_thing_that_differs_is_named(changes, field, grave):
    differences = compare(SPEC, found(**changes))
    assert [
        (difference.field, difference.grave) for difference in differences if difference.field == field
    ] == [(field, grave)]


@pytest.mark.parametrize(
    "changes",
    [
        {"net0": "queues=4,tag=99,virtio=02:de:20:00:00:c8,bridge=vmbr0"},
        {"memory": "current=2048"},
        {"scsi0": "local-lvm:vm-200-disk-0,size=65536M"},
        {"tags": "mgmtplane;zebra"},
        {"agent": "enabled=1"},
        {"description": f"Notes of a person.\n\n{OWNER.marker}\n"},
    ],
)
def test_another_spelling_is_no_difference(changes):
    assert compare(SPEC, found(**changes)) == ()


def test_the_grave_ones_come_first():
    differences = compare(SPEC, found(memory="512", net0="virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=99"))
    assert differences[0].field == "net0 MAC" and differences[0].found == "bc:24:11:00:00:01"
    assert str(differences[1]) == "memory is 512 instead of 2048"


def test_what_is_sent_keeps_the_cards_flags_and_other_peoples_tags_and_notes():
    now = found(
        net0="virtio=BC:24:11:00:00:01,bridge=vmbr1,firewall=1,mtu=1,queues=4",
        tags="zebra",
        description="By hand.",
    )
    sent = settings(SPEC, now)
    assert sent == {
        "net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=99,firewall=1,mtu=1,queues=4",
        "tags": "mgmtplane;zebra",
        "description": f"By hand.\n\n{OWNER.marker}",
    }


def test_onboot_is_switched_off_only_where_it_is_on():
    off = replace(SPEC, onboot=False)
    assert settings(off, found()) == {"onboot": "0"} and settings(off, found(onboot=None)) == {}


def test_keys_are_quoted_with_nothing_safe_and_once():
    assert quote_keys(("ssh-ed25519 A+/= x@y",)) == "ssh-ed25519%20A%2B%2F%3D%20x%40y"
    assert read_keys(quote_keys(("a b ", "c d"))) == ("a b", "c d")


def test_what_was_destroyed_in_part_is_nobody_elses_machine():
    said = not_ours(Config({"lock": "destroyed"}), OWNER)
    assert "qm destroy VMID --skiplock" in said and "adopt" not in said
    assert "no marker" in not_ours(Config({"lock": "destroyed", "description": "theirs"}), OWNER)


def test_the_os_disk_is_the_one_it_boots_from():
    assert os_disk(found(boot="order=net0;scsi1;scsi0")).key == "scsi1"
    assert os_disk(found(boot=None, virtio0="local-lvm:x,size=1G")).key == "scsi0"
    assert os_disk(found(boot=None, ide0="local-lvm:x,size=1G", sata0="local-lvm:y,size=1G")).key == "ide0"
    assert os_disk(found(boot=None, scsi0=None, scsi1=None, sata0="a:y", virtio0="a:x")).key == "virtio0"
    assert os_disk(found(boot="order=ide2", scsi0=None, scsi1=None)) is None
    assert free_disk_key(found(scsi2="local-lvm:y,size=1G")) == "scsi3"


# --- templates ---


def templates(*names: str) -> list[GuestLine]:
    return [
        GuestLine(9000 + n, "qemu", "pve", name, "stopped", is_template=True) for n, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("names", "prefix", "best"),
    [
        (["fedora-44-1.10", "fedora-44-1.9"], "fedora-44", "fedora-44-1.10"),
        (["fedora-44-1.9", "fedora-44-1.10"], "fedora-", "fedora-44-1.10"),
        (["debian-120-1.0", "debian-12-1.0"], "debian-12", "debian-12-1.0"),
        (["debian-12-1.0", "debian-12-1.0-rc1"], "debian-12", "debian-12-1.0"),
        (["debian-12-1.0", "debian-12-1.0.1"], "debian-12", "debian-12-1.0.1"),
        (["debian-12-20250101", "debian-12-20241231"], "debian-12-", "debian-12-20250101"),
        (["alma9", "alma10"], "alma", "alma10"),
    ],
)
def test_the_newest_template_by_version(names, prefix, best):
    assert newest(templates(*names), prefix).name == best


def test_no_template_says_what_there_is():
    with pytest.raises(NoTemplate, match="there is: alma9"):
        newest(templates("alma9"), "debian")
    with pytest.raises(NoTemplate, match="none at all"):
        newest([replace(templates("debian-1")[0], is_template=False)], "debian")
    with pytest.raises(NoTemplate):
        newest(templates("alma9"), "")


def test_two_of_one_version_are_nobodys_choice():
    with pytest.raises(NoTemplate, match=r"9000.*9001.*same version"):
        newest(templates("debian-12-1.0", "debian-12-1.0"), "debian-12")


# --- owners ---


def test_the_marker_replaces_itself_and_keeps_notes():
    other = Owner("dvntm", "0c5f", "old-name")
    text = marked(marked("Notes.", other), OWNER)
    assert text == f"Notes.\n\n{OWNER.marker}" and owner_of(text) == OWNER
    assert owner_of(f"{OWNER.marker}\n{other.marker}") is None and owner_of("") is None


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ("", "no marker"),
        (Owner("dvntm", "ffff", "netctrl-vm01").marker, "another site or installation"),
        (Owner("dvntm", "0c5f", "other-vm01").marker, "belongs to other-vm01"),
    ],
)
def test_another_owners_machine_is_told_apart(description, why):
    assert why in not_ours(found(description=description), OWNER)
    assert not_ours(found(), OWNER) == ""


def test_nothing_is_sent_to_a_template_or_another_owners_machine():
    for changes in ({"template": "1"}, {"description": Owner("dvntm", "0c5f", "other-vm01").marker}):
        with pytest.raises(AnotherOwners, match=r"template|belongs to other-vm01"):
            settings(SPEC, found(**changes))
    assert "is a template" in not_ours(found(template="1"), OWNER)


def test_a_tag_alone_is_no_ownership():
    assert not_ours(found(description="", tags="mgmtplane"), OWNER)


def test_the_address_is_that_of_the_card_with_the_mac():
    said = (
        GuestInterface("lo", "00:00:00:00:00:01", ("127.0.0.1",)),
        GuestInterface("docker0", "02:42:00:00:00:01", ("172.17.0.1",)),
        GuestInterface("eth0", "02:de:20:00:00:c8", ("192.0.2.9", "fe80::1", "fe80::2%eth0", "2001:db8::9")),
    )
    assert addresses_of(said, "02-DE-20-00-00-C8") == ("192.0.2.9", "2001:db8::9")


@pytest.mark.parametrize(
    ("trunks", "upon", "field"),
    [
        ("99;10", frozenset(), ["net0 trunks"]),
        ("20", {10, 20}, []),
        ("10-12", {10, 12}, ["net0 trunks"]),
        ("10-12", {10, 11, 12}, []),
    ],
)
def test_trunks_to_a_vlan_that_is_not_declared_are_grave_and_are_taken_away(trunks, upon, field):
    spec = replace(SPEC, tag=50, upon=frozenset(upon))
    there = found(net0=f"virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=50,firewall=1,trunks={trunks}")
    assert [one.field for one in compare(spec, there) if one.grave] == field
    without = "virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=50,firewall=1"
    assert settings(spec, there) == ({"net0": without} if field else {})


def test_of_a_card_without_a_tag_trunks_only_take_vlans_away():
    there = found(net0="virtio=02:DE:20:00:00:C8,bridge=vmbr0,trunks=10")
    assert compare(replace(SPEC, tag=None), there) == ()


def test_an_unplugged_card_is_plugged_in():
    there = found(net0="virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=99,link_down=1")
    assert [(one.field, one.grave) for one in compare(SPEC, there)] == [("net0 link_down", False)]
    assert settings(SPEC, there) == {"net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=99"}
