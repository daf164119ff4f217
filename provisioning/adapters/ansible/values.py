"""What a run of Ansible is given, what it says, and how it ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from provisioning.adapters.base import AdapterError

Status = Literal["successful", "failed", "timed_out", "cancelled"]
Outcome = Literal["", "ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored"]
#: what is counted for each host, in the order of Ansible's recap
COUNTED = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")


class AnsibleFault(AdapterError):
    """What prevents a run: nothing was touched, or it broke off without an outcome.

    *complaint* is what Ansible itself says of it, for who may read what runs say; it is not in the sentence.
    """

    way_out = "Look at what it says, then run this again."

    def __init__(
        self, sentence: str, *, way_out: str = "", retryable: bool | None = None, complaint: str = ""
    ) -> None:
        super().__init__(sentence, call="ansible-playbook", retryable=retryable)
        self.complaint = complaint
        if way_out:
            self.way_out = way_out


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One run. *folder* is its own, *marker* names it in the environment of every process below it.

    *playbook*, *inventory*, *collections*, *roles* are absolute paths, *playbook* inside *project*. *extra_vars* are
    what the template declares and may hold Jinja; *answers* are what people gave and are never templated; *secret_vars*
    are answers that nothing may show. *vault_passwords* are by vault id. *known_hosts* is the text of a known_hosts
    file. *hide* is what no event may hold. *time_limit* is in seconds; 0 is none.
    """

    folder: Path
    marker: str
    playbook: Path
    project: Path
    inventory: Path
    limit: str = ""
    tags: str = ""
    skip_tags: str = ""
    check: bool = False
    diff: bool = False
    forks: int = 5
    verbosity: int = 0
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    secret_vars: Mapping[str, str] = field(default_factory=dict, repr=False)
    vault_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh_key: str = field(default="", repr=False)
    known_hosts: str = ""
    remote_user: str = ""
    collections: tuple[Path, ...] = ()
    roles: tuple[Path, ...] = ()
    image: str = ""
    time_limit: float = 3600.0
    hide: tuple[str, ...] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that is known before the run begins."""
        return (*self.hide, *self.secret_vars.values(), *self.vault_passwords.values(), self.ssh_key)

    def as_json(self) -> dict[str, Any]:
        """Holds the secrets: for a pipe, and for nothing that is kept."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: str(value)
            if isinstance(value, Path)
            else [str(one) for one in value]
            if name in ("collections", "roles")
            else dict(value)
            if isinstance(value, Mapping)
            else value
            for name, value in plain.items()
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Launch:
        """The launch that ``as_json`` was made of."""
        values = dict(given)
        for name in ("folder", "playbook", "project", "inventory"):
            values[name] = Path(values[name])
        for name in ("collections", "roles"):
            values[name] = tuple(map(Path, values[name]))
        values["hide"] = tuple(values["hide"])
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that Ansible said. *counter* rises with gaps; *first_line* counts lines of the whole run from 0.

    *kind* is ansible-runner's word, such as ``runner_on_ok``; *at* is ISO 8601 in UTC; *lines* may hold ANSI colours,
    *diff* holds none. *outcome* is how Ansible counted it for *host*; *delegated* is the host that the task was at in the
    place of that; *facts* is a selection, where facts were gathered.
    """

    counter: int
    uuid: str
    kind: str
    at: str
    play: str = ""
    task: str = ""
    role: str = ""
    host: str = ""
    delegated: str = ""
    outcome: Outcome = ""
    lines: tuple[str, ...] = ()
    first_line: int = 0
    diff: str = ""
    duration: float | None = None
    facts: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Event:
        return cls(**{**given, "lines": tuple(given["lines"])})


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a run ended. *rc* is ansible-playbook's own exit code, None where it was stopped; *message* is for people.

    *complaint* is what Ansible itself said of it where a task did not, for who may read what runs say.
    *stats* counts by host what COUNTED names; where a run was stopped, what was seen until then.
    """

    status: Status
    rc: int | None
    stats: dict[str, dict[str, int]]
    message: str
    complaint: str = ""


@dataclass(frozen=True)
class Play:
    """A play, and the hosts it would touch, the limit applied; sorted."""

    name: str
    hosts: tuple[str, ...]
