"""Writes ``docs/faults.md`` from the tables: ``python -m tests.provisioning.faults.documentation docs/faults.md``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

GOES_ON, STOPS = "goes on, and succeeds", "fails in words"
INTRODUCTION = """\
# Faults

What a job does when something breaks. This page is made of the tables that the tests carry out (`make docs`); each row
is one of them, or many: each fault of the connection and of the worker strikes at every call that changes something, and at
every fourth that looks (at all of them, where a job makes no more than twenty calls); another fault strikes at the others.

Whatever the row says, after each of them:

- there is one machine with the declared identity, or none;
- no guest, template or disk of anybody else was changed, and none was asked to be;
- nothing was started with another MAC, VLAN or bridge than declared;
- of a rebuild no second machine is left: its spare is named as one, is never started, and is gone when the rebuild is done,
  but for one that a suspended worker's call made after its job was over: the job names the call, the survey that it asks for
  names the spare, and the next rebuild takes or removes it;
- a job makes one backup, and another one only where the machine ran in between;
- no job is left running; a failed one names what it is about and a way out, and holds no secret;
- once the fault is gone, the same job, asked for again, comes to the one right machine.

Tried with: {kinds}.
"""
WIRE_HEAD = """
## The connection to the API

The fault strikes once, at one call. A call that looks is tried again where no answer came; a call that changes something
never is: when its answer is lost, the job looks whether it was done, and begins again where it was not. Of a backup and
a restore it looks for the task and goes on with that; where none was begun, it says so. Whether a reset was done cannot
be seen, and is left to a person. A rollback is never begun again by itself: where a call that changes something was not
done, it fails in words.

| fault | at a call that looks | at a call that changes something |
|---|---|---|"""
WIRE_TAIL = """\
| another certificate from then on | {stops}; nothing is sent | {stops}; nothing is sent |

A task's log is for people: the job goes on without it, whatever becomes of the call. While a job waits for a task, a look
that fails is silence: the task goes on, and so does the job, for five minutes; a token that is refused ends the wait."""
WORKER_HEAD = """
## The worker

At every call:

| what happens | the job | |
|---|---|---|"""
NODE_HEAD = """
## The node, its tasks, and others at work there

| job | fault | ends | its message says |
|---|---|---|---|"""


def document() -> str:
    from tests.provisioning.faults.occasions import OCCASIONS
    from tests.provisioning.faults.table import INTERRUPTIONS, KINDS, SUCCEEDS, WIRE

    ends = {SUCCEEDS: GOES_ON}

    def lines() -> Iterator[str]:
        yield INTRODUCTION.format(kinds=", ".join(f"`{kind.title}`" for kind in KINDS)).rstrip()
        yield WIRE_HEAD
        for fault in WIRE:
            which = "reset" if fault.done else "backup, restore and reset"
            blind = f"; {which}: {STOPS}" if fault.blind else ""
            writing = ends.get(fault.writing, STOPS) + blind
            yield f"| {fault.said} | {ends.get(fault.reading, STOPS)} | {writing} |"
        yield WIRE_TAIL.format(stops=STOPS)
        yield WORKER_HEAD
        for one in INTERRUPTIONS:
            once = f"; a rollback: {one.once}" if one.once else ""
            yield f"| {one.said} | {one.ends}{once} | {one.outcome} |"
        yield NODE_HEAD
        for row in OCCASIONS:
            said = f"“… {row.says} …”" if row.says else ""
            yield f"| `{row.kind}` | {row.name} | {ends.get(row.ends, STOPS)} | {said} |"

    return "\n".join(lines()) + "\n"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mgmtplane.settings")
    import django

    django.setup()
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
