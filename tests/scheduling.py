"""Which tests pytest-xdist keeps together. ``conftest.py`` takes the hook from here."""

from __future__ import annotations

import re

import pytest

#: A file of the lab and the first parameter of one of its tests: the server.
OF_ONE_SERVER = re.compile(r"(tests/lab/test_\w+\.py)::\w+\[(\w+)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Run the lab's tests of one server in one process: starting it and asking it takes seconds.

    By name, because pytest-xdist 3.8 loses its ``xdist_group`` marks under pytest 9.2 (it writes them into
    ``Item._nodeid``, which is gone).
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            server = OF_ONE_SERVER.match(nodeid)
            return "@".join(server.groups()) if server else super()._split_scope(nodeid)

    return Scheduling(config, log)
