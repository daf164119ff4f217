"""What a row stands on: a kept world to begin with, the job carried out here, and its calls one by one."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from inventory import reading
from inventory.models import Site
from provisioning import requests, runner
from provisioning.adapters.proxmox.wire import Wire
from provisioning.models import DriftFinding, Job, Survey
from tests.provisioning.faults import checking
from tests.provisioning.faults.table import KindUnderTest
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID
from tests.provisioning.pve.standin import StandIn
from tests.scale import SAMPLED, share

HOST = "netctrl-vm01"
#: what a job may need of turns: repeats of a fault that may pass, and its confirmation
TURNS = 8
#: of a kind with more calls, so many faults share those of them that change nothing
LONG, DEALT = 20, 4


@dataclass
class Ground:
    """The site, its stand-in, and the kind that is tried on it."""

    site: Site
    pve: StandIn
    kind: KindUnderTest
    before: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> None:
        """Keep the world that the kind begins with."""
        self.pve.reset()
        self.pve.change(leases={MAC: ADDRESS})
        for name, parameters in self.kind.before:
            job = carry_out(name, self.site, **parameters)
            assert job.state == "succeeded", job.message
        if self.kind.smaller:
            self.pve.change(**_smaller(self.pve.guest(VMID)["config"]))
        self.pve.keep(self.kind.title)

    @functools.cached_property
    def calls(self) -> list[Call]:
        """Every call of the kind, as the node's log has them after a run without any fault."""
        self.begin()
        job = self.run()
        assert job.state == "succeeded", job.message
        return calls_of(self.pve.requests())

    def begin(self) -> None:
        """The kept world, without faults, and a database that knows no job and no survey."""
        Job.objects.all().delete()
        Survey.objects.all().delete()
        DriftFinding.objects.all().delete()
        self.pve.back(self.kind.title)
        self.before = self.pve.state()
        # As a worker has it, which stands in no transaction of a test.
        reading.keep(self.site.pk, reading.load(self.site.slug))

    def harm(self, **theirs: Any) -> list[str]:
        """See ``checking.harm``."""
        look = checking.Look(self.before, self.pve.state(), self.pve.requests(), **theirs)
        return list(checking.harm(look))

    def wrong(self) -> list[str]:
        return list(checking.wrong(self.pve.state(), self.kind, self.before))

    def converges(self, **theirs: Any) -> list[str]:
        """The faults are gone: asked for again, it must come to the one right machine."""
        harm = self.harm(**theirs)
        self.pve.forget()
        again = self.run()
        done = again.state == "succeeded" or (self.kind.done and self.kind.done in again.message)
        said = [] if done else [f"again it {again.state}: {again.message}"]
        return [*harm, *said, *self.wrong(), *self.harm(**theirs), *checking.truth(again)]

    def ask(self) -> Job:
        return ask(self.kind.name, self.site, **self.kind.parameters)

    def run(self) -> Job:
        return go_on(self.ask())


def _smaller(config: dict[str, str]) -> dict[str, Any]:
    """The change that makes a machine with *config* less than it is declared."""
    volume, disk = config["scsi0"].partition(",")[0], config["scsi0"].replace("size=20G", "size=15G")
    less = {"cores": "2", "memory": "2048", "scsi0": disk}
    return {
        "guests": {VMID: {"config": less, "booted": {**config, **less}}},
        "volumes": {volume: {"size": 15 << 30}},
    }


def ask(kind: str, site: Site, **parameters: Any) -> Job:
    given = parameters if kind == "survey" else {"host": HOST, **parameters}
    return requests.request(kind, site=site, parameters=given, by="ada", why="to see")


def carry_out(kind: str, site: Site, **parameters: Any) -> Job:
    return go_on(ask(kind, site, **parameters))


def go_on(job: Job, worker: str = "here") -> Job:
    """Turn after turn until it is finished, confirming what it shows."""
    for _ in range(TURNS):
        job.refresh_from_db()
        if job.state == "waiting":
            requests.confirm(job, job.fingerprint, by="ada")
        runner.run(job.pk, worker)
        job.refresh_from_db()
        if job.is_finished:
            break
        Job.objects.filter(pk=job.pk).update(not_before=None)
    return job


def look_again() -> None:
    """The surveys that are asked for after a late call; they wait a minute."""
    for survey in Job.objects.filter(kind="survey", state="queued"):
        Job.objects.filter(pk=survey.pk).update(not_before=None)
        assert go_on(survey).state == "succeeded", survey.message


# --- calls ---


@dataclass(frozen=True)
class Call:
    """The *number*-th request of a job (from 1), the *nth* of its method and path (from 0)."""

    number: int
    method: str
    path: str
    nth: int
    #: the node says no: a fault that lets the deed be done first changes nothing about that
    refused: bool = False

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def pattern(self) -> str:
        """A regular expression for this path; tasks have another id every time."""
        path = re.escape(self.path)
        return f"^{re.sub(r'/tasks/[^/]+', lambda _: '/tasks/[^/]+' + self._task, path)}$"

    @property
    def _task(self) -> str:
        kind = _UPID.search(self.path)
        return f":{kind[1]}:[^/]*" if kind else ""

    @property
    def shape(self) -> tuple[str, str]:
        """Method and path without what differs between guests that are not ours, and between tasks."""
        kind = _UPID.search(self.path)
        path = re.sub(r"/tasks/[^/]+", f"/tasks/{{{kind[1]}}}" if kind else "/tasks/{upid}", self.path)
        if not self.writes:
            path = re.sub(rf"/(qemu|lxc)/(?!{VMID}\b)\d+", r"/\1/{other}", path)
        return self.method, path

    def __str__(self) -> str:
        return f"{self.number}: {' '.join(self.shape)}, time {self.nth + 1}"


_UPID = re.compile(r"/tasks/UPID:[^/]*?:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:(\w+):")


def calls_of(log: list[dict[str, Any]]) -> list[Call]:
    seen: dict[tuple[str, str], int] = {}
    found = []
    for number, entry in enumerate(log, 1):
        bare = Call(number, entry["method"], entry["path"], 0)
        key = (bare.method, bare.pattern)
        found.append(Call(number, bare.method, bare.path, seen.get(key, 0), entry["status"] >= 400))
        seen[key] = seen.get(key, 0) + 1
    return found


def drawn(rows: list[Any]) -> list[Any]:
    """All of *rows*; in CI a twentieth of them, always the same."""
    return random.Random(5).sample(rows, max(1, share(len(rows)) // 2)) if SAMPLED else rows


def drawn_calls(ground: Ground, name: str) -> list[Call]:
    """The calls of the kind; in CI one of them, another for each *name*.

    Of a kind with more than ``LONG`` calls each fault strikes every call that changes something, and each ``DEALT``-th of
    the others, other faults others: none is left out.
    """
    calls = telling(ground.calls)
    if SAMPLED:
        return [random.Random(f"{ground.kind.title} {name}").choice(calls)]
    if len(calls) <= LONG:
        return calls
    first = random.Random(name).randrange(DEALT)
    return [call for number, call in enumerate(calls, first) if call.writes or number % DEALT == 0]


def telling(calls: list[Call]) -> list[Call]:
    """*calls* without repetitions: of guests that are not ours, the first of its shape; else each one."""
    shapes: set[tuple[str, str]] = set()
    found = []
    for call in calls:
        if "{other}" in call.shape[1] and call.shape in shapes:
            continue
        shapes.add(call.shape)
        found.append(call)
    return found


# --- the moment of a call, inside the worker ---


@contextlib.contextmanager
def moment(number: int, at: str, act: Callable[[], None]) -> Iterator[None]:
    """Call *act* once, at the *number*-th call of this process: when it is *asked* for, about to be *sent*, or *done*.

    About to be sent it is after the last look, which it cannot be held back by any more.
    """
    count = itertools.count(1)

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(wire: Wire, *given: Any, **named: Any) -> Any:
            now = next(count) == number
            if now and at == "asked":
                act()
            answer = original(wire, *given, **named)
            if now and at != "asked":
                act()
            return answer

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in {"asked": ("read", "write"), "sent": ("_last_look",), "done": ("_once",)}[at]:
            patch.setattr(Wire, name, around(getattr(Wire, name)))
        yield
