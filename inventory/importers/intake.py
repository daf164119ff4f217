"""An Ansible tree on disk, read and translated for one site: what the command and the browser share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory import document
from inventory.importers import ansible_tree
from inventory.importers.sealing import Sealer
from inventory.importers.tree import Problem, read_tree
from inventory.reading import UnknownSite, load
from inventory.snapshot import Snapshot


@dataclass
class Intake:
    """A tree as the draft of a site, or why there is none. ``problems`` are errors and warnings by file and line."""

    slug: str
    problems: list[Problem]
    draft: document.SiteDraft | None = None
    #: the revision of the site that the draft was made for; 0 for a new site
    made_from: int = 0
    translated: Callable[[Snapshot | None], document.SiteDraft] | None = None

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def plan(self) -> document.Plan:
        """What storing it would do. Raises ValidationError."""
        assert self.draft is not None  # noqa: S101 - the caller looked at the errors
        return document.plan(self.draft)

    def apply(self, *, by: Any, why: str) -> document.Plan:
        """Store it, in one change; translated again where the site moved on meanwhile. Raises ValidationError."""
        assert self.draft is not None  # noqa: S101 - the caller looked at the errors
        return document.apply(
            self.draft, by=by, why=why, source="import", made_from=self.made_from, again=self.translated
        )


def take(
    path: Path,
    slug: str,
    *,
    password: bytes | None = None,
    mapping: Mapping[str, str] | None = None,
    max_file_bytes: int,
) -> Intake:
    """Read the tree at *path* for site *slug*; nothing of it is run and nothing is written.

    *mapping* overrides which variable means which noun; without one the site's own holds. Raises
    ``nouns.UnknownNoun`` for a mapping that names what is not in the table.
    """
    tree = read_tree(path, vault_password=password, max_file_bytes=max_file_bytes)
    if tree.errors:
        return Intake(slug, list(tree.problems))
    try:
        stored = load(slug)
    except UnknownSite:
        stored = None
    if mapping is None and stored is not None and stored.site.mapping:
        mapping = dict(stored.site.mapping)

    def translated(site: Snapshot | None) -> ansible_tree.Translation:
        return ansible_tree.translate(tree, slug, mapping=mapping, sealer=Sealer(password, site), stored=site)

    found = translated(stored)
    intake = Intake(slug, list(found.problems), made_from=stored.revision if stored else 0)
    if not intake.errors:
        intake.draft = found.draft
        intake.translated = lambda site: translated(site).draft
    return intake
