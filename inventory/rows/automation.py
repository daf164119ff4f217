"""Projects and job templates, from the columns of text that the registers come as."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inventory.automating import prompts
from inventory.packed import from_text
from inventory.snapshot import JobTemplateFacts, ProjectFacts

PROJECT = ("name", "source", "location", "ref", "key", "collections", "image")
TEMPLATE = (
    "name", "project__name", "playbook", "limit", "required", "tags", "skip_tags", "checks", "diffs", "forks",
    "verbosity", "extra_vars", "prompts", "vault_secrets", "ssh_key", "remote_user", "time_limit_minutes",
)  # fmt: skip
#: column of a yes or no → the number it is read as, since the databases write them in different words
FLAGS = {"required": "limit_required", "checks": "check_mode", "diffs": "diff"}


def projects(rows: Iterable[tuple[Any, ...]]) -> tuple[ProjectFacts, ...]:
    facts = (ProjectFacts(*row[: len(PROJECT)]) for row in rows)
    return tuple(sorted(facts, key=lambda project: project.name))


def templates(rows: Iterable[tuple[Any, ...]]) -> tuple[JobTemplateFacts, ...]:
    facts = (_template(dict(zip(TEMPLATE, row, strict=False))) for row in rows)
    return tuple(sorted(facts, key=lambda template: template.name))


def _template(row: dict[str, Any]) -> JobTemplateFacts:
    same = ("name", "playbook", "limit", "tags", "skip_tags", "ssh_key", "remote_user")
    return JobTemplateFacts(
        **{name: row[name] for name in same},
        project=row["project__name"],
        limit_required=row["required"] == "1",
        check=row["checks"] == "1",
        diff=row["diffs"] == "1",
        forks=int(row["forks"]),
        verbosity=int(row["verbosity"]),
        extra_vars=from_text(row["extra_vars"]),
        prompts=prompts.stored(from_text(row["prompts"])),
        vault_secrets=tuple(sorted(from_text(row["vault_secrets"]).items())),
        time_limit_minutes=int(row["time_limit_minutes"]),
    )
