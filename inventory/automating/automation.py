"""What a project and a job template may say, in sentences for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inventory.automating import git_locations
from inventory.automating.playbook_paths import has_controls as _has_controls
from inventory.automating.playbook_paths import playbook_problem
from inventory.automating.prompts import PromptError, parse
from inventory.secret_signs import WHOLE_REFERENCE, secrets_in

MOST_FORKS = 500
MOST_VERBOSITY = 5
#: a week: what takes longer hangs
MOST_MINUTES = 7 * 24 * 60

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z")
#: what a name of a branch, tag or commit is made of (git check-ref-format(1), narrowed)
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,199}\Z")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,254}\Z")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,63}\Z")
_VAULT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")
_TAGS = re.compile(r"[^\s,]+(?:\s*,\s*[^\s,]+)*\Z")
#: one part of a limit: hosts, groups, wildcards, ranges of a group, with & and ! before it, or a regular expression
_PATTERN = re.compile(r"[&!]{0,2}(?:~\S+|[A-Za-z0-9_*?\[][A-Za-z0-9_.*?:\[\]-]*)\Z")


def name_problem(name: str, what: str) -> str:
    if _NAME.match(name):
        return ""
    return f"“{name}” cannot name a {what}: lowercase letters, digits, hyphens, such as base-system."


def project_problems(project: Any) -> dict[str, list[str]]:
    """Field → sentences: what *project*, a row or its facts, must not say. References are judged elsewhere."""
    source, location = project.source, project.location
    return _told(
        name=name_problem(project.name, "project"),
        location=location_problem(source, location),
        ref=ref_problem(source, project.ref),
        key=key_problem(source, location, project.key),
        collections=collections_problem(project.collections),
        image=image_problem(project.image),
    )


def template_problems(template: Any) -> dict[str, list[str]]:
    """Field → sentences: what *template*, a row or its facts, must not say by itself."""
    found = _told(
        name=name_problem(template.name, "job template"),
        playbook=playbook_problem(template.playbook),
        limit=limit_problem(template.limit),
        tags=tags_problem(template.tags),
        skip_tags=tags_problem(template.skip_tags),
        remote_user=user_problem(template.remote_user),
        extra_vars=extra_vars_problem(template.extra_vars),
    )
    numbers = number_problems(template.forks, template.verbosity, template.time_limit_minutes)
    return found | {field: [problem] for field, problem in numbers}


def _told(**problems: str) -> dict[str, list[str]]:
    return {field: [problem] for field, problem in problems.items() if problem}


# --- projects ---


def location_problem(source: str, location: str) -> str:
    """Why *location* is none that playbooks are taken from; empty when it is."""
    if not location:
        return "Say where the playbooks are: a directory, or the address of a git repository."
    if _has_controls(location):
        return "A location is one line of text; take the line breaks and control characters out."
    if source == "directory":
        if location.startswith("/"):
            return _path_problem(location)
        return f"“{location}” is no absolute path; write one such as /srv/playbooks."
    return _address_problem(location)


def _path_problem(path: str) -> str:
    if ".." in path.split("/"):
        return f"“{path}” has .. in it; write the path without."
    return ""


def _address_problem(location: str) -> str:
    try:
        git_locations.parse(location)
    except git_locations.LocationError as error:
        if error.has_secret:
            return (
                "A password or token has no place in an address, since everybody reads it; write ssh://… and give a "
                "reference to a key instead."
            )
        return f"“{location}” {error}; write one of {git_locations.FORMS}."
    return ""


def ref_problem(source: str, ref: str) -> str:
    if not ref:
        return ""
    if source == "directory":
        return "A directory has no branches; take the ref away, or make the source git."
    if _REF.match(ref) and ".." not in ref and "@{" not in ref and not ref.endswith(("/", ".lock", ".")):
        return ""
    return (
        f"“{ref}” is no branch, tag or commit; write one such as main or v1.4, without a hyphen at its begin."
    )


def key_problem(source: str, location: str, key: str) -> str:
    """A key where none is used would be handed to nobody, and look as if it were."""
    if key and (source == "directory" or location.startswith(("/", "https:", "file:"))):
        return (
            "A key is used over SSH only; take it away, or write the location as ssh://… or user@host:path."
        )
    return ""


def collections_problem(path: str) -> str:
    if not path:
        return ""
    if not path.startswith("/") or _has_controls(path):
        return f"“{path}” is no absolute path; write one such as /srv/collections."
    return _path_problem(path)


def image_problem(image: str) -> str:
    if not image or _IMAGE.match(image):
        return ""
    return f"“{image}” is no container image; write one such as quay.io/ansible/creator-ee:v24.2.0."


# --- job templates ---


def limit_problem(limit: str) -> str:
    """Why Ansible would not understand *limit*; whether it finds anybody is asked before each run."""
    if not limit.strip():
        return "" if not limit else "A limit of blanks limits nothing; leave it empty."
    if _has_controls(limit):
        return "A limit is one line: hosts and groups with a comma between them."
    parts = [
        part.strip() for part in re.split(r",|(?<![\[:0-9A-Fa-f]):(?![0-9:\]])|\s+", limit) if part.strip()
    ]
    for part in parts:
        if part.startswith("@"):
            return f"{part} would read hosts from a file; name hosts or groups."
        if not _PATTERN.match(part):
            return f"“{part}” is no host, group or pattern; write such as web*,&debian,!web03."
    return ""


def tags_problem(tags: str) -> str:
    if not tags or (_TAGS.match(tags) and not _has_controls(tags) and not tags.startswith("-")):
        return ""
    return f"“{tags}” are no tags; write their names with a comma between them, such as packages,users."


def number_problems(forks: Any, verbosity: Any, minutes: Any) -> list[tuple[str, str]]:
    """(field, sentence) of each number outside its bounds."""
    wanted = (
        ("forks", forks, 1, MOST_FORKS, f"Forks are how many hosts at once: 1 to {MOST_FORKS}."),
        ("verbosity", verbosity, 0, MOST_VERBOSITY, f"Verbosity is 0 to {MOST_VERBOSITY}."),
        ("time_limit_minutes", minutes, 1, MOST_MINUTES, f"The time limit is 1 to {MOST_MINUTES} minutes."),
    )
    return [
        (field, sentence)
        for field, value, low, high, sentence in wanted
        if not isinstance(value, int) or not low <= value <= high
    ]


def prompt_problems(prompts: Any, extra_vars: Any = None) -> list[str]:
    """What is wrong with *prompts*, and which of them *extra_vars*, the template's own, answer already."""
    try:
        asked = parse(prompts)
    except PromptError as error:
        return error.problems
    fixed = extra_vars if isinstance(extra_vars, Mapping) else {}
    return [
        f"Prompt “{prompt.name}” is an extra variable of the template, too, and only one of them can count: take one away."
        for prompt in asked
        if prompt.name in fixed
    ]


def user_problem(user: str) -> str:
    if not user or _USER.match(user):
        return ""
    return f"“{user}” is no name of a user; write one such as ops."


def extra_vars_problem(variables: Any) -> str:
    """Say what of *variables* looks like a secret, or that they are no mapping."""
    if not isinstance(variables, Mapping):
        return "Extra variables are names with values, such as “release: 1.4”."
    if unnamed := [str(key) for key in variables if not isinstance(key, str)]:
        return f"{', '.join(unnamed[:8])}: variables are named by text."
    if found := plain_secrets(variables):
        return (
            f"{', '.join(found[:8])}: this looks like a secret, and a template keeps none. Ask for it with a prompt of "
            "kind secret, or give a reference: env:NAME, file:/path, vault:VARIABLE or unlock:NAME."
        )
    if deep := [place for key, value in variables.items() for place in _references_below(key, value)]:
        return (
            f"{', '.join(deep[:8])}: a reference to a secret is resolved only as a whole extra variable, and "
            "would be handed on as text in here. Give it a variable of its own, and name that one in the playbook."
        )
    return ""


def is_reference(value: Any) -> bool:
    """Whether *value*, that of an extra variable, leads to a secret."""
    return isinstance(value, str) and bool(WHOLE_REFERENCE.match(value))


def _references_below(place: str, value: Any) -> Iterator[str]:
    """Where references stand inside of *value*."""
    if isinstance(value, Mapping):
        inside = [(f"{place}.{key}", inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{place}.{number}", inner) for number, inner in enumerate(value)]
    else:
        return
    for where, inner in inside:
        if is_reference(inner):
            yield where
        yield from _references_below(where, inner)


def plain_secrets(variables: Mapping[str, Any]) -> list[str]:
    return [path.lstrip(".") for key, value in variables.items() for path, _ in secrets_in("", {key: value})]


def vault_id_problem(name: str) -> str:
    if _VAULT_ID.match(name):
        return ""
    return f"“{name}” is no vault id; write default, or letters, digits, hyphens and underscores."
