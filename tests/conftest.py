"""For every test: the database as in ``tests/settings.py``, tools as in ``tests/components.py``."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

from inventory import reading
from inventory.serving import consumers, database, mirror, renderings
from tests import scale, second_try
from tests.hosts.fixtures import ssh_hosts as ssh_hosts
from tests.scheduling import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

# A busy machine is no fault: nothing that is timed fails a test.
examples.register_profile(
    "patient", examples.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
examples.load_profile("patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    scale.leave_out(config, items)
    second_try.mark(items)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a process remembers of a database is wrong once the database is rolled back."""
    reading.forget()
    renderings.forget()
    consumers.forget()
    mirror.forget()
    database.forget()
    yield
