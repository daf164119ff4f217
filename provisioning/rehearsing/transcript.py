"""What was asked of a node and what it said, as JSON lines that can be sent in as a test case.

The first line is the head (``rehearsal`` is the format's version). Then, in order: ``step``, ``event`` with ``level``, and
calls: ``call`` (the method), ``path``, ``params``, ``status`` (0: no answer), ``seconds``; ``said`` where it was refused;
and ``answer`` of what is nobody's: the version, ids, states and logs of tasks. The last line is the ``end``. No secret is in
it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from provisioning.adapters.proxmox.wire import Exchange
from provisioning.redaction import HIDDEN, redacted

FORMAT = 1
#: parameters whose value is nobody's business
UNSAID = frozenset({"sshkeys", "cipassword"})
_TASK = re.compile(r"/nodes/[^/]+/tasks/(?P<upid>UPID:[^/]+)/(?P<what>status|log)\Z")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{1,4}:){1,7}:?(?::?[0-9a-f]{1,4}){1,7})(?![\w.:])",
    re.I,
)


class Transcript:
    """Lines are handed to *write* as they come, so that an interrupted rehearsal has its transcript, too."""

    def __init__(self, write: Callable[[str], object], *, names: Mapping[str, str] | None = None) -> None:
        """*names*: what to call a node, a site or a token instead; given at all, addresses are replaced as well."""
        self._write = write
        self._names = names
        self._addresses: dict[str, str] = {}
        self._secrets: set[str] = set()
        self._running: list[str] = []

    def hide(self, *secrets: str) -> None:
        self._secrets |= {secret for secret in secrets if secret}

    @property
    def running(self) -> tuple[str, ...]:
        """The tasks that were begun and not seen to end."""
        return tuple(self._running)

    def line(self, **document: Any) -> None:
        text = json.dumps(redacted(document, self._secrets), ensure_ascii=False)
        self._write((text if self._names is None else self._anonymous(text)) + "\n")

    def call(self, exchange: Exchange) -> None:
        """Write down one exchange with the node."""
        document: dict[str, Any] = {
            "call": exchange.method,
            "path": exchange.path,
            "params": {key: HIDDEN if key in UNSAID else value for key, value in exchange.params.items()},
            "status": exchange.status,
            "seconds": round(exchange.seconds, 3),
        }
        if exchange.status != 200:
            document["said"] = exchange.said
        answer = self._kept(exchange)
        self.line(**document, **({} if answer is None else {"answer": answer}))

    def _kept(self, exchange: Exchange) -> Any:
        data, task = exchange.data, _TASK.match(exchange.path)
        if isinstance(data, str) and data.startswith("UPID:"):
            self._running.append(data)
            return data
        if exchange.path == "/version":
            return data
        if task and task["what"] == "log" and isinstance(data, list):
            return [str(row.get("t", "")) for row in data if isinstance(row, dict)]
        if task and isinstance(data, dict):
            if data.get("status") == "stopped" and task["upid"] in self._running:
                self._running.remove(task["upid"])
            return {key: data[key] for key in ("status", "exitstatus") if key in data}
        return None

    # --- nobody's names ---

    def _anonymous(self, text: str) -> str:
        """In one pass: what was put instead of one name is never taken for another."""
        names = self._names or {}
        if names:
            known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
            text = re.sub(rf"(?<![A-Za-z0-9])(?:{known})(?![A-Za-z0-9])", lambda found: names[found[0]], text)
        return _ADDRESS.sub(self._address, text)

    def _address(self, found: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]  # a MAC, a part of an id
        if address.is_loopback or address.is_unspecified:
            return found[0]
        first = ipaddress.ip_address("192.0.2.0" if address.version == 4 else "2001:db8::")
        return self._addresses.setdefault(found[0], str(first + 1 + len(self._addresses)))


def names_of(
    *, node: str, hypervisor: str, site: str, uid: str, domain: str, tokens: Collection[str]
) -> dict[str, str]:
    """What an anonymous transcript says instead of names that tell where it was made."""
    found = {node: "node1", hypervisor: "node1", site: "site1", uid: "00000000-0000-4000-8000-000000000000"}
    found |= {domain: "example.net"}
    found |= {token: f"user@pve!token{number}" for number, token in enumerate(sorted(set(tokens)), start=1)}
    return {name: instead for name, instead in found.items() if name}
