"""A site that was restored from its document hands out what the lost machine would have handed out."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory import quarantine
from inventory.allocation import Handout, Wanted, allocate
from inventory.changes import change
from inventory.models import Host, Identity, Site
from tests.allocation.conftest import ask, retire

pytestmark = pytest.mark.django_db

NEXT = [
    Wanted(role="dns", form="vm", vmid=True, mac=True, address=True, family="both", segment="management"),
    Wanted(role="dhcp", form="vm", vmid=True, mac=True, group="0a", address=True, segment="management"),
    Wanted(host="dns-vm02", mac=True, interface="eth1"),
]


def what_comes_next(encoding: str) -> list[Handout]:
    """A second assigned MAC of one machine exists in the encoding role alone."""
    wanted = NEXT if encoding == "role" else NEXT[:2]
    return [allocate("lab", one, by="test", dry_run=True) for one in wanted]


@pytest.mark.parametrize("encoding", ["role", "vmid"])
def test_export_and_declare_change_nothing_of_what_comes_next(site, encoding, tmp_path):
    with change(site, by="test"):
        site.mac_encoding = encoding
        site.save()
    all_of_it = {"vmid": True, "mac": True, "address": True, "segment": "management"}
    names = [ask(site, role="dns", form="vm", **all_of_it).host for _ in range(4)]
    retire(Host.objects.get(name=names[0]))
    with change(site, by="test"):
        Host.objects.get(name=names[2]).delete()
    gone = Identity.objects.filter(state="quarantined", kind="ip", host_name=names[2])
    quarantine.free(list(gone), by="test", why="truly gone", source="test")
    before = what_comes_next(encoding)
    document = tmp_path / "site.yml"
    call_command("export", "site", site="lab", output=str(document))
    with change(site, by="test"):
        site.delete()
    assert not Site.objects.exists()
    call_command("declare", str(document), "--apply")
    assert what_comes_next(encoding) == before
