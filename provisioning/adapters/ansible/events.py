"""From what ansible-runner tells to events of ours: masked, counted, cut where they are too long. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from provisioning.adapters.ansible.facts import selected
from provisioning.adapters.ansible.values import COUNTED, Event, Outcome
from provisioning.masking import Mask
from provisioning.redaction import HIDDEN, SHORTEST

#: letters of one event's output, and of one line, that are kept
LONGEST, LONGEST_LINE = 64 * 1024, 8 * 1024
#: letters of a host's name
LONGEST_HOST = 255
#: of a complaint
MOST_LINES = 40
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: what a terminal would obey: everything but colours and tabs
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)
_ESCAPE = re.compile(r"\x1b(?!\[[0-9;]*m)")
#: come for each host of each task, mostly with nothing to show
_SILENT = frozenset({"runner_on_start", "runner_on_file_diff"})
_FAILED: dict[str, Outcome] = {"rescued": "rescued", "failures": "failed", "ignored": "ignored"}
_WORDS = {"dark": "unreachable", "failures": "failed"}


class Telling:
    """Makes the events of one run, in order. *secrets* are those that even a host's name may not hold.

    *inventory* is its text: a host that it does not name was added by the playbook, and may be named after anything
    that the mask knows.
    """

    def __init__(self, mask: Mask, secrets: tuple[str, ...] = (), inventory: str = "") -> None:
        self.mask, self.secrets = mask, [secret for secret in secrets if len(secret) >= SHORTEST]
        self.inventory = inventory
        self.counts: dict[str, dict[str, int]] = {}
        self.problems: list[str] = []
        self._line = 0

    def event(self, told: Mapping[str, Any], data: Mapping[str, Any]) -> Event | None:
        """*told* is ansible-runner's own, *data* what our callback sent of it. None where there is nothing to show."""
        kind = str(data.get("event") or told.get("event") or "verbose")
        if kind == "EOF" or "counter" not in told:
            return None
        host, outcome = self._host(str(data.get("host") or "")), outcome_of(kind, data)
        self._count(kind, host, outcome, data)
        lines = self._lines(str(told.get("stdout") or ""))
        if kind in _SILENT and not lines:
            return None
        if kind in ("error", "verbose"):
            self._note(plain("\n".join(lines)))
        first, self._line = self._line, self._line + len(lines)
        duration = data.get("duration")
        return Event(
            counter=int(told["counter"]),
            uuid=str(told.get("uuid", "")),
            kind=kind,
            at=str(data.get("created") or datetime.now(UTC).isoformat()),
            play=self.mask.mask(str(data.get("play") or "")),
            task=self.mask.mask(str(data.get("task") or "")),
            role=self.mask.mask(str(data.get("role") or "")),
            host=host,
            delegated=self._host(str(data.get("delegated") or "")),
            outcome=outcome,
            lines=lines,
            first_line=first,
            diff=plain("\n".join(lines)) if kind == "runner_on_file_diff" else "",
            duration=float(duration) if isinstance(duration, int | float) else None,
            facts=self.mask.masked(selected(data["facts"])) if data.get("facts") else None,
        )

    def stats(self) -> dict[str, dict[str, int]]:
        return {host: dict(counts) for host, counts in sorted(self.counts.items())}

    def _note(self, said: str) -> None:
        """The last complaint, or else the last lines; before a playbook begins each line is an event of its own."""
        if "ERROR" in said:
            self.problems = []
        self.problems = [*self.problems, said][:MOST_LINES] if self._complained() else [said]

    def _complained(self) -> bool:
        return bool(self.problems) and "ERROR" in self.problems[0]

    def _host(self, host: str) -> str:
        added = host not in self.inventory
        if any(secret in host for secret in self.secrets) or (added and self.mask.mask(host) != host):
            return HIDDEN
        return host[:LONGEST_HOST]

    def _lines(self, text: str) -> tuple[str, ...]:
        """What was written, masked before it is cut: half a secret is one that nobody finds."""
        if not text:
            return ()
        text = self.mask.mask(plain(text) if _hidden_by_colours(text, self.mask) else text)
        text = _ESCAPE.sub("", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
        over = len(text) - LONGEST
        if over > 0:
            text = f"{text[:LONGEST]}\n… {over} more letters of this output are not kept."
        return tuple(
            line
            if len(line) <= LONGEST_LINE
            else f"{line[:LONGEST_LINE]}… {len(line) - LONGEST_LINE} more letters"
            for line in text.split("\n")
        )

    def _count(self, kind: str, host: str, outcome: Outcome, data: Mapping[str, Any]) -> None:
        if kind == "playbook_on_stats" and isinstance(data.get("counts"), Mapping):
            self.counts = self._final(data["counts"])
        elif host and outcome:
            counts = self.counts.setdefault(host, dict.fromkeys(COUNTED, 0))
            counts[outcome] += 1
            if outcome in ("changed", "ignored"):
                counts["ok"] += 1

    def _final(self, counts: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        """Ansible's recap, by host; those whose names are hidden are counted as one."""
        found = {self._host(str(host)): dict.fromkeys(COUNTED, 0) for host in counts.get("processed") or {}}
        for name, by_host in counts.items():
            word = _WORDS.get(name, name)
            for host, number in (by_host or {}).items() if word in COUNTED else ():
                found.setdefault(self._host(str(host)), dict.fromkeys(COUNTED, 0))[word] += int(number)
        return found


def outcome_of(kind: str, data: Mapping[str, Any]) -> Outcome:
    """How Ansible counted the result of a task on a host; items of loops are not counted."""
    counted = [str(one) for one in data.get("increments") or ()]
    if kind == "runner_on_ok":
        return "changed" if "changed" in counted[-1:] else "ok"
    if kind == "runner_on_failed":
        return next((_FAILED[one] for one in reversed(counted) if one in _FAILED), "failed")
    if kind == "runner_on_unreachable":
        return "ignored" if "ignored" in counted else "unreachable"
    return "skipped" if kind == "runner_on_skipped" else ""


def plain(text: str) -> str:
    """*text* without colours."""
    return _COLOURS.sub("", text)


def _hidden_by_colours(text: str, mask: Mask) -> bool:
    """Whether something secret shows only without the colours within it."""
    without = plain(text)
    return without != text and mask.mask(without) != plain(mask.mask(text))
