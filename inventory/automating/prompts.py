"""Typed questions that a job template asks before each run, and what answers them. Pure.

The admin, the shell, the API and schedules judge answers by :func:`answers`, so that all of them say the same.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

Kind = Literal["string", "number", "choice", "list", "yes_no", "secret"]

KINDS: tuple[Kind, ...] = ("string", "number", "choice", "list", "yes_no", "secret")
#: more than this on one page helps nobody
MOST = 50
#: longest answer of text
LONGEST = 100_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
#: what Ansible itself sets, whatever a run is given
_ANSIBLES = frozenset(
    {
        "environment", "group_names", "groups", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname",
        "inventory_hostname_short", "omit", "play_hosts", "playbook_dir", "role_names", "role_path", "vars",
    }
)  # fmt: skip
#: what of Ansible's own variables a person may be asked for: how hosts are entered, not which program enters them
CREDENTIALS = frozenset(
    {
        "ansible_become_pass", "ansible_become_password", "ansible_become_user", "ansible_httpapi_pass",
        "ansible_httpapi_password", "ansible_password", "ansible_ssh_pass", "ansible_ssh_password", "ansible_ssh_user",
        "ansible_sudo_pass", "ansible_user", "ansible_winrm_pass", "ansible_winrm_password", "ansible_winrm_user",
    }
)  # fmt: skip
_YES = frozenset({"yes", "true", "on", "y", "1"})
_NO = frozenset({"no", "false", "off", "n", "0"})


class PromptError(ValueError):
    """Prompts that cannot be asked; ``problems`` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. ``minimum`` and ``maximum`` bound a number, the length of a text, the items of a list."""

    #: the variable that the answer becomes
    name: str
    label: str = ""
    kind: Kind = "string"
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    help: str = ""

    @property
    def title(self) -> str:
        return self.label or self.name

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"

    @property
    def must_be_asked(self) -> bool:
        """Whether nobody but a person can answer it: it is required and has no default."""
        return self.required and self.default is None


_FIELDS = tuple(one.name for one in fields(Prompt))


def parse(values: Any) -> tuple[Prompt, ...]:
    """The prompts that *values*, a list of mappings, ask for; raises :class:`PromptError` with all its faults."""
    if not isinstance(values, list | tuple):
        raise PromptError(["Prompts are a list; begin each with “- name: VARIABLE”."])
    problems: list[str] = []
    found: list[Prompt] = []
    for number, value in enumerate(values, 1):
        faults = _faults(value)
        problems += [f"{_called(value, number)}: {fault}" for fault in faults]
        if not faults:
            found.append(_made(value))
    names = [one.name for one in found]
    problems += [
        f"Prompt “{name}” stands there twice; a variable is asked for once."
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if len(values) > MOST:
        problems.append(f"{len(values)} prompts are more than anybody answers; ask for {MOST} at most.")
    if problems:
        raise PromptError(problems)
    return tuple(found)


def stored(values: Iterable[Mapping[str, Any]]) -> tuple[Prompt, ...]:
    """The prompts that were judged when they were stored; nothing is judged anew."""
    return tuple(_made(value) for value in values)


def written(prompts: Iterable[Prompt]) -> list[dict[str, Any]]:
    """*prompts* as :func:`parse` reads them, without what is as ever."""
    return [_written(prompt) for prompt in prompts]


def answers(
    prompts: Iterable[Prompt], given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """(values, errors): the variables that *given* answers *prompts* with, and what is wrong, by name.

    What is not given, or given as None, is the default. A secret is judged, but never among the values; one that
    is missing is no error, since a run waits until somebody enters it.
    """
    asked = {prompt.name: prompt for prompt in prompts}
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {
        str(name): [f"The template asks for no “{name}”; {_asks(asked)}"]
        for name in given
        if name not in asked
    }
    for name, prompt in asked.items():
        try:
            value = _answer(prompt, given.get(name))
        except ValueError as fault:
            errors[name] = [str(fault)]
            continue
        if value is not None and not prompt.is_secret:
            values[name] = value
    return values, errors


def secret_names(prompts: Iterable[Prompt]) -> tuple[str, ...]:
    return tuple(prompt.name for prompt in prompts if prompt.is_secret)


# --- what a prompt may say ---


def _called(value: Any, number: int) -> str:
    name = value.get("name") if isinstance(value, Mapping) else None
    return f"Prompt “{name}”" if isinstance(name, str) and name else f"Prompt {number}"


def _made(value: Mapping[str, Any]) -> Prompt:
    given = {name: value[name] for name in _FIELDS if name in value}
    if isinstance(given.get("default"), list):
        given["default"] = tuple(given["default"])
    return Prompt(**{**given, "choices": tuple(given.get("choices") or ())})


def _written(prompt: Prompt) -> dict[str, Any]:
    plain = Prompt(prompt.name)
    said: dict[str, Any] = {"name": prompt.name}
    for name in _FIELDS[1:]:
        if (value := getattr(prompt, name)) != getattr(plain, name):
            said[name] = list(value) if isinstance(value, tuple) else value
    return said


def _faults(value: Any) -> list[str]:
    """What is wrong with one prompt: with its fields first, and only then with what they mean together."""
    if not isinstance(value, Mapping):
        return ["is no mapping; write name, kind, label and the like, each with its value."]
    faults = [
        f"there is no “{key}” in a prompt; it has {', '.join(_FIELDS)}."
        for key in value
        if key not in _FIELDS
    ]
    faults += [fault for check in (_name, _kind, _texts, _choices, _bounds) for fault in check(value)]
    return faults or _default(value)


def _name(value: Mapping[str, Any]) -> list[str]:
    name = value.get("name")
    if not isinstance(name, str) or not _NAME.match(name) or keyword.iskeyword(name):
        return ["its name must be one of a variable: letters, digits, underscores, such as release_version."]
    if name in _ANSIBLES:
        return [f"Ansible sets {name} itself; choose another name."]
    if name.startswith("ansible_") and name not in CREDENTIALS:
        return [
            f"{name} tells Ansible how to work; of such, only credentials are asked for. Choose another name."
        ]
    return []


def _kind(value: Mapping[str, Any]) -> list[str]:
    kind = value.get("kind", "string")
    return [] if kind in KINDS else [f"its kind is {', '.join(KINDS[:-1])} or {KINDS[-1]}, not “{kind}”."]


def _texts(value: Mapping[str, Any]) -> list[str]:
    wrong = [
        f"{name} is text; put it in quotes."
        for name in ("label", "help")
        if not isinstance(value.get(name, ""), str)
    ]
    if not isinstance(value.get("required", True), bool):
        wrong.append("required is true or false.")
    return wrong


def _choices(value: Mapping[str, Any]) -> list[str]:
    choices = value.get("choices") or ()
    kind = value.get("kind", "string")
    if not isinstance(choices, list | tuple) or not all(isinstance(one, str) and one for one in choices):
        return ["choices are a list of texts; put numbers and yes or no in quotes."]
    if kind == "choice" and not choices:
        return ["a choice needs choices."]
    if choices and kind not in ("choice", "list"):
        return [f"only a choice or a list has choices, and this is a {kind}."]
    if len(set(choices)) < len(choices):
        return ["the same choice stands there twice."]
    return []


def _bounds(value: Mapping[str, Any]) -> list[str]:
    low, high = value.get("minimum"), value.get("maximum")
    given = [one for one in (low, high) if one is not None]
    kind = value.get("kind", "string")
    if given and kind in ("choice", "yes_no"):
        return [f"minimum and maximum mean nothing for a {kind}."]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and _finite(one) for one in given):
        return ["minimum and maximum are numbers."]
    if kind != "number" and not all(isinstance(one, int) and one >= 0 for one in given):
        return ["minimum and maximum count characters or items here: whole numbers from 0."]
    if low is not None and high is not None and low > high:
        return [f"its minimum {low} is above its maximum {high}."]
    return []


def _default(value: Mapping[str, Any]) -> list[str]:
    prompt = _made(value)
    if prompt.default is None:
        return []
    if prompt.is_secret:
        return ["a secret has no default, since it would be stored; leave it out."]
    try:
        _judged(prompt, prompt.default)
    except ValueError as fault:
        return [f"its default does not answer it: {fault}"]
    return []


# --- what answers a prompt ---


def _asks(asked: Mapping[str, Prompt]) -> str:
    return f"it asks for {', '.join(asked)}." if asked else "it asks for nothing."


def _answer(prompt: Prompt, given: Any) -> Any:
    """The value, or None for none; raises ValueError with what is wrong."""
    if given is None:
        given = prompt.default
    if given is None or (given in ("", [], ()) and (prompt.required or prompt.kind != "string")):
        if prompt.required and not prompt.is_secret:
            raise ValueError(f"{prompt.title} must be given.")
        return None
    return _judged(prompt, given)


def _judged(prompt: Prompt, given: Any) -> Any:
    return _JUDGES[prompt.kind](prompt, given)


def _text(prompt: Prompt, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{prompt.title} is text; put it in quotes.")
    if fault := _bounds_of_text(prompt, given):
        raise ValueError(fault)
    return given


def _bounds_of_text(prompt: Prompt, given: str) -> str:
    if "\0" in given:
        return f"{prompt.title} has a NUL in it, which no variable can hold."
    if len(given) > LONGEST:
        return f"{prompt.title} has {len(given)} characters; {LONGEST} are the most."
    return _outside(prompt, len(given), "characters")


def _outside(prompt: Prompt, count: float, what: str) -> str:
    unit = f" {what}" if what else ""
    if prompt.minimum is not None and count < prompt.minimum:
        return f"{prompt.title} has {_bound(prompt.minimum)}{unit} or more."
    if prompt.maximum is not None and count > prompt.maximum:
        return f"{prompt.title} has {_bound(prompt.maximum)}{unit} at most."
    return ""


def _bound(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(prompt: Prompt, given: Any) -> int | float:
    value = _as_number(given)
    if value is None:
        raise ValueError(f"{prompt.title} is a number, such as 8 or 0.5.")
    if prompt.minimum is not None and value < prompt.minimum:
        raise ValueError(f"{prompt.title} is {_bound(prompt.minimum)} or more.")
    if prompt.maximum is not None and value > prompt.maximum:
        raise ValueError(f"{prompt.title} is {_bound(prompt.maximum)} at most.")
    return value


def _as_number(given: Any) -> int | float | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str):
        given = given.strip()
        for read in (int, float):
            if len(given) > 40 or not given.isascii() or "_" in given:
                return None
            try:
                return _as_number(read(given))
            except ValueError:
                continue
        return None
    return given if isinstance(given, int | float) and _finite(given) else None


def _finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _choice(prompt: Prompt, given: Any) -> str:
    if given not in prompt.choices:
        raise ValueError(f"{prompt.title} is one of {', '.join(prompt.choices)}.")
    return str(given)


def _list(prompt: Prompt, given: Any) -> list[str]:
    """Items as a list of texts, or as one text with a comma or a new line between them."""
    if isinstance(given, str):
        given = [item for part in re.split(r"[,\n]", given) if (item := part.strip())]
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"{prompt.title} is a list of texts, such as “web01, web02”.")
    for item in given:
        if prompt.choices and item not in prompt.choices:
            raise ValueError(
                f"{prompt.title} is made of {', '.join(prompt.choices)}; “{item}” is none of them."
            )
        if len(item) > LONGEST or "\0" in item:
            raise ValueError(f"{prompt.title} has an item that no variable can hold.")
    if fault := _outside(prompt, len(given), "items"):
        raise ValueError(fault)
    if prompt.required and not given:
        raise ValueError(f"{prompt.title} must be given.")
    return list(given)


def _yes_no(prompt: Prompt, given: Any) -> bool:
    if isinstance(given, bool):
        return given
    word = given.strip().casefold() if isinstance(given, str) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"{prompt.title} is yes or no.")


_JUDGES: Mapping[Kind, Callable[[Prompt, Any], Any]] = {
    "string": _text,
    "secret": _text,
    "number": _number,
    "choice": _choice,
    "list": _list,
    "yes_no": _yes_no,
}
