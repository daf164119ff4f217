"""A change page as values: what its forms show, what was typed into them, and the same input with other values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, QueryDict

from inventory.versions import ROW, Page, Value

#: what every page carries and no row has
NOT_OF_THE_ROW = frozenset({"why", "version"})
#: more parts than Django reads of a form
MOST_PARTS = 1000


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def value_of(form_field: forms.Field, value: Any) -> Value:
    """*value*, as it is shown or as it was sent, in the one form in which the two compare."""
    if isinstance(form_field, forms.ModelMultipleChoiceField):
        return frozenset(str(one) for one in value or ())
    if value is True:
        return "on"
    return "" if value is None or value is False else unix(str(value))


@dataclass
class Part:
    """A form of the page: the row's, or one of an inline's."""

    form: Any
    formset: Any = None

    @property
    def names(self) -> list[str]:
        skipped = {*NOT_OF_THE_ROW, "DELETE"}
        if self.formset is not None:
            skipped |= {self.formset.model._meta.pk.name, self.formset.fk.name}
        return [name for name in self.form.fields if name not in skipped]

    def shown(self) -> dict[str, Value]:
        return {name: self._shown(name) for name in self.names}

    def _shown(self, name: str) -> Value:
        one = self.form.fields[name]
        return value_of(one, one.prepare_value(self.form.get_initial_for_field(one, name)))

    def typed(self, data: QueryDict, prefix: str = "") -> dict[str, Value]:
        """What *data* says for the fields of this form; what cannot be edited is what is shown."""
        found = {}
        for name in self.names:
            one = self.form.fields[name]
            if one.disabled:
                found[name] = self._shown(name)
            else:
                key = f"{prefix}-{name}" if prefix else name
                found[name] = value_of(one, one.widget.value_from_datadict(data, {}, key))
        return found


@dataclass
class Shown:
    """The page of one stored row, as it would be shown now."""

    row: Model
    parts: dict[str, Part]
    formsets: Sequence[Any]

    def page(self) -> Page:
        return {key: part.shown() for key, part in self.parts.items()}

    def like(self, key: str) -> Part | None:
        """A form with the fields of part *key*, which may be gone."""
        if key in self.parts:
            return self.parts[key]
        prefix = key.partition(" ")[0]
        formset = next((one for one in self.formsets if one.prefix == prefix), None)
        return None if formset is None else Part(formset.empty_form, formset)


@dataclass
class Typed:
    """What a person sent."""

    page: dict[str, dict[str, Value]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    #: part → its number in the formset
    index: dict[str, int] = field(default_factory=dict)
    #: prefix → numbers of the new parts
    new: dict[str, list[int]] = field(default_factory=dict)


def shown(form: Any, formsets: Sequence[Any], row: Any) -> Shown:
    parts = {ROW: Part(form)}
    for formset in formsets:
        for one in formset.initial_forms:
            parts[f"{formset.prefix} {one.instance.pk}"] = Part(one, formset)
    return Shown(row, parts, formsets)


def now_shown(page: Any, request: HttpRequest, row: Any) -> Shown:
    """The page of *row* by the ModelAdmin *page*, as if it were opened at this moment."""
    form = page.get_form(request, row, change=True)(instance=row)
    formsets = [
        formset(instance=row, prefix=formset.get_default_prefix(), queryset=inline.get_queryset(request))
        for formset, inline in page.get_formsets_with_inlines(request, row)
    ]
    return shown(form, formsets, row)


def typed(stored: Shown, data: QueryDict) -> Typed:
    found = Typed({ROW: stored.parts[ROW].typed(data)})
    for formset in stored.formsets:
        prefix, pk_name = formset.prefix, formset.model._meta.pk.name
        found.new[prefix] = []
        for number in range(_count(data.get(f"{prefix}-TOTAL_FORMS", ""))):
            pk = data.get(f"{prefix}-{number}-{pk_name}", "")
            if not pk.isdecimal():
                found.new[prefix].append(number)
                continue
            key = f"{prefix} {int(pk)}"
            part = stored.like(key)
            if part is None:
                continue
            found.index[key] = number
            found.page[key] = part.typed(data, f"{prefix}-{number}")
            if data.get(f"{prefix}-{number}-DELETE"):
                found.deleted.add(key)
    return found


def _count(text: str) -> int:
    return min(int(text), MOST_PARTS) if text.isdecimal() else 0


def written(
    stored: Shown, data: QueryDict, mine: Typed, values: Page, *, anew: Sequence[str] = ()
) -> tuple[QueryDict, dict[str, int]]:
    """*data* with *values* in the place of what was typed, for the parts that are stored now.

    *anew* are parts that are gone and that the person wants all the same: they become new ones. Returns the numbers
    under which these stand in the formset.
    """
    out = data.copy()
    for name, value in values[ROW].items():
        if value != mine.page[ROW].get(name):
            _put(out, name, value)
    numbers: dict[str, int] = {}
    for formset in stored.formsets:
        prefix = formset.prefix
        for key in [key for key in out if re.match(rf"{re.escape(prefix)}-\d+-", key)]:
            del out[key]
        keys = [key for key in stored.parts if key.startswith(f"{prefix} ")]
        for number, key in enumerate(keys):
            _put_part(out, data, mine, key, number, values[key], formset)
            if key in mine.deleted:
                out[f"{prefix}-{number}-DELETE"] = "on"
        following = len(keys)
        wanted = [key for key in anew if key.startswith(f"{prefix} ")]
        numbers |= {key: following + place for place, key in enumerate(wanted)}
        for old in [*(mine.index[key] for key in wanted), *mine.new.get(prefix, ())]:
            _move(out, data, prefix, old, following, without=formset.model._meta.pk.name)
            following += 1
        out[f"{prefix}-INITIAL_FORMS"], out[f"{prefix}-TOTAL_FORMS"] = str(len(keys)), str(following)
    return out, numbers


def _put_part(
    out: QueryDict,
    data: QueryDict,
    mine: Typed,
    key: str,
    number: int,
    values: Mapping[str, Value],
    formset: Any,
) -> None:
    prefix = formset.prefix
    if key in mine.index:
        _move(out, data, prefix, mine.index[key], number, without="DELETE")
    for name, value in values.items():
        if value != mine.page.get(key, {}).get(name):
            _put(out, f"{prefix}-{number}-{name}", value)
    out[f"{prefix}-{number}-{formset.model._meta.pk.name}"] = key.partition(" ")[2]
    out[f"{prefix}-{number}-{formset.fk.name}"] = str(formset.instance.pk)


def _move(out: QueryDict, data: QueryDict, prefix: str, old: int, new: int, *, without: str) -> None:
    start = f"{prefix}-{old}-"
    for key in data:
        name = key.removeprefix(start)
        if key.startswith(start) and name != without:
            out.setlist(f"{prefix}-{new}-{name}", data.getlist(key))


def _put(out: QueryDict, key: str, value: Value) -> None:
    if isinstance(value, frozenset):
        out.setlist(key, sorted(value))
    elif value:
        out[key] = value
    else:
        out.pop(key, None)
        out[key] = ""
