"""The admin's way through the door: one request, one change; what the door refuses is shown in the form."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as django_delete_selected
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, StackedInline

from inventory.admin.forms import DoorForm, PartForm, SiteBound, of_site
from inventory.admin.history import DoorHistory
from inventory.admin.lists import LeanLists
from inventory.changes import SiteChange, change
from inventory.models import Declared, Site

RACE = "Somebody else changed the same thing at the same moment. Look at it as it is now, then save again."
REASON_MISSING = "Say why; nothing was deleted."


@contextmanager
def door(request: HttpRequest, sites: Iterable[Site], why: str) -> Iterator[SiteChange]:
    """Open the door for what a person does in the browser."""
    with change(*sites, by=request.user, why=why, source="admin") as the_change:
        yield the_change


def sites_of(rows: Iterable[Declared]) -> list[Site]:
    return list(Site.objects.filter(pk__in={row.owner_site_id for row in rows}))


def posted_reason(request: HttpRequest) -> str:
    return request.POST.get("why", "").strip()


@admin.action(permissions=["delete"], description="Delete")
def delete_selected(model_admin: DoorAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
    """Django's own, but for the reason that it asks for."""
    if request.POST.get("post") and not posted_reason(request):
        messages.error(request, REASON_MISSING)
        request = without_post(request)
    try:
        return django_delete_selected(model_admin, request, queryset)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return None


def without_post(request: HttpRequest) -> HttpRequest:
    """The same request as if the page were opened for the first time."""
    again = copy.copy(request)
    again.method, again.POST = "GET", QueryDict()
    return again


class DoorAdmin(LeanLists, DoorHistory, SiteBound, ModelAdmin):
    """A noun of a site. The row, its parts and its links are written as one change."""

    form = DoorForm
    actions: list[Any] = [delete_selected]
    list_per_page = 100
    show_full_result_count = False  # a second count over ten thousand rows says nothing new
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    #: fields that a row keeps for life
    fixed_fields: tuple[str, ...] = ("site",)
    delete_confirmation_template = "admin/inventory/delete_with_reason.html"
    delete_selected_confirmation_template = "admin/inventory/delete_selected_with_reason.html"

    # --- which site ---

    def declared_site_id(self, request: HttpRequest, obj: Any = None) -> int | None:
        """The site that this page speaks of: the row's, the one asked for, or the only one there is."""
        if obj is not None and obj.pk:
            return int(obj.owner_site_id)
        asked = request.POST.get("site") or request.GET.get("site")
        if asked and asked.isdecimal():
            return int(asked)
        known = list(Site.objects.values_list("pk", flat=True)[:2])
        return known[0] if len(known) == 1 else None

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        if request.method == "GET" and self.declared_site_id(request) is None:
            return self._choose_site(request)
        return super().add_view(request, form_url, extra_context)

    def _choose_site(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"Add {self.opts.verbose_name}",
            "opts": self.opts,
            "sites": Site.objects.all(),
            "may_add_site": request.user.has_perm("inventory.add_site"),
        }
        return TemplateResponse(request, "admin/inventory/choose_site.html", context)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request.declared_site_id = self.declared_site_id(request, obj)
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "door_refusal", None)
        form.site_id = request.declared_site_id
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return {**given, "site": self.declared_site_id(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Site and (site_id := getattr(request, "declared_site_id", None)):
            kwargs["queryset"] = Site.objects.filter(pk=site_id)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = self.fixed_fields if obj is not None and obj.pk else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            site = request.GET.get("site", "")
            found = of_site(found, int(site) if site.isdecimal() else None)
        return found, duplicates

    # --- writing ---

    def changeform_view(
        self, request: Any, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as refusal:
            request.door_refusal = refusal
        except IntegrityError:
            request.door_refusal = ValidationError(RACE)
        # Everything was rolled back. The same input once more, now with the refusal as an error of the form.
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: the row is written together with its parts."""

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        with door(request, self.sites_to_change(form.instance), form.reason) as the_change:
            self.write_row(request, form, change)
            for formset in formsets:
                self.save_formset(request, form, formset, change)
            self.write_links(the_change, form)

    def sites_to_change(self, row: Any) -> list[Site]:
        return sites_of([row])

    def write_row(self, request: Any, form: Any, change: bool) -> None:
        if form.row_changed or not change:
            form.instance.save()

    def write_links(self, the_change: SiteChange, form: Any) -> None:
        """Write the many-to-many sides that the form shows."""

    # --- deleting ---

    def delete_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        if request.method == "POST" and not posted_reason(request):
            messages.error(request, REASON_MISSING)
            return super().delete_view(without_post(request), object_id, extra_context)
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ValidationError, IntegrityError) as refusal:
            said = " ".join(refusal.messages) if isinstance(refusal, ValidationError) else RACE
            messages.error(request, said)
            here = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return redirect(reverse(here, args=(quote(object_id),)))

    def delete_model(self, request: Any, obj: Any) -> None:
        with door(request, sites_of([obj]), posted_reason(request)):
            obj.delete()

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        rows = list(queryset)
        with door(request, sites_of(rows), posted_reason(request)) as the_change:
            the_change.delete(rows)


class PartInline(SiteBound, StackedInline):
    """Rows that belong to the page's row; written by its page, in its change."""

    form = PartForm
    extra = 0
    show_change_link = True
