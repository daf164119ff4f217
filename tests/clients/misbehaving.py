"""A web server that answers as a test scripts it, and remembers what it was asked."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "mgmt_a-secret-that-nobody-prints"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Says:
    """One answer. ``announces`` is the Content-Length where that is a lie; ``drips`` seconds between its bytes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announces: int | None = None
    waits: float = 0
    drips: float = 0


class Server(ThreadingHTTPServer):
    """``answer`` decides; a list of ``asked`` says what came."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[Asked], Says] = lambda asked: Says(404)
        self.asked: list[Asked] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, *args: Any, **kwargs: Any) -> None:
        """Give this one answer from now on."""
        says = Says(*args, **kwargs)
        self.answer = lambda asked: says

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.asked.append(asked)
        says = self.server.answer(asked)
        self.server.ended.wait(says.waits)
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        announced = len(says.body) if says.announces is None else says.announces
        if announced >= 0:
            self.send_header("Content-Length", str(announced))
        self.end_headers()
        for byte in (says.body[at : at + 1] for at in range(len(says.body))) if says.drips else [says.body]:
            self.wfile.write(byte)
            if says.drips and self.server.ended.wait(says.drips):
                return

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()


def document(*hosts: str, **all_variables: Any) -> bytes:
    """A small inventory as this application writes it."""
    return json.dumps(
        {
            "_meta": {"hostvars": {host: {"z": 1, "a": host} for host in hosts}},
            "all": {"children": ["ungrouped", "web"], "vars": {"domain": "example.net", **all_variables}},
            "ungrouped": {"hosts": []},
            "web": {"hosts": list(hosts)},
        }
    ).encode()


def etag_of(revision: int, body: bytes) -> str:
    """As the application makes it: of several files, from their archive before it is compressed."""
    content = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    return f'"{revision}-{hashlib.sha256(content).hexdigest()[:20]}"'


def site_of(body: bytes, revision: int = 1) -> Callable[[Asked], Says]:
    """What a server in good health answers that has *body*."""
    etag = etag_of(revision, body)

    def answer(asked: Asked) -> Says:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Says(401, b'{"error": "This token is not known."}')
        headers = {"ETag": etag, "Mgmtplane-Revision": str(revision), "Content-Type": "application/json"}
        if asked.method == "POST":
            return Says(200, b"{}")
        if etag in asked.headers.get("If-None-Match", ""):
            return Says(304, headers=headers)
        return Says(200, body, headers)

    return answer


def unused_port() -> int:
    """A port where nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    time.sleep(0)
    return port
