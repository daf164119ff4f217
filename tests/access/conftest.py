from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import Client

from inventory import reading
from tests.access.people import KINDS, Kind
from tests.access.two_sites import Furnished, furnish


@pytest.fixture(autouse=True)
def _fresh_snapshots():
    reading.forget()
    yield
    reading.forget()


@pytest.fixture
def ours(db) -> Furnished:
    """The site that the person of the test has to do with."""
    return furnish("ours", 1)


@pytest.fixture
def theirs(db) -> Furnished:
    """Another site, of which the person must not hear."""
    return furnish("theirs", 2)


@dataclass
class Matrix:
    """Two sites, and somebody of every kind who is signed in."""

    ours: Furnished
    theirs: Furnished
    browsers: list[tuple[Kind, Client]]

    def visits(self) -> list[tuple[Kind, Client]]:
        """(kind, their browser), each as if just signed in."""
        return [(kind, _as_new(browser)) for kind, browser in self.browsers]


def _as_new(browser: Client) -> Client:
    new = Client()
    new.cookies = copy(browser.cookies)
    return new


@pytest.fixture(scope="module")
def matrix(django_db_setup, django_db_blocker):
    """Made once for a module: each of its tests runs, and is rolled back, inside this transaction."""
    around = transaction.atomic()
    around._from_testcase = True  # what must be durable in use need not be here
    with django_db_blocker.unblock(), around:
        reading.forget()
        ours, theirs = furnish("ours", 1), furnish("theirs", 2)
        sites = {"ours": ours.site, "theirs": theirs.site}
        yield Matrix(ours, theirs, [(kind, kind.come(sites)) for kind in KINDS])
        transaction.set_rollback(True)
