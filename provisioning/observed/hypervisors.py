"""From a declared hypervisor to its API: address, token, and the secret at the moment of use."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from inventory.machine_facts import HypervisorFacts
from inventory.snapshot import Snapshot
from provisioning.adapters.proxmox import Access, Patience, Proxmox, Reader, access_for
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks.opening import resolver

#: replaced in tests, which do not wait
PATIENCE = Patience()


def reader(snapshot: Snapshot, hypervisor: str, turn: Turn) -> Reader:
    """For looking, with the reading token where there is one. Raises JobFailed where its secret is not to be had."""
    api = declared(snapshot, hypervisor)
    if not has_reading_token(api):
        return writing_token(snapshot, hypervisor, turn)
    if not (api.read_token_id and api.read_secret):
        lacking = "the reference to its secret" if api.read_token_id else "its id"
        raise JobFailed(
            f"The reading token of {hypervisor} lacks {lacking}.",
            "Declare it, or empty both fields; the writing token is not taken in its place.",
        )
    access = _access(snapshot, hypervisor, turn, api.read_token_id, api.read_secret)
    return Reader(access, check=_check(turn), sleep=turn.sleep)


def writing_token(snapshot: Snapshot, hypervisor: str, turn: Turn) -> Reader:
    """The token that writes, for a look at what it may. Nothing can be changed through it."""
    api = declared(snapshot, hypervisor)
    access = _access(snapshot, hypervisor, turn, api.token_id, api.secret)
    return Reader(access, check=_check(turn), sleep=turn.sleep)


def writer(snapshot: Snapshot, hypervisor: str, turn: Turn) -> Proxmox:
    """For changing. No call is made any more once the job is not this turn's. Raises JobFailed as ``reader``."""
    api = declared(snapshot, hypervisor)
    access = _access(snapshot, hypervisor, turn, api.token_id, api.secret)
    return Proxmox(access, check=_check(turn), fence=turn.fence, sleep=turn.sleep)


def has_reading_token(api: HypervisorFacts) -> bool:
    """Whether a token for reading is declared, if only half: what somebody began is not filled up from the other."""
    return bool(api.read_token_id or api.read_secret)


def declared(snapshot: Snapshot, hypervisor: str) -> HypervisorFacts:
    """The API of *hypervisor*. Raises JobFailed."""
    host = snapshot.host_by_name.get(hypervisor)
    if host is None or host.proxmox is None:
        raise JobFailed(
            f"The API of {hypervisor} is not declared.",
            "An administrator of the site adds address, token and secret on its page.",
        )
    return host.proxmox


def _check(turn: Turn) -> Callable[[], None]:
    return lambda: turn.check()


def _access(snapshot: Snapshot, hypervisor: str, turn: Turn, token_id: str, reference: str) -> Access:
    known = (hypervisor, reference)
    if known not in turn.opened:
        turn.opened[known] = _opened(snapshot, hypervisor, turn, reference)
    secret = turn.opened[known]
    turn.hide(secret)
    host = snapshot.host_by_name[hypervisor]
    return access_for(host, secret, token_id=token_id, patience=PATIENCE)


def _opened(snapshot: Snapshot, hypervisor: str, turn: Turn, reference: str) -> str:
    """The secret; the job waits where a person has to enter something. Raises JobFailed for all else."""
    resolve = resolver(snapshot, data_dir=settings.DATA_DIR, job_id=turn.job.pk, host=hypervisor)
    try:
        return resolve(reference, f"API token of {hypervisor}")
    except NeedsUnlock as needed:
        turn.need_secrets(needed.needs)
    except SecretError as fault:
        raise JobFailed(f"The API token of {hypervisor}: {fault}") from None
