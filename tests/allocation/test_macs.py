"""Assigned MACs: what they name, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import macs
from inventory.identity import is_locally_administered, mac_problem
from inventory.snapshot import RoleFacts, SiteFacts, Snapshot

ROLES = (RoleFacts("dhcp", "02"), RoleFacts("dns", "01"), RoleFacts("metrics", "03"), RoleFacts("new"))


def lab(encoding: str = "role", environment: str = "10") -> Snapshot:
    facts = SiteFacts("lab", "example.net", organisation="de", environment=environment, mac_encoding=encoding)
    return Snapshot(facts, roles=ROLES)


@pytest.mark.parametrize(
    ("role", "mac"),
    [("dns", "02:de:10:01:00:01"), ("dhcp", "02:de:10:02:00:01"), ("metrics", "02:de:10:03:00:01")],
)
def test_the_known_macs_of_the_role_encoding_both_ways(role, mac):
    facts = next(facts for facts in ROLES if facts.slug == role)
    assert macs.role_mac(lab().site, facts, "00", 1) == mac
    meaning = macs.read_mac(lab(), mac)
    assert (meaning.site, meaning.role, meaning.group, meaning.instance) == ("lab", role, "00", "01")


def test_the_known_mac_of_the_vmid_encoding_both_ways():
    snapshot = lab("vmid", "20")
    assert macs.vmid_mac(snapshot.site, 200) == "02:de:20:00:00:c8"
    meaning = macs.read_mac(snapshot, "02-DE-20-00-00-C8")
    assert (meaning.encoding, meaning.site, meaning.vmid, meaning.mac) == (
        "vmid",
        "lab",
        200,
        "02:de:20:00:00:c8",
    )


@given(vmid=st.integers(1, macs.LAST_VMID))
def test_every_vmid_comes_back(vmid):
    snapshot = lab("vmid")
    mac = macs.vmid_mac(snapshot.site, vmid)
    assert macs.read_mac(snapshot, mac).vmid == vmid
    assert is_locally_administered(mac)
    assert not mac_problem(mac)


@given(role=st.sampled_from(ROLES[:3]), group=st.integers(0, 255), instance=st.integers(1, 255))
def test_every_role_group_and_instance_comes_back(role, group, instance):
    snapshot = lab()
    meaning = macs.read_mac(snapshot, macs.role_mac(snapshot.site, role, f"{group:02x}", instance))
    assert (meaning.role, meaning.group, meaning.instance) == (role.slug, f"{group:02x}", f"{instance:02x}")


def test_the_octets_of_a_site_are_text():
    """Environment 20 is the octet 0x20, and not twenty."""
    assert macs.vmid_mac(lab("vmid", "20").site, 1).startswith("02:de:20:")


@pytest.mark.parametrize("vmid", [0, 0x1000000, 999_999_999])
def test_a_vmid_beyond_three_octets_is_refused(vmid):
    with pytest.raises(macs.NoMac, match=f"VMID {vmid} does not fit into three octets; .* ends at 16777215"):
        macs.vmid_mac(lab("vmid").site, vmid)


def test_a_role_without_a_code_is_refused():
    with pytest.raises(
        macs.NoMac, match="Role new has no RR code; give it two hex digits in the registry of roles"
    ):
        macs.role_mac(lab().site, ROLES[3], "00", 1)


def test_a_site_without_octets_is_refused():
    with pytest.raises(macs.NoMac, match="Site lab declares no organisation and no environment octet"):
        macs.vmid_mac(SiteFacts("lab", ""), 200)
    with pytest.raises(macs.NoMac, match="Site lab declares no environment octet"):
        macs.vmid_mac(SiteFacts("lab", "", organisation="de"), 200)


@pytest.mark.parametrize(
    ("group", "instance", "said"),
    [("0", 1, "“0” is no group"), ("00", 0, "Instance 0 is none"), ("00", 256, "1 to 255")],
)
def test_a_group_or_instance_that_does_not_fit_is_refused(group, instance, said):
    with pytest.raises(macs.NoMac, match=said):
        macs.role_mac(lab().site, ROLES[0], group, instance)


@pytest.mark.parametrize("mac", ["bc:24:11:ce:51:ec", "02:de:11:01:00:01", "02:de:10:01:00:00", "nonsense"])
def test_another_mac_names_nothing_here(mac):
    assert macs.read_mac(lab(), mac) is None


def test_a_code_that_no_role_has_is_read_as_a_code():
    meaning = macs.read_mac(lab(), "02:de:10:7f:02:0a")
    assert (meaning.role, meaning.code) == ("", "7f")
    assert str(meaning) == "site lab, role code 7f, which no role has, group 02, instance 0a"


@pytest.mark.parametrize(
    ("mac", "said"),
    [
        ("02de.1001.0001", "02:de:10:01:00:01: site lab, role dns (code 01), group 00, instance 01"),
        (
            "bc:24:11:ce:51:ec",
            "bc:24:11:ce:51:ec: a vendor's address (prefix bc:24:11), observed and not assigned here",
        ),
        ("0a:00:00:00:00:01", "locally administered, and not of site lab in encoding role"),
        ("01:00:5e:00:00:01", "01:00:5e:00:00:01 is a multicast address"),
    ],
)
def test_any_mac_is_described_in_a_sentence(mac, said):
    assert said in macs.describe(lab(), mac)
