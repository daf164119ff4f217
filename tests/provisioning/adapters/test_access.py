"""From a declared hypervisor to the way into it."""

from __future__ import annotations

import pytest

from inventory.snapshot import HostFacts, HypervisorFacts, InterfaceFacts
from provisioning.adapters.base import Refused
from provisioning.adapters.proxmox import access_for

SECRET = "8a0e9b9c-0000-4000-8000-00000000000a"
TOKEN = "mgmtplane@pve!write"


def a_host(address: str | None = "192.0.2.21", ipv6: tuple[str, ...] = (), **declared: str) -> HostFacts:
    card = InterfaceFacts("hv01", "vmbr0", ipv4=address, ipv6=ipv6, addressing="static")
    return HostFacts(
        "hv01", form="hv", proxmox=HypervisorFacts(**{"token_id": TOKEN, **declared}), interfaces=(card,)
    )


def test_what_is_declared_is_used():
    declared = {"api_url": "https://hv.example.net:8443", "node": "pve1", "ca_file": "/etc/ca.pem"}
    access = access_for(a_host(**declared), SECRET)
    assert (access.url, access.node, access.ca_file, access.port) == (*declared.values(), 8443)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (a_host(), "https://192.0.2.21:8006"),
        (a_host(None, ("2001:db8::21",)), "https://[2001:db8::21]:8006"),
    ],
)
def test_without_an_address_it_is_the_hosts_own(host, url):
    access = access_for(host, SECRET)
    assert (access.url, access.node) == (url, "hv01")


def test_what_is_missing_is_named():
    with pytest.raises(Refused, match="no hypervisor"):
        access_for(HostFacts("pi01"), SECRET)
    with pytest.raises(Refused, match="neither an API address"):
        access_for(a_host(None), SECRET)
    with pytest.raises(Refused, match="no API token id"):
        access_for(a_host(token_id=""), SECRET)


def test_the_secret_is_not_shown():
    assert SECRET not in repr(access_for(a_host(), SECRET))
