"""``docs/proxmox.md`` names every privilege that is asked for, and gives exactly the minimal set."""

from __future__ import annotations

import re

import pytest

from provisioning.adapters.proxmox import privileges
from provisioning.machines.facts import Version
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGE = (REPOSITORY / "docs" / "proxmox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["8.4", "9.1"])
def test_the_commands_give_what_is_needed_and_nothing_else(version):
    marked = re.search(rf'{version[0]}# pveum role add MgmtplaneMachines --privs "([^"]+)"', PAGE)[1]
    given = set(marked.replace("\\\n", " ").split())
    assert given == {need.privilege for need in privileges.for_machine(Version(version), "/vms")}
    others = {
        name
        for text in re.findall(r'^# pveum role add \S+ --privs "([^"]+)"', PAGE, re.M)
        for name in text.split()
    }
    needs = privileges.for_machine(Version(version), "/vms", storages=["local"], bridge="vmbr0")
    assert others | given == {need.privilege for need in needs}


def test_every_privilege_has_its_consequence():
    for privilege in privileges._WHY:
        assert f"`{privilege}`" in PAGE, privilege
