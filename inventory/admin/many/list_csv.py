"""CSV of any list, as it is filtered, searched and ordered, all of its pages, streamed.

The address is the list's with ``csv/`` behind it and the same question: ``/admin/inventory/host/csv/?q=pi``. ``bom=1`` puts
a byte order mark in front, by which Excel knows UTF-8. Where a table of that noun can be imported, the columns are called
as there, and importing the list again changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import lookup_field
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import path
from django.utils.html import strip_tags

from inventory.admin.lists import without_bulk
from inventory.admin.many.columns import TABLES, Columns, ListTable
from inventory.exports.csv import cell

#: Rows fetched at once.
CHUNK = 1_000
BOM = "\ufeff"


class ListCsv:
    """For a ModelAdmin whose list may be taken away as CSV."""

    list_after_template = "admin/inventory/many/list_foot.html"

    model: Any
    opts: Any
    admin_site: Any

    @property
    def list_table(self) -> ListTable | None:
        """What the file has where a table of the noun can be imported; else it has what the list shows."""
        return TABLES.get(self.opts.model_name)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_csv"
        own = path("csv/", self.admin_site.admin_view(self.csv_view), name=name)
        return [own, *super().get_urls()]  # type: ignore[misc]

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied(f"This list needs the permission to view {self.opts.verbose_name_plural}.")
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        asked = request.GET.copy()
        with_bom = asked.pop("bom", ["0"])[-1] == "1"
        for key in ("p", "all", "e"):
            asked.pop(key, None)
        request.GET = asked  # type: ignore[assignment]
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)  # type: ignore[attr-defined]
        except (IncorrectLookupParameters, ValidationError, ValueError):
            return HttpResponse(
                "The address asks for a filter that the list does not have; copy it from the list.",
                status=400,
                content_type="text/plain; charset=utf-8",
            )
        return self.as_csv(request, rows, with_bom=with_bom)

    def as_csv(
        self, request: HttpRequest, rows: QuerySet[Any], *, with_bom: bool = False
    ) -> StreamingHttpResponse:
        table = self.list_table or ListTable(self._shown(request), "")
        rows = table.rows(without_bulk(rows, getattr(self, "bulky_shown", ())))
        lines = _lines(table.columns, rows.iterator(chunk_size=CHUNK), self)
        name = f"{str(self.opts.verbose_name_plural).replace(' ', '-')}.csv"
        return StreamingHttpResponse(
            _written(lines, with_bom=with_bom),
            content_type="text/csv; charset=utf-8; header=present",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _shown(self, request: HttpRequest) -> Columns:
        shown = self.get_list_display(request)  # type: ignore[attr-defined]
        return {_header(name): name for name in shown if name != "action_checkbox"}

    def _get_base_actions(self) -> list[Any]:
        """Taking the chosen rows away as CSV is an action of every list."""
        own = self.get_action("csv_of_chosen")  # type: ignore[attr-defined]
        return [*super()._get_base_actions(), own]  # type: ignore[misc]

    @admin.action(permissions=["view"], description="CSV of these")
    def csv_of_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        return self.as_csv(request, queryset)


def _header(name: Any) -> str:
    return str(name).removeprefix("shown_").removesuffix("_shown")


def _lines(columns: Columns, rows: Iterable[Any], page: Any) -> Iterator[list[str]]:
    yield list(columns)
    for row in rows:
        yield [cell(_plain(_value(what, row, page))) for what in columns.values()]


def _value(what: Any, row: Any, page: Any) -> Any:
    if callable(what):
        return what(row)
    found = row
    if "." not in what:
        try:
            return lookup_field(what, row, page)[2]
        except ObjectDoesNotExist:
            return ""
    for step in what.split("."):
        found = getattr(found, step, None) if found is not None else None
    return found


def _plain(value: Any) -> Any:
    """What a list shows as a mark or a coloured word, as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return " ".join(str(one) for one in value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    text = str(value)
    return strip_tags(text) if hasattr(value, "__html__") else text


class _Echo:
    """A file that gives back what it is told to keep."""

    def write(self, text: str) -> str:
        return text


def _written(lines: Iterable[list[str]], *, with_bom: bool) -> Iterator[bytes]:
    writer: Any = csv.writer(_Echo(), lineterminator="\r\n")
    if with_bom:
        yield BOM.encode()
    chunk: list[str] = []
    for line in lines:
        chunk.append(writer.writerow(line))
        if len(chunk) >= CHUNK:
            yield "".join(chunk).encode()
            chunk.clear()
    yield "".join(chunk).encode()
