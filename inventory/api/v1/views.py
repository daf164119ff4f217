"""What every noun's list and object share: who may, pages, conditions, and the way through the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from inventory.api.answers import unshared
from inventory.api.v1 import versions
from inventory.api.v1.callers import Caller, caller_of
from inventory.api.v1.filters import FILTERS
from inventory.api.v1.problems import FieldError, Problem, invalid
from inventory.api.v1.queries import refuse_unknown
from inventory.api.v1.reasons import reason_of, required_reason
from inventory.changes import SiteChange, change
from inventory.models import Site

STORED = "The change was stored; then the database did not answer, so it is not shown. Do not send it again."


class Noun(viewsets.GenericViewSet):
    """One noun to read. Rows of sites that the caller may not see are not there."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    lookup_value_regex = "[0-9]{1,18}"
    filter_backends = FILTERS
    #: application and noun of its permissions: inventory.view_host
    app: ClassVar[str] = "inventory"
    noun: ClassVar[str]
    #: verbs that need a permission of another name
    verbs: ClassVar[dict[str, str]] = {}
    #: from a row to its site
    site_path: ClassVar[str] = "site"
    search_in: ClassVar[tuple[str, ...]] = ()
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    ordering: ClassVar[tuple[str, ...]] = ()
    #: a short form for lists
    list_serializer_class: ClassVar[Any] = None

    # --- who ---

    @classmethod
    def needed(cls, verb: str) -> str:
        """The permission that *verb* (view, add, change, delete) needs."""
        return cls.verbs.get(verb, f"{cls.app}.{verb}_{cls.noun}")

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.caller.require(self.needed("view"))
        refuse_unknown(request, self)

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return self.caller.within(rows, self.needed("view"), self.site_path)

    def get_serializer_class(self) -> Any:
        if self.action == "list" and self.list_serializer_class:
            return self.list_serializer_class
        return super().get_serializer_class()

    # --- reading ---

    def list(self, request: Request) -> HttpResponse:
        etag = self.list_etag()
        if etag and versions.not_changed(request, etag):
            self._look_at_the_question(request)
            answered: HttpResponse = Response(status=304)
        else:
            answered = self._page()
        if etag:
            answered["ETag"] = etag
        return unshared(answered)

    def list_etag(self) -> str:
        """Empty: what the application keeps moves without a revision."""
        return ""

    def _look_at_the_question(self, request: Request) -> None:
        """Refuse what a page would refuse. A tag names a question that was answered before, ``*`` names none."""
        if request.headers.get("If-None-Match", "").strip() == "*":
            self.filter_queryset(self.get_queryset())
            pages: Any = self.paginator
            pages.get_limit(request)
            pages.get_offset(request)

    def _page(self) -> HttpResponse:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        answered: HttpResponse = self.get_paginated_response(self.get_serializer(page, many=True).data)
        return answered

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        return self.shown(self.row(pk))

    def row(self, pk: Any, **more: Any) -> Any:
        rows = self.get_queryset()
        found = rows.filter(pk=int(pk), **more).first()
        if found is None:
            what = rows.model._meta.verbose_name
            raise Http404(f"There is no {what} of the number {pk}, or you may not see it.")
        return found

    def represented(self, row: Any) -> dict[str, Any]:
        return dict(self.get_serializer(row).data)

    def shown(self, row: Any, status: int = 200) -> HttpResponse:
        told = self.represented(row)
        etag = versions.etag_of(told)
        if self.request.method in ("GET", "HEAD") and versions.not_changed(self.request, etag):
            answered: HttpResponse = Response(status=304)
        else:
            answered = Response(told, status=status)
        answered["ETag"] = etag
        return unshared(answered)

    def site_named(self, body: Any) -> Site:
        """The site that a new row's body names. Raises Problem (400) for none, and for one that may not be seen."""
        slug = body.get("site") if isinstance(body, dict) else None
        visible = self.caller.within(Site.objects.all(), "inventory.view_site", "")
        if slug is None:
            known = ", ".join(visible.values_list("slug", flat=True)[:20]) or "none yet"
            raise invalid([FieldError("site", f"Say at which site; there are: {known}.")])
        found = visible.filter(slug=slug).first() if isinstance(slug, str) else None
        if found is None:
            raise invalid([FieldError("site", f"There is no site “{slug}”, or you may not see it.")])
        return found


class WritableNoun(Noun):
    """One noun to read and to write."""

    def list_etag(self) -> str:
        """Weak: the revisions of the sites that are seen, and what is asked of them. One query."""
        sites = self.caller.within(Site.objects.order_by("pk"), f"inventory.view_{self.noun}", "")
        return (
            f"W/{versions.etag_of([self.request.build_absolute_uri(), *sites.values_list('pk', 'revision')])}"
        )

    def create(self, request: Request) -> HttpResponse:
        permission = f"inventory.add_{self.noun}"
        self.caller.require(permission)
        site = self.site_named(request.data)
        self.caller.require(permission, site)
        with self.door(site, reason_of(request)) as the_change:
            row = self._written(the_change, site, data=request.data)
        return self.created(row.pk)

    def created(self, pk: int) -> HttpResponse:
        answered = self.stored(pk, 201)
        answered["Location"] = self.request.build_absolute_uri(f"{self.request.path.rstrip('/')}/{pk}")
        return answered

    def update(self, request: Request, pk: str) -> HttpResponse:
        return self._change(request, pk, partial=False)

    def partial_update(self, request: Request, pk: str) -> HttpResponse:
        return self._change(request, pk, partial=True)

    def _change(self, request: Request, pk: str, *, partial: bool) -> HttpResponse:
        with self.opened(pk, f"inventory.change_{self.noun}", self.reason_to_change) as (the_change, row):
            site = the_change.sites[row.owner_site_id]
            self._written(the_change, site, instance=row, data=request.data, partial=partial)
        return self.stored(pk)

    def stored(self, pk: Any, status: int = 200) -> HttpResponse:
        """The row as it is once its change was stored. Raises Problem where the database went right after that."""
        try:
            return self.shown(self.row(pk), status)
        except DatabaseError:
            raise Problem(503, STORED) from None

    def destroy(self, request: Request, pk: str) -> HttpResponse:
        with self.opened(pk, f"inventory.delete_{self.noun}", self.reason_to_delete) as (_, row):
            row.delete()
        return unshared(Response(status=204))

    def reason_to_change(self, row: Any) -> str:
        return reason_of(self.request)

    def reason_to_delete(self, row: Any) -> str:
        return required_reason(self.request, "nothing was deleted")

    def _written(self, the_change: SiteChange, site: Site, **arguments: Any) -> Any:
        context = {**self.get_serializer_context(), "site": site, "caller": self.caller}
        body = self.get_serializer_class()(**arguments, context=context)
        body.is_valid(raise_exception=True)
        if arguments.get("instance") is not None and not arguments["partial"]:
            body.replaced()
        return body.write(the_change)

    # --- the door ---

    @contextmanager
    def opened(self, pk: Any, permission: str, reason: Any) -> Iterator[tuple[SiteChange, Any]]:
        """Open the door for one row: it is read again behind the lock, and only then compared with If-Match."""
        before = self.row(pk)
        self.caller.require(permission, before)
        site = Site.objects.get(pk=before.owner_site_id)
        with self.door(site, reason(before)) as the_change:
            row = self.row(pk)
            versions.require_match(self.request, versions.etag_of(self.represented(row)))
            yield the_change, row

    @contextmanager
    def door(self, site: Site, why: str) -> Iterator[SiteChange]:
        with change(site, by=self.caller.by, why=why, source="api") as the_change:
            yield the_change
