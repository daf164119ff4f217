"""Every page opens for a site that came from an Ansible tree: no page needs what only the demo has."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory.models import Site
from tests.admin.every_page import World, every_page
from tests.bench.tree import write_tree

pytestmark = pytest.mark.django_db


def test_every_page_of_an_imported_site_opens(browser, tmp_path):
    write_tree(tmp_path, 60)
    call_command("import_ansible", str(tmp_path), "--site", "bench", "--apply", verbosity=0)
    world = World.around(Site.objects.get(slug="bench"))
    answers = {name: browser.get(address).status_code for name, address in every_page(world)}
    assert {name: code for name, code in answers.items() if code not in (200, 302)} == {}
