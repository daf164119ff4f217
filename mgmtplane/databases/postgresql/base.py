"""A server that is frozen, as by ``docker pause``, keeps its connections and answers nothing.

Its kernel acknowledges what arrives, so that no time-out of TCP ends the wait, and ``statement_timeout`` is the server's
own. Who waits has to look at the clock.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import ExecStatus

#: seconds that a server has to answer ``SELECT 1``
PATIENCE = 2.0

SILENT = "the server of the database holds the connection and does not answer"


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """As Django's, within PATIENCE."""
        try:
            return self.answers()
        except psycopg.OperationalError:
            return False

    def answers(self) -> bool:
        """Whether the connection is whole. Raises OperationalError, and cuts it, where PATIENCE was not enough; no query
        that is counted."""
        held: Any = self.connection
        if held is None or held.closed:
            return False
        try:
            if (found := _asked(held.pgconn, PATIENCE)) is not None:
                return found
        except psycopg.Error:
            return False
        _cut(held)
        raise psycopg.OperationalError(SILENT)

    @contextlib.contextmanager
    def cut_after(self, seconds: float) -> Iterator[None]:
        """Who waits for the server in here finds the connection cut after so long, and gets OperationalError."""
        over, lock = False, threading.Lock()

        def cut() -> None:
            with lock:
                if not over and self.connection is not None:
                    _cut(self.connection)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with lock:
                over = True


def _asked(pgconn: Any, seconds: float) -> bool | None:
    """Whether ``SELECT 1`` was answered well; None where nothing came."""
    pgconn.send_query(b"SELECT 1")
    poll, end = select.poll(), time.monotonic() + seconds
    good = True
    while True:
        sending = pgconn.flush()
        pgconn.consume_input()
        if not pgconn.is_busy():
            if (result := pgconn.get_result()) is None:
                return good
            good = good and result.status == ExecStatus.TUPLES_OK
            continue
        poll.register(pgconn.socket, select.POLLIN | (select.POLLOUT if sending else 0))
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None


def _cut(held: Any) -> None:
    """Close the socket of the connection, also while another thread waits for it; the connection finds it closed."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(held.pgconn.socket)) as own:
        own.shutdown(socket.SHUT_RDWR)
