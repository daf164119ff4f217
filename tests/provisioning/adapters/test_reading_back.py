"""Success that is none: what the node says was done and was not is seen by reading back."""

from __future__ import annotations

import pytest

from provisioning.adapters.base import TaskFailed
from provisioning.machines.comparing import addresses_of, compare
from tests.provisioning.adapters.test_every_call import MAC, a_spec, make


@pytest.mark.parametrize(
    ("key", "field", "grave"),
    [
        ("net0", "net0 MAC", True),
        ("onboot", "onboot", False),
        ("memory", "memory", False),
        ("sshkeys", "sshkeys", False),
    ],
)
def test_a_setting_that_was_silently_dropped(each_version, key, field, grave):
    each_version.fault("drop", "PUT", "/config", keys=[key])
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    (first, *_) = compare(spec, proxmox.config(200))
    assert (first.field, first.grave) == (field, grave)


def test_a_disk_that_did_not_grow(each_version):
    each_version.fault("ignore", "PUT", "/resize")
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    assert [str(each) for each in compare(spec, proxmox.config(200))] == ["scsi0 size is 10G instead of 64G"]


def test_a_data_disk_that_was_not_made(each_version):
    each_version.fault("ignore", "POST", "/config")
    proxmox, spec = each_version.proxmox(), a_spec()
    make(proxmox, spec)
    assert [each.field for each in compare(spec, proxmox.config(200))] == ["data disk data-0001"]


def test_an_image_that_was_not_made_again(each_version):
    each_version.fault("ignore", "PUT", "/cloudinit")
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    assert "sshkeys" in proxmox.cloudinit_pending(200)


def test_leftovers_of_a_clone_carry_its_lock(each_version):
    each_version.fault(
        "task", "POST", "/clone", exitstatus="unable to create image", effect=False, leftovers=True
    )
    proxmox = each_version.proxmox()
    with pytest.raises(TaskFailed, match="unable to create image"):
        make(proxmox, a_spec())
    assert proxmox.config(200).lock == "clone" and not proxmox.is_free(200)


@pytest.mark.parametrize(
    ("agent", "addresses"),
    [
        ({"absent": True}, None),
        ({"delay": 600}, None),
        ({"addresses": ["fe80::1"]}, ()),
        ({"addresses": ["192.0.2.150"]}, ("192.0.2.150",)),
        (
            {
                "extra": [
                    {
                        "name": "docker0",
                        "hardware-address": "02:42:AC:11:00:02",
                        "ip-addresses": [{"ip-address": "172.17.0.1"}],
                    }
                ]
            },
            ("192.0.2.10",),
        ),
        ({"extra": [{"name": "sit0", "hardware-address": "00:00:00:00:00:00"}]}, ("192.0.2.10",)),
    ],
)
def test_what_the_agent_says(each_version, agent, addresses):
    proxmox = each_version.proxmox()
    make(proxmox, a_spec())
    each_version.change(guests={200: {"agent": agent}})
    proxmox.wait(proxmox.start(200))
    said = proxmox.interfaces(200)
    assert (said and addresses_of(said, MAC)) == addresses


def test_an_address_by_dhcp_is_that_of_the_lease(each_version):
    from provisioning.machines.properties import IpConfig

    proxmox = each_version.proxmox()
    make(proxmox, a_spec(ipconfig=IpConfig("dhcp")))
    each_version.change(leases={MAC: "192.0.2.77"})
    proxmox.wait(proxmox.start(200))
    assert addresses_of(proxmox.interfaces(200), MAC) == ("192.0.2.77",)
