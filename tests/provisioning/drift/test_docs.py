"""docs/drift.md has every kind and every state, and its words about states are the application's own."""

from __future__ import annotations

import re

import pytest

from provisioning import kinds
from provisioning.surveying.kinds_of_drift import KINDS, STANDINGS
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs

PAGE = (REPOSITORY / "docs" / "drift.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """First cell of each row of the table below *heading*, without quotes → the others."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


def test_every_kind_of_drift_is_told_in_the_order_of_the_code():
    assert list(table("Every kind, and the way out")) == list(KINDS)


#: surveying is always the last resort; adopting is offered once there is such a kind
UNSAID = {"survey", "adopt_vm"}


def test_the_jobs_that_are_offered_are_those_that_the_page_names():
    for name, (_, way_out) in table("Every kind, and the way out").items():
        offered = {job for job, _ in KINDS[name].jobs if kinds.find(job)} - UNSAID
        said = {word for word in re.findall(r"`(\w+)`", way_out) if kinds.find(word)}
        assert offered == said - UNSAID, name


def test_states_are_told_in_the_words_of_the_pages():
    assert {state: meaning for state, (meaning, *_) in table("How it stands").items()} == STANDINGS


def test_every_job_that_is_offered_takes_its_parameters():
    for kind in KINDS.values():
        for name, parameters in kind.jobs:
            job = kinds.find(name)
            if job is not None:
                assert {"host", *parameters} <= set(job.Parameters.base_fields), (kind.name, name)
