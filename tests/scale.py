"""How much runs: all of it where a person asks, a share in CI, which runs for every change and may take an hour at most on a
slow machine.

The slow lane is sampled to a tenth there, and to two sets of parameters of each test; of what waits for servers, workers and
browsers every so manyth test runs, and at least one of each file. It is always the same part. On the second database only
those tests run that reach one, with a few sets of parameters.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from zlib import crc32

import pytest

#: Set by ``.ci/run``.
SAMPLED = os.environ.get("MGMTPLANE_SLOW_SAMPLE") == "1"


def share(full: int) -> int:
    """*full* repetitions, or a tenth of them; never none."""
    return max(1, full // 10) if SAMPLED else full


#: Set by ``.ci/run`` for PostgreSQL: what reaches no database says there what it said on SQLite.
DATABASE_ONLY = os.environ.get("MGMTPLANE_TEST_DATABASE_ONLY") == "1"
#: A fixture that one of these stands behind reaches the database.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
#: Of a test with more sets of parameters, so many run there and in the sample, drawn over all of them: sets differ in what
#: they give, and hardly ever in what they ask of the database.
FEW_SETS = 2

#: Set by ``.ci/run``, 1 for :data:`SHARES` as they stand; 2 takes half of them, and half of everything else. 0 takes all.
DIVISOR = int(os.environ.get("MGMTPLANE_TEST_SHARE") or 0)
#: What costs seconds each, and of how many tests one runs; the first line that fits. Everything else runs whole.
SHARES = [
    (re.compile(r"tests/browser/"), 4),
    (re.compile(r"tests/provisioning/faults/"), 2),
    (re.compile(r"tests/(clients|hosts|lab|platform|provisioning|recovery|roles|serving)/"), 4),
    (re.compile(r"tests/(access|security)/"), 3),
]


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take from *items* what this run is not for; pytest counts them as deselected."""
    wanted = [item for item in items if _is_wanted(item)]
    if DATABASE_ONLY or SAMPLED:
        wanted = _with_few_sets(wanted)
    if DIVISOR:
        wanted = _with_shares(wanted)
    kept = set(map(id, wanted))
    if DATABASE_ONLY:
        kept |= {id(item) for item in items if item.get_closest_marker("postgresql")}
    left = [item for item in items if id(item) not in kept]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if id(item) in kept]


def _with_few_sets(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of each test's sets of parameters at most ``FEW_SETS``, evenly over all, the first among them."""
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition("[")[0]].append(item)
    kept = set()
    for sets in tests.values():
        step = max(1.0, len(sets) / FEW_SETS)
        kept |= {id(sets[int(step * number)]) for number in range(min(FEW_SETS, len(sets)))}
    return [item for item in items if id(item) in kept]


def _with_shares(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of each file's tests one in so many, drawn by name; the first where none was drawn."""
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.nodeid.partition("::")[0]].append(item)
    kept: set[int] = set()
    for name, tests in files.items():
        one_in = _one_in(name)
        drawn = [item for item in tests if crc32(item.nodeid.partition("@")[0].encode()) % one_in == 0]
        kept |= set(map(id, drawn or tests[:1]))
    return [item for item in items if id(item) in kept]


def _one_in(name: str) -> int:
    return DIVISOR * next((one_in for pattern, one_in in SHARES if pattern.match(name)), 1)


def _is_wanted(item: pytest.Item) -> bool:
    if SAMPLED and item.get_closest_marker("whole"):
        return False
    return not DATABASE_ONLY or bool(
        DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db")
    )
