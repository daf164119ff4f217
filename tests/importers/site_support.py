"""Imports trees into sites, and renders them back."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from inventory import reading
from inventory.exports import ansible, ansible_tree
from inventory.snapshot import Snapshot
from tests import ansible_reference as reference

PASSWORD = "example"


@dataclass
class Outcome:
    """What ``import_ansible`` printed, and its last word where it refused."""

    output: str
    errors: str
    refusal: str = ""

    @property
    def everything(self) -> str:
        return self.output + self.errors + self.refusal


def run_import(
    tree: Path, *, site: str = "dvntm", apply: bool = True, password: str | None = None, **options: Any
) -> Outcome:
    """``manage.py import_ansible``; never raises for what it refuses."""
    output, errors = io.StringIO(), io.StringIO()
    if password is not None:
        options["vault_password_file"] = password_file(password)
    try:
        call_command(
            "import_ansible", str(tree), site=site, apply=apply, stdout=output, stderr=errors, **options
        )
    except CommandError as error:
        return Outcome(output.getvalue(), errors.getvalue(), str(error))
    return Outcome(output.getvalue(), errors.getvalue())


def password_file(password: str) -> str:
    path = Path(os.environ["DATA_DIR"]) / f"vault-{password}"
    path.write_text(password + "\n")
    return str(path)


def imported(tree: Path, **options: Any) -> Snapshot:
    """The site after importing *tree*, which must succeed."""
    outcome = run_import(tree, **options)
    assert not outcome.refusal, outcome.everything
    return reading.load(options.get("site", "dvntm"))


def rendered(snapshot: Snapshot, directory: Path) -> tuple[Path, Path]:
    """The site as an inventory script and as a directory, both below *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    script = reference.as_script(ansible.render(snapshot).files["inventory.json"], directory / "inventory.sh")
    tree = reference.written(dict(ansible_tree.render(snapshot).files), directory / "tree")
    return script, tree / "hosts.yml"


def assert_equal(
    tree: Path,
    tmp_path: Path,
    *,
    hosts: str = "hosts.yml",
    password: str | None = None,
    ordered: bool = True,
    **options: Any,
) -> Snapshot:
    """Import the tree at *tree*; both exports must resolve as it does: hosts, groups, group variables.

    *ordered*: top-level names too; Ansible's order cannot be kept where inline variables and files meet.
    """
    snapshot = imported(tree / hosts, password=password, **options)
    script, plain = rendered(snapshot, tmp_path / "rendered")
    theirs = reference.listing(tree / hosts, password=password)
    exported = reference.listing(tree / hosts, password=password, export=True)
    for source in (script, plain):
        ours = reference.listing(source, password=password)
        wrong = reference.differences(theirs, ours, password, ordered=ordered)
        assert not wrong, f"{source.name}:\n" + "\n".join(wrong[:20])
        mine = reference.group_variables_of(reference.listing(source, password=password, export=True))
        wrong = [
            line
            for group, variables in reference.group_variables_of(exported).items()
            for line in reference.values_differ(
                variables, mine.pop(group, {}), group, password, ordered=ordered
            )
        ]
        wrong += [f"too many: {mine}"] if mine else []
        assert not wrong, f"{source.name}, groups:\n" + "\n".join(wrong[:20])
    return snapshot
