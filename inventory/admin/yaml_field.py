"""Variables as YAML in a text area: what is wrong in which line, sealed values by their marks, secrets in plain named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse_lazy
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminTextareaWidget

from inventory import sealed_marks, yaml11
from inventory.admin.pages import page
from inventory.automating import automation
from inventory.secret_signs import first_look, secrets_in

#: Longer text is read when it is saved, and not while somebody types.
LONGEST = 300_000
#: what a text area may hold beside variables
PROMPTS = "prompts"
MOST_NAMED = 8


@dataclass(frozen=True)
class Told:
    """What is said below a text area. ``line`` and ``column`` count from one; 0: nowhere."""

    problem: str = ""
    line: int = 0
    column: int = 0
    keys: int = 0
    #: places of what looks like a secret in plain, and the variable's own name
    secrets: tuple[tuple[str, str], ...] = ()


def told(text: str, of: str = "") -> Told:
    """What *text* is as YAML: variables, or *of* something else."""
    if not text.strip() or len(text) > LONGEST:
        return Told()
    try:
        value, positions = yaml11.read(text, "YAML")
    except yaml11.YamlProblem as problem:
        return Told(f"{problem.message} {problem.hint}".strip(), problem.line or 0, problem.column or 0)
    if value is None:
        return Told()
    if of == PROMPTS:
        return _told_of_prompts(value, positions)
    if not isinstance(value, dict):
        return Told("Variables are names with values, such as “ntp_server: 10.20.99.1”.", 1, 1)
    try:
        sealed_marks.restored(_without_marks(value), {})
    except sealed_marks.NotSealed as problem:
        return Told(str(problem), positions.line(problem.path), 1)
    return Told(keys=len(value), secrets=plain_secrets(value))


def _told_of_prompts(value: Any, positions: yaml11.Positions) -> Told:
    """The first of what is wrong, in the line of the first prompt that is wrong by itself."""
    problems = automation.prompt_problems(value)
    if not problems:
        return Told(keys=len(value))
    alone = value if isinstance(value, list) else []
    bad = next((at for at, one in enumerate(alone) if automation.prompt_problems([one])), None)
    return Told(problems[0], positions.line(() if bad is None else (bad,)), 1)


def _without_marks(value: Any) -> Any:
    """*value* without the marks: only its row knows what they stand for."""
    if isinstance(value, dict):
        inner = value.get(yaml11.VAULT)
        if len(value) == 1 and isinstance(inner, str) and sealed_marks.is_mark(inner):
            return None
        return {key: _without_marks(inner) for key, inner in value.items()}
    return [_without_marks(inner) for inner in value] if isinstance(value, list) else value


def plain_secrets(value: Any) -> tuple[tuple[str, str], ...]:
    """(path, top-level name) of what looks like a secret in plain in *value*, a mapping of variables."""
    if not isinstance(value, dict) or not first_look(json.dumps(value, ensure_ascii=False)):
        return ()
    return tuple(
        (path.lstrip("."), key) for key, inner in value.items() for path, _ in secrets_in("", {key: inner})
    )


class YamlArea(UnfoldAdminTextareaWidget):
    """The text area with what is said of its text below; lines are numbered where there is JavaScript."""

    #: what the text is, if not variables
    of = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        text = context["widget"]["value"] or ""
        own = context["widget"]["attrs"]
        own["aria-describedby"] = f"{own.get('aria-describedby', '')} {own.get('id', name)}_told".strip()
        check = f"{_CHECK}?of={self.of}" if self.of else _CHECK
        return context | {
            "told": told(text, self.of),
            "told_id": f"{own.get('id', name)}_told",
            "check": check,
        }

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        # Django's renderer of forms looks below installed apps, where the frame's template is not
        area = super()._render(template_name, context, renderer)
        return mark_safe(render_to_string("admin/inventory/yaml/area.html", context | {"area": area}))  # noqa: S308


_CHECK = reverse_lazy("admin:check_yaml")


class SealedText:
    """For the field: ciphertext goes out as marks and comes back as it was."""

    stored: Any
    label: Any

    def read(self, text: str) -> Any:
        """The value of *text*. Raises ValidationError with the line."""
        try:
            value, positions = yaml11.read(text, str(self.label or "YAML"))
        except yaml11.YamlProblem as problem:
            raise _refused(problem.line, f"{problem.message} {problem.hint}".strip()) from None
        try:
            return sealed_marks.restored(value, self.stored)
        except sealed_marks.NotSealed as problem:
            raise _refused(positions.line(problem.path), str(problem)) from None


def _refused(line: int | None, said: str) -> ValidationError:
    return ValidationError(f"Line {line}: {said}" if line else said)


@page("check-yaml/", permission="inventory.view_site", methods=("POST",))
def check_yaml(request: HttpRequest) -> HttpResponse:
    """What is said of text that somebody types; nothing of it is kept."""
    said = told(request.POST.get("text", ""), request.GET.get("of", ""))
    return render(request, "admin/inventory/yaml/_told.html", {"told": said})


def named(secrets: tuple[tuple[str, str], ...]) -> str:
    """The places in words, the first ones of many."""
    paths = [path for path, _ in secrets]
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return ", ".join(paths[:MOST_NAMED]) + more


def warn_of(form: forms.BaseForm) -> str:
    """What to say of a form that was saved with new secrets in plain; empty where there are none."""
    found: list[tuple[str, str]] = []
    for name, field in form.fields.items():
        if isinstance(field, SealedText) and name in form.changed_data:
            before = set(plain_secrets(getattr(field, "stored", None)))
            found += [one for one in plain_secrets(form.cleaned_data.get(name)) if one not in before]
    if not found:
        return ""
    return (
        f"Saved, but this looks like a secret in plain: {named(tuple(found))}. Whoever reads an export knows it. Seal it "
        "with ansible-vault encrypt_string and paste the !vault block, or write a reference to a vaulted variable; "
        "and change the secret itself."
    )
