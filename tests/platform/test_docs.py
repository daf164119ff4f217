"""Documentation that can be checked is."""

import re

import pytest

from mgmtplane import environment
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGES = sorted([REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *(REPOSITORY / "docs").rglob("*.md")])


def test_the_table_of_settings_is_up_to_date():
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == environment.with_table(page), "run `make docs`"
    for setting in environment.SETTINGS:
        assert f"| `{setting.name}`" in page


def test_every_setting_that_is_read_is_in_the_table():
    source = (REPOSITORY / "mgmtplane" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'_given\["(\w+)"\]', source))
    assert read == {setting.name for setting in environment.SETTINGS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which does not exist"


def test_every_make_target_that_is_named_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.name} names `make {target}`, which does not exist"


def test_no_page_names_a_path_of_somebodys_machine():
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(root|work|home/\w+|Users)/", page.read_text(encoding="utf-8")), (
            page.name
        )
