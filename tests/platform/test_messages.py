"""The embedded broker's folder: messages and tables are whole or not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError

from mgmtplane import messages


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    for part in ("messages", "control", "processed"):
        (tmp_path / part).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": tmp_path / "control",
        "store_processed": True,
        "processed_folder": str(tmp_path / "processed"),
    }
    with Connection("filesystem://localhost/", transport_options=options) as connection:
        yield connection


def test_it_is_the_transport_of_the_embedded_shape(broker):
    assert isinstance(broker.default_channel, messages.Channel)


def test_a_message_appears_whole(broker, tmp_path, monkeypatch):
    """While it is being written, nothing in the folder has a message's name."""
    seen: list[list[str]] = []
    written = Path.write_bytes

    def look(path: Path, content: bytes) -> int:
        done = written(path, content[:3])
        seen.append([one.name for one in (tmp_path / "messages").glob("*.msg")])
        return written(path, content) if done else 0

    monkeypatch.setattr(Path, "write_bytes", look)
    channel = broker.default_channel
    channel._put("short", {"body": "x"})
    assert seen == [[]]
    assert channel._get("short") == {"body": "x"}
    assert not list((tmp_path / "messages").iterdir())


def test_what_is_no_message_is_set_aside_and_the_next_one_taken(broker, tmp_path, caplog):
    (tmp_path / "messages" / "0_a.short.msg").write_bytes(b"")
    (tmp_path / "messages" / "0_b.short.msg").write_bytes(b"{half")
    channel = broker.default_channel
    channel._put("short", {"body": "x"})
    assert channel._get("short") == {"body": "x"}
    assert caplog.text.count("that is no message, set aside") == 2
    assert sorted(path.name for path in (tmp_path / "processed").glob("0_*")) == [
        "0_a.short.msg",
        "0_b.short.msg",
    ]


def test_a_folder_that_cannot_be_written_is_the_brokers_fault_and_leaves_nothing(broker, tmp_path):
    (tmp_path / "messages").rmdir()
    (tmp_path / "messages").write_text("a file")
    with pytest.raises(ChannelError, match="Cannot add file"):
        broker.default_channel._put("short", {})


def test_many_that_bind_at_once_lose_no_table(broker, tmp_path):
    def bind(number: int) -> None:
        with broker.clone() as connection:
            exchange = Exchange("e")
            Queue(f"q{number}", exchange, routing_key=f"q{number}")(connection.channel()).declare()

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = json.loads((tmp_path / "control" / "e.exchange").read_text())
    assert sorted(row[2] for row in rows) == sorted(f"q{number}" for number in range(16))


def test_a_table_that_is_half_a_table_is_made_anew(broker, tmp_path):
    (tmp_path / "control" / "e.exchange").write_bytes(b"")
    channel = broker.default_channel
    Queue("q", Exchange("e"), routing_key="q")(channel).declare()
    assert [row.queue for row in channel.get_table("e")] == ["q"]
