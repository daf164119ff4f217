"""Every setting, in one table, read from the environment: all wrong ones reported at once and by name.

A value may lie in a file instead (``NAME_FILE``) where it is a secret. An empty variable counts as not set.
Values of secrets never appear in a message.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgmtplane.parsers import (
    SECRET_KEY_LENGTH,
    Wrong,
    boolean,
    broker_url,
    database_url,
    directory,
    host_names,
    one_of,
    origins,
    secret_key,
    text,
    time_zone,
    user_name,
    whole_number,
)

MARKS = ("<!-- settings: written by `make docs` -->", "<!-- end of settings -->")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """One or more settings are wrong; ``problems`` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        noun = "setting is" if len(problems) == 1 else "settings are"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{len(problems)} {noun} wrong (docs/settings.md describes them all):\n{lines}")


@dataclass(frozen=True)
class Setting:
    """One variable: its default as one would write it, what it is for, how it is read."""

    name: str
    default: str
    what: str
    parse: Callable[[str], Any] = text
    secret: bool = False
    shown: str = ""  # the default as documentation shows it, where the bare value says too little


# The one table. docs/settings.md is written from it: `make docs`.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATA_DIR",
        "data",
        "Directory for everything that is kept in files: the SQLite database, the secret key, the message "
        "folder of the embedded broker, renderings, collected static files. Created with mode 0700. A "
        "relative path starts at the project's directory.",
        directory,
        shown="`data` beside `manage.py`",
    ),
    Setting(
        "DATABASE_URL",
        "",
        "The database: `postgresql://USER:PASSWORD@HOST:5432/NAME` or `sqlite:////absolute/path.sqlite3`. "
        "Percent-encode special characters of the password.",
        database_url,
        secret=True,
        shown="SQLite in `DATA_DIR`",
    ),
    Setting(
        "SECRET_KEY",
        "",
        f"Signs sessions and forms; at least {SECRET_KEY_LENGTH} characters, the same for all processes.",
        secret_key,
        secret=True,
        shown="generated once into `DATA_DIR/secret_key` with mode 0600",
    ),
    Setting(
        "CELERY_BROKER_URL",
        "filesystem://",
        "Where messages to the worker travel: `filesystem://` (a folder in `DATA_DIR`, for one machine), "
        "`redis://HOST:6379/0` or `amqp://USER:PASSWORD@HOST//`.",
        broker_url,
        secret=True,
    ),
    Setting(
        "ADMIN_USERNAME",
        "admin",
        "Name of the first administrator, created by `make up` if there is none.",
        user_name,
    ),
    Setting(
        "ADMIN_PASSWORD",
        "",
        "Password of that first administrator. Used once; changing it later changes nothing.",
        secret=True,
        shown="generated and printed once",
    ),
    Setting(
        "BIND",
        "127.0.0.1",
        "Address on which the web server of `make up` listens; `0.0.0.0` for every IPv4 one.",
    ),
    Setting("PORT", "8000", "TCP port of the web server.", whole_number(1, 65535)),
    Setting(
        "ALLOWED_HOSTS",
        "localhost,127.0.0.1,[::1]",
        "Host names and addresses under which browsers and clients reach this server, separated by commas. "
        "No scheme, no port; IPv6 in brackets; `.example.org` covers its subdomains.",
        host_names,
    ),
    Setting(
        "CSRF_TRUSTED_ORIGINS",
        "",
        "Origins such as `https://lab.example.org` from which forms are accepted; needed behind a proxy that "
        "speaks HTTPS.",
        origins,
        shown="none",
    ),
    Setting(
        "SECURE_COOKIES",
        "false",
        "Send session and form cookies over HTTPS only. Turn it on wherever people come by HTTPS.",
        boolean,
    ),
    Setting(
        "TRUST_PROXY",
        "false",
        "Believe the `X-Forwarded-Proto` header. Only behind a reverse proxy that sets or removes it itself: "
        "otherwise anybody can claim to come by HTTPS.",
        boolean,
    ),
    Setting("TIME_ZONE", "UTC", "Time zone of what the browser shows, such as `Europe/Berlin`.", time_zone),
    Setting(
        "DEBUG", "false", "Show tracebacks in the browser. For development on your own machine only.", boolean
    ),
    Setting(
        "LOG_LEVEL", "INFO", f"How much is logged to stderr: {', '.join(LOG_LEVELS)}.", one_of(*LOG_LEVELS)
    ),
    Setting(
        "WEB_WORKERS",
        "1",
        "Web server processes; each has its own memory of what it has read.",
        whole_number(1, 64),
    ),
    Setting("WEB_THREADS", "8", "Threads in each web server process.", whole_number(1, 256)),
    Setting(
        "WORKER_THREADS", "4", "Jobs of each queue (short, long) that run at a time.", whole_number(1, 64)
    ),
    Setting(
        "QUARANTINE_DAYS",
        "90",
        "How long a retired host's identities (MAC, address, VMID, name) are withheld from others; 0 for not "
        "at all.",
        whole_number(0, 36500),
    ),
    Setting(
        "IMPORT_MAX_FILE_BYTES",
        "10485760",
        "Largest file an importer reads; a larger one is refused, with nothing stored.",
        whole_number(1024, 1 << 30),
        shown="`10485760` (10 MiB)",
    ),
)


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The value of every setting by name, with the data directory and the secret key in place.

    Raises SettingsError with every problem found, not only the first.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        file_name = variables.get(f"{setting.name}_FILE", "").strip() if setting.secret else ""
        try:
            values[setting.name] = _read_one(setting, variables.get(setting.name, "").strip(), file_name)
        except Wrong as wrong:
            problems.append(f"{setting.name}{'_FILE' if file_name else ''} {wrong}")
    problems += _prepare(values)
    if problems:
        raise SettingsError(problems)
    return values


def _read_one(setting: Setting, value: str, file_name: str) -> Any:
    """The parsed value of *setting*: as given, from the file that holds it, or its default."""
    if value and file_name:
        raise Wrong(f"and {setting.name} are both set; remove one of them")
    if file_name:
        value = _read_file(Path(file_name), "names")
    value = value or setting.default
    return setting.parse(value) if value else _nothing(setting)


def _nothing(setting: Setting) -> Any:
    """What an empty setting without default means: an empty list for a list, None for anything else."""
    return [] if setting.parse in (origins, host_names) else None


def _read_file(path: Path, verb: str) -> str:
    """The content of the file that holds a secret, without surrounding blanks."""
    try:
        content = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise Wrong(f"{verb} {path}, which cannot be read ({reason}); give a readable file") from None
    if not content:
        raise Wrong(f"{verb} {path}, which is empty; write the secret into it")
    return content


def _prepare(values: dict[str, Any]) -> list[str]:
    """Create the data directory and, where none is given, the secret key; what went wrong, if anything."""
    data_dir = values.get("DATA_DIR")
    if data_dir is None:
        return []
    problem = _prepare_data_dir(data_dir)
    if problem:
        return [f"DATA_DIR {problem}"]
    if values.get("SECRET_KEY", "wrong already") is None:
        try:
            values["SECRET_KEY"] = stored_secret_key(data_dir)
        except Wrong as wrong:
            return [f"SECRET_KEY {wrong}"]
    return []


def _prepare_data_dir(path: Path) -> str | None:
    """Create *path*, readable by its owner only; why it cannot be used, if it cannot."""
    try:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return (
            f"is {path}, which cannot be created ({error.strerror}); give a directory this user may write to"
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return f"is {path}, which this user cannot write to; change its owner or give another directory"
    return None


def stored_secret_key(data_dir: Path) -> str:
    """The secret key kept in *data_dir*, generated the first time; racing processes get the same one."""
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            _create_exclusively(path, secrets.token_urlsafe(48))
        return secret_key(_read_file(path, "lies in"))
    except OSError as error:
        raise Wrong(
            f"cannot be kept in {path} ({error.strerror}); give SECRET_KEY or SECRET_KEY_FILE"
        ) from None


def _create_exclusively(path: Path, content: str) -> None:
    """Write a file that is either absent or complete, never both of two writers'; the first one wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        # A link, unlike a rename, fails where the name exists: a loser keeps the winner's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def markdown() -> str:
    """The table of all settings for docs/settings.md."""
    lines = ["| Setting | Default | What it is for |", "|---|---|---|"]
    for setting in SETTINGS:
        names = f"`{setting.name}`" + (f", `{setting.name}_FILE`" if setting.secret else "")
        default = setting.shown or f"`{setting.default}`"
        lines.append(f"| {names} | {default} | {setting.what} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """*page* with the table of settings, up to date, between its two marks."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    return f"{before}{begin}\n{markdown()}{end}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
