"""export → declare on an empty database → export: the same bytes, of every format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import given, seed

from inventory import reading
from inventory.exports import get_export
from inventory.serving import renderings
from inventory.snapshot import Snapshot
from tests.document.generated import whole_sites
from tests.document.support import apply, delete, export, exports, lines
from tests.exports.sites import examples
from tests.importers.site_support import PASSWORD, imported
from tests.scale import share
from tests.shared_data import REPOSITORY, require_sample

#: Each is written, exported in every format, deleted and written again: about three seconds.
FEW, MANY, PARTS = 12, share(500), 10

pytestmark = pytest.mark.django_db


def assert_comes_back(slug: str) -> None:
    before = exports(slug)
    assert lines(before["site"]["site.yml"]) == []
    delete(slug)
    apply(before["site"]["site.yml"])
    after = exports(slug)
    assert after["site"]["site.yml"].decode() == before["site"]["site.yml"].decode()
    assert after == before
    assert lines(export(slug)) == []


@pytest.mark.parametrize("password", [PASSWORD, None], ids=["opened", "sealed"])
def test_the_sample_comes_back(password):
    imported(require_sample(), password=password)
    assert_comes_back("dvntm")


def test_the_demo_comes_back():
    apply((REPOSITORY / "inventory/demo/demo.yml").read_bytes())
    assert_comes_back("lab")
    assert_comes_back("mobile")


@pytest.mark.timeout(600)
def test_generated_sites_come_back():
    come_back(FEW, 0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_500_generated_sites_come_back(part):
    come_back(MANY // PARTS, part)


def come_back(number: int, part: int) -> None:
    @seed(part)
    @examples(number)
    @given(whole_sites())
    def comes_back(site: Snapshot) -> None:
        with rolled_back():
            apply(get_export("site").render(site, None).files["site.yml"])
            assert_same_facts(reading.load("lab"), site)
            assert_comes_back("lab")

    comes_back()


def assert_same_facts(stored: Snapshot, site: Snapshot) -> None:
    """The rows say what the document said, and nothing else."""
    for field in (
        "segments",
        "hosts",
        "groups",
        "profiles",
        "roles",
        "overrides",
        "schedules",
        "projects",
        "templates",
        "kit_places",
        "authorities",
        "aliases",
        "sealed",
    ):
        for one, other in zip(getattr(stored, field), getattr(site, field), strict=True):
            assert one == other, field
    assert replace(stored.site, uid="", live_copy="") == site.site
    waiting = {one for one in site.identities if one.state != "held"}
    assert set(stored.identities) == waiting


@contextmanager
def rolled_back() -> Iterator[None]:
    """One database for many examples."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    reading.forget()
    renderings.forget()
