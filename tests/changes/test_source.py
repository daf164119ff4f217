"""The source writes declared rows through the door alone."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from inventory.models import (
    Declared,
)
from tests.changes.declared import DECLARED
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.django_db


RAW = {"update", "bulk_create", "bulk_update", "delete", "_raw_delete", "update_or_create", "get_or_create"}
#: Where rows that nobody declares are written, or where the door itself is.
MAY = {
    "inventory/changes.py": "the door",
    "inventory/querysets.py": "the guard",
    "inventory/copying/copies.py": "which copy this is, and which others were met",
    "inventory/copying/promoting.py": "the epoch, before the door opens",
    "provisioning/backups/restoring.py": "which copy this is, once an archive is put back",
    "inventory/ledger.py": "identities, kept inside the door",
    "inventory/models/base.py": "the rows' own save and delete",
    "inventory/serving/publication.py": "zone serials, which are not declared",
    "inventory/serving/renderings.py": "the index of renderings",
    "inventory/serving/consumers.py": "who took what",
    "inventory/api/auth.py": "use of a token",
    "inventory/management/commands/token.py": "tokens",
    "inventory/level_groups.py": "Django's user groups",
    "inventory/granting.py": "levels of people",
    "inventory/api/v1/remembering.py": "answers that are remembered for a day",
}


def _raw_writes(path: Path) -> list[str]:
    """`<something>.objects….update(` and its like: calls on what may be a queryset, but of what happens."""
    found, tree = [], ast.parse(path.read_text(encoding="utf-8"))
    happening = tuple(f"{name}.objects" for name in _from_provisioning(tree))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called_on = ast.unparse(node.func.value)
        if node.func.attr in RAW and "objects" in called_on and not called_on.startswith(happening):
            found.append(f"{path}:{node.lineno}: {ast.unparse(node.func)}")
    return found


def _from_provisioning(tree: ast.AST) -> set[str]:
    """Names of models that are not declared: jobs, workers, surveys."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "provisioning.models"
        for alias in node.names
    }


def test_the_source_writes_declared_rows_through_the_door_alone() -> None:
    root = REPOSITORY
    found = [
        line
        for folder in ("inventory", "provisioning", "mgmtplane")
        for path in sorted((root / folder).rglob("*.py"))
        if "migrations" not in path.parts and str(path.relative_to(root)) not in MAY
        for line in _raw_writes(path)
    ]
    assert found == [], "write through change(): see docs/architecture.md"


def test_the_search_for_raw_writes_finds_them(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text(
        "Host.objects.filter(a=1).update(b=2)\n{}.update(a=1)\nfor x in Host.objects.all(): pass\n"
        "from provisioning.models import Survey as Row\nRow.objects.all().delete()\n"
    )
    assert _raw_writes(source) == [f"{source}:1: Host.objects.filter(a=1).update"]


def test_every_declared_noun_is_tried_here() -> None:
    """A noun that is added is added to DECLARED, and so to the tests of the guard."""
    concrete = {model for model in _below(Declared) if not model._meta.abstract and not model._meta.proxy}
    assert concrete == set(DECLARED)


def _below(model: Any) -> set[Any]:
    return {found for child in model.__subclasses__() for found in {child, *_below(child)}}
