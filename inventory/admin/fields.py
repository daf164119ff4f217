"""How variables, lists, MACs and addresses are typed: as text that people can read and correct."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from inventory import sealed_marks, yaml11
from inventory.admin.yaml_field import PROMPTS, SealedText, YamlArea
from inventory.identity import canonical_mac, is_unknown_mac
from inventory.models.fields import OrderedJSONField, to_text
from inventory.specs import lines_of

_YAML_HELP = (
    "YAML. Secrets only as !vault ciphertext or as a reference to a vaulted variable. “!vault sealed-…” stands for "
    "ciphertext that stays as it is; paste a new !vault block over it to replace it."
)


class StoredTextField(forms.CharField):
    """A value shown as text. Text that nobody touched gives back the stored value itself, bit by bit."""

    def __init__(self, *, empty: type = dict, **kwargs: Any) -> None:
        kwargs.setdefault("widget", _textarea(rows=6))
        super().__init__(**{**kwargs, "strip": False})
        self.empty = empty
        self.stored: Any = None

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else self.show(value)

    def show(self, value: Any) -> str:
        raise NotImplementedError

    def understand(self, text: str) -> Any:
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        text = _unix(value)
        if self.stored is not None and text.strip() == _unix(self.show(self.stored)).strip():
            return self.stored
        return self.understand(text) if text.strip() else self.empty()

    def validate(self, value: Any) -> None:
        """An empty mapping or list is a value; the model's own validators judge the rest."""

    def run_validators(self, value: Any) -> None:
        """The model's field has them."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return to_text(self.to_python(data)) != to_text(self.empty() if initial is None else initial)
        except ValidationError:
            return True


class YamlField(SealedText, StoredTextField):
    """A mapping of variables as YAML 1.1, in its own order; a sealed value by its mark, ``!vault sealed-…``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": _textarea(rows=6, area=YamlArea), **kwargs})

    def show(self, value: Any) -> str:
        if not value:
            return ""
        plain = sealed_marks.marked(value)
        try:
            return yaml11.dump(plain)
        except ValueError:  # half a character, from a JSON import: YAML cannot hold it
            return to_text(plain)

    def understand(self, text: str) -> Any:
        value = self.read(text)
        return self.empty() if value is None else value


class PromptsField(StoredTextField):
    """Prompts as YAML, a list of mappings; what is wrong with them is said while somebody types."""

    def __init__(self, **kwargs: Any) -> None:
        area = _textarea(rows=8, area=YamlArea)
        area.of = PROMPTS  # type: ignore[attr-defined]
        super().__init__(**{"widget": area, **kwargs, "empty": list})

    def show(self, value: Any) -> str:
        return yaml11.dump(value) if value else ""

    def understand(self, text: str) -> Any:
        try:
            value, _ = yaml11.read(text, "Prompts")
        except yaml11.YamlProblem as problem:
            raise ValidationError(f"Line {problem.line}: {problem.message} {problem.hint}".strip()) from None
        return self.empty() if value is None else value


class ListField(StoredTextField):
    """A list of short texts: one on a line, or with commas between."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", _textarea(rows=2))
        super().__init__(**{**kwargs, "empty": list})

    def show(self, value: Any) -> str:
        return "\n".join(str(item) for item in value or [])

    def understand(self, text: str) -> Any:
        return [item.strip() for item in text.replace(",", "\n").split("\n") if item.strip()]


class RangesField(ListField):
    """A list of address ranges, ``first - last``, one on a line."""

    def show(self, value: Any) -> str:
        return "\n".join(" - ".join(map(str, item)) for item in value or [])

    def understand(self, text: str) -> Any:
        ranges = []
        for item in super().understand(text):
            first, dash, last = (part.strip() for part in item.partition("-"))
            if not (first and dash and last):
                raise ValidationError(
                    f"“{item}” is not a range; write both ends, such as 10.20.99.60 - 10.20.99.69."
                )
            ranges.append([first, last])
        return ranges


class LinesField(forms.CharField):
    """Text whose lines count: browsers end them otherwise than databases, and empty ones say nothing."""

    def to_python(self, value: Any) -> str:
        return lines_of(str(super().to_python(value) or ""))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return lines_of(initial or "") != self.to_python(data)


class MacField(forms.CharField):
    """A MAC in any spelling; empty, ``UNKNOWN`` and their like mean that nobody has read it yet."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)  # spellings are longer than the canonical form
        kwargs.pop("empty_value", None)
        super().__init__(**{**kwargs, "empty_value": None})

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if text is None or is_unknown_mac(text):
            return None
        try:
            return canonical_mac(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or None) != self.to_python(data)
        except ValidationError:
            return True


class AddressField(forms.GenericIPAddressField):
    """An address, or None: forms make empty text of nothing, which constraints take for an address."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value) or None


_RANGES = frozenset({"delegated"})


def field_for(db_field: OrderedJSONField, **kwargs: Any) -> forms.Field:
    """The form field of a JSON column: by what it holds when it is empty."""
    said: dict[str, Any] = {"required": False, "label": capfirst(str(db_field.verbose_name))}
    if db_field.name in _RANGES:
        return RangesField(**said, help_text=f"{db_field.help_text} One per line: 10.20.99.60 - 10.20.99.69.")
    if db_field.name == "prompts":
        return PromptsField(**said, help_text=str(db_field.help_text))
    if db_field.default is list:
        return ListField(**said, help_text=_one_per_line(db_field))
    return YamlField(**said, help_text=f"{db_field.help_text} {_YAML_HELP}".strip())


def _one_per_line(db_field: OrderedJSONField) -> str:
    return f"{db_field.help_text} One per line, or separated by commas.".strip()


def _textarea(rows: int, area: type[forms.Textarea] = UnfoldAdminTextareaWidget) -> forms.Textarea:
    return area(attrs={"rows": rows, "class": "font-mono", "spellcheck": "false", "autocapitalize": "off"})


def text_input(**attrs: Any) -> forms.TextInput:
    return UnfoldAdminTextInputWidget(attrs=attrs)


def _unix(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").replace("\r", "\n")
