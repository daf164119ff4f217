"""Values that look like plain secrets, wherever variables are kept. What is found is named, never repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.findings import Finding
from inventory.packed import Packed
from inventory.rules.places import named
from inventory.secret_signs import Sure, first_look, secrets_in
from inventory.snapshot import Snapshot, Variables

#: (part of the owner, its content)
Part = tuple[str, Variables | str]

HINT = (
    "Seal it with ansible-vault, or write a reference, and change the secret: whoever saw an export knows it."
)


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    for subject, parts in _owners(snapshot):
        sure: list[str] = []
        perhaps: list[str] = []
        for part, content in parts:
            for path, is_sure in _within(part, content):
                (sure if is_sure else perhaps).append(path)
        if sure:
            message = f"has in plain what is a secret by its name or shape: {named(sure)}."
            yield Finding("secret-in-plain", "error", subject, message, HINT)
        if perhaps:
            message = f"has values that look random, as secrets do: {named(perhaps)}."
            yield Finding("secret-suspected", "warning", subject, message, HINT)


def _owners(snapshot: Snapshot) -> Iterator[tuple[str, Iterable[Part]]]:
    site = snapshot.site
    emergency = {key: getattr(site, f"emergency_{key}") for key in ("who", "how", "secret", "after")}
    yield f"site {site.slug}", [("variables", site.variables), ("emergency", emergency)]
    for segment in snapshot.segments:
        yield f"segment {segment.name}", [("variables", segment.variables)]
    for group in snapshot.groups:
        yield f"group {group.name}", [("variables", group.variables)]
    for profile in snapshot.profiles:
        yield f"profile {profile.name}", [("variables", profile.variables)]
    for project in snapshot.projects:
        yield f"project {project.name}", [("location", {"location": project.location})]
    for template in snapshot.templates:
        defaults = {prompt.name: prompt.default for prompt in template.prompts}
        yield (
            f"template {template.name}",
            [("extra_vars", template.extra_vars), ("prompts", defaults)],
        )
    for host in snapshot.hosts:
        parts: list[Part] = [
            ("variables", host.variables),
            ("access", host.access),
            ("out_of_band", host.out_of_band),
            ("notes", host.notes),
            ("console_address", host.console_address),
            ("power_address", host.power_address),
        ]
        if host.proxmox:
            kept = ("api_url", "secret", "read_secret")
            parts.append(("proxmox", {name: getattr(host.proxmox, name) for name in kept}))
        yield host.subject, parts
        for interface in host.interfaces:
            yield interface.subject, [("variables", interface.variables), ("pxe_file", interface.pxe_file)]
        for service in host.services:
            yield f"service {service.label} on {host.name}", [("health_check", service.health_check)]


def _within(part: str, content: Variables | str) -> Iterator[tuple[str, Sure]]:
    """(path, whether there is no doubt) of each secret. Most content is dismissed by its text alone."""
    if isinstance(content, Packed):
        if not first_look(content.text):
            return
    elif not content or (isinstance(content, str) and not first_look(content)):
        return
    yield from secrets_in(part, content)
