"""What somebody asks for when a playbook is to run: the form, and what its answers mean for the site as declared.

Browser, shell, API and schedules come through this form; the answers to a template's prompts are judged by
``inventory.automating.prompts`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from inventory import reading
from inventory.ansible.grouping import PROFILE_PREFIX
from inventory.automating import automation, prompts
from inventory.automating.automation_facts import JobTemplateFacts, ProjectFacts
from inventory.snapshot import Snapshot
from provisioning.kinds.base import Asked
from provisioning.models.runs import APPLIES, CHECKS, RELAUNCHES, PlaybookRun
from provisioning.runs import following
from provisioning.runs.arguments import OVERRIDABLE, Arguments, of_template

YES, NO = "yes", "no"


class YesNo(forms.ChoiceField):
    """Yes, no, or as the template says; JSON's true and false are taken too."""

    def __init__(self, **options: Any) -> None:
        choices = (("", "as the template says"), (YES, "yes"), (NO, "no"))
        super().__init__(choices=choices, required=False, **options)

    def to_python(self, value: Any) -> str:
        if isinstance(value, bool):
            return YES if value else NO
        return super().to_python(value)


class RunParameters(forms.Form):
    """One run. Without ``origin`` a template is named; with it, the run gets what that one was given."""

    template = forms.CharField(max_length=63, required=False, help_text="Name of the job template.")
    limit = forms.CharField(
        max_length=10_000,
        required=False,
        help_text="Which hosts, in place of the template's: web*,!web03, as Ansible's --limit.",
    )
    tags = forms.CharField(
        max_length=300, required=False, help_text="Only tasks of these, in place of the template's."
    )
    skip_tags = forms.CharField(
        max_length=300, required=False, help_text="No tasks of these, in place of the template's."
    )
    check = YesNo(
        help_text="Say what would change, and change nothing. A template that is check only is never run for real."
    )
    diff = YesNo(help_text="Show the lines that change.")
    forks = forms.IntegerField(
        min_value=1,
        max_value=automation.MOST_FORKS,
        required=False,
        help_text="So many hosts at once, in place of the template's.",
    )
    verbosity = forms.IntegerField(
        min_value=0, max_value=automation.MOST_VERBOSITY, required=False, help_text="How much Ansible says."
    )
    answers = forms.JSONField(
        required=False, help_text="Answers to the template's prompts by name. Secrets are given apart."
    )
    check_first = YesNo(help_text="A check run, which is then applied with the same inputs.")
    origin = forms.IntegerField(
        min_value=1, required=False, help_text="Number of the run whose inputs this one gets."
    )
    on = forms.ChoiceField(
        choices=[(one, one) for one in ("", *following.WAYS)],
        required=False,
        help_text="What of that run: all, failed, unreachable; apply after a check.",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        answers = given.get("answers")
        if answers is not None and not isinstance(answers, Mapping):
            self.add_error("answers", "Answers are names with values, such as {“release”: “1.4”}.")
        if given.get("on") and not given.get("origin"):
            self.add_error("origin", "Name the run that it follows.")
        if given.get("origin"):
            self._follows(given)
        elif not given.get("template") and "template" not in self.errors:
            self.add_error("template", "Name a job template.")
        return given

    def _follows(self, given: Mapping[str, Any]) -> None:
        if not given.get("on"):
            self.add_error("on", f"Say what of that run: {', '.join(following.WAYS)}.")
        for name in (*OVERRIDABLE, "answers", "check_first"):
            if given.get(name) not in (None, "", {}):
                self.add_error(name, f"The inputs are those of run {given['origin']}; ask anew for others.")


@dataclass(frozen=True)
class Wanted:
    """One run, before its hosts are known. An empty *commit*: the newest; no *inventory*: as declared now."""

    arguments: Arguments
    revision: int
    snapshot: Snapshot
    commit: str = ""
    inventory: str = ""
    relation: str = ""
    origin: PlaybookRun | None = None


class NotAskable(Exception):
    """What was asked for cannot be understood; ``fields`` has sentences by parameter."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(said for found in fields.values() for said in found))
        self.fields = dict(fields)


def understood(asked: Asked) -> Wanted:
    """What is to run. Raises NotAskable. No call outside of the database."""
    assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
    snapshot = reading.load(asked.site.slug)
    if asked["origin"]:
        return _following(asked, snapshot)
    template, project = _declared(snapshot, asked["template"])
    answers, errors = prompts.answers(template.prompts, asked["answers"] or {})
    overrides = _overrides(asked)
    found = _problems(overrides) | {f"answers.{name}": said for name, said in errors.items()}
    found |= _secrets_given(template, asked["answers"] or {})
    if template.check and overrides["check"] is False:
        found["check"] = [_only_checks(template)]
    if template.limit_required and not (overrides.get("limit") or template.limit).strip():
        found.setdefault("limit", []).append(
            f"The template {template.name} is not run without a limit; name hosts or groups."
        )
    if found:
        raise NotAskable(found)
    first = asked["check_first"] == YES
    if first:
        overrides["check"] = True
    arguments = of_template(template, project, overrides, answers)
    return Wanted(arguments, snapshot.revision, snapshot, relation=CHECKS if first else "")


def _following(asked: Asked, snapshot: Snapshot) -> Wanted:
    try:
        origin, arguments = following.of(asked.site, asked["origin"], asked["on"])
    except following.NotThat as refusal:
        raise NotAskable({refusal.field: [str(refusal)]}) from None
    if asked["template"] and asked["template"] != origin.template:
        raise NotAskable({"template": [f"Run {origin.pk} is one of the template {origin.template}."]})
    template = _still_declared(snapshot, origin, arguments)
    if template.check and not arguments.check:
        raise NotAskable({"on": [_only_checks(template)]})
    return Wanted(
        arguments,
        origin.revision,
        snapshot,
        commit=origin.commit,
        inventory=origin.inventory.text,
        relation=APPLIES if asked["on"] == following.APPLY else RELAUNCHES,
        origin=origin,
    )


def _still_declared(snapshot: Snapshot, origin: PlaybookRun, arguments: Arguments) -> JobTemplateFacts:
    """The template of *origin*, whose inputs are frozen: what was withdrawn since is not run with them either."""
    template = snapshot.template_by_name.get(origin.template)
    gone = "" if template else f"job template “{origin.template}”"
    if arguments.project.name not in snapshot.project_by_name:
        gone = f"project “{arguments.project.name}”"
    if template is None or gone:
        raise NotAskable(
            {
                "origin": [
                    f"The site declares no {gone} any more, so run {origin.pk} is not followed by another."
                ]
            }
        )
    return template


def _only_checks(template: JobTemplateFacts) -> str:
    return (
        f"The template {template.name} is declared check only, and nothing is changed by it; take that away in the "
        "template, or run another."
    )


def _declared(snapshot: Snapshot, name: str) -> tuple[JobTemplateFacts, ProjectFacts]:
    template = next((one for one in snapshot.templates if one.name == name), None)
    if template is None:
        there = ", ".join(one.name for one in snapshot.templates) or "none"
        raise NotAskable({"template": [f"The site declares no job template “{name}”; there are: {there}."]})
    project = next((one for one in snapshot.projects if one.name == template.project), None)
    if project is None:
        raise NotAskable({"template": [f"Its project {template.project} is not declared."]})
    return template, project


def _overrides(asked: Asked) -> dict[str, Any]:
    """What is said otherwise than the template says; None where it is not."""
    found: dict[str, Any] = {name: asked[name] or None for name in ("limit", "tags", "skip_tags", "forks")}
    found["verbosity"] = asked["verbosity"]
    found |= {name: None if asked[name] == "" else asked[name] == YES for name in ("check", "diff")}
    return found


def _problems(overrides: Mapping[str, Any]) -> dict[str, list[str]]:
    said = {
        "limit": automation.limit_problem(overrides["limit"] or ""),
        "tags": automation.tags_problem(overrides["tags"] or ""),
        "skip_tags": automation.tags_problem(overrides["skip_tags"] or ""),
    }
    return {name: [problem] for name, problem in said.items() if problem}


def _secrets_given(template: JobTemplateFacts, answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """A job keeps its parameters, and so no secret is one of them."""
    return {
        f"answers.{name}": ["It is a secret: it is given apart, and held in memory for this run alone."]
        for name in prompts.secret_names(template.prompts)
        if answers.get(name)
    }


def gone_from_limit(asked: Asked) -> str:
    """Which host or group the limit of a run names that the site does not have; empty: none. Patterns are not looked at."""
    assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
    snapshot = reading.load(asked.site.slug)
    template = snapshot.template_by_name.get(asked["template"])
    limit = asked["limit"] or (template.limit if template else "")
    known = {host.name for host in snapshot.live_hosts} | {group.name for group in snapshot.groups}
    known |= {f"{PROFILE_PREFIX}{profile.name}" for profile in snapshot.profiles} | {"all", "ungrouped"}
    names = (part.strip().lstrip("&!") for part in limit.split(","))
    gone = [name for name in names if _PLAIN.match(name) and name not in known]
    said = f"limit: {asked.site} has no host or group {', '.join(gone)}." if gone else ""
    return f"{said} {_NOT_HERE}" if LOCALHOST in gone else said


LOCALHOST = "localhost"
#: Ansible refuses such a limit itself wherever the inventory has hosts, and none of that name
_NOT_HERE = "With this limit Ansible finds nobody; a play on localhost needs none, it is on the worker's machine alone."
#: a name, and no pattern, range or address
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
