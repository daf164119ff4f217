"""Lists that leave the long columns in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from inventory.admin.saved_filters import SavedFilters

#: JSON that no list shows. A site's alone may be larger than the page: it was unpacked once for every row.
BULKY = frozenset(
    {"variables", "written", "sealed", "mapping", "naming", "zone_serials", "access", "out_of_band"}
)


class LeanChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Only the rows that are shown are lean; an action gets whole ones."""
        shown = getattr(self.model_admin, "bulky_shown", ())
        self.queryset = without_bulk(self.queryset, shown)  # type: ignore[has-type]
        super().get_results(request)


def without_bulk(rows: QuerySet[Any], shown: tuple[str, ...] = ()) -> QuerySet[Any]:
    """*rows* without their long columns but those *shown*, and without those of the rows selected with them."""
    related = rows.query.select_related
    bulky = _bulky(rows.model, related if isinstance(related, Mapping) else {})
    return rows.defer(*(column for column in bulky if column not in shown))


def _bulky(model: type[Model], related: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for column in model._meta.concrete_fields:
        if column.name in BULKY:
            yield prefix + column.name
        elif column.name in related and column.related_model:
            yield from _bulky(column.related_model, related[column.name], f"{prefix}{column.name}__")


class LeanLists(SavedFilters):
    """For an admin whose list selects sites or rows with variables; with the person's saved views above it."""

    #: long columns of the row itself that the list speaks of
    bulky_shown: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LeanChangeList

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Django takes what is selected for numbers without looking."""
        if not all(pk.isdecimal() for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            messages.error(request, "The selection names rows that cannot be; select them in the list.")
            return None
        return super().response_action(request, queryset)  # type: ignore[misc]
