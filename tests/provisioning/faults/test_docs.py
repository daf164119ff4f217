"""The page for operators is the table."""

from __future__ import annotations

from tests.provisioning.faults.documentation import document
from tests.provisioning.faults.occasions import OCCASIONS
from tests.provisioning.faults.table import INTERRUPTIONS, KINDS, WIRE
from tests.shared_data import REPOSITORY


def test_the_page_of_faults_is_made_of_the_table():
    assert (REPOSITORY / "docs" / "faults.md").read_text() == document(), "make docs"


def test_there_are_many_faults_and_each_has_its_own_name():
    names = [row.name for row in (*WIRE, *INTERRUPTIONS, *OCCASIONS)]
    assert len(names) == len(set(names)) >= 40
    assert {row.kind for row in OCCASIONS} <= {kind.title for kind in KINDS}
