"""Every setting of ``settings_table.py``, read from the environment: all wrong ones reported at once and by name.

A value may lie in a file instead (``NAME_FILE``) where it is a secret. An empty variable counts as not set.
Values of secrets never appear in a message.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mgmtplane.parsers import Wrong, age_recipients, host_names, origins, secret_key
from mgmtplane.settings_table import SETTINGS, Setting

MARKS = ("<!-- settings: written by `make docs` -->", "<!-- end of settings -->")


class SettingsError(Exception):
    """One or more settings are wrong; ``problems`` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        noun = "setting is" if len(problems) == 1 else "settings are"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{len(problems)} {noun} wrong (docs/settings.md describes them all):\n{lines}")


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
    return [] if setting.parse in (origins, host_names, age_recipients) else None


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
