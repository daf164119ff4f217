"""What a browser is shown when a page fails: what is away, what still works, and what to do. Needs no database."""

from __future__ import annotations

import errno
import sys

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_SECONDS = 5
#: a disk that is full, or read-only
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for a page that failed, called while the exception is handled.

    The page is made without the request: who is signed in would be asked of the database.
    """
    error = sys.exc_info()[1]
    if not isinstance(error, DatabaseError) and getattr(error, "errno", None) not in NO_ROOM:
        return HttpResponse(render_to_string("500.html"), status=500)
    return database_away()


def database_away() -> HttpResponse:
    """What a browser is shown while the database is away, or takes no changes."""
    return HttpResponse(
        render_to_string("503.html"),
        status=503,
        headers={"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"},
    )
