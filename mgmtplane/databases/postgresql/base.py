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
from django.db import DatabaseError
from django.db.backends.postgresql import base
from psycopg.pq import ExecStatus

from mgmtplane.databases.postgresql import Frozen

#: seconds that a server has to answer ``SELECT 1``, and to take a connection (libpq waits for two at least)
PATIENCE = 2.0


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """As Django's, within PATIENCE."""
        try:
            return self.answers()
        except Frozen:
            return False

    def answers(self) -> bool:
        """Whether the connection is whole. Raises Frozen, and cuts it, where PATIENCE was not enough; no query that is
        counted."""
        held: Any = self.connection
        if held is None or held.closed:
            return False
        try:
            if (found := _asked(held.pgconn, PATIENCE)) is not None:
                return found
        except psycopg.Error:
            return False
        _cut(held)
        raise Frozen

    @contextlib.contextmanager
    def in_time(self, seconds: float) -> Iterator[None]:
        """Raises Frozen where the server is found frozen in here, or did not answer for so many seconds.

        A query may take its time: what waits for longer than PATIENCE asks whether the server takes connections.
        """
        over, lock, cut = threading.Event(), threading.Lock(), False

        def watch() -> None:
            nonlocal cut
            end = time.monotonic() + seconds
            while not over.wait(min(PATIENCE, seconds)):
                if time.monotonic() < end and not self._is_frozen():
                    continue
                with lock:
                    if not over.is_set() and self.connection is not None:
                        cut = True
                        _cut(self.connection)
                return

        threading.Thread(target=watch, name="patience", daemon=True).start()
        try:
            yield
        except (psycopg.Error, DatabaseError) as error:
            if cut:
                raise Frozen from error
            raise
        finally:
            with lock:
                over.set()

    def _is_frozen(self) -> bool:
        """Whether the server takes no connection, and refuses none."""
        try:
            wanted = {**self.get_connection_params(), "connect_timeout": int(PATIENCE)}
            psycopg.connect(**wanted).close()
        except psycopg.errors.ConnectionTimeout:
            return True
        except psycopg.Error:
            return False
        return False


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
