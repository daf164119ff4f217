"""Ten thousand hosts in a real browser: every page opens, nothing is at fault, nothing is too wide."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.models import Site
from tests.admin.every_page import World, every_page
from tests.bench.tree import write_tree
from tests.browser.test_every_page import looked_at
from tests.scale import share

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.whole,
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(3600),
]


def test_no_page_is_at_fault_at_ten_thousand_hosts(visit, administrator, tmp_path):
    hosts = share(10_000)
    write_tree(tmp_path, hosts)
    reading.forget()
    call_command("import_ansible", str(tmp_path), "--site", "bench", "--apply", verbosity=0)
    world = World.around(Site.objects.get(slug="bench"))
    visitor = visit()
    visitor.page.set_default_timeout(60_000)
    visitor.sign_in("ada")
    problems = looked_at(visitor, every_page(world), "large-light-1280")
    reading.forget()
    assert not problems, "\n".join(problems)
