"""``make demo``: two fictional sites in a database that has none."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.exports import all_exports
from inventory.models import Change, Site
from inventory.rules import judge
from inventory.serving import renderings
from tests.document.support import apply

pytestmark = pytest.mark.django_db


def demo() -> str:
    output = io.StringIO()
    call_command("demo", stdout=output)
    return output.getvalue().strip()


def test_it_is_declared_once():
    assert demo() == "Declared the fictional sites lab and mobile."
    assert "has sites already (lab, mobile); the demo is left out" in demo()
    assert Change.objects.count() == 2


def test_a_database_with_sites_is_left_as_it_is():
    apply("mgmtplane: 1\nsite: mine\n")
    assert "(mine); the demo is left out. Give it a DATA_DIR of its own" in demo()
    assert Site.objects.count() == 1


def test_it_is_fit_to_be_shown():
    """Every format renders; the findings are those that are there to be seen."""
    demo()
    for slug in ("lab", "mobile"):
        for one in all_exports():
            assert renderings.document(slug, one.name)[2].files
    errors = {
        slug: [f.id for f in judge(reading.load(slug)) if f.severity == "error"] for slug in ("lab", "mobile")
    }
    assert errors == {"lab": [], "mobile": ["identity-disputed"]}
