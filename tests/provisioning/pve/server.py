"""HTTPS around a world: one thread a connection, one lock around the state, a log of requests, a door for tests."""

from __future__ import annotations

import contextlib
import copy
import json
import socket
import ssl
import struct
import tempfile
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.provisioning.pve.calls import answer
from tests.provisioning.pve.certificates import make_certificate
from tests.provisioning.pve.faults import Fault
from tests.provisioning.pve.refusals import Refusal, TaskError
from tests.provisioning.pve.schema import Schema
from tests.provisioning.pve.world import Guest, Storage, Task, Volume, World
from tests.provisioning.pve.worlds import make

API = "/api2/json"
DOOR = "/-/"


class Standin(ThreadingHTTPServer):
    """*options* are those of ``worlds.make``; *listener*: a socket that listens already, instead of *address*."""

    daemon_threads = True
    request_queue_size = 128
    #: whether tests may look into it and break it
    has_door = True

    def __init__(
        self,
        address: tuple[str, int],
        certificate: Path,
        key: Path,
        version: str,
        options: dict[str, Any],
        listener: socket.socket | None = None,
    ) -> None:
        super().__init__(address, Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket, self.server_address = listener, listener.getsockname()
            self.server_activate()
        self.own = self.tls = _context(certificate, key)
        self.by_name: dict[str, World] = {}
        self.schema, self.options = Schema(version), options
        self.lock = threading.RLock()
        self.connections: set[socket.socket] = set()
        self.reset()

    def reset(self) -> None:
        self.world: World = make(self.schema.version, **self.options)
        self.faults: list[Fault] = []
        self.log: list[dict[str, Any]] = []
        self.tls = self.own

    def show_another(self, *, spare: socket.socket) -> None:
        """New connections see the certificate of somebody else; those that are open end, but for *spare*."""
        with tempfile.TemporaryDirectory() as folder:
            self.tls = _context(*make_certificate(Path(folder), ["localhost"], ["127.0.0.1"]))
        for connection in self.connections - {spare}:
            with contextlib.suppress(OSError):  # it ended by itself
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def before_call(self) -> None:
        """Called under the lock before each call of the API."""

    def after_call(self) -> None:
        """Called under the lock after each call of the API, whatever came of it."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""


class Handler(BaseHTTPRequestHandler):
    server: Standin
    protocol_version = "HTTP/1.1"
    timeout = 120

    def setup(self) -> None:
        """The handshake belongs to the connection's own thread: a silent client holds nobody up."""
        self.request.settimeout(20)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()
        with self.server.lock:
            self.server.connections.add(self.request)

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections.discard(self.request)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if path.startswith(DOOR) and self.server.has_door:
            return self._door(path.removeprefix(DOOR), body)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if body:
            given |= dict(parse_qsl(body, keep_blank_values=True))
        if not path.startswith(API + "/"):
            return self._send(404, "Not Found", b"<html>no such page</html>", kind="text/html")
        return self._call(path.removeprefix(API), given)

    do_GET = do_POST = do_PUT = do_DELETE = _handle

    @property
    def _token(self) -> str:
        """The id of the token that asks, such as ``mgmtplane@pve!write``."""
        return (self.headers.get("Authorization") or "").partition("=")[2].rpartition("=")[0]

    # --- the API ---

    def _call(self, path: str, given: dict[str, str]) -> None:
        entry = {
            "at": time.time(),
            "method": self.command,
            "path": path,
            "params": given,
            "token": self._token,
            "status": 0,
            "fault": "",
        }
        with self.server.lock:
            self.server.log.append(entry)
            fault = next((each for each in self.server.faults if each.matches(self.command, path)), None)
            entry["fault"] = fault.kind if fault else ""
        if fault and self._broken_before(fault):
            return None
        try:
            with self.server.lock:
                self.server.before_call()
                try:
                    data = self._answer(path, given, fault)
                finally:
                    self.server.after_call()
        except Refusal as refusal:
            entry["status"] = refusal.status
            document = {"data": None, **({"errors": refusal.errors} if refusal.errors else {})}
            if fault and fault.kind == "impostor":
                self._become_another()
            return self._send_json(refusal.status, document, refusal.reason)
        entry["status"] = 200
        if fault and self._broken_after(fault, data):
            return None
        self._send_json(200, {"data": data})

    def _answer(self, path: str, given: dict[str, str], fault: Fault | None) -> Any:
        world, kind = self.server.world, fault.kind if fault else ""
        if fault and kind == "ignore":
            return world.start_task("ignored", "", self._token, lambda: None)
        dropped = set(fault.more["keys"]) if fault and kind == "drop" else set()
        patience, world.task_seconds = world.task_seconds, 3600.0 if kind == "task" else world.task_seconds
        try:
            data = answer(
                world,
                self.server.schema,
                self.headers.get("Authorization") or "",
                self.command,
                path,
                given,
                dropped,
            )
        finally:
            world.task_seconds = patience
        if fault and kind == "task" and isinstance(data, str) and data in world.tasks:
            _bend(world.tasks[data], fault.more, patience)
        return data

    def _broken_before(self, fault: Fault) -> bool:
        """Act out a fault that comes before the deed; whether it is one."""
        more = fault.more
        if fault.kind == "status":
            document = {"data": None, **({"errors": more["errors"]} if more.get("errors") else {})}
            self._send_json(more.get("status", 500), document, more.get("reason", "Internal Server Error"))
        elif fault.kind == "html":
            page = b"<!DOCTYPE html><html><body>Sign in</body></html>"
            self._send(
                more.get("status", 200), more.get("reason", "OK"), page, kind="text/html; charset=utf-8"
            )
        elif fault.kind == "redirect":
            self._send(302, "Found", b"", headers={"Location": more.get("to", "https://192.0.2.1/")})
        elif fault.kind == "hang":
            time.sleep(more.get("seconds", 60))
            self._hang_up()
        elif fault.kind == "reset":
            self._hang_up(reset=True)
        elif fault.kind == "empty":
            self._send(200, "OK", b"", kind="application/json;charset=UTF-8")
        elif fault.kind == "change":
            with self.server.lock:
                change(self.server.world, copy.deepcopy(more["document"]))
            return False
        else:
            return False
        return True

    def _broken_after(self, fault: Fault, data: Any) -> bool:
        if fault.kind == "null":
            self._send_json(200, {"data": None})
        elif fault.kind == "shape":
            self._send_json(200, {"data": fault.more.get("data")})
        elif fault.kind == "lost":
            time.sleep(fault.more.get("seconds", 0))
            self._hang_up()
        elif fault.kind == "cut":
            body = json.dumps({"data": data}).encode()
            self._send(200, "OK", body[: len(body) // 2], length=len(body))
            self._hang_up()
        elif fault.kind == "impostor":
            self._become_another()
            return False
        else:
            return False
        return True

    def _become_another(self) -> None:
        """This answer is the last one of its own."""
        with self.server.lock:
            self.server.show_another(spare=self.request)
        self.close_connection = True

    # --- the door for tests ---

    def _door(self, what: str, body: str) -> None:
        document = json.loads(body) if body else {}
        with self.server.lock:
            self.server.world.tick()
            try:
                data = self._open(what, document)
            except (KeyError, TypeError, ValueError) as error:
                return self._send_json(400, {"data": None, "errors": {what: str(error)}}, "Bad Request")
        self._send_json(200, {"data": data})

    def _open(self, what: str, document: Any) -> Any:
        server, world = self.server, self.server.world
        if what == "log":
            return server.log
        if what == "state":
            return state(world)
        if what == "reset":
            server.reset()
        elif what == "forget":
            server.log, server.faults, server.tls = [], [], server.own
        elif what == "keep":
            server.by_name[document] = _copied(world)
        elif what == "back":
            server.reset()
            server.world = _copied(server.by_name[document])
        elif what == "impostor":
            server.show_another(spare=self.request)
        elif what == "finish":
            for task in world.tasks.values():
                task.ends = min(task.ends, time.time())
            world.tick()
        elif what == "faults":
            server.faults += [Fault.of(each) for each in document]
        elif what == "change":
            change(world, document)
        else:
            raise ValueError("no such door")
        return None

    # --- bytes ---

    def _send_json(self, status: int, document: Any, reason: str = "OK") -> None:
        self._send(status, reason, json.dumps(document).encode(), kind="application/json;charset=UTF-8")

    def _send(
        self,
        status: int,
        reason: str,
        body: bytes,
        *,
        kind: str = "",
        length: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status, reason.encode("ascii", "replace").decode())
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self, *, reset: bool = False) -> None:
        self.close_connection = True
        if reset:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket.close(self.request)
        else:
            self.request.shutdown(socket.SHUT_RDWR)


def state(world: World) -> dict[str, Any]:
    """The world as JSON: guests by VMID, storages, volumes and tasks."""
    hidden = ("effect", "undo")
    return {
        "guests": {vmid: asdict(guest) for vmid, guest in world.guests.items()},
        "storages": {name: asdict(storage) for name, storage in world.storages.items()},
        "volumes": {name: asdict(volume) for name, volume in world.volumes.items()},
        "tasks": [{k: v for k, v in vars(task).items() if k not in hidden} for task in world.tasks.values()],
        "bridges": world.bridges,
        "boots": world.boots,
        "tokens": {name: token["acl"] for name, token in world.tokens.items()},
    }


def change(world: World, document: dict[str, Any]) -> None:
    """Put *document* over the world: objects are merged by key, a guest of null is gone."""
    for vmid, changes in document.pop("guests", {}).items():
        if changes is None:
            world.guests.pop(int(vmid))
            continue
        guest = world.guests.setdefault(int(vmid), Guest(int(vmid), {}))
        config = changes.pop("config", {})
        guest.config = {k: v for k, v in {**guest.config, **config}.items() if v is not None}
        for key, value in changes.items():
            _assign(guest, key, value)
    for name, changes in document.pop("storages", {}).items():
        storage = world.storages.setdefault(name, Storage(name))
        for key, value in changes.items():
            _assign(storage, key, value)
    for volid, values in document.pop("volumes", {}).items():
        known = world.volumes.get(volid)
        if known is None:
            world.volumes[volid] = Volume(volid, "images", **values)
            continue
        for key, value in values.items():
            _assign(known, key, value)
    for key in ("tokens", "users", "leases"):
        getattr(world, key).update(document.pop(key, {}))
    for key, value in document.items():
        _assign(world, key, value)


def _copied(world: World) -> World:
    """A world of its own; tasks have ended."""
    return copy.deepcopy(world, {id(world.pids): world.pids})


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _assign(thing: object, key: str, value: Any) -> None:
    if not hasattr(thing, key):
        raise ValueError(f"{type(thing).__name__} has no {key}")
    setattr(thing, key, value)


def _bend(task: Task, more: dict[str, Any], seconds: float) -> None:
    """Make *task* end as the fault says."""
    original, exitstatus = task.effect, more.get("exitstatus", "OK")

    def effect() -> str:
        if more.get("effect", True):
            original()
        if exitstatus != "OK" and not exitstatus.startswith("WARNINGS") and not more.get("leftovers"):
            if more.get("effect", True):
                return str(exitstatus)
            raise TaskError(exitstatus)
        return str(exitstatus)

    task.effect, task.log = effect, [*more.get("log", [])]
    task.ends = time.time() + more.get("seconds", seconds)
