"""How the text of an environment variable becomes a value, or is refused with what would be right."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from mgmtplane.sftp_places import SftpPlace, is_address
from mgmtplane.sftp_places import parse as parse_sftp_place

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_FORMS = "postgresql://USER:PASSWORD@HOST:5432/NAME or sqlite:////absolute/path.sqlite3"
BROKER_SCHEMES = ("filesystem", "redis", "rediss", "amqp", "amqps")
SECRET_KEY_LENGTH = 32  # characters; fewer can be guessed, and session cookies forged


class Wrong(ValueError):
    """Why a value cannot be used and what would be right: a predicate to follow the setting's name."""


#: https://age-encryption.org/v1: Bech32 of an X25519 public key
AGE_KEY = re.compile(r"age1[ac-hj-np-z02-9]{58}")


def text(value: str) -> str:
    """Any text."""
    return value


def user_name(value: str) -> str:
    """A name that Django's forms accept: the administrator's page could not be saved with another."""
    if len(value) > 150 or not re.fullmatch(r"[\w.@+-]+", value):
        raise Wrong(f"is {value!r}; give at most 150 letters, digits and @ . + - _")
    return value


def boolean(value: str) -> bool:
    """1/0, true/false, yes/no or on/off."""
    word = value.lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise Wrong(f"is {value!r}; give true or false")


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A parser for a whole number within the two bounds, both included."""

    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
            raise Wrong(f"is {value!r}; give a whole number from {lowest} to {highest}")
        return int(value)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser for one of *choices*, in any case of letters."""

    def parse(value: str) -> str:
        if value.upper() not in choices:
            raise Wrong(f"is {value!r}; give one of {', '.join(choices)}")
        return value.upper()

    return parse


def directory(value: str) -> Path:
    """A directory; a relative one is taken from the project's own directory, whoever starts us from where."""
    if is_address(value):
        raise Wrong(
            f"is an address ({value.partition(':')[0]}:…); give a directory of this machine. docs/recovery.md says how "
            "backups and kits are brought to another"
        )
    return (BASE_DIR / Path(value).expanduser()).absolute()


def sftp_place(value: str) -> SftpPlace:
    """A folder on another machine."""
    try:
        return parse_sftp_place(value)
    except ValueError as wrong:
        raise Wrong(str(wrong)) from None


def time_zone(value: str) -> str:
    """A name of the IANA time zone database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(
            f"is {value!r}, which is no time zone; give a name such as UTC or Europe/Berlin"
        ) from None
    return value


def host_names(value: str) -> list[str]:
    """Host names without scheme, port or path, separated by commas; ``.example.org`` means subdomains too."""
    names = _comma_separated(value)
    for name in names:
        problem = _host_name_problem(name)
        if problem:
            raise Wrong(f"contains {name!r}, {problem}")
    return names


def _host_name_problem(name: str) -> str | None:
    if "://" in name:
        return f"which has a scheme; give the host alone: {urlsplit(name).hostname or 'example.org'}"
    if "/" in name or any(character.isspace() for character in name):
        return "which is no host name; give names separated by commas, such as lab.example.org,192.0.2.10"
    if name.startswith("["):
        return None if name.endswith("]") else "which has a port; give the address alone, such as [::1]"
    if name.count(":") > 1:
        return f"an IPv6 address without brackets; give [{name}]"
    if ":" in name:
        return f"which has a port; give the host alone: {name.split(':')[0]}"
    return None


def origins(value: str) -> list[str]:
    """Origins with scheme and without path, separated by commas."""
    names = _comma_separated(value)
    for name in names:
        parts = urlsplit(name)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            raise Wrong(f"contains {name!r}; give origins such as https://lab.example.org, without a path")
    return names


def age_recipients(value: str) -> list[str]:
    """Public keys of age, separated by commas."""
    keys = _comma_separated(value)
    for key in keys:
        if not AGE_KEY.fullmatch(key):
            raise Wrong(
                f"contains {key[:20]!r}, which is no age public key; age-keygen makes one (age1…, 62 characters)"
            )
    return keys


def _comma_separated(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def database_url(value: str) -> dict[str, Any]:
    """Django's configuration of a database; PostgreSQL or SQLite."""
    scheme = urlsplit(value).scheme if "://" in value else ""
    if scheme not in ("postgresql", "postgres", "sqlite"):
        found = f"has the scheme {scheme!r}" if scheme else "is no URL"
        raise Wrong(f"{found}; give {DATABASE_FORMS}")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(value)
    except ValueError:  # a port that is no number, brackets that do not close
        raise Wrong(
            f"cannot be read as a URL (is the password percent-encoded?); give {DATABASE_FORMS}"
        ) from None
    if config["NAME"] in ("", ":memory:"):
        raise Wrong(f"names no database; give {DATABASE_FORMS}")
    if scheme == "sqlite":
        config["NAME"] = str(directory(config["NAME"]))
    return config


def broker_url(value: str) -> str:
    """Where Celery's messages travel."""
    scheme = value.split("://", 1)[0] if "://" in value else ""
    if scheme not in BROKER_SCHEMES:
        found = f"has the scheme {scheme!r}" if scheme else "is no URL"
        raise Wrong(f"{found}; give filesystem://, redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//")
    try:
        parts = urlsplit(value)
        missing = scheme != "filesystem" and not parts.hostname
        _ = parts.port
    except ValueError:
        raise Wrong(
            "cannot be read as a URL; give redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//"
        ) from None
    if missing:
        raise Wrong(f"names no host; give {scheme}://HOST…, or filesystem:// for no broker at all")
    if scheme.startswith("redis") and not re.fullmatch(r"/?[0-9]*", parts.path):
        raise Wrong(f"names a database that is no number; give {scheme}://HOST:6379/0")
    return value


def secret_key(value: str) -> str:
    """A secret that is long enough."""
    if len(value) < SECRET_KEY_LENGTH:
        raise Wrong(
            f"has only {len(value)} characters; give at least {SECRET_KEY_LENGTH} random ones, "
            "or leave it out and one is generated in the data directory"
        )
    return value
