"""Translates an Ansible tree into a SiteDraft.

Which variable means which noun is the table of ``inventory.ansible.nouns``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.document import SiteDraft
from inventory.importers.ansible_tree.groups import translate_groups
from inventory.importers.ansible_tree.hosts import translate_hosts
from inventory.importers.ansible_tree.site import translate_site
from inventory.importers.ansible_tree.work import Work
from inventory.importers.sealing import Sealer
from inventory.importers.tree import Problem, Tree
from inventory.snapshot import Snapshot

__all__ = ["Translation", "translate"]


@dataclass
class Translation:
    """The draft of a site, and everything that is wrong with it, by file and line."""

    draft: SiteDraft
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def translate(
    tree: Tree, slug: str, *, mapping: Mapping[str, str] | None, sealer: Sealer, stored: Snapshot | None
) -> Translation:
    """Return the draft of site *slug* that *tree* describes; *stored* is the site as it is, None for a new one.

    Raises ``nouns.UnknownNoun`` for a mapping that names what is not in the table.
    """
    work = Work.on(tree, slug, mapping or {}, sealer, stored)
    if mapping is not None:
        work.draft.site["mapping"] = dict(mapping)
    taken = translate_site(work)
    translate_groups(work, taken)
    translate_hosts(work)
    work.draft.site["written"] = work.written
    return Translation(work.draft, [*tree.problems, *work.problems])
