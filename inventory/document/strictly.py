"""What people may not say though a living site may: the rows' own validators, asked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.changes import SiteChange
from inventory.document.places import path_of_row
from inventory.document.text import Read
from inventory.document.work import Work
from inventory.door import opened
from inventory.models import Site
from inventory.verdicts import Verdict, verdicts


def judge_rows(work: Work, document: Read, site: Site) -> None:
    """Complain in *document* of every row that *work* would write and that refuses it.

    As if the change were open: who holds a value was judged over the whole site. Not twice of one place.
    """
    wrong = set(getattr(document, "wrong", ()))
    with opened(SiteChange([site], None, "", "admin")):
        for row, column, sentence in _verdicts(work):
            path = path_of_row(row, column)
            if path not in wrong:
                document.complain(path, sentence)


def _verdicts(work: Work) -> Iterator[Verdict]:
    for model in {*work.created, *work.changed}:
        rows = [*work.created.get(model, []), *(row for row, _ in work.changed.get(model, []))]
        yield from verdicts(rows, ask_constraints=False)
