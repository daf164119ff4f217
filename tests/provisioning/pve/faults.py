"""What shall go wrong: rules that match requests, in the order in which they were given.

A fault is an object: ``kind``, ``method``, ``path`` (a regular expression, searched), ``times`` (how often; 0 is always),
``skip`` (how many matching requests pass first), and what its kind takes:

=========== ==============================================================================================
status      ``status``, ``reason``, ``errors``: refused, nothing done
html        a web page with status 200 (or ``status``), nothing done
redirect    302, nothing done
null        done, and the data is null
hang        nothing done, no answer for ``seconds``
reset       nothing done, the connection is reset
lost        done, and the connection ends without an answer (``seconds``: first it hangs)
cut         done, and half of the answer comes
shape       done, and the data is ``data``
task        done; its task ends with ``exitstatus`` (``effect``: false, without its effect; ``log`` lines; ``seconds``)
drop        the settings ``keys`` are silently not stored
ignore      nothing done, and a task says OK
empty       200 without a body, nothing done
change      first the world is changed as ``document`` says (see ``StandIn.change``), then it is done
impostor    done, or refused, and answered; every connection ends, and until ``forget`` the node shows another certificate
=========== ==============================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

BEFORE = ("status", "html", "redirect", "hang", "reset", "ignore", "empty")
AFTER = ("null", "lost", "cut", "shape", "task", "drop", "change", "impostor")
KINDS = frozenset((*BEFORE, *AFTER))


@dataclass
class Fault:
    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    used: int = 0

    @classmethod
    def of(cls, document: dict[str, Any]) -> Fault:
        rest = {
            key: value
            for key, value in document.items()
            if key not in ("kind", "method", "path", "times", "skip")
        }
        if document.get("kind") not in KINDS:
            raise ValueError(f"“{document.get('kind')}” is no kind of fault: {', '.join(sorted(KINDS))}")
        return cls(**{key: value for key, value in document.items() if key not in rest}, more=rest)

    def matches(self, method: str, path: str) -> bool:
        """Whether it strikes now; counts."""
        if (self.method and self.method != method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times and self.used >= self.times:
            return False
        self.used += 1
        return True
