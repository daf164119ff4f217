"""What every noun's body shares: strict fields, rows by name, a reason; and how it is written inside the door."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from inventory.api.v1 import fields
from inventory.api.v1.callers import Caller
from inventory.api.v1.problems import FieldError, errors_of, invalid
from inventory.changes import SiteChange
from inventory.models.fields import OrderedJSONField

#: so many unknown fields are told, with what each might mean
MOST_STRANGERS = 20
WHY_HELP = "Reason for the change; kept with it. Instead: the header Mgmtplane-Reason."


class Strict(serializers.Serializer):
    """Refuses fields that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["Write an object."]})
        strange = {name: [message] for name, message in self.strangers(data)}
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            raise serializers.ValidationError({**detail, **strange}) from None
        if strange:
            raise serializers.ValidationError(strange)
        return found

    def strangers(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        known = [name for name, field in self.fields.items() if not field.read_only]
        strange = (name for name in data if name not in self.fields)
        for name in itertools.islice(strange, MOST_STRANGERS):
            shown = str(name)[:60]
            near = difflib.get_close_matches(shown, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}."
            yield shown, f"There is no field “{shown}”; {hint}"


class Body(Strict, serializers.ModelSerializer):
    """A noun. What the model says of its fields is taken over; what is right is judged by the model alone."""

    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: fields.Text,
        models.TextField: fields.Text,
        models.PositiveIntegerField: fields.Number,
        models.PositiveSmallIntegerField: fields.Number,
        models.IntegerField: fields.Number,
        models.BooleanField: fields.Flag,
        models.GenericIPAddressField: fields.Address,
        OrderedJSONField: fields.Mapping,
    }
    serializer_choice_field = fields.Choice

    why = fields.Text(write_only=True, required=False, allow_blank=True, max_length=1000, help_text=WHY_HELP)

    #: fields that are links to other rows, written after the row itself: field → nouns of its permissions
    links: ClassVar[dict[str, str]] = {}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        kwargs.pop("validators", None)  # the model's own say it, within full_clean
        kwargs.pop("style", None)
        if isinstance(model_field, OrderedJSONField):
            for name in ("allow_blank", "allow_null", "max_length", "trim_whitespace"):
                kwargs.pop(name, None)
        if isinstance(model_field, models.TextField) and field_class is fields.Text:
            kwargs["trim_whitespace"] = False
        return field_class, kwargs

    def get_unique_together_validators(self) -> list[Any]:
        return []

    def get_unique_for_date_validators(self) -> list[Any]:
        return []

    # --- what is read may be sent back ---

    def strangers(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().strangers(data)
        kept = [name for name in data if name in self.fields and self.fields[name].read_only]
        now = self.to_representation(self.instance) if kept and self.instance is not None else {}
        for name in kept:
            if name not in now:
                yield name, "This is set by the application; leave it out."
            elif now[name] != data[name]:
                yield (
                    name,
                    f"This is set by the application; leave it out, or send it as it is: {now[name]!r}.",
                )

    # --- writing ---

    @property
    def caller(self) -> Caller:
        caller: Caller = self.context["caller"]
        return caller

    def replaced(self) -> None:
        """PUT: fields of the row that the body leaves out return to their defaults; links stay."""
        for name, field in self.fields.items():
            left_out = name not in self.initial_data and not field.read_only and name not in self.links
            if left_out and name not in ("why", "site"):
                column = self._column(name)
                if column is not None:
                    self.validated_data[name] = column.get_default()

    def _column(self, name: str) -> Any:
        model: Any = self.Meta.model
        return next((field for field in model._meta.concrete_fields if field.name == name), None)

    def write(self, the_change: SiteChange) -> Any:
        """Bring the row, then its links, to what the body says; the caller of this holds the door.

        Raises Problem with all that is wrong of both.
        """
        given = dict(self.validated_data)
        given.pop("site", None)
        if "why" not in self._columns():
            given.pop("why", None)
        links = {name: given.pop(name) for name in list(given) if name in self.links}
        row = self.instance if self.instance is not None else self.new(given)
        errors = list(self.write_row(row, given))
        errors += self.write_links(the_change, row, links, written=not errors)
        if errors:
            raise invalid(errors)
        return row

    def _columns(self) -> set[str]:
        model: Any = self.Meta.model
        return {field.name for field in model._meta.concrete_fields}

    def new(self, given: dict[str, Any]) -> Any:
        model: Any = self.Meta.model
        return model(site=self.context["site"]) if "site" in self._columns() else model()

    def write_row(self, row: Any, given: dict[str, Any]) -> Iterator[FieldError]:
        changed = [name for name, value in given.items() if row._state.adding or getattr(row, name) != value]
        for name in changed:
            setattr(row, name, given[name])
        if not changed and not row._state.adding:
            return
        try:
            row.save()
        except ValidationError as error:
            yield from errors_of(error)

    def write_links(
        self, the_change: SiteChange, row: Any, links: dict[str, Any], *, written: bool
    ) -> list[FieldError]:
        """Write *links* when the row was *written*; else only say what is wrong with them."""
        return []

    def require_links(self, noun: str) -> None:
        for verb in ("add", "delete"):
            self.caller.require(f"inventory.{verb}_{noun}", self.context["site"])


@extend_schema_field({"type": "string", "examples": ["dvntm"]})
class SiteName(serializers.Field):
    """The site by its short name. A row keeps its site for life; *path* leads there from the row."""

    def __init__(self, path: str = "site", **kwargs: Any) -> None:
        self.path = path
        super().__init__(**kwargs)

    def get_attribute(self, instance: Any) -> Any:
        for name in self.path.split("."):
            instance = getattr(instance, name)
        return instance

    def to_representation(self, value: Any) -> str:
        return str(value)

    def to_internal_value(self, data: Any) -> Any:
        site = self.context["site"]
        if data != site.slug:
            raise serializers.ValidationError(f"A row keeps its site, which is {site}.")
        return site

    def validate_empty_values(self, data: Any) -> Any:
        if data is empty:
            raise serializers.SkipField
        return super().validate_empty_values(data)
