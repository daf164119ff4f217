#!/usr/bin/env python3
"""Ansible inventory of one site, from a mgmtplane server. Python 3.8 or later, its standard library, this one file.

    mgmtplane_inventory.py --list          what `ansible -i mgmtplane_inventory.py` asks for
    mgmtplane_inventory.py --host NAME     the variables of one host

While the server cannot be reached, the last good copy is used, with a warning, and the group all has the variables
mgmtplane_inventory_stale (true) and mgmtplane_inventory_stale_since. When the server refuses, or more than half of
the hosts are gone, this ends with 1 and hands nothing on. It ends with 3, and hands nothing on, when what answers is an
older copy of the application than was seen of the site before, or a second one that is live; the last good copy stays.

Settings come from the environment, or without MGMTPLANE_ from the section [mgmtplane] of mgmtplane_inventory.ini
beside this file, else of ~/.config/mgmtplane/inventory.ini (or of the file that MGMTPLANE_CONFIG names):

    MGMTPLANE_URL             https://mgmt.example.net, or with a path before /inventory/
    MGMTPLANE_SITE            the site's name
    MGMTPLANE_TOKEN_FILE      the file with the token; or MGMTPLANE_TOKEN, the token itself (environment only)
    MGMTPLANE_CACHE_DIR       where the last good copy lies (~/.cache/mgmtplane)
    MGMTPLANE_TIMEOUT         seconds that the server may be silent (10)
    MGMTPLANE_TOTAL_TIMEOUT   seconds that the whole answer may take (60)
    MGMTPLANE_CA_FILE         certificates to trust instead of the system's
    MGMTPLANE_CONSUMER        what this machine is called in the list of consumers (its host name)
    MGMTPLANE_ALLOW_HTTP      1: send the token unencrypted to another machine
    MGMTPLANE_ACCEPT_DROP     the number of hosts that are really left (environment only; or --accept-drop)
    MGMTPLANE_ACCEPT_COPY     EPOCH-REVISION to take though it is older, or the site that the refusal names
                              (environment only; or --accept-copy)
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import hashlib
import json
import os
import re
import socket
import ssl
import stat
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

try:
    import fcntl
except ImportError:  # not a Unix; writing is atomic without it
    fcntl = None  # type: ignore[assignment]

NAME = "mgmtplane_inventory"
LARGEST = 512 * 1024 * 1024  # bytes
LARGEST_MEMORY = 1024 * 1024  # bytes
LOCK_SECONDS = 5.0
#: exit status where what answers is an older copy, or a second one that is live
OTHER_COPY = 3
KEYS = (
    "url",
    "site",
    "token_file",
    "cache_dir",
    "timeout",
    "total_timeout",
    "ca_file",
    "consumer",
    "allow_http",
)
ENVIRONMENT_ONLY = ("token", "accept_drop", "accept_copy")

Warn = Callable[[str], None]


class Refused(Exception):
    """No inventory is handed on; the message says why and what to do."""


class OtherCopy(Refused):
    """What answers is an older copy of the application than was seen before, or another one that claims the same."""


class Unavailable(Exception):
    """The server gave no answer that could be used; a last good copy would help."""


# --- settings ---


@dataclass(frozen=True)
class Settings:
    url: str
    site: str
    token: str
    cache_dir: Path
    timeout: float
    total_timeout: float
    ca_file: str
    consumer: str
    accept_drop: int | None
    accept_copy: str

    @property
    def address(self) -> str:
        return "{}/inventory/{}/".format(self.url, urllib.parse.quote(self.site, safe=""))


def settings_of(given: Mapping[str, str], warn: Warn) -> Settings:
    """*given* (names as in KEYS, token, accept_drop) as Settings. Raises Refused."""
    for name in ("url", "site"):
        if not given.get(name):
            raise Refused(f"No {name} is set. Set MGMTPLANE_{name.upper()}, or {name} in the configuration.")
    accepted = given.get("accept_drop") or ""
    if accepted and not accepted.isdecimal():
        raise Refused("MGMTPLANE_ACCEPT_DROP takes the number of hosts that are really left.")
    return Settings(
        url=_checked_url(given["url"], _is_yes(given.get("allow_http"))),
        site=given["site"],
        token=_token(given, warn),
        cache_dir=Path(given.get("cache_dir") or _default_cache()).expanduser(),
        timeout=_seconds(given, "timeout", 10),
        total_timeout=_seconds(given, "total_timeout", 60),
        ca_file=os.path.expanduser(given.get("ca_file") or ""),
        consumer=re.sub(r"[^\w.@:-]+", "-", given.get("consumer") or socket.gethostname(), flags=re.ASCII),
        accept_drop=int(accepted) if accepted else None,
        accept_copy=given.get("accept_copy") or "",
    )


def gathered(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the configuration file says, and over it what the environment says. Raises Refused."""
    values = _configured(environ, folder)
    for key in (*KEYS, *ENVIRONMENT_ONLY):
        if environ.get("MGMTPLANE_" + key.upper()):
            values[key] = environ["MGMTPLANE_" + key.upper()]
    return values


def _configured(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    places = [folder / (NAME + ".ini"), Path("~/.config/mgmtplane/inventory.ini")]
    if environ.get("MGMTPLANE_CONFIG"):
        places = [Path(environ["MGMTPLANE_CONFIG"])]
    for place in places:
        with contextlib.suppress(RuntimeError):  # a process without a home
            place = place.expanduser()
        if not place.exists() and len(places) > 1:
            continue
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(place.read_text(encoding="utf-8"))
            values = dict(parser["mgmtplane"]) if "mgmtplane" in parser else {}
        except OSError as error:
            raise Refused(f"{place} cannot be read: {error.strerror}.") from None
        except (configparser.Error, UnicodeDecodeError):  # without its words: they quote the file
            raise Refused(f"{place} is no file of the form [mgmtplane] and key = value.") from None
        wrong = sorted(set(values) - set(KEYS))
        if wrong:
            raise Refused(
                "{} sets {}, which does not belong there. It may set: {}.".format(
                    place, ", ".join(wrong), ", ".join(KEYS)
                )
            )
        return values
    return {}


def _default_cache() -> str:
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "mgmtplane")


def _is_yes(text: str | None) -> bool:
    return (text or "").lower() in ("1", "true", "yes", "on")


def _seconds(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        seconds = float(given.get(name) or default)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 3600:
        raise Refused(f"{name} takes seconds, more than 0 and at most 3600.")
    return seconds


def _checked_url(url: str, allow_http: bool) -> str:
    parts = urllib.parse.urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise Refused("url is not of the form https://server or https://server/path.")
    if parts.scheme == "http" and not _is_loopback(host) and not allow_http:
        raise Refused(
            f"{url} would send the token unencrypted over the network. Use https://; or, where that network is "
            "yours alone, set MGMTPLANE_ALLOW_HTTP=1 (allow_http)."
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d+){3}", host) is not None


def _token(given: Mapping[str, str], warn: Warn) -> str:
    token, place = given.get("token") or "", "MGMTPLANE_TOKEN"
    if not token:
        if not given.get("token_file"):
            raise Refused(
                "There is no token. Set MGMTPLANE_TOKEN_FILE to a file that holds it, or MGMTPLANE_TOKEN."
            )
        path = Path(os.path.expanduser(given["token_file"]))
        place = str(path)
        try:
            token = path.read_text(encoding="ascii")
            if path.stat().st_mode & 0o007:
                warn(f"everybody on this machine may read {path}; chmod 600 it.")
        except UnicodeDecodeError:
            token = ""
        except OSError as error:
            raise Refused(f"The token cannot be read from {path}: {error.strerror}.") from None
    if not re.fullmatch(r"[\x21-\x7e]+", token.strip()):
        raise Refused(f"{place} holds no token: one word, as `manage.py token create` prints it.")
    return token.strip()


# --- the last good copy ---


@dataclass(frozen=True)
class Copy:
    """One answer of the server that could be used."""

    etag: str
    body: bytes
    hosts: int
    #: when the server last said that this is the newest; seconds since 1970
    confirmed: float = 0.0

    @property
    def age(self) -> tuple[int, int]:
        return age_of(self.etag)


_ETAG = re.compile(r'(?:W/)?("(\d{1,18})-(?:e(\d{1,9})-)?[0-9a-f]{20})[^"]*"', re.ASCII)


def own_etag(etag: str) -> str:
    """*etag* as mgmtplane gave it: a proxy that compresses calls it weak, or adds a word. Empty for none of ours."""
    match = _ETAG.fullmatch(etag)
    return match.group(1) + '"' if match else ""


def age_of(etag: str) -> tuple[int, int]:
    """Epoch and revision in *etag*; servers of before there were epochs are of the first. (-1, -1) for none of ours."""
    match = _ETAG.fullmatch(etag)
    return (int(match.group(3) or 1), int(match.group(2))) if match else (-1, -1)


@dataclass(frozen=True)
class Seen:
    """The newest that was seen of a site: epoch, revision, which copy of the application (its header), and another one
    that was met and claims the same epoch."""

    epoch: int = -1
    revision: int = -1
    copy: str = ""
    met: str = ""

    @property
    def told(self) -> str:
        """What the server is told of it."""
        return ", ".join(filter(None, (self.copy, self.met)))

    @classmethod
    def read(cls, known: Mapping[str, Any]) -> Seen:
        return cls(int(known["epoch"]), int(known["revision"]), str(known["copy"]), str(known["met"]))


@dataclass(frozen=True)
class Memory:
    """What was seen of every site of one name, by the site's id: two installations may each have one of that name."""

    #: by id; "" while no server ever said one
    sites: Mapping[str, Seen]
    #: address → id of the site that answered there
    places: Mapping[str, str]

    def expected(self, url: str) -> str:
        """The id of the site that should answer at *url*; "" where nothing is known, or too much."""
        known = [uid for uid in self.sites if uid]
        return self.places.get(url) or (known[0] if len(known) == 1 else "")

    def after(self, url: str, uid: str, seen: Seen) -> Memory:
        sites = {**self.sites, uid: seen}
        if uid:
            sites.pop("", None)
        return Memory(sites, {**self.places, url: uid})


class Cache:
    """The copy of one site of one server: a line of JSON about it, then the server's bytes."""

    def __init__(self, settings: Settings, warn: Warn) -> None:
        self.url, self.site, self.folder, self.warn = settings.url, settings.site, settings.cache_dir, warn
        key = hashlib.sha256(f"{self.url}\0{self.site}".encode()).hexdigest()
        self.path = self.folder / (key[:32] + ".inventory")
        # of the site alone: a copy of the application that is somewhere else has another address
        self.memory = self.folder / (hashlib.sha256(self.site.encode()).hexdigest()[:32] + ".seen")

    def load(self) -> Copy | None:
        """The copy; None where there is none, and with a warning where it cannot be trusted."""
        try:
            return self._read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.warn(f"the last good copy {self.path} cannot be read: {error.strerror}.")
        except (ValueError, KeyError, TypeError):
            self.warn(f"the last good copy {self.path} is damaged, and is not used.")
        return None

    def _read(self) -> Copy:
        self._trusted(self.folder.stat(), self.folder)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(str(self.path), flags), "rb") as file:
            status = os.fstat(file.fileno())
            self._trusted(status, self.path)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("no file")
            head, body = json.loads(file.readline()), file.read()
        if [head["url"], head["site"]] != [self.url, self.site]:
            raise ValueError("another site's")
        if hashlib.sha256(body).hexdigest() != head["sha256"]:
            raise ValueError("not what was written")
        return Copy(head["etag"], body, hosts_in(document_of(body)), status.st_mtime)

    def _trusted(self, status: os.stat_result, path: Path) -> None:
        """Whoever may write there says what Ansible runs."""
        mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        if not mine or status.st_mode & 0o022:
            raise PermissionError(0, f"others may write to {path}, so it is not trusted")

    def confirm(self) -> None:
        """Remember that the server has nothing newer."""
        with contextlib.suppress(OSError):
            os.utime(str(self.path))

    def keep(self, new: Copy, before: Copy | None) -> None:
        """Put *new* in the place of *before*; a full disk is worth a warning and no failure."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._trusted(self.folder.stat(), self.folder)
            with self._locked():
                there = self._quietly()
                raced = there is not None and (before is None or there.etag != before.etag)
                if raced and there is not None and there.age > new.age:
                    return  # another run was slower to start and faster to end
                self._write(new)
        except OSError as error:
            self.warn(
                f"the new inventory is used, but cannot be kept in {self.folder}: {error.strerror or type(error).__name__}."
            )

    # --- what was seen of the site, wherever it was served ---

    def seen(self) -> Memory:
        """The newest that was seen; nothing where there is none, and with a warning where it cannot be trusted."""
        try:
            with os.fdopen(
                os.open(str(self.memory), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb"
            ) as file:
                self._trusted(os.fstat(file.fileno()), self.memory)
                known = json.loads(file.read(LARGEST_MEMORY))
            if "sites" not in known:  # as it was written while no server said of which site
                return Memory({"": Seen.read(known)}, {})
            sites = {str(uid): Seen.read(one) for uid, one in known["sites"].items()}
            return Memory(sites, {str(url): str(uid) for url, uid in known["places"].items()})
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.warn(f"{self.memory}, which has the newest that was seen, cannot be used.")
        return Memory({}, {})

    def remember(self, uid: str, seen: Seen, before: Memory) -> None:
        """Write down what is newest of the site *uid*; a full disk is worth a warning and no failure."""
        if before.sites.get(uid) == seen and before.places.get(self.url) == uid:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                there = self.seen()
                now = there.sites.get(uid, Seen())
                raced = now != before.sites.get(uid, Seen()) and (now.epoch, now.revision) > (
                    seen.epoch,
                    seen.revision,
                )
                if not raced:  # else another run was slower to start and faster to end
                    text = json.dumps(_plain(there.after(self.url, uid, seen)))
                    self._replace(self.memory, text.encode())
        except OSError as error:
            self.warn(
                f"what was seen cannot be kept in {self.folder}: {error.strerror or type(error).__name__}."
            )

    def _quietly(self) -> Copy | None:
        try:
            return self._read()
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, new: Copy) -> None:
        head = {"url": self.url, "site": self.site, "etag": new.etag}
        head["sha256"] = hashlib.sha256(new.body).hexdigest()
        self._replace(self.path, json.dumps(head).encode() + b"\n" + new.body)

    def _replace(self, path: Path, content: bytes) -> None:
        handle, draft = tempfile.mkstemp(prefix=path.name, suffix=".new", dir=str(self.folder))  # 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, str(path))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise
        folder = os.open(str(self.folder), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if fcntl is None:
            yield
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(str(self.path.with_suffix(".lock")), flags, 0o600)
        try:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise TimeoutError(0, "another run holds its lock") from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(handle)


def _plain(memory: Memory) -> dict[str, Any]:
    sites = {uid: vars(seen) for uid, seen in memory.sites.items()}
    return {"sites": sites, "places": dict(memory.places)}


# --- the server ---


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    etag: str = ""
    location: str = ""
    #: which copy of the application writes the site
    copy: str = ""
    #: the site's id, which no other installation gives; "" from a server that does not say it
    site: str = ""
    #: as digits, "" where it is not said
    revision: str = ""
    #: from the files that went out, while the database is away
    is_mirrored: bool = False

    @property
    def age(self) -> tuple[int, int]:
        """Epoch and revision. (-1, -1) where nothing of it says them."""
        epoch, revision = age_of(self.etag)
        if self.copy:
            epoch = int(self.copy.partition(".")[0])
        if self.revision:
            revision = int(self.revision)
        return (max(epoch, 1), revision) if revision >= 0 else (-1, -1)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def ask(settings: Settings, etag: str, seen: str = "", site: str = "") -> Answer:
    """What the server says. Raises Unavailable when it says nothing, or not everything, or not in time."""
    got: list[Any] = []

    def work() -> None:
        try:
            got.append(_exchange(settings, etag, seen, site))
        except (Refused, Unavailable) as error:
            got.append(error)
        except urllib.error.URLError as error:
            got.append(Unavailable(f"cannot be reached: {_words(error.reason)}"))
        except Exception as error:
            got.append(Unavailable(f"gave no whole answer: {_words(error)}"))

    # A thread, since neither a slow resolver nor a server that drips knows of any timeout.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(settings.total_timeout)
    if not got:
        raise Unavailable(f"gave no whole answer within {settings.total_timeout:g} seconds")
    if isinstance(got[0], Exception):
        raise got[0]
    answer: Answer = got[0]
    return answer


def _words(error: Any) -> str:
    """Only what the system says: a library's words may quote a header, and the header the token."""
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "it was silent for too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); see MGMTPLANE_CA_FILE"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _exchange(settings: Settings, etag: str, seen: str, site: str) -> Answer:
    headers = {
        "Authorization": "Bearer " + settings.token,
        "Accept": "application/json",
        "Mgmtplane-Consumer": settings.consumer,
        "User-Agent": "mgmtplane-inventory/1",
    }
    if etag:
        headers["If-None-Match"] = etag
    if seen:
        headers["Mgmtplane-Seen"] = seen
        if site:
            headers["Mgmtplane-Site"] = site  # of which that was seen
    request = urllib.request.Request(settings.address, headers=headers)
    try:
        response = _opener(settings).open(request, timeout=settings.timeout)
    except urllib.error.HTTPError as error:  # anything but 2xx
        response = error
    with response:
        body = response.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise Unavailable(f"answered with more than {LARGEST >> 20} MiB")
        length = response.headers.get("Content-Length", "")
        if response.status != 304 and length.isdecimal() and int(length) != len(body):
            raise Unavailable(f"announced {length} bytes and sent {len(body)}")
        location = response.headers.get("Location", "").partition("?")[0]
        return Answer(
            response.status,
            body,
            response.headers.get("ETag", ""),
            location,
            _said(response, "Mgmtplane-Copy", r"\d{1,9}\.[0-9a-f]{16}\.[0-9a-f]{20}"),
            _said(response, "Mgmtplane-Site", r"[0-9a-f-]{32,36}"),
            _said(response, "Mgmtplane-Revision", r"\d{1,18}"),
            bool(_said(response, "Mgmtplane-Degraded", "database")),
        )


def _said(response: Any, name: str, shape: str) -> str:
    """The header *name* where it has that shape, else nothing."""
    value: str = response.headers.get(name, "")
    return value if re.fullmatch(shape, value, re.ASCII) else ""


def _opener(settings: Settings) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_NoRedirects()]
    if _is_loopback(urllib.parse.urlsplit(settings.url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    if settings.url.startswith("https:"):
        try:
            context = ssl.create_default_context(cafile=settings.ca_file or None)
        except (OSError, ValueError):
            raise Refused(f"{settings.ca_file} holds no certificates that can be read.") from None
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


# --- what is handed on ---


@dataclass(frozen=True)
class Inventory:
    """The document as JSON text; ``stale_since`` is when the server last confirmed it, empty when that is now."""

    text: bytes
    stale_since: str = ""


def obtain(settings: Settings, warn: Warn) -> Inventory:
    """The site's inventory from the server, or the last good copy. Raises Refused."""
    cache = Cache(settings, warn)
    before, memory = cache.load(), cache.seen()
    expected = memory.expected(settings.url)
    told = memory.sites.get(expected, Seen())
    if before is not None and not memory.sites:
        memory = Memory({"": Seen(*before.age)}, {})
    try:
        answer = ask(settings, before.etag if before else "", told.told, expected)
        new = _newest(settings, answer, before)
        _check_copy(settings, cache, answer, before, memory)
    except Unavailable as trouble:
        return _last_good(settings, cache, before, str(trouble), warn)
    if before is not None and new is before:
        cache.confirm()
        return Inventory(before.body)
    _check_drop(settings, new, before)
    cache.keep(new, before)
    return Inventory(new.body)


def _check_copy(
    settings: Settings, cache: Cache, answer: Answer, before: Copy | None, memory: Memory
) -> None:
    """Raise OtherCopy unless what answers is the same site, as new as what was seen, and of the same copy; then remember.

    Raises Unavailable for the mirror of the same copy that has not got the newest: it went nowhere, it is late.
    """
    uid = _site_of(settings, answer, memory)
    seen = memory.sites.get(uid) or memory.sites.get("") or Seen()
    epoch, revision = answer.age
    if answer.status == 304 and before is not None and epoch < 0:
        epoch, revision = before.age  # what was asked is confirmed
    if epoch < 0:
        raise Unavailable(
            "answered with what is not mgmtplane's, or lost its headers on the way (no ETag of it, no Mgmtplane-Revision)"
        )
    if settings.accept_copy == f"{epoch}-{revision}":
        cache.remember(uid, Seen(epoch, revision, answer.copy), memory)
        return
    if _is_late_mirror(answer, (epoch, revision), seen):
        raise Unavailable(
            f"answers while its database is away, with revision {revision}; {seen.revision} was seen before"
        )
    try:
        _check_age(settings, epoch, revision, answer.copy, seen)
    except OtherCopy:
        if epoch == seen.epoch and _differ(answer.copy, seen.copy):
            cache.remember(uid, replace(seen, met=answer.copy), memory)
        raise
    cache.remember(uid, Seen(epoch, revision, answer.copy), memory)


def _site_of(settings: Settings, answer: Answer, memory: Memory) -> str:
    """The id of the site that answers. Raises OtherCopy where it is another one than was seen under that name."""
    expected = memory.expected(settings.url)
    known = [uid for uid in memory.sites if uid]
    if not answer.site or not known or answer.site in (*known, settings.accept_copy):
        return answer.site or expected
    raise OtherCopy(
        f"{settings.address} has another site of that name, {answer.site}, than was seen before ({', '.join(known)}): "
        f"another installation, or it was declared anew. {_accepting(answer.site)}"
    )


def _is_late_mirror(answer: Answer, age: tuple[int, int], seen: Seen) -> bool:
    return answer.is_mirrored and age < (seen.epoch, seen.revision) and not _differ(answer.copy, seen.copy)


def _check_age(settings: Settings, epoch: int, revision: int, copy: str, seen: Seen) -> None:
    """Raise OtherCopy unless *epoch*, *revision* and *copy* may follow *seen*."""
    accepting = _accepting(f"{epoch}-{revision}")
    if epoch < seen.epoch:
        raise OtherCopy(
            f"{settings.address} is of epoch {epoch}, and another copy of the application was promoted to epoch "
            f"{seen.epoch}: what answers is out of date. {accepting}"
        )
    if epoch == seen.epoch and _differ(copy, seen.copy):
        raise OtherCopy(
            f"Two copies of the application are live in epoch {epoch}: {_id_of(seen.copy)}, which was seen before, and "
            f"{_id_of(copy)}, which answers at {settings.address}. Promote the one that shall be. {accepting}"
        )
    if epoch == seen.epoch and revision < seen.revision:
        raise OtherCopy(
            f"{settings.address} has revision {revision}, and {seen.revision} was seen before: it went back. Promote it "
            f"if that is right. {accepting}"
        )


def _accepting(what: str) -> str:
    return (
        f"If it shall be used all the same, run this once: {NAME}.py --list --accept-copy {what} (or set "
        f"MGMTPLANE_ACCEPT_COPY={what} for one run)."
    )


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and _id_of(one) != _id_of(other)


def _id_of(copy: str) -> str:
    return copy.split(".")[1]


def _newest(settings: Settings, answer: Answer, before: Copy | None) -> Copy:
    """The copy that *answer* stands for; *before* itself on 304."""
    if answer.status == 304 and before is not None:
        return before
    if answer.status == 200:
        try:
            hosts = hosts_in(document_of(answer.body))
        except ValueError as error:
            raise Unavailable(f"answered with 200 and {error}") from None
        return Copy(own_etag(answer.etag), answer.body, hosts)
    if 400 <= answer.status < 500:
        meaning = {
            401: "does not accept the token",
            403: "does not let this token read it",
            404: "does not have it",
        }
        raise Refused(
            "{} {} ({}){}".format(
                settings.address,
                meaning.get(answer.status, "refuses"),
                answer.status,
                _sentence(settings, answer),
            )
        )
    if answer.location:
        place = _readable(settings, answer.location)
        raise Unavailable(f"points to {place}, which is not followed; set url to what is right")
    raise Unavailable(f"answered with {answer.status}{_sentence(settings, answer)}")


def _sentence(settings: Settings, answer: Answer) -> str:
    try:
        said = json.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return ": " + _readable(settings, str(said))


def _readable(settings: Settings, said: str) -> str:
    """The server's own words: short, without what a terminal would obey, and without the token."""
    plain = "".join(c if c.isprintable() else " " for c in said.replace(settings.token, "(the token)"))
    return plain[:300]


def document_of(text: bytes) -> dict[str, Any]:
    """*text* as the document of an inventory. Raises ValueError in words.

    Strict, since Ansible goes on without hosts after what it cannot read.
    """
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ValueError("what is not (or only half) JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("_meta"), dict):
        raise ValueError("JSON that is no inventory")
    variables = document["_meta"].get("hostvars")
    groups = [body for name, body in document.items() if name != "_meta"]
    if not isinstance(variables, dict) or not all(isinstance(v, dict) for v in variables.values()):
        raise ValueError("JSON that is no inventory")
    if not all(_is_group(body) for body in groups):
        raise ValueError("JSON that is no inventory")
    return document


def _is_group(body: Any) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("vars", {}), dict):
        return False
    listed = [body.get("hosts", []), body.get("children", [])]
    return all(isinstance(names, list) and all(isinstance(n, str) and n for n in names) for names in listed)


def hosts_in(document: Mapping[str, Any]) -> int:
    """How many hosts Ansible would see: those in groups. It passes over variables of others."""
    groups = [body for name, body in document.items() if name != "_meta"]
    return len({host for group in groups for host in group.get("hosts", ())})


def _check_drop(settings: Settings, new: Copy, before: Copy | None) -> None:
    """Raise Refused for an inventory without hosts, and for one that lost more than half of them unasked."""
    if new.hosts == 0:
        raise Refused(
            f"{settings.address} has no hosts now. An empty inventory is never handed on; look at the site first."
        )
    if before is None or new.hosts * 2 >= before.hosts or settings.accept_drop == new.hosts:
        return
    raise Refused(
        f"{settings.address} has {new.hosts} hosts now and had {before.hosts}: more than half are gone. If that is "
        f"right, run this once: {NAME}.py --list --accept-drop {new.hosts} (or set "
        f"MGMTPLANE_ACCEPT_DROP={new.hosts} for one run)."
    )


def _last_good(settings: Settings, cache: Cache, before: Copy | None, trouble: str, warn: Warn) -> Inventory:
    if before is None:
        raise Refused(f"{settings.address} {trouble}; and there is no last good copy in {cache.folder}.")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before.confirmed))
    warn(
        f"{settings.address} {trouble}. THIS INVENTORY IS STALE: "
        f"the last good copy is used, as the server gave it on {since}."
    )
    document = document_of(before.body)
    variables = document.setdefault("all", {}).setdefault("vars", {})
    variables["mgmtplane_inventory_stale"] = True
    variables["mgmtplane_inventory_stale_since"] = since
    return Inventory(json.dumps(document).encode() + b"\n", since)


# --- the command ---


def warn_on_stderr(sentence: str) -> None:
    sys.stderr.write(f"{NAME}: WARNING: {sentence}\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=NAME, description=(__doc__ or "").partition("\n")[0])
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--list", action="store_true", help="the whole inventory as JSON")
    wanted.add_argument("--host", metavar="NAME", help="the variables of one host as JSON")
    parser.add_argument("--accept-drop", metavar="N", help="N hosts are really all that is left")
    parser.add_argument(
        "--accept-copy",
        metavar="EPOCH-REVISION",
        help="take this though another copy, or a newer one, was seen; or the site that a refusal names",
    )
    options = parser.parse_args(arguments)
    try:
        given = gathered(os.environ, Path(os.path.realpath(__file__)).parent)
        if options.accept_drop:
            given["accept_drop"] = options.accept_drop
        if options.accept_copy:
            given["accept_copy"] = options.accept_copy
        inventory = obtain(settings_of(given, warn_on_stderr), warn_on_stderr)
        text = inventory.text if options.list else _one_host(inventory, options.host)
        _write_out(text)
    except Refused as refusal:
        sys.stderr.write(f"{NAME}: {refusal}\n")
        return OTHER_COPY if isinstance(refusal, OtherCopy) else 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # without its words: they may quote a variable
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = where.tb_lineno if where else 0
        sys.stderr.write(f"{NAME}: failed inside ({type(error).__name__}, line {line}).\n")
        return 1
    return 0


def _one_host(inventory: Inventory, name: str) -> bytes:
    known = document_of(inventory.text)["_meta"]["hostvars"]
    if name not in known:
        raise Refused(f"There is no host {name!r} in the inventory.")
    return json.dumps(known[name]).encode() + b"\n"


def _write_out(text: bytes) -> None:
    try:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # else Python complains once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Refused(f"The inventory cannot be written out: {error.strerror}.") from None


if __name__ == "__main__":
    sys.exit(main())
