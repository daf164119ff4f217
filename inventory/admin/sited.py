"""What a person sees and does in the admin, site by site: one mixin for every list, page and inline of a site's rows.

The permission is asked at the site of the row; without a row, anywhere. Rows of sites where the person may not look are
not there: not in lists, counts, searches, filters and choices, and not under their address.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from inventory.models import Site
from inventory.permissions import may, sites_where, visible_sites

#: as many rows are named where an action is refused
NAMED = 10


class Sited:
    """For a ModelAdmin or an inline. *site_path* leads from a row to its site; empty: the rows are sites."""

    site_path = "site"
    #: permissions that looking needs besides the noun's own
    look_needs: tuple[str, ...] = ()
    #: verbs beside view, add, change and delete → the permission that they need
    other_verbs: Mapping[str, str] = {}

    model: type[Model]
    opts: Any

    def permission(self, verb: str) -> str:
        if verb in self.other_verbs:
            return self.other_verbs[verb]
        return f"{self.opts.app_label}.{get_permission_codename(verb, self.opts)}"

    # --- the rows that are there ---

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return self.seen(rows, request)

    def seen(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those of *rows* that the person may look at."""
        ids = self.sites_seen(request)
        return rows if ids is None else rows.filter(**{f"{self.site_path or 'pk'}__in": ids})

    def sites_seen(self, request: Any) -> frozenset[int] | None:
        """The ids of the sites whose rows the person may look at; None: every site."""
        found = _either(*(sites_where(request.user, self.permission(verb)) for verb in ("view", "change")))
        for permission in self.look_needs:
            found = _both(found, sites_where(request.user, permission))
        return found

    # --- what may be done to them ---

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        where = self.where(obj)
        user = request.user
        looks = may(user, self.permission("view"), where) or may(user, self.permission("change"), where)
        return looks and all(may(user, permission, where) for permission in self.look_needs)

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """*obj* is the row that an inline belongs to."""
        return may(request.user, self.permission("add"), self.where(obj))

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return may(request.user, self.permission("change"), self.where(obj))

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return may(request.user, self.permission("delete"), self.where(obj))

    def where(self, obj: Any) -> Any:
        """At what the permission is asked. Unfold gives the id of the row from the address, not the row."""
        if not isinstance(obj, str):
            return obj
        found = self.model._base_manager.filter(pk=obj).first() if is_id(obj) else None
        return found if found is not None else Nowhere()

    # --- the site that something is added to ---

    def sites_to_add_at(self, request: HttpRequest) -> QuerySet[Site]:
        return visible_sites(request.user, self.permission("add"))

    def require_at(self, request: HttpRequest, verb: str, sites: Iterable[Site]) -> None:
        """Raise PermissionDenied unless the person may *verb* this noun at each of *sites*."""
        for site in sites:
            if site.pk and not may(request.user, self.permission(verb), site):
                raise PermissionDenied(f"This needs the permission {self.permission(verb)} at site {site}.")

    # --- actions on what was chosen ---

    def _filter_actions_by_permissions(self, request: Any, actions: Any) -> Any:
        """Django asks for the permission anywhere; here each action asks for it where the chosen rows are."""
        kept = super()._filter_actions_by_permissions(request, actions)  # type: ignore[misc]
        return [(_where_chosen(act), name, description) for act, name, description in kept]

    def lacking(self, request: HttpRequest, rows: QuerySet[Any], verbs: Iterable[str]) -> list[Any]:
        """The sites of *rows* at which the person may do none of *verbs*; Nowhere for rows of every site."""
        checks = [getattr(self, f"has_{verb}_permission") for verb in verbs]
        owners = set(rows.order_by().values_list(self.site_path or "pk", flat=True).distinct())
        sites: list[Any] = list(Site.objects.filter(pk__in=owners - {None}))
        if None in owners:
            sites.append(Nowhere())
        return [site for site in sites if not any(check(request, site) for check in checks)]


class Nowhere:
    """A row that is not there, or belongs to no site: only who may everywhere may here."""

    pk = site_id = None

    def __str__(self) -> str:
        return "every site"


def is_id(text: str) -> bool:
    """Whether *text* can be the number of a row; longer ones no database has."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def row_or_404(rows: QuerySet[Any], object_id: str) -> Any:
    """The row of that number out of an address. Raises Http404, for what is no number too."""
    found = rows.filter(pk=object_id).first() if is_id(object_id) else None
    if found is None:
        raise Http404(f"There is no {rows.model._meta.verbose_name} with the number {object_id[:40]}.")
    return found


def _where_chosen(act: Callable[..., Any]) -> Callable[..., Any]:
    verbs = getattr(act, "allowed_permissions", None)
    if verbs is None or getattr(act, "asks_itself", False):
        return act

    @functools.wraps(act)
    def asked(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        sites = page.lacking(request, chosen, verbs)
        if not sites:
            answer: HttpResponse | None = act(page, request, chosen)
            return answer
        messages.error(request, _refusal(page, chosen, sites, verbs))
        return None

    return asked


def _refusal(page: Any, chosen: QuerySet[Any], sites: list[Any], verbs: Iterable[str]) -> str:
    path = page.site_path or "pk"
    there = Q(**{f"{path}__in": [site.pk for site in sites if site.pk]})
    if any(site.pk is None for site in sites):
        there |= Q(**{f"{path}__isnull": True})
    names = [str(row) for row in chosen.filter(there).order_by("pk")[: NAMED + 1]]
    told = ", ".join(names[:NAMED]) + (" and more" if len(names) > NAMED else "")
    needed = " or ".join(f"{verb} {page.opts.verbose_name}" for verb in verbs)
    where = ", ".join(map(str, sites))
    return f"Nothing was done: at {where} you lack the permission to {needed}. Leave out {told}."


def _either(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    return None if one is None or other is None else one | other


def _both(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
