"""Kinds of jobs that only tests have: they say, wait, fail and count. ``register_all`` makes them known."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from django import forms
from django.conf import settings

from inventory import reading
from provisioning import kinds
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.plans import ADD, REMOVE, RUN, Line, Plan
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks.needs import Need
from provisioning.unlocks.opening import resolver

#: what the destructive kind would take away; tests move it
WORLD = {"things": ["one", "two"]}


class Counted(forms.Form):
    name = forms.CharField(required=False)
    file = forms.CharField(required=False, help_text="Every step appends its name and the attempt to it.")
    seconds = forms.FloatField(required=False)


def said(turn, what: str) -> None:
    """Leave a mark outside of the database."""
    if turn.asked["file"]:
        with open(turn.asked["file"], "a") as marks:
            marks.write(f"{turn.job.pk} {turn.attempt} {what}\n")


def marks(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


class Steps(Kind):
    """Two steps, with as many seconds between them as asked for."""

    name, title = "test_steps", "Steps of {name}"
    of_site = False
    Parameters = Counted

    def machine_key(self, asked: Asked) -> str:
        return f"machine/{asked['name']}" if asked["name"] else ""

    def run(self, turn, plan: Plan) -> None:
        turn.step("first")
        said(turn, "first")
        turn.sleep(turn.asked["seconds"] or 0)
        turn.step("second")
        said(turn, "second")
        turn.outcome = {"steps": 2}
        turn.message = "Two steps."


class Long(Steps):
    name, title, queue = "test_long", "Long steps of {name}", LONG


class Once(Steps):
    name, title, repeatable = "test_once", "Once {name}", False


class Deaf(Steps):
    """Blocks without looking at anything."""

    name, title = "test_deaf", "Deaf {name}"

    def run(self, turn, plan: Plan) -> None:
        turn.step("first")
        said(turn, "first")
        time.sleep(turn.asked["seconds"] or 0)
        turn.step("second")
        said(turn, "second")


class Waits(Steps):
    """Waits for a file to appear."""

    name, title = "test_waits", "Wait for {file}"

    def run(self, turn, plan: Plan) -> None:
        turn.step("wait")
        turn.wait(lambda: os.path.exists(turn.asked["file"]), timeout=turn.asked["seconds"] or 60, pause=0.05)


class Fails(Steps):
    """Fails in the way that its name says."""

    name, title, pause = "test_fails", "Fail {name}", 0.01
    most_faults = 3

    def machine_key(self, asked: Asked) -> str:
        return ""

    def run(self, turn, plan: Plan) -> None:
        turn.step("fail")
        said(turn, "fail")
        if turn.asked["name"] == "unexpected":
            raise ZeroDivisionError("the password is hunter22")
        if turn.asked["name"] == "passing":
            raise JobFailed("The node does not answer.", retryable=True)
        if turn.asked["name"] == "secret":
            turn.hide("hunter22")
            turn.event("info", "it is hunter22, PVEAPIToken=root@pam!x=0b1c2d3e-aaaa")
            turn.outcome = {"note": "hunter22"}
            raise JobFailed("hunter22 was wrong.")
        raise JobFailed("There is no template.", "Make one.")


class Removes(Kind):
    """Takes away what there is in WORLD; destructive."""

    name, title, destructive = "test_removes", "Remove things", True
    of_site = False

    def target_key(self, asked: Asked) -> str:
        return "world"

    def plan(self, asked: Asked) -> Plan:
        lines = [Line(REMOVE, f"thing {name}") for name in WORLD["things"]]
        return Plan((*lines, Line(RUN, "sweep up")) if lines else ())

    def run(self, turn, plan: Plan) -> None:
        for line in plan.lines:
            turn.step(str(line))
            if line.act == REMOVE:
                WORLD["things"].remove(line.subject.removeprefix("thing "))


class RemovesLater(Removes):
    """The same, but looking takes too long for a request."""

    name, plans_on_request = "test_removes_later", False


class Adds(Kind):
    name, title, of_site = "test_adds", "Add at {site}", True

    def plan(self, asked: Asked) -> Plan:
        return Plan((Line(ADD, f"thing at {asked.site}"),))

    def run(self, turn, plan: Plan) -> None:
        turn.step("add")


class Stub(Adds):
    """As ``Adds``, one at a time at a site."""

    name, title = "test_stub", "Look at {site}"

    def target_key(self, asked: Asked) -> str:
        return f"stub/{asked.site}"


class Locked(Steps):
    """Uses the secrets that its name refers to, at a site; what it leaves behind tells them apart, and no more."""

    name, title, of_site = "test_locked", "Use {name}", True

    def machine_key(self, asked: Asked) -> str:
        return ""

    def run(self, turn, plan: Plan) -> None:
        resolve = resolver(reading.load(turn.asked.site.slug), data_dir=settings.DATA_DIR, job_id=turn.job.pk)
        lacking: list[Need] = []
        for reference in turn.asked["name"].split():
            try:
                secret = resolve(reference)
            except NeedsUnlock as needed:
                lacking += needed.needs
            except SecretError as fault:
                raise JobFailed(str(fault)) from None
            else:
                turn.hide(secret)
                turn.event("info", f"{reference} is {secret}")
                turn.outcome[reference] = secret
                said(turn, f"{reference} {hashlib.sha256(secret.encode()).hexdigest()}")
        if lacking:
            turn.need_secrets(lacking)


class Touches(Steps):
    """Looks whether its file is there, makes it if not, looks again: what a step that converges does."""

    name, title, most_tries = "test_touches", "Touch {file}", 100  # its workers are killed on purpose

    def run(self, turn, plan: Plan) -> None:
        path = Path(turn.asked["file"])
        turn.step("look")
        if not path.exists():
            turn.step("make it")
            with path.open("x") as made:  # fails where somebody else is at the same job
                made.write(str(turn.attempt))
        turn.sleep(turn.asked["seconds"] or 0)
        turn.step("look again")
        if not path.exists():
            raise JobFailed("It is not there.")


def register_all() -> None:
    for kind in (Touches, Locked, Steps, Long, Once, Deaf, Waits, Fails, Removes, RemovesLater, Adds, Stub):
        kinds.register(kind)
