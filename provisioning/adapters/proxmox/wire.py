"""Requests and answers: the only file that imports proxmoxer.

proxmoxer builds paths, sends the token and decodes JSON. What it leaves open is closed here: explicit time-outs, one
session a thread, certificates by CA or fingerprint, redirects and HTML as failures, no payload in any log, and its
import does not silence urllib3's warnings for the whole process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from provisioning.adapters.base import AdapterError, Busy, Unreachable, Unsendable, Untrusted
from provisioning.adapters.proxmox import words
from provisioning.adapters.proxmox.access import Access

with warnings.catch_warnings():  # the import calls urllib3.disable_warnings()
    from proxmoxer.backends import https
    from proxmoxer.core import ProxmoxResource, ResourceException

#: what stands in a path as it is, and the “>” of a moved disk's task, which is sent quoted
_SEGMENT = re.compile(r"[A-Za-z0-9._~:@!$&'()*+,;=>/-]+\Z")
_CERTIFICATE = re.compile(r"certificate|fingerprint|hostname mismatch|doesn't match", re.IGNORECASE)
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


def _warnings_only(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


for _name in ("proxmoxer.core", "proxmoxer.backends.https"):  # bodies at INFO, answers at DEBUG
    logging.getLogger(_name).addFilter(_warnings_only)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it was sent, for a transcript. *status* is 0 where no answer came; *seconds* it took."""

    method: str
    path: str
    params: Mapping[str, Any]
    status: int
    said: str
    data: Any
    seconds: float


class Wire:
    """Calls to one node's API. Raise in *check*, called between tries, or in *fence* to stop.

    *fence* is told of every write, such as ``POST /nodes/pve/qemu``, once its connection stands and nothing is left but to
    send it.
    """

    def __init__(
        self,
        access: Access,
        *,
        check: Callable[[], None] | None = None,
        fence: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = access
        self.check = check or (lambda: None)
        self.fence = fence or (lambda call: self.check())
        self.sleep = sleep
        #: told of every request once it is over
        self.hear: Callable[[Exchange], None] = lambda exchange: None
        self._of_thread = threading.local()

    def read(self, *path: str | int, **params: Any) -> Any:
        """The data of ``GET path``. Tried again where no answer came; raises AdapterError."""
        patience = self.access.patience
        for left in reversed(range(patience.reads)):
            try:
                return self._patiently("get", path, params)
            except Unreachable as error:
                if not left or not error.retryable:
                    raise
            self.check()
            self.sleep(min(patience.longest_pause, patience.pause * 2 ** (patience.reads - left - 1)))
        raise AssertionError("a reading is tried at least once")

    def write(self, method: str, *path: str | int, **params: Any) -> Any:
        """The data of one POST, PUT or DELETE: sent once, and again only after “somebody holds the lock”."""
        self._session().close()  # a connection kept open may be dead by now, and its answer would be lost
        return self._patiently(method.lower(), path, params)

    def _patiently(self, method: str, path: tuple[str | int, ...], params: Mapping[str, Any]) -> Any:
        """One call, repeated while the answer is that a lock is held, for ``patience.lock`` seconds."""
        patience = self.access.patience
        waited, pause = 0.0, patience.pause
        while True:
            try:
                return self._once(method, path, params)
            except Busy:
                if waited + pause > patience.lock:
                    raise
            self.check()
            self.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, patience.longest_pause)

    def _once(self, method: str, path: tuple[str | int, ...], params: Mapping[str, Any]) -> Any:
        call = f"{method.upper()} /{'/'.join(map(str, path))}"
        write = method != "get"
        for segment in path:
            _check_segment(str(segment), call)
        problem: AdapterError
        try:
            return getattr(self._resource()([str(segment) for segment in path]), method)(**params)
        except ResourceException as error:
            problem = words.refusal(
                error.status_code, str(error.content), error.errors, call=call, write=write
            )
        except _NoAnswer as error:
            problem = words.strange(f"{self._who} answered {call} with {error}", call=call, write=write)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            problem = self._lost(error, call, write)
        except OSError as error:  # requests' own word for a CA file that is not there
            said = f"The certificate of {self._who} cannot be checked: {error}. Look at the declared CA file."
            problem = Untrusted(said, call=call)
        # outside of the except: the library's exception, which would hang on, holds the request and its header
        raise self._without_secret(problem)

    def _last_look(self, method: str, path: str) -> None:
        if method != "GET":
            self.fence(f"{method} {path}")

    def _lost(self, error: Exception, call: str, write: bool) -> AdapterError:
        inner = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.ConnectTimeout) or isinstance(inner, _NEVER_SENT):
            return Unreachable(f"{self._who} cannot be reached: {_kind(inner or error)}.", call=call)
        if isinstance(error, requests.exceptions.SSLError) and _CERTIFICATE.search(str(error)):
            return Untrusted(
                f"{self._who} shows another certificate than declared; nothing was sent. "
                "Compare its fingerprint at its console, or name its CA file.",
                call=call,
            )
        if isinstance(error, ValueError):  # InvalidURL, InvalidHeader
            return Unsendable(f"{call} cannot be sent to {self._who}: {_kind(error)}.", call=call)
        return words.unanswered(_kind(inner or error), call=call, write=write)

    @property
    def _who(self) -> str:
        return f"Proxmox at {self.access.host}:{self.access.port}"

    def _without_secret(self, problem: AdapterError) -> AdapterError:
        problem.args = tuple(str(part).replace(self.access.secret, "…") for part in problem.args)
        return problem

    def _resource(self) -> ProxmoxResource:
        if not hasattr(self._of_thread, "resource"):
            session = _session(
                self.access, lambda exchange: self.hear(exchange), lambda *call: self._last_look(*call)
            )
            base_url = _backend(self.access).get_base_url()
            self._of_thread.session = session
            self._of_thread.resource = ProxmoxResource(
                base_url=base_url, session=session, serializer=_Serializer()
            )
        return self._of_thread.resource

    def _session(self) -> requests.Session:
        self._resource()
        session: requests.Session = self._of_thread.session
        return session


class _NoAnswer(Exception):
    """What came back is not Proxmox's JSON; the text completes “answered with …”."""


class _Serializer(https.JsonSerializer):
    def loads(self, response: requests.Response) -> Any:
        try:
            document = json.loads(response.content)
        except (UnicodeDecodeError, ValueError):
            raise _NoAnswer("something that is no JSON") from None
        if not isinstance(document, dict) or "data" not in document:
            raise _NoAnswer("JSON that has no “data”")
        return document["data"]

    def loads_errors(self, response: requests.Response) -> dict[str, str] | None:
        try:
            errors = json.loads(response.content).get("errors")
        except (UnicodeDecodeError, ValueError, AttributeError):
            return None
        return {str(name): str(why) for name, why in errors.items()} if isinstance(errors, dict) else None


class _Session(https.ProxmoxHttpSession):
    hear: Callable[[Exchange], None]

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        options["allow_redirects"] = False
        began, response = time.monotonic(), None
        try:
            response = super().request(method, url, **options)
        finally:
            given = options.get("data") or options.get("params") or {}
            self.hear(_exchange(method, url, given, response, time.monotonic() - began))
        return self._judged(response)

    def _judged(self, response: requests.Response) -> requests.Response:
        if 300 <= response.status_code < 400:
            raise _NoAnswer(f"a redirect (status {response.status_code})")
        page = "html" in response.headers.get("Content-Type", "").lower() and response.content.strip()
        if page and (response.status_code < 400 or response.status_code in (404, 500)):
            raise _NoAnswer(
                f"a web page (status {response.status_code}); something else than its API answers there"
            )
        return response


class _Trusting(HTTPAdapter):
    """Verifies the certificate by CA, by the SHA-256 of it, or both, during the handshake: before a request is sent.

    Python 3.13 and later refuse CAs without a key usage, and the one that Proxmox VE makes itself has none.
    """

    def __init__(self, fingerprint: str, *, by_ca: bool, last_look: Callable[[str, str], None]) -> None:
        self.fingerprint = fingerprint.replace(":", "").lower() or None
        self.by_ca = by_ca
        self.last_look = last_look
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if self.by_ca else ssl.CERT_NONE)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        super().init_poolmanager(*args, ssl_context=context, assert_fingerprint=self.fingerprint, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _pool_with(self.last_look)}


def _pool_with(last_look: Callable[[str, str], None]) -> type[HTTPSConnectionPool]:
    """Connections that call *last_look* with method and path after the handshake, before the first byte of a request.

    Earlier would be too early: a worker that stands still during a handshake may have lost its job when it goes on.
    """

    class Connection(HTTPSConnection):
        def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
            last_look(method, _path(url))
            super().request(method, url, *args, **options)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def _backend(access: Access) -> https.Backend:
    return https.Backend(
        f"[{access.host}]:{access.port}" if ":" in access.host else access.host,
        user=access.user,
        port=access.port,
        token_name=access.token_name,
        token_value=access.secret,
        path_prefix=access.path_prefix,
        verify_ssl=access.verify,
        timeout=(access.patience.connect, access.patience.answer),
    )


def _exchange(
    method: str, url: str, given: Mapping[str, Any], response: requests.Response | None, seconds: float
) -> Exchange:
    path, data = _path(url), None
    if response is None:
        return Exchange(method, path, dict(given), 0, "no answer", None, seconds)
    with contextlib.suppress(ValueError, AttributeError):
        data = json.loads(response.content).get("data")
    return Exchange(method, path, dict(given), response.status_code, str(response.reason), data, seconds)


def _path(url: str) -> str:
    """What stands behind ``/api2/json``, without parameters."""
    return unquote(url.partition("/api2/json")[2].partition("?")[0])


def _session(
    access: Access, hear: Callable[[Exchange], None], last_look: Callable[[str, str], None]
) -> requests.Session:
    session = _Session()
    session.hear = hear
    session.auth = _backend(access).auth
    session.headers["accept"] = "application/json"
    session.trust_env = False  # no proxy, no netrc, no CA bundle from the environment
    session.mount("https://", _Trusting(access.fingerprint, by_ca=bool(access.verify), last_look=last_look))
    del session.adapters["http://"]
    return session


def _check_segment(segment: str, call: str) -> None:
    if not _SEGMENT.match(segment) or segment.startswith("/") or ".." in segment:
        raise Unsendable(f"“{segment}” cannot stand in an address of the API.", call=call)


def _kind(error: object) -> str:
    """Words for *error* without its text, which may hold addresses and headers."""
    words_of = {
        "NewConnectionError": "nothing listens there",
        "NameResolutionError": "its name is not known",
        "ConnectTimeoutError": "no answer to the connection",
        "ConnectTimeout": "no answer to the connection",
        "ReadTimeout": "no answer in time",
        "ReadTimeoutError": "no answer in time",
    }
    return words_of.get(type(error).__name__, "the connection broke")
