"""The kinds of values in bodies: nothing is guessed, a number is no text and text is no number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.models import Declared, Site

MOST_NAMES = 20_000


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Write text.")
        return super().to_internal_value(data)


class Number(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Write a whole number.")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Write true or false.")
        return data


class Choice(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or (data not in self.choices and not (data == "" and self.allow_blank)):
            known = ", ".join(str(choice) for choice in self.choices)
            raise serializers.ValidationError(f"Write one of {known}.")
        return data


class Address(serializers.IPAddressField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError("Write an address as text.")
        return super().to_internal_value(data.strip())


class Stored(serializers.Field):
    """JSON that the model judges itself."""

    expected: type = dict
    sentence = 'Write an object, such as {"ntp_server": "192.0.2.1"}.'

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, self.expected):
            raise serializers.ValidationError(self.sentence)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Mapping(Stored):
    pass


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Texts(Stored):
    expected = list
    sentence = "Write a list of texts."


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class Objects(Stored):
    expected = list
    sentence = 'Write a list of objects, such as [{"name": "release", "kind": "string"}].'


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        "examples": [[["192.0.2.60", "192.0.2.69"]]],
    }
)
class Ranges(Stored):
    expected = list
    sentence = 'Write a list of ranges, such as [["192.0.2.60", "192.0.2.69"]].'


def site_of(field: serializers.Field) -> Site:
    """The site whose names the body speaks of."""
    site: Site = field.context["site"]
    return site


@extend_schema_field({"type": "string"})
class Named(serializers.Field):
    """A row of the same site by the name that people use. Read along with its id, in ``<field>_id``."""

    def __init__(self, model: type[Declared], by: str = "name", **kwargs: Any) -> None:
        self.model, self.by = model, by
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> str:
        return str(getattr(value, self.by))

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"Write the {self._noun}'s name.")
        found = self.find(data)
        if found is None:
            raise serializers.ValidationError(f"Site {site_of(self)} has no {self._noun} “{data}”.")
        return found

    def find(self, name: str) -> Any:
        manager: Any = self.model._default_manager
        return manager.filter(**{"site": site_of(self), self.by: name}).first()

    @property
    def _noun(self) -> str:
        return str(self.model._meta.verbose_name)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Names(serializers.Field):
    """Rows of the same site by name. *read* gives the names of a row; *rows* those that may be meant."""

    def __init__(
        self, noun: str, read: Callable[[Any], Iterable[str]], rows: Callable[[], Any], **kwargs: Any
    ) -> None:
        self.noun, self.read, self.rows = noun, read, rows
        super().__init__(**{"required": False, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return instance

    def to_representation(self, value: Any) -> list[str]:
        return sorted(self.read(value))

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError(f"Write a list of the names of {self.noun}s.")
        if len(data) > MOST_NAMES:
            raise serializers.ValidationError(f"Name at most {MOST_NAMES} at once.")
        names = [name for name in data if isinstance(name, str)]
        found = {row.name: row for row in self._found(set(names))}
        problems: dict[int, list[str]] = {}
        for number, name in enumerate(data):
            if not isinstance(name, str):
                problems[number] = ["Write a name."]
            elif name not in found:
                problems[number] = [f"Site {site_of(self)} has no {self.noun} “{name}”."]
        if problems:
            raise serializers.ValidationError(problems)  # type: ignore[arg-type]
        return list(found.values())

    def _found(self, names: set[str]) -> Iterable[Any]:
        """In portions: SQLite takes so many values at once."""
        wanted = sorted(names)
        for start in range(0, len(wanted), 500):
            yield from self.rows().filter(site=site_of(self), name__in=wanted[start : start + 500])


class NamesInOrder(Names):
    """The same where the order means something; no name stands twice."""

    def to_representation(self, value: Any) -> list[str]:
        return list(self.read(value))

    def to_internal_value(self, data: Any) -> list[Any]:
        found = {row.name: row for row in super().to_internal_value(data)}
        again = {
            number: [f"“{name}” stands twice; once is enough."]
            for number, name in enumerate(data)
            if name in data[:number]
        }
        if again:
            raise serializers.ValidationError(again)  # type: ignore[arg-type]
        return [found[name] for name in data]
