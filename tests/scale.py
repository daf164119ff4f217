"""How much runs: all of it where a person asks, a part in CI, which runs for every change and may take an hour.

The slow lane is sampled to a tenth there, and to a few parameters of each test; what waits for servers, workers and browsers
to a half. It is always the same part. On the second database only those tests run that reach one, with a few parameters.
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
FEW_SETS = 5

#: Set by ``.ci/run``: one half of what is in these folders; and a flow of the browser in one of its looks (wide or narrow,
#: light or dark), another look for another flow. The walk over every page is walked whole.
HALVED = os.environ.get("MGMTPLANE_TEST_HALVED") == "1"
WAITING = re.compile(
    r"tests/(browser|clients|hosts|lab|platform|provisioning|recovery|roles|serving)/(?!test_every_page|faults/)"
)
LOOK = re.compile(r"(tests/browser/(?!test_every_page)\S+::\w+)\[[^]]*\b(light|dark|narrow|wide)\b[^]]*\]")


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take from *items* what this run is not for; pytest counts them as deselected."""
    wanted = [item for item in items if _is_wanted(item)]
    if DATABASE_ONLY or SAMPLED:
        wanted = _with_few_sets(wanted)
    if HALVED:
        wanted = [item for item in _with_one_look(wanted) if _is_in_the_half(item)]
    kept = set(map(id, wanted))
    left = [item for item in items if id(item) not in kept]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = wanted


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


def _with_one_look(items: list[pytest.Item]) -> list[pytest.Item]:
    looks: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if found := LOOK.match(item.nodeid):
            looks[found[1]].append(item)
    left = {
        id(one)
        for name, several in looks.items()
        for number, one in enumerate(several)
        if number != crc32(name.encode()) % len(several)
    }
    return [item for item in items if id(item) not in left]


def _is_in_the_half(item: pytest.Item) -> bool:
    return not WAITING.match(item.nodeid) or crc32(item.nodeid.partition("@")[0].encode()) % 2 == 0


def _is_wanted(item: pytest.Item) -> bool:
    if SAMPLED and item.get_closest_marker("whole"):
        return False
    return not DATABASE_ONLY or bool(
        DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db")
    )
