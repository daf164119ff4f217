"""The admin's way through the door: one request, one change; what the door refuses is shown in the form."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as django_delete_selected
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline

from inventory.admin import meanwhile, rehearsal
from inventory.admin.forms import DoorForm, PartForm, SiteBound, of_site
from inventory.admin.history import DoorHistory
from inventory.admin.lists import LeanLists
from inventory.admin.many.list_csv import ListCsv
from inventory.admin.sited import Sited, is_id
from inventory.admin.yaml_field import warn_of
from inventory.changes import SiteChange, change
from inventory.models import Change, Declared, Site

RACE = "Somebody else changed the same thing at the same moment. Look at it as it is now, then save again."
REASON_MISSING = "Say why; nothing was deleted."
DECIDED_ON_OTHER = "It has changed since this page was shown, and was not deleted: look at it as it is now."


@contextmanager
def door(request: HttpRequest, sites: Iterable[Site], why: str) -> Iterator[SiteChange]:
    """Open the door for what a person does in the browser."""
    batch = request.__dict__.setdefault("batch", uuid.uuid4())
    trial = rehearsal.is_asked(request)
    with change(*sites, by=request.user, why=why, source="admin", batch=batch, trial=trial) as the_change:
        yield the_change
    if not trial:
        offer_undo(request, list(the_change.records.values()))


def offer_undo(request: HttpRequest, written: Sequence[Change]) -> None:
    """Say which revision was written, and where it can be undone."""
    for one in written:
        if one.site_id and Site.objects.filter(pk=one.site_id).exists():
            address = f"{reverse('admin:undo_page', args=(one.site_slug,))}?revision={one.revision}"
            said = 'Revision {} of {}. <a href="{}" class="mp-strong">Undo</a>'
            messages.success(request, format_html(said, one.revision, one.site_slug, address))


def offer_undo_at(request: HttpRequest, slugs: Iterable[str]) -> None:
    """The same for what this person has just written at these sites through another door than the admin's own."""
    mine = Change.objects.filter(by=request.user.pk, source="admin")
    newest = [mine.filter(site_slug=slug).order_by("-pk").first() for slug in sorted(slugs)]
    offer_undo(request, [one for one in newest if one is not None])


def sites_of(rows: Iterable[Declared]) -> list[Site]:
    return list(Site.objects.filter(pk__in={row.owner_site_id for row in rows}))


def written_forms(form: Any, formsets: Iterable[Any]) -> list[Any]:
    """The forms of a page that were saved: the row's and those of its parts that stay."""
    parts = (one for formset in formsets for one in formset.forms)
    return [form, *(one for one in parts if one.has_changed() and not one.cleaned_data.get("DELETE"))]


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


class DoorAdmin(Sited, ListCsv, LeanLists, DoorHistory, SiteBound, ModelAdmin):
    """A noun of a site. The row, its parts and its links are written as one change."""

    form = DoorForm
    actions: list[Any] = [delete_selected]
    list_per_page = 50
    show_full_result_count = False  # a second count over ten thousand rows says nothing new
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    #: fields that a row keeps for life
    fixed_fields: tuple[str, ...] = ("site",)
    #: the version that the page shows, and what happened to it meanwhile
    change_form_before_template = "admin/inventory/meanwhile.html"
    delete_confirmation_template = "admin/inventory/delete_with_reason.html"
    delete_selected_confirmation_template = "admin/inventory/delete_selected_with_reason.html"

    # --- which site ---

    def declared_site_id(self, request: HttpRequest, obj: Any = None) -> int | None:
        """The site that this page speaks of: the row's, the one asked for, or the only one there is for the person.

        Raises PermissionDenied where the person may not add, whether there is such a site or not.
        """
        if obj is not None and obj.pk:
            return int(obj.owner_site_id)
        known = self.sites_to_add_at(request).order_by("pk").values_list("pk", flat=True)
        asked = request.POST.get("site") or request.GET.get("site") or ""
        if is_id(asked):
            if int(asked) not in set(known):
                raise PermissionDenied(f"You may not add a {self.opts.verbose_name} at that site.")
            return int(asked)
        few = list(known[:2])
        return few[0] if len(few) == 1 else None

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.declared_site_id(request) is None:
            return self._choose_site(request)
        return super().add_view(request, form_url, extra_context)

    def _choose_site(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"Add {self.opts.verbose_name}",
            "opts": self.opts,
            "sites": self.sites_to_add_at(request),
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
            found = of_site(found, int(site) if is_id(site) else None)
        return found, duplicates

    # --- writing ---

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        if not is_id(object_id):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id[:40])
        return super().change_view(request, object_id, form_url, extra_context)

    def changeform_view(
        self, request: Any, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if rehearsal.is_edited_again(request):
            rehearsal.refused(request)
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            return self._changed(request, object_id, form_url, extra_context)
        except rehearsal.Rehearsed as done:
            return rehearsal.page(self, request, object_id, done)
        except ValidationError as refusal:
            request.door_refusal = refusal
        except IntegrityError:
            request.door_refusal = ValidationError(RACE)
        # Everything was rolled back. The same input once more, now with the refusal as an error of the form.
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _changed(self, request: Any, object_id: Any, form_url: str, extra_context: Any) -> Any:
        """Django's view; a form that comes back is compared with what is stored, under the lock that writes it."""
        if object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        if request.method != "POST":
            request.revisions_seen = meanwhile.revisions(request)
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            if gone := meanwhile.looked_at(self, request, object_id):
                return gone
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        context["adminform"].form.meanwhile = getattr(request, "meanwhile", None)
        meanwhile.mark(request, context, row)
        may = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        context["may_rehearse"] = may and not context.get("is_popup")
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: the row is written together with its parts."""

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        sites = self.sites_to_change(form.instance)
        self.require_at(request, "change" if change else "add", sites)
        with door(request, sites, form.reason) as the_change:
            self.write_row(request, form, change)
            for formset in formsets:
                self.save_formset(request, form, formset, change)
            self.write_links(the_change, form)
        if rehearsal.is_asked(request):
            raise rehearsal.ended(sites, form.instance)
        for said in filter(None, (warn_of(one) for one in written_forms(form, formsets))):
            messages.warning(request, said)

    def sites_to_change(self, row: Any) -> list[Site]:
        return sites_of([row])

    def write_row(self, request: Any, form: Any, change: bool) -> None:
        if form.row_changed or not change:
            form.instance.save()

    def write_links(self, the_change: SiteChange, form: Any) -> None:
        """Write the many-to-many sides that the form shows."""

    # --- deleting ---

    def delete_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        row = self.get_object(request, unquote(object_id))
        decided = meanwhile.decided_on(row) if row is not None else ""
        extra_context = {**(extra_context or {}), "decided": decided, "given": posted_reason(request)}
        said = REASON_MISSING if not posted_reason(request) else ""
        if request.POST.get("decided", decided) != decided:
            said = DECIDED_ON_OTHER
        if request.method == "POST" and said:
            messages.error(request, said)
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
            if meanwhile.decided_on(obj) != meanwhile.decided_on(
                type(obj)._base_manager.filter(pk=obj.pk).first()
            ):
                raise ValidationError(DECIDED_ON_OTHER)
            obj.delete()

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        rows = list(queryset)
        with door(request, sites_of(rows), posted_reason(request)) as the_change:
            the_change.delete(rows)


class PartInline(Sited, SiteBound, StackedInline):
    """Rows that belong to the page's row; written by its page, in its change."""

    form = PartForm
    extra = 0
    show_change_link = True
