"""The embedded broker: kombu's folder of messages, in which nobody ever sees half a file.

kombu opens a message's file and writes it afterwards. A worker that looks in between takes an empty message and dies
of it (``JSONDecodeError``, "Unrecoverable error"). Here a file gets its name when it is whole, as a rename within one
folder, and what is no message all the same is set aside with a line in the log: a message is a hint, and the sweep
sends it again.
"""

from __future__ import annotations

import fcntl
import logging
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """As kombu's; every file appears whole, and the tables of queues change under a lock."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.monotonic() * 1000:.0f}_{uuid.uuid4()}.{queue}.msg"
        try:
            write_whole(Path(self.data_folder_out) / name, str_to_bytes(dumps(payload)))
        except OSError as error:
            raise ChannelError(f"Cannot add file {name!r} to directory: {error.strerror}") from error

    def _get(self, queue: str) -> Any:  # type: ignore[override]
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:  # not JSON; the file lies among the delivered ones by now
                log.warning("the broker's folder held something that is no message, set aside: %s", error)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        try:
            with self._alone():
                queues = self.get_table(exchange)
                if bound not in queues:
                    write_whole(self._exchange_file(exchange), str_to_bytes(dumps([bound, *queues])))
        except OSError as error:
            raise ChannelError(f"Cannot write the table of {exchange!r}: {error.strerror}") from error

    def get_table(self, exchange: str) -> list[Any]:
        try:
            return list(super().get_table(exchange))
        except ValueError as error:  # written by an older version, half
            log.warning("the table of %r is unreadable and made anew: %s", exchange, error)
            return []

    def _alone(self) -> _Lock:
        folder = Path(self.control_folder)
        folder.mkdir(exist_ok=True)
        return _Lock(folder / "tables.lock")


class Transport(filesystem.Transport):
    Channel = Channel


def write_whole(path: Path, content: bytes) -> None:
    """Give *path* this content at once: whoever opens it sees all of it, or what was there before."""
    unfinished = path.with_name(f".{uuid.uuid4()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


class _Lock:
    """Held by one process at a time, and let go when it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
