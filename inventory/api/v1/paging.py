"""Lists in pages: ``limit`` and ``offset``, the count and links to the neighbours."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from inventory.api.v1.problems import FieldError, invalid

MOST = 1000
FARTHEST = 2**31 - 1


class Pages(LimitOffsetPagination):
    """What is no number, or too large, is refused and not corrected in silence."""

    default_limit = 100
    max_limit = MOST
    limit_query_description = f"How many, 1 to {MOST}."
    offset_query_description = "How many to leave out before these."

    def get_limit(self, request: Request) -> int:
        return _number(request, "limit", 1, MOST, self.default_limit)

    def get_offset(self, request: Request) -> int:
        return _number(request, "offset", 0, FARTHEST, 0)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limits = {"limit": (1, MOST, self.default_limit), "offset": (0, FARTHEST, 0)}
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            low, high, default = limits[parameter["name"]]
            parameter["schema"] = {"type": "integer", "minimum": low, "maximum": high, "default": default}
        return parameters


def _number(request: Request, name: str, low: int, high: int, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high):
        raise invalid([FieldError(name, f"?{name}= takes a whole number from {low} to {high}.")])
    return int(text)
