"""``make demo``: two fictional sites in a database that has none."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.automating import prompts
from inventory.exports import all_exports, get_export
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


def test_its_playbooks_can_be_run_at_once(tmp_path):
    """By ansible itself, against what the demo exports, with nobody to connect to."""
    demo()
    snapshot = reading.load("lab")
    project = snapshot.project_by_name["demo-playbooks"]
    exported = tmp_path / "exported.json"
    exported.write_bytes(get_export("ansible").render(snapshot, None).files["inventory.json"])
    inventory = tmp_path / "inventory"
    inventory.write_text(f"#!/bin/sh\ncat {exported}\n")
    inventory.chmod(0o700)
    for template in snapshot.templates:
        if template.project != project.name:
            continue
        given = dict(template.extra_vars) | prompts.answers(template.prompts, {})[0]
        done = subprocess.run(
            [
                sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), "--limit", "metrics-vm01", "-e",
                json.dumps(given), str(Path(project.location) / template.playbook),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "metrics-vm01" in done.stdout and "skipping: no hosts matched" not in done.stdout
