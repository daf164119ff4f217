"""The whole of each format on one small site, as a reviewer reads it.

A changed rendering is a changed file here: run with ``MGMTPLANE_GOLDEN=write`` and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.exports.registry import MODULES
from inventory.serving import checkers
from inventory.serving.output import MANIFEST, write_directory
from tests.components import require
from tests.exports.client_site import CLIENTS
from tests.exports.example_site import SITE

GOLDEN = Path(__file__).parent / "golden"
#: what is made for Ansible has tests of its own
FORMATS = tuple(name for name in MODULES if name not in ("site", "ansible", "ansible-tree"))
#: what people and machines read besides DHCP and DNS is shown on a site that declares more
SITES = dict.fromkeys(("hosts", "pxe", "ssh-config", "prometheus", "csv"), CLIENTS)


@pytest.mark.parametrize("format", FORMATS)
def test_the_example_site_is_rendered_as_it_was_reviewed(format):
    directory = GOLDEN / format
    rendered = get_export(format).render(SITES.get(format, SITE), None).files
    if os.environ.get("MGMTPLANE_GOLDEN") == "write":
        directory.mkdir(parents=True, exist_ok=True)
        for old in filter(Path.is_file, directory.rglob("*")):
            old.unlink()
        write_directory(directory, rendered)
        (directory / MANIFEST).unlink()
    files = filter(Path.is_file, directory.rglob("*"))
    assert {str(path.relative_to(directory)): path.read_bytes() for path in files} == rendered


@pytest.mark.parametrize("format", checkers.CHECKERS)
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
