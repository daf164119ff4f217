"""What Ansible resolves from a tree it resolves from the site that was imported from it."""

from __future__ import annotations

import pytest

from tests.importers.site_support import PASSWORD, assert_equal
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db(transaction=False)


def test_the_sample(tmp_path):
    snapshot = assert_equal(require_sample(), tmp_path, password=PASSWORD)
    assert len(snapshot.hosts) == 16
    assert len(snapshot.segments) == 12
