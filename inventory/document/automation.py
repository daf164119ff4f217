"""Compares projects and job templates, and puts rows for the templates that roles and profiles name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inventory.document.draft import Fields
from inventory.document.work import Work
from inventory.exports.site.automation import NAMED
from inventory.models import Group, JobTemplate, Project, Role


def compare(work: Work) -> None:
    """Before roles and profiles, which name templates."""
    if "projects" in work.draft.nouns:
        _compare(work, Project, work.projects, work.draft.projects)
    if "templates" in work.draft.nouns:
        drafts = {
            name: {**fields, "project": work.projects[fields["project"]]}
            for name, fields in work.draft.templates.items()
        }
        _compare(work, JobTemplate, work.templates, drafts)


def _compare(work: Work, model: Callable[..., Any], rows: dict[str, Any], drafts: dict[str, Fields]) -> None:
    noun = "project" if model is Project else "job template"
    for name, fields in drafts.items():
        if name in rows:
            work.compare(noun, name, rows[name], fields)
        else:
            rows[name] = work.new(model(site=work.site, name=name, **fields), noun, name)
    for name in sorted(rows.keys() - drafts.keys()) if not work.alone else ():
        work.remove(rows[name], noun, name)


def with_templates(work: Work, fields: Fields) -> Fields:
    """*fields* of a role or a profile with rows in the place of names."""
    named = {key: work.templates.get(fields[key]) if fields[key] else None for key in NAMED if key in fields}
    return {**fields, **named}


def refuse_what_is_needed(work: Work) -> None:
    """A template that a role or a profile names, and a project that a template takes, cannot go."""
    going = {row.pk: row.name for row in work.removed[JobTemplate]}
    leaving = {row.pk: row.name for row in work.removed[Project]}
    if not going and not leaving:
        return
    for noun, row in _naming(work):
        for column in NAMED:
            if name := going.get(getattr(row, f"{column}_id")):
                work.refuse(
                    "templates",
                    f"job template {name} cannot be removed: {noun} {row} names it. Keep the template, or take it out "
                    f"of the {noun}.",
                )
    for template in work.templates.values():
        if template.pk not in going and (name := leaving.get(template.project_id)):
            work.refuse(
                "projects",
                f"project {name} cannot be removed: job template {template.name} takes its playbook from it. Keep the "
                "project, or take the template out as well.",
            )


def _naming(work: Work) -> list[tuple[str, Any]]:
    gone = {id(row) for model in (Role, Group) for row in work.removed[model]}
    rows: list[tuple[str, Any]] = [("role", row) for row in work.roles.values()]
    rows += [("workload profile", row) for row in work.profiles.values()]
    return [(noun, row) for noun, row in rows if id(row) not in gone]
