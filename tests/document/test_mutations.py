"""Whatever a document says, the answer is a plan or sentences with lines; never a traceback, never half of it."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.document.declaring import Refused, declare
from inventory.models import Change
from tests.document.support import apply
from tests.document.test_round_trip import rolled_back
from tests.exports.sites import examples
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1800)]

EXAMPLES = int(os.environ.get("MGMTPLANE_EXAMPLES", "60"))
LINES = (REPOSITORY / "inventory/demo/demo.yml").read_text().splitlines()
WORDS = (
    "null", "{}", "[]", "''", "-1", "4096", "true", "hv01", "pi01", "lab", "all", "x" * 300, "\t", "*a", "&a b",
    "!vault x", "- a", "10.10.99.31", "'02:de:10:03:00:01'", "metrics", "retired", "[[], {}]", "'\\0'", '"\\0"',
    '"\\ud800"', "2026-01-01", "eth0", "1e999",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The demo with a few lines gone, doubled, exchanged, indented otherwise, or with another value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition(":")[0]
        match draw(st.integers(0, 5)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = "  " + lines[at]
            case 4:
                lines[at] = f"{key}: {draw(st.sampled_from(WORDS))}"
            case 5:
                del lines[at : at + draw(st.integers(2, 40))]
    return "\n".join(lines) + "\n"


def test_a_mutated_document_is_planned_or_refused_in_words():
    @examples(EXAMPLES)
    @given(mutated(), st.booleans())
    def answered(text, on_top):
        with rolled_back():
            if on_top:
                apply("\n".join(LINES))
            before = Change.objects.count()
            try:
                declare(text.encode(), "demo.yml", apply=True, judged=False)
            except Refused as refused:
                assert refused.complaints
                assert all(str(one).startswith("demo.yml:") for one in refused.complaints)
                assert "database refused" not in str(refused)
                assert Change.objects.count() == before

    answered()
