"""To record the SSH host keys of a host that a run gathered: a person compared them. Through the inventory's door."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from inventory import host_keys
from inventory.changes import change
from inventory.models import Host
from provisioning.drift import Refused
from provisioning.models import Observation
from provisioning.models.observations import HOST_KEYS


@dataclass(frozen=True)
class Recording:
    """Keys as they are recorded, and as they were gathered last: ``ssh-ed25519 AAAA…`` each."""

    host: Host
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """(sign, kind, fingerprint) of every key that is in either."""
        found = []
        for key in sorted({*self.before, *self.after}):
            sign = "+" if key not in self.before else "-" if key not in self.after else " "
            found.append((sign, key.split()[0], host_keys.fingerprint(key)))
        return found

    @property
    def fingerprint(self) -> str:
        """Names what was shown; it comes back with the confirmation."""
        return hashlib.sha256(repr((self.host.pk, self.before, self.after)).encode()).hexdigest()


def recording(host: Host) -> Recording:
    """What recording would write. Raises Refused, with the way out."""
    row = Observation.objects.filter(site=host.site_id, host_name=host.name, kind=HOST_KEYS).first()
    gathered = host_keys.keys(gathered_text(row)) if row else ()
    if not gathered:
        raise Refused(
            f"No run gathered host keys of {host}; run a playbook that gathers facts, or paste them."
        )
    before = host_keys.keys(host.host_keys)
    if before == gathered:
        raise Refused(f"These keys of {host} are recorded already.")
    return Recording(host, before, gathered)


def gathered_text(row: Observation) -> str:
    """The keys of an observation, a line each; what a host says may be anything."""
    value = row.value if isinstance(row.value, dict) else {}
    return "\n".join(
        f"{kind} {key}" for kind, key in value.items() if isinstance(key, str) and "\n" not in key
    )


def record(host: Host, *, fingerprint: str, by: Any, why: str) -> Recording:
    """Write what was shown under *fingerprint*. Raises Refused, and writes nothing then."""
    if not why.strip():
        raise Refused("Say why, such as how they were compared; nothing was recorded.")
    try:
        with change(host.site, by=by, why=why.strip(), source="admin"):
            row = Host.objects.select_related("site").get(pk=host.pk)
            shown = recording(row)
            if shown.fingerprint != fingerprint:
                raise Refused(
                    "What this page showed has changed meanwhile. Nothing was done: this is how it is now."
                )
            row.host_keys = "\n".join(shown.after)
            row.save()
    except ValidationError as fault:
        raise Refused(" ".join(fault.messages)) from None
    return shown
