"""Every format has a section of its own, with the command that makes it."""

from __future__ import annotations

import re

import pytest

from inventory.exports.registry import MODULES, all_exports
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGE = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## ([a-z-]+)\n(.*?)(?=^## |\Z)", PAGE))


def test_the_page_has_the_formats_in_the_order_of_the_list():
    assert re.findall(r"(?m)^\| \[`([a-z-]+)`\]\(#\1\)", PAGE) == list(MODULES)


@pytest.mark.parametrize("export", all_exports(), ids=lambda export: export.name)
def test_a_format_has_a_section_and_a_command(export):
    assert f"manage.py export {export.name} --site" in SECTIONS[export.name]


#: what came after the list was agreed
SINCE = ("known-hosts", "power-scripts")


def test_the_list_is_in_the_agreed_order():
    wanted = "site ansible ansible-tree kea dnsmasq isc-dhcp opnsense vyos bind unbound hosts pxe ssh-config prometheus csv"
    assert " ".join(name for name in MODULES if name not in SINCE) == wanted
