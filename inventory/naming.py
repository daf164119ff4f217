"""Host names by a pattern that a site declares as data: read, judged, continued. Pure.

``Site.naming`` is ``{}`` (no pattern, nothing is judged), ``{"standard": NAME, …}`` or a pattern of its own, ``{"fields":
[…], "ordinal": FIELD, …}``. A field is a mapping:

``field``          its name; ``role`` and ``form`` are the host's own, the others are numbers or fixed texts
``digits``         makes it a number of exactly so many digits, with leading zeros
``first``          the lowest number, 1 by default
``width``          a text has exactly so many characters
``before/after``   literal text written with the field, and left out with it
``left_out_for``   forms that imply it: the field is not written
``needed_for``     forms that need it; for any other form it is written when the host has it

``ordinal`` names the number that tells machines of one kind apart. Beside the fields: ``values`` (texts of fixed fields),
``roles`` and ``forms`` (as declared → as written; what is not in the table is written as declared). The three may also
accompany a standard. See ``docs/naming.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from inventory import naming_errors
from inventory.identity import label_problem
from inventory.snapshot import HostFacts, SiteFacts

#: The standards that are shipped: what a site names, or copies and changes.
STANDARDS: Mapping[str, Mapping[str, Any]] = {
    # [role-]formNN: hv01, pi01, netctrl-vm01
    "role-form": {
        "fields": [
            {"field": "role", "after": "-", "left_out_for": ["hv", "pi"], "needed_for": ["vm", "ph", "em"]},
            {"field": "form"},
            {"field": "ordinal", "digits": 2},
        ],
        "ordinal": "ordinal",
        "forms": {form: form for form in ("hv", "vm", "ph", "pi", "em", "rt", "sw", "ap")},
    },
    # organisation, site code, role, series, form, generation: dv02nms001v01
    "coded": {
        "fields": [
            {"field": "organisation", "width": 2},
            {"field": "code", "width": 2},
            {"field": "role", "width": 3},
            {"field": "series", "digits": 3},
            {"field": "form", "width": 1},
            {"field": "generation", "digits": 2},
        ],
        "ordinal": "series",
        "forms": {
            "hv": "h", "vm": "v", "ph": "p", "pi": "i", "em": "e", "rt": "r", "sw": "s", "ap": "a",
        },
    },
}  # fmt: skip


class NoName(ValueError):
    """No name can be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a name says: role and form as declared (not as written), numbers and fixed texts by field."""

    role: str
    form: str
    ordinal: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    digits: int = 0
    first: int = 1
    width: int = 0
    before: str = ""
    after: str = ""
    left_out_for: tuple[str, ...] = ()
    needed_for: tuple[str, ...] = ()

    @property
    def may_be_left_out(self) -> bool:
        return bool(self.left_out_for or self.needed_for)


@dataclass(frozen=True)
class Pattern:
    fields: tuple[Field, ...]
    ordinal: Field
    values: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As people write it: ``[role-]formNN``."""
        return "".join(self._shown(part) for part in self.fields)

    def _shown(self, part: Field) -> str:
        text = "N" * part.digits or self.values.get(part.name, part.name)
        whole = f"{part.before}{text}{part.after}"
        return f"[{whole}]" if part.may_be_left_out else whole

    @cached_property
    def expression(self) -> re.Pattern[str]:
        return re.compile("".join(self._expression(part) for part in self.fields) + r"\Z")

    def _expression(self, part: Field) -> str:
        if part.digits:
            text = rf"[0-9]{{{part.digits}}}"
        elif part.name == "form" and self.forms:
            text = "|".join(re.escape(written) for written in sorted(self.forms.values()))
        elif part.name in ("role", "form"):
            text = rf"[a-z0-9]{{{part.width}}}" if part.width else r"[a-z0-9]+(?:-[a-z0-9]+)*"
        else:
            text = re.escape(self.values[part.name])
        whole = f"{re.escape(part.before)}(?P<{part.name}>{text}){re.escape(part.after)}"
        return f"(?:{whole})?" if part.may_be_left_out else whole

    def write(self, role: str, form: str, numbers: Mapping[str, int]) -> str:
        """The name. *role* and *form* as declared. Raises NoName."""
        return "".join(self._written(part, role, form, numbers) for part in self.fields)

    def _written(self, part: Field, role: str, form: str, numbers: Mapping[str, int]) -> str:
        if form in part.left_out_for:
            return ""
        if part.digits:
            return f"{part.before}{numbers[part.name]:0{part.digits}d}{part.after}"
        own = {"role": self.roles.get(role, role), "form": self.forms.get(form, form)}
        text = own.get(part.name, self.values.get(part.name, ""))
        if not text and part.may_be_left_out and form not in part.needed_for:
            return ""
        if not text:
            of = f" of form {form}" if part.name == "role" and form else ""
            raise NoName(f"A name by the pattern {self} needs a {part.name}{of}; say which.")
        if part.width and len(text) != part.width:
            raise NoName(
                f"{part.name} “{text}” has not {part.width} characters, as the pattern {self} asks; "
                f"give its code in “{part.name}s” of the site's naming."
            )
        return f"{part.before}{text}{part.after}"


def check(naming: Any) -> list[str]:
    """Say everything that is wrong with a pattern that a person declared; empty when nothing is."""
    return naming_errors.errors(naming, STANDARDS)


def pattern_of(naming: Mapping[str, Any]) -> Pattern | None:
    """The pattern that *naming* declares; None for none, and for one that ``check`` refuses."""
    return _pattern(json.dumps(naming)) if naming else None


@lru_cache(maxsize=32)
def _pattern(text: str) -> Pattern | None:
    """Made once, however many names are judged by it."""
    naming = json.loads(text)
    if check(naming):
        return None
    base = STANDARDS[naming["standard"]] if "standard" in naming else naming
    fields = tuple(_field(item) for item in base["fields"])
    return Pattern(
        fields,
        next(part for part in fields if part.name == base["ordinal"]),
        naming.get("values", {}),
        naming.get("roles", {}),
        {**base.get("forms", {}), **naming.get("forms", {})},
    )


def _field(item: Mapping[str, Any]) -> Field:
    known = {key: value for key, value in item.items() if key != "field"}
    lists = {key: tuple(item[key]) for key in ("left_out_for", "needed_for") if key in item}
    return Field(item["field"], **{**known, **lists})


def read(site: SiteFacts, name: str) -> Parts | None:
    """What *name* says by the site's pattern; None when the site has none or the name does not follow it."""
    pattern = pattern_of(site.naming)
    return _read(pattern, name) if pattern else None


def _read(pattern: Pattern, name: str) -> Parts | None:
    match = pattern.expression.match(name)
    if match is None:
        return None
    found = {key: text for key, text in match.groupdict().items() if text is not None}
    return Parts(
        _declared(pattern.roles, found.get("role", "")),
        _declared(pattern.forms, found.get("form", "")),
        int(found[pattern.ordinal.name]),
        found,
    )


def _declared(table: Mapping[str, str], written: str) -> str:
    return next((declared for declared, text in table.items() if text == written), written)


def problem(site: SiteFacts, host: HostFacts) -> str:
    """Say how the name of *host* departs from the site's pattern; empty when it does not, or there is none."""
    pattern = pattern_of(site.naming)
    if pattern is None:
        return ""
    parts = _read(pattern, host.name)
    if parts is None:
        return (
            f"“{host.name}” does not follow the pattern {pattern}; give it a name such as "
            f"{_example(pattern, host)} when it is rebuilt, or declare another pattern for the site."
        )
    form = parts.form or host.form
    for part in pattern.fields:
        if form in part.needed_for and part.name not in parts.fields:
            return f"“{host.name}” names no {part.name}, which form {form} needs in the pattern {pattern}."
        if form in part.left_out_for and part.name in parts.fields:
            return f"“{host.name}” names a {part.name}, which form {form} implies and {pattern} leaves out."
    for what, said, declared in (("form", parts.form, host.form), ("role", parts.role, host.role)):
        if said and declared and said != declared:
            return (
                f"“{host.name}” says {what} {said}, and the host is declared with {what} {declared}; correct the "
                f"{what}, or rename the host."
            )
    return ""


def _example(pattern: Pattern, host: HostFacts) -> str:
    numbers = {part.name: part.first for part in pattern.fields if part.digits}
    form = host.form if host.form in pattern.forms or not pattern.forms else "vm"
    try:
        return pattern.write(host.role or "netctrl", form, numbers)
    except NoName:
        return str(pattern)


def next_name(site: SiteFacts, *, role: str, form: str, taken: Collection[str]) -> str:
    """The name with the lowest ordinal that no name in *taken* has, whatever its other numbers. Raises NoName."""
    pattern = pattern_of(site.naming)
    if pattern is None:
        raise NoName(_no_pattern(site))
    if pattern.forms and form not in pattern.forms:
        raise NoName(f"The site's naming knows no form “{form}”; choose one of {', '.join(pattern.forms)}.")
    numbers = {part.name: part.first for part in pattern.fields if part.digits}
    ordinal = pattern.ordinal
    first = pattern.write(role, form, numbers)
    if too_long := label_problem(first):
        raise NoName(too_long)
    used = _ordinals(pattern, first, taken)
    for number in range(ordinal.first, 10**ordinal.digits):
        if number not in used:
            return pattern.write(role, form, {**numbers, ordinal.name: number})
    last = pattern.write(role, form, {**numbers, ordinal.name: 10**ordinal.digits - 1})
    raise NoName(
        f"{first} to {last} are all taken or withheld; free one from quarantine, or widen {ordinal.name} in the "
        "site's naming."
    )


def _ordinals(pattern: Pattern, like: str, taken: Collection[str]) -> set[int]:
    """The ordinals of the names in *taken* that differ from *like* in their numbers alone."""
    expression = pattern.expression
    numbers = {part.name for part in pattern.fields if part.digits}
    wanted = expression.match(like)
    kind = {key: text for key, text in wanted.groupdict().items() if key not in numbers} if wanted else {}
    used = set()
    for name in taken:
        match = expression.match(name.lower())
        found = match.groupdict() if match else {}
        if match and {key: text for key, text in found.items() if key not in numbers} == kind:
            used.add(int(found[pattern.ordinal.name]))
    return used


def _no_pattern(site: SiteFacts) -> str:
    if errors := check(site.naming):
        return f"The naming of site {site.slug} cannot be used: {errors[0]}"
    names = " or ".join(f'{{"standard": "{name}"}}' for name in STANDARDS)
    return f"Site {site.slug} declares no naming pattern; set its naming, such as {names}, or name the host yourself."
