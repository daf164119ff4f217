"""Services and ways in, as they are in a Snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    name: str
    host: str
    tenant: str = ""
    port: int | None = None
    health_check: str = ""
    metrics_path: str = ""
    #: ``http`` or ``https`` where people open it in a browser, else empty
    web_scheme: str = ""
    #: where a tunnel to the web page ends on the operator's machine
    local_port: int | None = None

    @property
    def label(self) -> str:
        """The name below the site's zone: ``artifacts`` or ``web.tenant-a``."""
        return f"{self.name}.{self.tenant}" if self.tenant else self.name

    @property
    def web_port(self) -> int | None:
        """The port of its web page; None where it has none."""
        return (self.port or {"http": 80, "https": 443}.get(self.web_scheme)) if self.web_scheme else None


@dataclass(frozen=True, slots=True)
class EmergencyUseFacts:
    """One use of the emergency access; moments in ISO 8601, ``done_at`` empty while it is not tidied up."""

    at: str
    who: str
    why: str
    done_at: str = ""
    done_by: str = ""

    @property
    def is_open(self) -> bool:
        return not self.done_at
