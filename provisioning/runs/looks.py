"""Looking whom a run would touch while a browser or a client of the API waits: few at a time, and none for long.

The web server has few threads. A look that somebody gave up goes on here until Ansible has answered, so that
whoever types quickly would fill all of them. Jobs, the shell and schedules look for as long as it takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from provisioning.adapters.commands import go_on
from provisioning.engine.faults import JobFailed

#: looks at a time in one process of the web server
MOST = 2
#: seconds in which a project's code has to be here, and in which Ansible has to answer
CODE_SECONDS, ANSIBLE_SECONDS = 20.0, 60.0
#: begins the way out that a page has a button for
UPDATE_FIRST = "Update the project first"

_hurried: ContextVar[bool] = ContextVar("hurried", default=False)
_going: set[tuple[str, ...]] = set()
_lock = threading.Lock()


class Busy(JobFailed):
    """Another look is going on; this one may be tried again in a moment."""


def in_a_request(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whoever looks below it is waited for."""

    def answer(request: HttpRequest) -> HttpResponse:
        before = _hurried.set(True)
        try:
            return respond(request)
        finally:
            _hurried.reset(before)

    return answer


def is_hurried() -> bool:
    """Whether a thread of the web server waits for this."""
    return _hurried.get()


@contextmanager
def place(person: str, *project: str) -> Iterator[None]:
    """One of the few places, one for each person and project. Raises Busy at once: waiting would take a thread too."""
    if not is_hurried():
        yield
        return
    who = (person, *project)
    with _lock:
        if who in _going or len(_going) >= MOST:
            raise Busy("A look at which hosts these are is going on.", "It can be done again in a moment.")
        _going.add(who)
    try:
        yield
    finally:
        with _lock:
            _going.discard(who)


def deadline(project: str) -> Callable[[], None]:
    """Raises once the code of *project* takes longer than somebody should wait; never where nobody does."""
    if not is_hurried():
        return go_on
    until = time.monotonic() + CODE_SECONDS

    def check() -> None:
        if time.monotonic() > until:
            raise JobFailed(
                f"The code of project {project} was not here within {CODE_SECONDS:.0f} s.", f"{UPDATE_FIRST}."
            )

    return check
