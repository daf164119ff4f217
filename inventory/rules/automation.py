"""Projects and job templates: whether a run can begin, whether a chain can answer what it asks, where secrets lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.automating import variables_that_run
from inventory.automating.playbook_paths import playbook_problem
from inventory.findings import Finding
from inventory.packed import Packed
from inventory.rules.places import named
from inventory.secret_signs import WHOLE_REFERENCE
from inventory.snapshot import JobTemplateFacts, Snapshot, Variables

#: how a reference begins that leads to what is stored, whoever is away
STORED = ("env:", "file:")


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    for template in snapshot.templates:
        yield from _begins(snapshot, template)
    yield from _stored(snapshot)
    yield from _running(snapshot)
    for subject, names in _naming(snapshot):
        for name in dict.fromkeys(names):
            yield from _answered(snapshot, subject, name)


def _begins(snapshot: Snapshot, template: JobTemplateFacts) -> Iterator[Finding]:
    subject = f"template {template.name}"
    if template.project not in snapshot.project_by_name:
        yield Finding(
            "template-without-project",
            "error",
            subject,
            f"takes its playbook from the project {template.project}, which is not declared: it cannot run.",
            "Declare the project, or give the template another.",
        )
    if problem := playbook_problem(template.playbook):
        yield Finding(
            "template-without-playbook",
            "error",
            subject,
            f"names no playbook inside its project: {problem}",
            "Correct the path of the playbook.",
        )


def _stored(snapshot: Snapshot) -> Iterator[Finding]:
    """The places in which a vault password, a key or another secret lies for good."""
    kept = [(f"project {one.name}", [("SSH key", one.key)]) for one in snapshot.projects]
    for template in snapshot.templates:
        secrets = [(f"vault password {name}", reference) for name, reference in template.vault_secrets]
        kept.append(
            (f"template {template.name}", [*secrets, ("SSH key", template.ssh_key), *_extra(template)])
        )
    for subject, secrets in kept:
        lying = [f"{what} at {reference}" for what, reference in secrets if reference.startswith(STORED)]
        if lying:
            yield Finding(
                "secret-stored",
                "info",
                subject,
                f"is given a secret that is stored where runs take place: {named(lying)}.",
                "Write unlock:NAME, and enter it when it is needed; or lower this finding if runs have to go on unattended.",
            )


def _running(snapshot: Snapshot) -> Iterator[Finding]:
    """The variables that run code here, where a job template's playbooks run without a container around them."""
    bare = {project.name for project in snapshot.projects if not project.image}
    if not any(template.project in bare for template in snapshot.templates):
        return
    for subject, variables in _variables(snapshot):
        if isinstance(variables, Packed) and not variables_that_run.first_look(variables.text):
            continue
        if names := list(variables_that_run.found(variables)):
            yield Finding(
                "variable-runs-code",
                "info",
                subject,
                f"has variables that run code on the machine that runs playbooks: {named(names)}.",
                "Give the projects a container image, or take the variables away; or lower this finding if they are meant.",
            )


def _variables(snapshot: Snapshot) -> Iterator[tuple[str, Variables]]:
    yield f"site {snapshot.site.slug}", snapshot.site.variables
    for segment in snapshot.segments:
        yield f"segment {segment.name}", segment.variables
    for group in snapshot.groups:
        yield f"group {group.name}", group.variables
    for profile in snapshot.profiles:
        yield f"profile {profile.name}", profile.variables
    for host in snapshot.hosts:
        yield host.subject, host.variables
        for interface in host.interfaces:
            yield interface.subject, interface.variables


def _extra(template: JobTemplateFacts) -> list[tuple[str, str]]:
    return [
        (f"extra variable {name}", value)
        for name, value in template.extra_vars.items()
        if isinstance(value, str) and WHOLE_REFERENCE.match(value)
    ]


def _naming(snapshot: Snapshot) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(subject, names of templates) of roles and workload profiles."""
    for role in snapshot.roles:
        yield f"role {role.slug}", tuple(filter(None, (role.configure_template, role.retire_template)))
    for profile in snapshot.profiles:
        templates = (profile.configure_template, profile.retire_template)
        yield f"profile {profile.name}", tuple(filter(None, templates))


def _answered(snapshot: Snapshot, subject: str, name: str) -> Iterator[Finding]:
    """What forbids that a chain runs the template *name*: nobody is there who answers."""
    template = snapshot.template_by_name.get(name)
    if template is None:
        yield Finding(
            "template-unknown",
            "error",
            subject,
            f"names the job template {name}, which is not declared.",
            "Declare the template, or take it out.",
        )
        return
    asked = [prompt for prompt in template.prompts if prompt.must_be_asked]
    if open_ones := [prompt.name for prompt in asked if not prompt.is_secret]:
        yield Finding(
            "template-asks",
            "error",
            subject,
            f"names the job template {name}, which asks for {named(open_ones)} without a default: nobody answers when a "
            "machine is made or retired.",
            "Give these prompts a default, or name a template that asks for nothing.",
        )
    if secret := [prompt.name for prompt in asked if prompt.is_secret]:
        yield Finding(
            "template-asks",
            "warning",
            subject,
            f"names the job template {name}, which asks for the secret {named(secret)}: each machine waits until "
            "somebody enters it.",
            "Take it from an unlocked vault instead.",
        )
