"""System checks for configuration mistakes that no single setting shows; `manage.py check` runs them.

Ids are stable: once given, never reused. An error keeps everything from starting; a warning is shown.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

# SQLite's WAL needs memory that all processes share. A network file system has none: the database breaks.
NETWORK_FILE_SYSTEMS = {
    *("9p", "afs", "ceph", "cifs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"),
    *("fuse.glusterfs", "fuse.rclone", "fuse.sshfs"),
}


@register()
def check_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Everything that is checked without asking the database."""
    return [*_files(), *_browsers(), *_proxy()]


def _files() -> Iterator[CheckMessage]:
    """What lies in the data directory is ours, private and on a disk of this machine."""
    data_dir: Path = settings.DATA_DIR
    if _mode(data_dir) & 0o077:
        yield Warning(
            f"The data directory {data_dir} is open to other users of this machine.",
            hint=f"It holds secrets. Close it: chmod 700 {data_dir}",
            id="mgmtplane.W001",
        )
    key = data_dir / "secret_key"
    if _mode(key) & 0o077:
        yield Warning(
            f"The secret key in {key} can be read by other users of this machine.",
            hint=f"Whoever reads it can sign in as anybody. Close it: chmod 600 {key}",
            id="mgmtplane.W002",
        )
    if settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_in"):
        yield from _broker_folders(settings.BROKER_DIR)
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        yield from _sqlite_place(Path(database["NAME"]))


def _broker_folders(broker: Path) -> Iterator[CheckMessage]:
    for folder in (broker / "messages", broker / "control", broker / "processed"):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield Error(
                f"The message folder {folder} cannot be written to.",
                hint="Give it back to the user this runs as, or set CELERY_BROKER_URL to a real broker.",
                id="mgmtplane.E001",
            )


def _sqlite_place(path: Path) -> Iterator[CheckMessage]:
    kind = file_system(path.parent)
    if kind in NETWORK_FILE_SYSTEMS:
        yield Error(
            f"The SQLite database {path} lies on a network file system ({kind}), which would corrupt it.",
            hint="Set DATA_DIR to a directory on a disk of this machine, or DATABASE_URL to a PostgreSQL.",
            id="mgmtplane.E002",
        )


def _browsers() -> Iterator[CheckMessage]:
    """Who can reach the web server, and what they are shown."""
    hosts: list[str] = settings.ALLOWED_HOSTS
    strangers = [host for host in hosts if not is_loopback(host)]
    if settings.DEBUG and strangers:
        yield Error(
            f"DEBUG is on, and ALLOWED_HOSTS names {', '.join(strangers)}: errors would show settings.",
            hint="Set DEBUG to false, or ALLOWED_HOSTS to localhost.",
            id="mgmtplane.E003",
        )
    if "*" in hosts:
        yield Warning(
            "ALLOWED_HOSTS contains *: links in pages can be made to point to any server.",
            hint="Name the hosts under which this server is reached.",
            id="mgmtplane.W003",
        )
    if not is_loopback(settings.BIND) and not strangers:
        yield Warning(
            f"BIND is {settings.BIND}, but ALLOWED_HOSTS lets nobody in from elsewhere.",
            hint="Add the name or address that people use, such as ALLOWED_HOSTS=localhost,lab.example.org",
            id="mgmtplane.W004",
        )


def _proxy() -> Iterator[CheckMessage]:
    """What only holds together behind a proxy that speaks HTTPS."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None) and not is_loopback(settings.BIND):
        yield Warning(
            f"TRUST_PROXY is on, but BIND is {settings.BIND}: clients can reach this port past the proxy.",
            hint="Set BIND to 127.0.0.1, or let a firewall admit the proxy alone.",
            id="mgmtplane.W005",
        )
    if not settings.SESSION_COOKIE_SECURE and _any_https(settings.CSRF_TRUSTED_ORIGINS):
        yield Warning(
            "People come by HTTPS (CSRF_TRUSTED_ORIGINS), but the session cookie also travels without.",
            hint="Set SECURE_COOKIES to true.",
            id="mgmtplane.W006",
        )
    yield from _https_without_knowing()


def _https_without_knowing() -> Iterator[CheckMessage]:
    """What needs to know that a request came by HTTPS: this server speaks HTTP, only the proxy can say so."""
    knows = bool(getattr(settings, "SECURE_PROXY_SSL_HEADER", None))
    if settings.SECURE_SSL_REDIRECT and not knows:
        yield Error(
            "SECURE_SSL_REDIRECT is on and TRUST_PROXY is off: every request would be redirected for ever.",
            hint="Set TRUST_PROXY to true behind a proxy that sets X-Forwarded-Proto, or SECURE_SSL_REDIRECT to false.",
            id="mgmtplane.E004",
        )
    if settings.SECURE_HSTS_SECONDS and not knows:
        yield Warning(
            "HSTS_SECONDS is set and TRUST_PROXY is off: the header is never sent, since no request counts as HTTPS.",
            hint="Set TRUST_PROXY to true behind a proxy that sets X-Forwarded-Proto, or leave HSTS to the proxy.",
            id="mgmtplane.W007",
        )
    if settings.SECURE_HSTS_SECONDS and not settings.SESSION_COOKIE_SECURE:
        yield Warning(
            "Browsers are told to come by HTTPS alone (HSTS_SECONDS), but the session cookie also travels without.",
            hint="Set SECURE_COOKIES to true.",
            id="mgmtplane.W008",
        )
    if settings.SESSION_COOKIE_SECURE and not knows and not _any_https(settings.CSRF_TRUSTED_ORIGINS):
        yield Warning(
            "SECURE_COOKIES is on, but nothing says that people come by HTTPS: nobody could sign in.",
            hint="Set TRUST_PROXY to true, or name the origin in CSRF_TRUSTED_ORIGINS, or SECURE_COOKIES to false.",
            id="mgmtplane.W009",
        )


def _any_https(origins: Iterable[str]) -> bool:
    return any(origin.startswith("https://") for origin in origins)


def is_loopback(host: str) -> bool:
    """Whether *host*, as ALLOWED_HOSTS or BIND name it, means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in ("localhost", ".localhost") or host.endswith(".localhost")


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of file system under *path* as the kernel names it; None where that cannot be told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    resolved = path.resolve()
    best: tuple[int, str] | None = None
    for line in lines:
        mount_point, kind = line.split(" ")[1:3]
        at = Path(mount_point.replace("\\040", " "))
        # The longest mount point wins; of two at the same place, the later one covers the other.
        if resolved.is_relative_to(at) and (best is None or len(at.parts) >= best[0]):
            best = (len(at.parts), kind)
    return best[1] if best else None


def _mode(path: Path) -> int:
    """The permission bits of *path*; none where it does not exist."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return 0
