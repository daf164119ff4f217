"""Which secrets a run needs, and whether somebody has unlocked them; giving one run its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied

from inventory.automating.automation_facts import JobTemplateFacts
from inventory.models import Site
from inventory.snapshot import Snapshot
from provisioning.engine.asking import Refused
from provisioning.keeper import client
from provisioning.keeper.client import KeeperAway, KeeperRefused
from provisioning.models import Job
from provisioning.unlocks import unlocking
from provisioning.unlocks.needs import PROMPT, Need

UNLOCK, PERMISSION = "unlock:", "provisioning.unlock"


@dataclass(frozen=True)
class Needed:
    """A secret by reference. *state* is unlocked, locked, away (nobody can say), or declared: looked up when it runs."""

    what: str
    reference: str
    state: str
    until: datetime | None = None


def needed(site: Site, snapshot: Snapshot, template: JobTemplateFacts) -> list[Needed]:
    """The secrets of *template* and its project, without those that its prompts ask for."""
    named = [(f"Vault password {name}", reference) for name, reference in template.vault_secrets]
    named += [("SSH key", template.ssh_key)] if template.ssh_key else []
    project = next((one for one in snapshot.projects if one.name == template.project), None)
    named += [("Key of the project", project.key)] if project is not None and project.key else []
    held, away = _held(site) if any(one.startswith(UNLOCK) for _, one in named) else ({}, False)
    return [_needed(what, reference, held, away) for what, reference in named]


def _held(site: Site) -> tuple[dict[str, datetime], bool]:
    try:
        return {one.name: one.until for one in client.held(client.of_site(site.slug))}, False
    except (KeeperAway, KeeperRefused):
        return {}, True


def _needed(what: str, reference: str, held: Mapping[str, datetime], away: bool) -> Needed:
    if not reference.startswith(UNLOCK):
        return Needed(what, reference, "declared")
    until = held.get(reference.removeprefix(UNLOCK))
    return Needed(what, reference, "unlocked" if until else "away" if away else "locked", until)


def give(job: Job, template: JobTemplateFacts, secrets: Mapping[str, str], user: Any) -> str:
    """Have *secrets* held for *job* alone; what went wrong, in a sentence. The job waits for what it lacks."""
    named = {PROMPT + name: value for name, value in secrets.items()}
    try:
        unlocking.give(job, needs_of(template, client.of_job(job.pk)), named, by=user)
    except PermissionDenied:
        return "Its secrets were not taken: that needs the permission provisioning.unlock. The job waits for them."
    except Refused as reason:
        return f"Its secrets are not held, and the job waits for them. {reason}"
    return ""


def needs_of(template: JobTemplateFacts, scope: str) -> list[Need]:
    """The secrets that the template's prompts ask for, as a job needs them."""
    return [
        Need(
            scope,
            PROMPT + prompt.name,
            prompt.title,
            least=None if prompt.minimum is None else int(prompt.minimum),
            most=None if prompt.maximum is None else int(prompt.maximum),
        )
        for prompt in template.prompts
        if prompt.is_secret
    ]


def refused(template: JobTemplateFacts, secrets: Mapping[str, str]) -> dict[str, str]:
    """Prompt → why what was entered for it is none; nothing is started then."""
    found = {}
    for need in needs_of(template, ""):
        name = need.name.removeprefix(PROMPT)
        if name in secrets and (said := need.problem(secrets[name])):
            found[name] = said
    return found
