"""The one shape of complaint. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]

#: Worst first; the order in which people should read them.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a site.

    ``id`` names the rule (stable, documented in ``docs/findings.md``), ``subject`` the thing in the operator's words
    (``host pi01``, ``interface pi01/eth0``, ``segment iot``), ``hint`` the way out. The last three are empty unless the
    site's people lowered the severity: what it was, why, and until which day (ISO 8601, included).
    """

    id: str
    severity: Severity
    subject: str
    message: str
    hint: str
    lowered_from: Severity | Literal[""] = ""
    lowered_because: str = ""
    lowered_until: str = ""

    def as_dict(self) -> dict[str, str]:
        """All that it says; what was lowered is told only where something was."""
        said = asdict(self)
        return (
            said if self.lowered_from else {key: said[key] for key in said if not key.startswith("lowered_")}
        )


def in_reading_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, rule and subject, and drop what was said twice."""
    return tuple(
        sorted(set(findings), key=lambda f: (SEVERITIES.index(f.severity), f.id, f.subject, f.message))
    )


def count_by_severity(findings: tuple[Finding, ...]) -> dict[str, int]:
    return {severity: sum(f.severity == severity for f in findings) for severity in SEVERITIES}
