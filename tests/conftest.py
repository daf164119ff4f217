"""For every test: the database as in ``tests/settings.py``, tools as in ``tests/components.py``."""

from collections.abc import Iterator

import pytest

from inventory import reading
from inventory.serving import consumers, renderings
from tests.scheduling import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a process remembers of a database is wrong once the database is rolled back."""
    reading.forget()
    renderings.forget()
    consumers.forget()
    yield
