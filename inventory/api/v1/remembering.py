"""Idempotency-Key: a request that is sent again is answered again, and does nothing again.

The answer is remembered in the transaction that hands out. Whoever dies before its end has handed out nothing, and
remembers nothing; whoever asks with the same key meanwhile waits at the unique constraint for the one who was faster.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from rest_framework.request import Request

from inventory.allocation.patience import patiently
from inventory.api.v1.problems import Problem
from inventory.models import RememberedAnswer
from inventory.remembered import KEPT

HEADER = "Idempotency-Key"
#: how long a request waits for the one that has its key
PATIENCE = 10  # seconds
_KEY = re.compile(r"[!-~]{1,255}\Z")


def key_of(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.match(key):
        raise Problem(400, f"The header {HEADER} takes 1 to 255 printable ASCII characters without blanks.")
    return key


def digest_of(request: Request) -> str:
    """SHA-256 of what is asked: method, path with query, body as it came."""
    parts = (request.method or "", request.get_full_path(), "")
    body: bytes = getattr(request, "raw", b"")
    return hashlib.sha256("\n".join(parts).encode() + body).hexdigest()


def once(asker: str, key: str, digest: str, act: Callable[[], str]) -> tuple[str, bool]:
    """(the answer, whether it was there already). *act* runs at most once for each key of an asker.

    What *act* raises is remembered by nobody: nothing was written, and the same request may be sent again.
    """

    def attempt() -> tuple[str, bool]:
        with transaction.atomic():
            mine = _claim(asker, key, digest)
            if mine is None:
                return _remembered(asker, key, digest), True
            mine.status, mine.body = 200, act()
            mine.save(update_fields=["status", "body"])
        return mine.body, False

    return patiently(attempt)


def _claim(asker: str, key: str, digest: str) -> RememberedAnswer | None:
    """The key's row, if this request is the first to have it; waits for another that may be."""
    RememberedAnswer.objects.filter(asker=asker, key=key, created__lte=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic(), _waiting():
            return RememberedAnswer.objects.create(asker=asker, key=key, request_sha256=digest)
    except IntegrityError:
        return None
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":  # lock_not_available
            raise
        raise Problem(
            409,
            f"A request with this {HEADER} is still being answered; ask again in a moment.",
            headers={"Retry-After": "1"},
        ) from None


class _waiting:
    """PostgreSQL alone: SQLite has one writer, whose turn was waited for when the transaction began."""

    def __enter__(self) -> None:
        self._set(f"'{int(PATIENCE * 1000)}ms'")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:  # else the savepoint takes it back
            self._set("DEFAULT")

    def _set(self, value: str) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {value}")


def _remembered(asker: str, key: str, digest: str) -> str:
    row = RememberedAnswer.objects.get(asker=asker, key=key)
    if row.request_sha256 != digest:
        raise Problem(422, f"This {HEADER} was sent with another request before; choose a new one for this.")
    return row.body
