"""Which hosts a run would touch: asked of Ansible itself, over the inventory and the commit that the run gets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from inventory.automating.automation_facts import ProjectFacts
from inventory.snapshot import Snapshot
from provisioning import projects, updating
from provisioning.adapters import ansible
from provisioning.adapters.ansible import AnsibleFault, Launch, Play
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import go_on
from provisioning.engine.faults import JobFailed, in_words
from provisioning.models.runs import APPLIES
from provisioning.plans import RUN, Line, Plan
from provisioning.projects import Obtained
from provisioning.runs import beside, freezing, looks, places
from provisioning.runs.arguments import Arguments
from provisioning.runs.asking import Wanted
from provisioning.runs.beside import LaidOut
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks import opening
from provisioning.unlocks.needs import Need

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: seconds in which Ansible has to say whom a playbook would touch
LOOK_SECONDS = 120.0
#: in seconds
MINUTE = 60.0


@dataclass(frozen=True)
class Frozen:
    """All that a run is given; nothing that is declared afterwards changes it."""

    wanted: Wanted
    arguments: Arguments
    commit: str
    #: as ``freezing.body_of``
    inventory: str
    #: what is another now than it was for the run that this follows
    moved: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return self.arguments.digest(self.commit, freezing.digest_of(self.inventory))

    @property
    def plan(self) -> Plan:
        """The inputs, then every host with the plays that come to it."""
        arguments = self.arguments
        mode = "check, nothing is changed" if arguments.check else "changes what it finds otherwise"
        begin = Line(
            RUN,
            f"{arguments.playbook} of {arguments.project.name}",
            f"{mode}; commit {short(self.commit)}, inputs {self.digest[:16]}{beside.named(arguments.resolved)}",
        )
        hosts = [Line(RUN, host, ", ".join(arguments.plays_of(host))) for host in arguments.hosts]
        return Plan((begin, *hosts), warnings=self.moved)


def short(commit: str) -> str:
    """A commit as people write it: the first digits."""
    kind, mark, digits = commit.rpartition(":")
    return f"{kind}{mark}{digits[:12]}"


def planned(wanted: Wanted, turn: Turn | None = None, *, reads: bool = False) -> tuple[Plan, Frozen | None]:
    """The plan of a run and what was frozen for it; with problems, nothing was.

    In a *turn*, the job waits for what a person has to enter first. Ansible's own complaint is among the problems
    only where who is told *reads* what runs say.
    """
    try:
        frozen = freeze(wanted, turn)
    except NeedsUnlock as locked:
        if turn is not None:
            turn.need_secrets(locked.needs)
        return Plan(problems=(f"It cannot be seen yet what this would touch: {locked}",)), None
    except AnsibleFault as fault:
        return Plan(problems=(_complained(fault, reads),)), None
    except (JobFailed, SecretError) as fault:
        return Plan(problems=(in_words(fault),)), None
    except AdapterError as fault:
        if turn is not None:
            raise  # the job tries again
        return Plan(problems=(in_words(fault),)), None
    if not frozen.arguments.hosts:
        return Plan(problems=(_nobody(frozen.arguments),)), None
    return frozen.plan, frozen


def _complained(fault: AnsibleFault, reads: bool) -> str:
    if not fault.complaint:
        return in_words(fault)
    if reads:
        return f"{fault.sentence} {fault.complaint} {fault.way_out}"
    return f"{fault.sentence} {READ_THERE} {fault.way_out}"


#: where a complaint of Ansible is read that is not for everybody
READ_THERE = "What it says is shown where the template is run by hand, to who may read what runs say."


def freeze(wanted: Wanted, turn: Turn | None = None) -> Frozen:
    """Raises what the project, Ansible or a reference to a secret has to say."""
    arguments = wanted.arguments
    body = wanted.inventory or freezing.body_of(wanted.snapshot)
    check = looks.deadline(arguments.project.name)
    code = obtained(wanted.snapshot, arguments.project, turn, at=wanted.commit, check=check)
    if not wanted.inventory:  # else it was sealed with that
        sealed = opening.sealed_of(wanted.snapshot, arguments.references)
        arguments = replace(arguments, sealed=sealed.variables, openers=sealed.passwords)
    passwords, missing = _vault_passwords(wanted.snapshot, arguments, turn)
    with places.planning() as folder:
        laid = lay_out(arguments, code, body, folder, check)
        now = beside.seen(arguments, laid, check)
        asked = launch(arguments, laid, folder, f"plan-{uuid.uuid4().hex}")
        # what Ansible says beside the hosts at a higher verbosity is not for us
        asked = replace(asked, verbosity=0, diff=False, time_limit=_look_seconds(), vault_passwords=passwords)
        try:
            found = ansible.plays(asked)
        except AnsibleFault as fault:
            if missing and "decrypt" in fault.complaint.lower():
                raise missing from None
            raise
        now |= beside.engine(arguments)  # by now the image has been fetched
    moved = beside.moved(arguments.resolved, now)
    if moved and wanted.relation == APPLIES:
        raise JobFailed(f"What would run is not what was checked: {'; '.join(moved)}.", "Check anew.")
    arguments = replace(arguments.with_plays(_plain(found)), resolved=now)
    return Frozen(wanted, arguments, code.commit, body, moved)


def _vault_passwords(
    snapshot: Snapshot, arguments: Arguments, turn: Turn | None
) -> tuple[dict[str, str], SecretError | None]:
    """Those that are at hand, by vault id, and what the others lack: most playbooks are listed without any."""
    job_id = turn.job.pk if turn is not None else None
    sealed = opening.Sealed(arguments.sealed, arguments.openers)
    resolve = opening.resolver(snapshot, data_dir=Path(settings.DATA_DIR), job_id=job_id, sealed=sealed)
    found: dict[str, str] = {}
    needs: list[Need] = []
    fault: SecretError | None = None
    for vault_id, reference in arguments.vault_secrets:
        label = opening.label_of(snapshot, reference)
        try:
            found[vault_id] = resolve(reference, label)
        except NeedsUnlock as locked:
            needs += locked.needs
        except SecretError as said:
            fault = SecretError(f"{label}: {said}")
    if turn is not None:
        turn.hide(*found.values())
    return found, NeedsUnlock(*needs) if needs else fault


def _look_seconds() -> float:
    return looks.ANSIBLE_SECONDS if looks.is_hurried() else LOOK_SECONDS


def obtained(
    snapshot: Snapshot,
    project: ProjectFacts,
    turn: Turn | None,
    *,
    at: str = "",
    check: Callable[[], None] = go_on,
) -> Obtained:
    """The code of *project*; *at* is a commit that was frozen. A turn has a *check* of its own. Raises NeedsUnlock too."""
    if turn is None:
        return updating.obtain(snapshot, project, at=at, check=check)
    return updating.obtain(snapshot, project, at=at, job_id=turn.job.pk, hide=turn.hide, check=turn.check)


def lay_out(
    arguments: Arguments,
    code: Obtained,
    inventory: str,
    folder: Path,
    check: Callable[[], None] = lambda: None,
) -> LaidOut:
    """Write project and inventory into *folder*, and have what the project's requirements name."""
    projects.lay_out(code, folder / "project", check=check)
    playbook = projects.inside(folder / "project", arguments.playbook)
    if not playbook.is_file():
        raise JobFailed(
            f"The project {arguments.project.name} has no playbook {arguments.playbook} at {short(code.commit)}.",
            "See how it is spelt in the job template.",
        )
    freezing.write_out(inventory, folder / "inventory")
    needed = projects.requirements(
        folder / "project",
        data_dir=Path(settings.DATA_DIR),
        offline=arguments.project.collections,
        check=check,
        installs=not looks.is_hurried(),
    )
    return LaidOut(folder / "project", playbook, folder / "inventory", needed.collections, needed.roles)


def launch(arguments: Arguments, laid: LaidOut, folder: Path, marker: str) -> Launch:
    """Without any secret."""
    return Launch(
        folder=folder,
        marker=marker,
        playbook=laid.playbook,
        project=laid.project,
        inventory=laid.inventory,
        limit=arguments.limit,
        tags=arguments.tags,
        skip_tags=arguments.skip_tags,
        check=arguments.check,
        diff=arguments.diff,
        forks=arguments.forks,
        verbosity=arguments.verbosity,
        extra_vars=arguments.extra_vars,
        answers=arguments.answers,
        remote_user=arguments.remote_user,
        collections=laid.collections,
        roles=laid.roles,
        image=beside.image_of(arguments),
        time_limit=arguments.time_limit_minutes * MINUTE,
    )


def _plain(plays: list[Play]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((play.name, play.hosts) for play in plays)


def _nobody(arguments: Arguments) -> str:
    limit = f" with the limit “{arguments.limit}”" if arguments.limit else ""
    return (
        f"No host is touched by {arguments.playbook}{limit}: its plays name none that the inventory has. "
        "Widen the limit, or see which groups the hosts are in."
    )
