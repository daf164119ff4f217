"""Proxmox's own words: cards, disks, addresses and sizes, read and written again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.machines.properties import Disk, IpConfig, Nic, Properties, check_serial, new_disk
from provisioning.machines.sizes import GIB, MIB, disk_bytes, disk_text, memory_mib


def test_a_card_keeps_what_is_not_its_identity():
    card = Nic.parse(
        "virtio=BC:24:11:CE:51:EC,bridge=vmbr0,firewall=1,link_down=0,mtu=1,queues=4,rate=12.5,tag=5"
    )
    assert (card.mac, card.tag, card.bridge) == ("bc:24:11:ce:51:ec", 5, "vmbr0")
    assert str(card.under(mac="02-de-20-00-00-C8", tag=99)) == (
        "virtio=02:DE:20:00:00:C8,bridge=vmbr0,tag=99,firewall=1,link_down=0,mtu=1,queues=4,rate=12.5"
    )
    assert "tag" not in str(card.under(mac=card.mac, bridge="vmbr1"))


@pytest.mark.parametrize(
    "text",
    [
        "virtio,bridge=vmbr0",
        "model=virtio,bridge=vmbr0",
        "bridge=vmbr0,virtio=02:de:20:00:00:c8",
        "macaddr=02:DE:20:00:00:C8,model=e1000",
    ],
)
def test_a_card_is_read_in_every_order_and_spelling(text):
    card = Nic.parse(text)
    assert card.model in ("virtio", "e1000")
    assert Nic.parse(str(card)) == card


@pytest.mark.parametrize(
    "text",
    ["bridge=vmbr0", "virtio=nonsense", "floppy=02:DE:20:00:00:C8", "", "virtio,,tag=1", "virtio,tag=x"],
)
def test_what_is_no_card_says_so(text):
    with pytest.raises(ValueError):
        Nic.parse(text)


@given(
    st.lists(
        st.sampled_from(["firewall=1", "mtu=1", "queues=8", "rate=1.5", "link_down=1", "trunks=1;2-5"]),
        unique=True,
    )
)
def test_every_flag_survives_in_its_order(flags):
    card = Nic.parse(",".join(["virtio=02:DE:20:00:00:C8", *flags]))
    assert str(card.under(mac=card.mac)).split(",")[1:] == flags


def test_properties_change_in_place_and_keep_their_order():
    properties = Properties.parse("local-lvm:vm-1-disk-0,discard=on,size=10G")
    assert (
        str(properties.having(discard=None, size="64G", serial="os"))
        == "local-lvm:vm-1-disk-0,size=64G,serial=os"
    )


@pytest.mark.parametrize("text", ["a=1,a=2", "a=1,b", ",a=1"])
def test_a_list_that_is_none_says_where(text):
    with pytest.raises(ValueError, match="look at"):
        Properties.parse(text)


def test_disks():
    disk = Disk.parse("scsi1", "file=local-lvm:vm-1-disk-1,serial=data-0001,size=65536M")
    assert (disk.storage, disk.size, disk.serial) == ("local-lvm", 64 * GIB, "data-0001")
    assert Disk.parse("ide2", "local-lvm:vm-1-cloudinit,media=cdrom").is_cdrom
    assert Disk.parse("scsi2", "/dev/disk/by-id/x").storage == ""


def test_a_new_disk_has_whole_gib_and_a_serial_that_a_guest_can_see():
    assert new_disk("local-lvm", 64, serial="data-0001") == "local-lvm:64,serial=data-0001"
    with pytest.raises(ValueError, match="no serial of a disk"):
        new_disk("local-lvm", 64, serial="x" * 21)
    with pytest.raises(ValueError):
        new_disk("local-lvm", 0)
    check_serial("x" * 20)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (IpConfig("dhcp"), "ip=dhcp"),
        (IpConfig("192.0.2.9/24", "192.0.2.1", "auto"), "ip=192.0.2.9/24,gw=192.0.2.1,ip6=auto"),
        (IpConfig(ip6="2001:db8::9/64", gateway6="2001:db8::1"), "ip6=2001:db8::9/64,gw6=2001:db8::1"),
    ],
)
def test_addresses_of_cloud_init(config, text):
    assert str(config) == text and IpConfig.parse(text) == config


@pytest.mark.parametrize(
    "config",
    [
        IpConfig("192.0.2.9"),
        IpConfig("dhcp", "192.0.2.1"),
        IpConfig("2001:db8::9/64"),
        IpConfig("", "192.0.2.1"),
    ],
)
def test_addresses_that_cloud_init_would_not_take(config):
    with pytest.raises(ValueError):
        str(config)


@pytest.mark.parametrize("text", ["64G", "65536M", "67108864K", "68719476736", 68719476736, "0.0625T"])
def test_one_size_in_every_unit(text):
    assert disk_bytes(text) == 64 * GIB


@given(st.integers(1, 2**50))
def test_a_size_survives_being_written(size):
    assert disk_bytes(disk_text(size)) == size


def test_sizes_that_are_none():
    for text in ("64GB", "", "-1", "G", "64 G"):
        with pytest.raises(ValueError, match="no size of a disk"):
            disk_bytes(text)
    with pytest.raises(ValueError):
        disk_text(0)
    assert disk_text(1536 * MIB) == "1536M"


def test_memory_is_mib_in_every_spelling():
    assert memory_mib("2048") == memory_mib(2048) == memory_mib("current=2048") == 2048
    with pytest.raises(ValueError):
        memory_mib("2G")
