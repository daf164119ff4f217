"""The stand-in as a fixture: one process a version and test process, a fresh world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.provisioning.pve.standin import StandIn

VERSIONS = ("8.4", "9.1")


@pytest.fixture(scope="session", params=VERSIONS)
def _each_version(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StandIn]:
    yield from _running(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def _newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    yield from _running(VERSIONS[-1], tmp_path_factory)


def _running(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    standin = StandIn.start(tmp_path_factory.mktemp("standin"), "--version", version)
    yield standin
    standin.stop()


@pytest.fixture
def each_version(_each_version: StandIn) -> StandIn:
    """A node of 8.4, and then one of 9.1."""
    _each_version.reset()
    return _each_version


@pytest.fixture
def pve(_newest: StandIn) -> StandIn:
    """A node of 9.1."""
    _newest.reset()
    return _newest
