"""What configures a host after it was made, and cleans up before it goes: the templates of its role and its profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from inventory.snapshot import HostFacts, Snapshot
from provisioning.engine import parts
from provisioning.engine.turns import Turn
from provisioning.machines import rebuilding
from provisioning.machines.facts import Config
from provisioning.plans import RUN, Line
from provisioning.steps import verifying
from provisioning.steps.making import Maker

Purpose = Literal["configure_template", "retire_template"]
CONFIGURE: Purpose = "configure_template"
RETIRE: Purpose = "retire_template"


def templates_of(snapshot: Snapshot, host: HostFacts, purpose: Purpose) -> tuple[str, ...]:
    """Names of the templates: the role's, then those of the profiles in their order; each once."""
    roles = [getattr(role, purpose) for role in snapshot.roles if role.slug == host.role]
    profiles = [getattr(one, purpose) for one in snapshot.profiles if host.name in one.hosts]
    return tuple(dict.fromkeys(name for name in (*roles, *profiles) if name))


def problems(snapshot: Snapshot, host: HostFacts, purpose: Purpose) -> tuple[str, ...]:
    """What forbids to begin: the end of the chain could not be reached."""
    found = []
    for name in templates_of(snapshot, host, purpose):
        template = snapshot.template_by_name.get(name)
        if template is None:
            found.append(f"The job template {name} of {host.name}'s role or profiles is not declared.")
            continue
        asked = [one.name for one in template.prompts if one.must_be_asked and not one.is_secret]
        if asked:
            found.append(
                f"The job template {name} asks for {', '.join(asked)} without a default; nobody answers in between."
            )
    return tuple(found)


def lines(snapshot: Snapshot, host: HostFacts, purpose: Purpose) -> tuple[Line, ...]:
    """What a plan says of the chain, in its order."""
    found = []
    for name in templates_of(snapshot, host, purpose):
        template = snapshot.template_by_name.get(name)
        of = f"{template.playbook} of {template.project}" if template else "not declared"
        found.append(Line(RUN, f"run {name}", f"{of}, limited to {host.name}; a job of its own"))
    if found and purpose == CONFIGURE:
        found += verifying.lines(host)
    return tuple(found)


def carry_out(
    turn: Turn, snapshot: Snapshot, host: HostFacts, purpose: Purpose, key: str, *, again: str
) -> list[int]:
    """Run them one after another, each as a part of the turn's job; their numbers. Raises Paused while one is not over."""
    return [
        parts.carry_out(turn, key, name, host.name, again=again).pk
        for name in templates_of(snapshot, host, purpose)
    ]


#: how a creation is gone on with whose part came to nothing
AGAIN = "run this again: nothing is made anew, it goes on with that part"


def configure(
    turn: Turn, snapshot: Snapshot, work: Maker, held: Sequence[str], *, again: str = AGAIN
) -> None:
    """End a creation: run what configures the machine, then see that its services answer. Nothing where nobody is named.

    The turn's outcome gets ``creation``, which names this making, and ``parts``, the numbers of the jobs.
    """
    host = snapshot.host_by_name[work.machine.host]
    if not templates_of(snapshot, host, CONFIGURE):
        return
    creation = creation_of(work.existing())
    turn.keep_outcome(creation=creation)
    turn.outcome["parts"] = carry_out(turn, snapshot, host, CONFIGURE, creation, again=again)
    address = work.machine.address or next(iter(held), "")
    verifying.services(turn, host, address, work.patience.pause)


def is_made(turn: Turn, work: Maker) -> bool:
    """Whether an earlier attempt of this job made the machine, and waited for a part since."""
    made = turn.job.outcome.get("creation")
    if not made:
        return False
    found = work.settled()
    return found is not None and made == creation_of(found) and work.runs()


def creation_of(found: Config) -> str:
    """Names this making of a machine: another clone, and a rebuild, have another name. Sixteen digits."""
    told = "\n".join(
        (
            found.get("vmgenid"),
            found.get("smbios1"),
            rebuilding.done_by(found.get("description")),
        )
    )
    return hashlib.sha256(told.encode()).hexdigest()[:16]
