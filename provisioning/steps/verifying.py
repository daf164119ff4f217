"""Whether the services that a host carries answer, once it is configured, where SSH_WAIT_SECONDS allows to look.

As for SSH: what is certain fails the job (the host answers, and the service does not), what cannot be seen from here warns.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from inventory.snapshot import HostFacts, ServiceFacts
from provisioning.adapters import probing
from provisioning.adapters.base import AdapterError, Unreachable
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn
from provisioning.plans import RUN, Line


def lines(host: HostFacts) -> tuple[Line, ...]:
    """What a plan says of it: nothing where SSH_WAIT_SECONDS keeps from looking."""
    if not settings.SSH_WAIT_SECONDS:
        return ()
    return tuple(Line(RUN, f"see that {one.label} answers", _how(one)) for one in looked_for(host))


def looked_for(host: HostFacts) -> tuple[ServiceFacts, ...]:
    """Those with a port: without one there is nowhere to knock."""
    return tuple(service for service in host.services if service.port)


def services(turn: Turn, host: HostFacts, address: str, pause: float) -> int:
    """Look for each service of *host* at *address*; how many answered. Raises JobFailed."""
    if not settings.SSH_WAIT_SECONDS or not address:
        return 0
    return sum(_look(turn, service, address, pause) for service in looked_for(host))


def _look(turn: Turn, service: ServiceFacts, address: str, pause: float) -> bool:
    turn.step(f"See that {service.label} answers")
    faults: list[AdapterError] = []

    def answered() -> bool:
        try:
            _probe(service, address)()
        except AdapterError as fault:
            faults[:] = [fault]
            return not fault.retryable
        faults.clear()
        return True

    try:
        turn.wait(answered, timeout=settings.SSH_WAIT_SECONDS, pause=pause, what=service.label)
    except JobFailed as waited:
        if not isinstance(faults[-1], Unreachable):
            raise JobFailed(
                f"{service.label} on {service.host} does not answer: {faults[-1]}",
                "Look at the service on the host, or at what configures it; then run this again.",
            ) from waited
    if faults:
        turn.event(
            "warning",
            f"Whether {service.label} answers was not seen: {faults[-1]} A firewall may be between.",
        )
        return False
    turn.event("info", f"{service.label} answers at {address}, {_how(service)}.")
    return True


def _probe(service: ServiceFacts, address: str) -> Callable[[], object]:
    port = service.port or 0
    if service.health_check.startswith("/"):
        return lambda: probing.answers(address, port, service.health_check)
    return lambda: probing.connects(address, port)


def _how(service: ServiceFacts) -> str:
    path = service.health_check if service.health_check.startswith("/") else ""
    return f"port {service.port}{f', {path}' if path else ''}"
