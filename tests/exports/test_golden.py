"""The whole of each format on one small site, as a reviewer reads it.

A changed rendering is a changed file here: run with ``MGMTPLANE_GOLDEN=write`` and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.serving import checkers
from tests.components import require
from tests.exports.example_site import SITE

GOLDEN = Path(__file__).parent / "golden"
FORMATS = tuple(checkers.CHECKERS)


@pytest.mark.parametrize("format", FORMATS)
def test_the_example_site_is_rendered_as_it_was_reviewed(format):
    directory = GOLDEN / format
    rendered = get_export(format).render(SITE, None).files
    if os.environ.get("MGMTPLANE_GOLDEN") == "write":
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        for name, content in rendered.items():
            (directory / name).write_bytes(content)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == rendered


@pytest.mark.parametrize("format", FORMATS)
def test_the_servers_own_checker_accepts_the_example_site(format):
    checker = checkers.CHECKERS[format]
    require(*checker.programs, package=checker.packages[0])
    result = checkers.check(format, GOLDEN / format)
    assert result.status == "good", result.words


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_names_no_revision_and_no_time(format):
    from dataclasses import replace

    later = replace(SITE, revision=SITE.revision + 1)
    assert get_export(format).render(later, None) == get_export(format).render(SITE, None)
