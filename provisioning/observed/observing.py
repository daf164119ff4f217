"""Keeps what a run gathered of the site's hosts, and has it compared with the declaration. The only writer of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from inventory import reading
from inventory.models import Site
from provisioning import drift
from provisioning.engine.moments import database_now
from provisioning.models import Observation
from provisioning.models.observations import HOST_KEYS, INTERFACES, NAME, SYSTEM

_SYSTEM = (
    "os_family", "distribution", "distribution_version", "distribution_release", "kernel", "architecture", "python",
)  # fmt: skip


def keep(site: Site, run: int, facts: Mapping[str, Mapping[str, Any]]) -> int:
    """Keep *facts*, by host, as gathered by *run* now, and judge them; of how many declared hosts.

    What a host was not asked for this time stays as it was seen last. Hosts that the site does not declare are nobody's.
    """
    known = reading.load(site.slug).host_by_name
    told = {host: values for host, said in facts.items() if host in known and (values := _by_kind(said))}
    if not told:
        return 0
    now = database_now()
    with transaction.atomic():
        for host, values in told.items():
            for kind, value in values.items():
                _write(site, run, host, kind, value, now)
    drift.judge_gathered(site, told)
    return len(told)


def _write(site: Site, run: int, host: str, kind: str, value: Any, now: datetime) -> None:
    Observation.objects.update_or_create(
        site=site, host_name=host, kind=kind, defaults={"value": value, "at": now, "run_id": run}
    )


def _by_kind(said: Mapping[str, Any]) -> dict[str, Any]:
    name = {key: said[key] for key in ("hostname", "fqdn") if said.get(key)}
    system = {key: said[key] for key in _SYSTEM if said.get(key)}
    found = {
        NAME: name,
        SYSTEM: system,
        INTERFACES: said.get("interfaces"),
        HOST_KEYS: said.get("ssh_host_keys"),
    }
    return {kind: _storable(value) for kind, value in found.items() if value}


def _storable(value: Any) -> Any:
    """Without NUL, which PostgreSQL keeps in no JSON; a host may say anything."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, Mapping):
        return {str(key).replace("\0", ""): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list | tuple) else value
