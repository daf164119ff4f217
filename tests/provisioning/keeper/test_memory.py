"""What the keeper holds, and for how long."""

import pytest

from provisioning.keeper import memory
from provisioning.keeper.memory import Full, Memory


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def held(clock):
    return Memory(clock)


def test_a_value_is_told_until_its_moment_and_not_in_it(held, clock):
    held.hold("site/lab", "vault", "correct horse", seconds=60, by="anna")
    clock.now += 59.9
    assert held.fetch("site/lab", "vault") == "correct horse"
    assert held.held() == [("site/lab", "vault", "anna", pytest.approx(0.1))]
    clock.now += 0.1
    assert held.fetch("site/lab", "vault") is None
    assert held.held() == []


def test_each_scope_is_apart(held):
    held.hold("site/lab", "vault", "one", seconds=60, by="anna")
    assert held.fetch("site/lab2", "vault") is None
    assert held.fetch("job/1", "vault") is None
    assert held.held("site/lab2") == []


def test_a_new_value_takes_the_place_of_the_old_one_and_its_time(held, clock):
    held.hold("site/lab", "vault", "one", seconds=600, by="anna")
    held.hold("site/lab", "vault", "two", seconds=60, by="ben")
    assert held.fetch("site/lab", "vault") == "two"
    clock.now += 61
    assert held.fetch("site/lab", "vault") is None


def test_one_is_dropped_or_all_of_a_scope(held):
    for scope, name in (("job/1", "a"), ("job/1", "b"), ("job/12", "a")):
        held.hold(scope, name, "x", seconds=60, by="anna")
    assert held.drop("job/1", "nothing") == 0
    assert held.drop("job/1", "a") == 1
    assert held.drop("job/1") == 1
    assert [scope for scope, *_ in held.held()] == ["job/12"]


def test_of_what_is_forgotten_the_own_buffer_is_cleared(held, clock):
    held.hold("site/lab", "vault", "correct horse", seconds=60, by="anna")
    bytes_of_it = held._kept["site/lab", "vault"].value
    clock.now += 61
    held.expire()
    assert bytes(bytes_of_it) == bytes(len("correct horse"))


def test_it_holds_so_many_and_says_when_it_is_full(held, monkeypatch):
    monkeypatch.setattr(memory, "MOST", 1)
    held.hold("site/lab", "vault", "one", seconds=60, by="anna")
    held.hold("site/lab", "vault", "two", seconds=60, by="anna")
    with pytest.raises(Full, match="lock some"):
        held.hold("site/lab", "other", "three", seconds=60, by="anna")
