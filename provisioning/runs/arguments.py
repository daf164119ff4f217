"""What one run is given beside its inventory and its commit, frozen when it is asked for. Pure.

References to secrets stand here, never their values: ``as_json`` is kept in a row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from inventory.automating import automation
from inventory.automating.automation_facts import JobTemplateFacts, ProjectFacts
from inventory.automating.prompts import Prompt

Plays = tuple[tuple[str, tuple[str, ...]], ...]

#: what of a template may be said otherwise for one run
OVERRIDABLE = ("limit", "tags", "skip_tags", "check", "diff", "forks", "verbosity")
#: how the image is called in ``resolved``
IMAGE = "image "
AskedSecret = tuple[str, str, bool, int | None, int | None]
_KEPT_OF_TEMPLATE = (
    "playbook", "limit", "tags", "skip_tags", "check", "diff", "forks", "verbosity", "extra_vars", "ssh_key",
    "remote_user", "time_limit_minutes",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """See ``JobTemplateFacts`` for what is not said here."""

    template: str
    project: ProjectFacts
    playbook: str
    limit: str = ""
    tags: str = ""
    skip_tags: str = ""
    check: bool = False
    diff: bool = False
    forks: int = 5
    verbosity: int = 0
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    #: what people answered to the template's prompts; secrets are not among them
    answers: Mapping[str, Any] = field(default_factory=dict)
    #: (name, label, whether it must be given, fewest and most characters) of each secret that the template asks for
    secrets: tuple[AskedSecret, ...] = ()
    vault_secrets: tuple[tuple[str, str], ...] = ()
    #: ciphertext of the variables that a ``vault:`` above names, and the (vault id, reference) that may open it
    sealed: Mapping[str, str] = field(default_factory=dict)
    openers: tuple[tuple[str, str], ...] = ()
    ssh_key: str = ""
    remote_user: str = ""
    time_limit_minutes: int = 60
    #: what beside the commit was found where it was planned: collections, roles, Ansible, the image → which one exactly
    resolved: Mapping[str, str] = field(default_factory=dict)
    #: each play with the hosts that it touches, as Ansible itself resolved them
    plays: Plays = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that is touched, in the order in which Ansible comes to them."""
        return tuple(dict.fromkeys(host for _, hosts in self.plays for host in hosts))

    def plays_of(self, host: str) -> tuple[str, ...]:
        return tuple(name for name, hosts in self.plays if host in hosts)

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference to a secret, but what people are asked for."""
        values = (value for value in self.extra_vars.values() if automation.is_reference(value))
        return (*(reference for _, reference in self.vault_secrets), self.ssh_key, *values)

    @property
    def image(self) -> str:
        """The container image by its identity, where that was seen; else as it is declared; empty: none."""
        declared = self.project.image
        return self.resolved.get(f"{IMAGE}{declared}", declared) if declared else ""

    def with_plays(self, plays: Plays) -> Arguments:
        return replace(self, plays=plays)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON that ``from_json`` reads again."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        own["project"] = {each.name: getattr(self.project, each.name) for each in fields(self.project)}
        plain: dict[str, Any] = json.loads(json.dumps(own, default=dict))
        return plain

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Arguments:
        values = {name: value for name, value in given.items() if name in cls.__dataclass_fields__}
        values["project"] = ProjectFacts(**given["project"])
        values["secrets"] = tuple((*one, None, None)[:5] for one in given.get("secrets", ()))
        for name in ("vault_secrets", "openers"):
            values[name] = tuple((vault_id, told) for vault_id, told in given.get(name, ()))
        values["plays"] = tuple((name, tuple(hosts)) for name, hosts in given.get("plays", ()))
        return cls(**values)

    def digest(self, commit: str, inventory: str) -> str:
        """Over everything that a run is given; *inventory* is the digest of its own."""
        told = json.dumps([commit, inventory, self.as_json()], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def of_template(
    template: JobTemplateFacts,
    project: ProjectFacts,
    overrides: Mapping[str, Any],
    answers: Mapping[str, Any],
) -> Arguments:
    """What a run of *template* is given; an override of None is as the template says."""
    told = {name: getattr(template, name) for name in _KEPT_OF_TEMPLATE}
    told |= {name: value for name, value in overrides.items() if value is not None}
    return Arguments(
        **told,
        template=template.name,
        project=project,
        answers=answers,
        secrets=_secrets(template.prompts),
        vault_secrets=template.vault_secrets,
    )


def _secrets(prompts: tuple[Prompt, ...]) -> tuple[AskedSecret, ...]:
    return tuple(
        (one.name, one.title, one.required, _whole(one.minimum), _whole(one.maximum))
        for one in prompts
        if one.is_secret
    )


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
