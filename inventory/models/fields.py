"""Column types that behave the same on both databases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core import checks
from django.db import models

from inventory.packed import from_text, to_text


class OrderedJSONField(models.TextField):
    """JSON kept as text.

    PostgreSQL's ``jsonb`` sorts keys and drops NUL; Ansible variables mean something by their order
    (``dict2items | first``), so the text is stored as it came, on both databases alike.
    """

    description = "JSON, order of keys kept"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else from_text(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else to_text(value)

    def value_to_string(self, obj: models.Model) -> str:
        return to_text(self.value_from_object(obj))

    def get_internal_type(self) -> str:
        return "TextField"

    def formfield(self, **kwargs: Any) -> forms.Field:
        kwargs.pop("max_length", None)
        kwargs.setdefault("form_class", forms.JSONField)
        kwargs.pop("choices_form_class", None)
        form_class = kwargs.pop("form_class")
        defaults = {
            "required": False,
            "label": self.verbose_name,
            "help_text": self.help_text,
            "initial": self.default if self.has_default() else None,
        }
        return form_class(**{**defaults, **kwargs})

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = super().check(**kwargs)
        if self.has_default() and not callable(self.default):
            found.append(
                checks.Error("OrderedJSONField needs a callable default.", obj=self, id="inventory.E001")
            )
        return found
