"""The questions that stand before a run: what may be said otherwise than the template says, and its own prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from unfold.widgets import UnfoldAdminTextInputWidget

from inventory.automating.automation_facts import JobTemplateFacts
from inventory.automating.prompts import Prompt
from provisioning import kinds
from provisioning.admin.starting import dressed

KIND = "run_playbook"
#: what may be said otherwise for one run, as its kind's form asks for it
OTHERWISE = ("limit", "tags", "skip_tags", "check", "diff", "forks", "verbosity")
ANSWER, SECRET = "answer-", "secret-"
_YES_NO = (("yes", "yes"), ("no", "no"))
LABELS = {"skip_tags": "Skip tags", "check": "Check only"}


def launch_form(template: JobTemplateFacts, given: QueryDict | Mapping[str, str] | None, initial: Any) -> Any:
    """The form of *template*, with what was *given*; at first with *initial*. Secrets are never in it again."""
    kind = kinds.find(KIND)
    form = forms.Form(given) if given is not None else forms.Form(initial=initial)
    known = kind.Parameters.base_fields if kind is not None else {}
    for name in OTHERWISE:
        if name in known:
            form.fields[name] = _otherwise(known[name], name, template)
    for prompt in template.prompts:
        form.fields[(SECRET if prompt.is_secret else ANSWER) + prompt.name] = _asked(prompt)
    return dressed(form)


def parameters(template: JobTemplateFacts, given: QueryDict) -> dict[str, Any]:
    """What was *given* as the parameters of the kind; without secrets."""
    found: dict[str, Any] = {name: given[name] for name in OTHERWISE if given.get(name)}
    answers = {
        prompt.name: _answer(prompt, given)
        for prompt in template.prompts
        if not prompt.is_secret and (ANSWER + prompt.name in given or _is_ticked(prompt))
    }
    return {"template": template.name, **found, **({"answers": answers} if answers else {})}


def secrets(template: JobTemplateFacts, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets that were *given*, by the names of their prompts."""
    named = (prompt.name for prompt in template.prompts if prompt.is_secret)
    return {name: value for name in named if (value := given.get(SECRET + name, ""))}


def field_of(name: str, form: forms.Form) -> str:
    """The field of *form* that a parameter's complaint belongs to; empty: none."""
    _, mark, prompt = name.partition(".")
    for field in (ANSWER + prompt, SECRET + prompt) if mark else (name,):
        if field in form.fields:
            return field
    return ""


def _answer(prompt: Prompt, given: QueryDict) -> Any:
    if _is_ticked(prompt):
        return [one for one in given.getlist(ANSWER + prompt.name) if one]
    return given[ANSWER + prompt.name]


def _is_ticked(prompt: Prompt) -> bool:
    """Whether its answer is made of boxes: where none is ticked, a browser sends nothing."""
    return prompt.kind == "list" and bool(prompt.choices)


def _otherwise(like: forms.Field, name: str, template: JobTemplateFacts) -> forms.Field:
    """The field *like* the kind's; what the template says stands in it, until something else is."""
    declared = getattr(template, name)
    label = LABELS.get(name, name.capitalize())
    if isinstance(like, forms.ChoiceField):
        said = "yes" if declared else "no"
        bound = name == "check" and declared
        choices = [("", f"as the template says: {said}"), *(() if bound else _YES_NO)]
        return forms.ChoiceField(label=label, choices=choices, required=False, help_text=like.help_text)
    says = f"{declared}" if declared not in ("", None) else "nothing"
    if name == "limit" and not declared:
        says = "required" if template.limit_required else "all that the playbook names"
    widget: Any = forms.NumberInput if isinstance(like, forms.IntegerField) else forms.TextInput
    attributes = {"placeholder": says, "autocomplete": "off"}
    return forms.CharField(
        label=label, required=False, help_text=like.help_text, widget=widget(attrs=attributes)
    )


def _asked(prompt: Prompt) -> forms.Field:
    """The field of a prompt. Whether an answer will do is judged where every way in is judged, not here."""
    shown: dict[str, Any] = {
        "label": f"{prompt.title}{' *' if prompt.required else ''}",
        "required": False,
        "help_text": prompt.help,
        "initial": _initial(prompt),
    }
    if prompt.kind == "choice":
        empty = [] if prompt.required and prompt.default is not None else [("", "---------")]
        choices = [*empty, *((one, one) for one in prompt.choices)]
        return forms.ChoiceField(choices=choices, **shown)
    if prompt.kind == "yes_no":
        empty = [("", "---------")] if prompt.default is None else []
        return forms.ChoiceField(choices=[*empty, *_YES_NO], **shown)
    if _is_ticked(prompt):
        choices = [(one, one) for one in prompt.choices]
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shown)
    return forms.CharField(widget=_widget(prompt), strip=False, **shown)


def _widget(prompt: Prompt) -> forms.Widget:
    attributes: dict[str, Any] = {"autocomplete": "off"}
    if prompt.kind == "secret":
        return forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": UnfoldAdminTextInputWidget().attrs["class"]}
        )
    if prompt.kind == "number":
        bounds = {"min": prompt.minimum, "max": prompt.maximum, "step": "any"}
        return forms.NumberInput(attrs=attributes | {k: v for k, v in bounds.items() if v is not None})
    if prompt.kind == "list":
        return forms.TextInput(attrs=attributes | {"placeholder": "with commas between"})
    return forms.TextInput(attrs=attributes)


def _initial(prompt: Prompt) -> Any:
    default = prompt.default
    if prompt.is_secret or default is None:
        return None
    if prompt.kind == "yes_no":
        return "yes" if default in (True, "yes", "true", "on", "1") else "no"
    if prompt.kind == "list" and not prompt.choices and not isinstance(default, str):
        return ", ".join(default)
    return list(default) if isinstance(default, tuple) else default
