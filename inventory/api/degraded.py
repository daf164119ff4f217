"""An export while the database is away: the newest that went out, for a token that was known before.

And what would wait for such a database, so that readers find a thread free: refused at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

from inventory.api.answers import Refused
from inventory.api.conditions import (
    State,
    conditional,
    facts_of,
    filled,
    headed,
    refuse_errors,
    shared,
    wanted_of,
)
from inventory.exports.registry import MODULES
from inventory.models import Token
from inventory.serving import database, mirror
from mgmtplane import failing
from mgmtplane.databases.postgresql import Frozen

log = logging.getLogger(__name__)

#: RFC 7234, section 5.5.1: the answer is stale
WARNING = '110 mgmtplane "{}; this is the newest rendering that went out"'
NO_ANSWER, BUSY = "the database does not answer", "the database is busy"
NO_SESSION = (
    "The database is away or busy, and without it nobody is signed in; try again shortly. A token that was known before "
    "gets what went out last."
)


#: what a reader is told who gets the newest there is from a database that takes no changes
NO_CHANGES = '199 mgmtplane "the database takes no changes ({}); this is the newest there is"'

#: these answer for themselves while the database is away
OWN_WAY = ("/export/", "/inventory/", "/healthz", "/readyz", "/metrics")
API = "/api/"

#: changes that wait in one process leave so many of its threads to readers, once none has come to its end for so long
FREE, LONG = 2, 5.0


def require_reachable() -> None:
    """Raise DatabaseError unless the database can be read now: at once where it did not answer just now.

    The one who tries after a pause says what it found.
    """
    if mirror.is_away():  # not noted again, or nobody would ever try
        raise OperationalError("it did not answer just now")
    try:
        database.reach(thoroughly=mirror.in_doubt())
    except DatabaseError as error:
        _note_away(error)
        raise
    mirror.note_back()


def why_not(error: DatabaseError) -> str:
    """After a reader met *error*: why, in words. Where the database cannot be read at all, that is noted.

    One that takes no changes, or is held by somebody who writes, is read by everybody else as ever.
    """
    connection.close()
    if mirror.in_doubt():  # another reader found out meanwhile
        return NO_ANSWER
    if isinstance(error, Frozen):
        _note_away(error)
        return NO_ANSWER
    try:
        database.reach(thoroughly=True)
    except DatabaseError as still:
        _note_away(still)
        return NO_ANSWER
    database.note_refusal(error)
    what = database.ailment(error)
    return f"the database takes no changes ({what})" if what else BUSY


def _note_away(error: DatabaseError) -> None:
    log.error("%s (%s)", NO_ANSWER, type(error).__name__)
    if not connection.in_atomic_block:
        connection.close()
    mirror.note_away()


def told(response: HttpResponse) -> HttpResponse:
    """*response*, from the database, with what is to be said of one that takes no changes."""
    if what := database.ailing():
        response["Mgmtplane-Degraded"] = what
        response["Warning"] = NO_CHANGES.format(what)
    return response


# --- what does not read renderings ---

_waiting: dict[int, float] = {}
_ended = float("-inf")
_waiting_lock = threading.Lock()


def refuse_at_once(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no request waits for a database that does not answer, or ceases to, and few for one that is held."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(OWN_WAY):
            return get_response(request)
        try:
            require_reachable()
        except DatabaseError as error:
            return _away(request, error)
        if request.method in ("GET", "HEAD", "OPTIONS"):
            with database.unless_frozen():
                return get_response(request)
        with _turn() as has_one:
            if not has_one:
                return _away(request, OperationalError("it is held"))
            with database.unless_frozen():
                response = get_response(request)
            if response.status_code < 400:
                database.note_taken()
            if response.status_code != 503:
                _note_ended()
            return response

    return handle


def _note_ended() -> None:
    """The database let a change come to its end: who still waits is in a crowd, and waits for nobody who holds it."""
    global _ended
    _ended = time.monotonic()


@contextmanager
def _turn() -> Iterator[bool]:
    """False where so many changes wait already that readers would find no thread."""
    me, now = threading.get_ident(), time.monotonic()
    with _waiting_lock:
        many = len(_waiting) >= max(1, settings.WEB_THREADS - FREE)
        refused = many and now - max(min(_waiting.values()), _ended) > LONG
        if not refused:
            _waiting[me] = now
    try:
        yield not refused
    finally:
        if not refused:
            with _waiting_lock:
                _waiting.pop(me, None)


def _away(request: HttpRequest, error: DatabaseError) -> HttpResponse:
    if request.path_info.startswith(API):
        from inventory.api.v1.problems import problem_of

        return problem_of(error).answer()
    return failing.database_away()


# --- renderings ---


#: one host's or group's share of a rendering; None where it is not to be had from it. Raises LookupError
Cut = Callable[[bytes], bytes | None]


def answer(
    request: HttpRequest, site: str, format: str, why: str = NO_ANSWER, cut: Cut | None = None
) -> HttpResponse | None:
    """The answer from the mirror, which says *why*; None where it has no such rendering. Raises Refused.

    A session gets nothing from it: nobody is signed in without the database.
    """
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not plain.strip():
        if why != NO_ANSWER:
            return None
        raise Refused(503, NO_SESSION, headers={"Retry-After": "5"})
    token = mirror.token(Token.digest_of(plain.strip()))
    if token is None:
        raise Refused(
            503,
            "The database is away or busy, and this token was not known before; try again shortly.",
            headers={"Retry-After": "5"},
        )
    if not token.may(site, format):
        raise Refused(403, f"Token “{token.name}” may not read {format} of “{site}”.")
    wanted = wanted_of(request)
    found = mirror.newest(site, format, wanted.authority) if format in MODULES else None
    if found is None:
        return None
    refuse_errors(found.kept, wanted)
    return _answered(request, found, why) if cut is None else _cut(request, found, why, cut)


def _answered(request: HttpRequest, found: mirror.Mirrored, why: str) -> HttpResponse | None:
    kept = found.kept
    facts = {**facts_of(kept), **_said(why)}
    if found.standing:
        facts["Mgmtplane-Authority"] = found.standing
    response = headed(kept.etag, kept.created, facts)
    early = conditional(request, response)
    if early is not None:
        return early
    served = mirror.body_of(kept)
    return filled(response, served) if served is not None else None


def _cut(request: HttpRequest, found: mirror.Mirrored, why: str, cut: Cut) -> HttpResponse | None:
    served = mirror.body_of(found.kept)
    try:
        content = cut(served.body) if served is not None else None
    except LookupError as error:
        raise Refused(404, str(error.args[0])) from None
    if content is None:
        return None
    kept = found.kept
    return shared(request, State(kept.uid, kept.revision, kept.epoch, kept.live_copy), content, _said(why))


def _said(why: str) -> dict[str, str]:
    return {"Warning": WARNING.format(why), "Mgmtplane-Degraded": "database"}
