"""Lists as one person likes to see them: search, filters and order under a name, kept above the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from inventory.admin.pages import page
from inventory.models import SavedFilter

#: What is of one visit and no part of a view: the page, Django's mark of a bad query.
OF_ONE_VISIT = frozenset({"p", "e", "all", "_popup", "_to_field"})


@dataclass(frozen=True)
class Chip:
    pk: int
    name: str
    page: str
    chosen: bool


class SavedFilters:
    """For a ModelAdmin: its list shows the person's own saved views, and takes new ones. One query."""

    list_before_template = "admin/inventory/_saved_filters.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        noun = f"{self.opts.app_label}.{self.opts.model_name}"  # type: ignore[attr-defined]
        present = plain(request.GET.urlencode())
        rows = SavedFilter.objects.filter(user=request.user.pk, noun=noun)
        here = reverse(f"admin:{noun.replace('.', '_')}_changelist")
        chips = [Chip(row.pk, row.name, f"{here}?{row.query}", row.query == present) for row in rows]
        views = {"noun": noun, "chips": chips, "present": present, "here": here}
        return super().changelist_view(request, {**(extra_context or {}), "views": views})  # type: ignore[misc]


def plain(query: str) -> str:
    """*query* without what is of one visit, in one order: the same view has the same text."""
    given = QueryDict(query, mutable=True)
    for name in OF_ONE_VISIT & given.keys():
        del given[name]
    kept = QueryDict(mutable=True)
    for name in sorted(given):
        kept.setlist(name, [value for value in given.getlist(name) if value])
    return kept.urlencode()


@page("views/save/", permission="inventory.view_site", methods=("POST",))
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the present view of a list under a name; the same name is replaced."""
    noun, name = request.POST.get("noun", ""), request.POST.get("name", "").strip()
    query = plain(request.POST.get("query", ""))
    here = _list_of(noun)
    if here is None:
        messages.error(request, "There is no such list; nothing was saved.")
        return redirect("admin:index")
    row = SavedFilter.objects.filter(user=request.user.pk, noun=noun, name=name).first()
    row = row or SavedFilter(noun=noun, name=name)
    row.user, row.query = request.user, query  # type: ignore[assignment]
    try:
        row.full_clean()
        row.save()
        messages.success(request, f"“{name}” is saved; it stands above the list.")
    except ValidationError as refusal:
        for field, said in refusal.message_dict.items():
            messages.error(
                request, f"{'Name' if field == 'name' else 'The view'}: {' '.join(said)} Nothing was saved."
            )
    except IntegrityError:  # a second click
        messages.info(request, f"“{name}” was saved a moment ago.")
    return redirect(f"{here}?{query}")


@page("views/<int:view>/rename/", permission="inventory.view_site", methods=("POST",))
def rename_view(request: HttpRequest, view: int) -> HttpResponse:
    """Give a saved view of one's own another name."""
    row = SavedFilter.objects.filter(user=request.user.pk, pk=view).first()
    if row is None:
        messages.error(request, "You have no such saved view.")
        return redirect("admin:index")
    before, row.name = row.name, request.POST.get("name", "").strip()
    try:
        row.full_clean()
        row.save()
        messages.success(request, f"“{before}” is called “{row.name}” now.")
    except ValidationError as refusal:
        messages.error(request, f"{' '.join(refusal.messages)} “{before}” keeps its name.")
    except IntegrityError:
        messages.error(request, f"You have a view of that name. “{before}” keeps its name.")
    return redirect(f"{_list_of(row.noun) or reverse('admin:index')}?{row.query}")


@page("views/<int:view>/delete/", permission="inventory.view_site", methods=("POST",))
def delete_view(request: HttpRequest, view: int) -> HttpResponse:
    """Forget a saved view of one's own."""
    row = SavedFilter.objects.filter(user=request.user.pk, pk=view).first()
    if row is None:
        messages.error(request, "You have no such saved view.")
        return redirect("admin:index")
    row.delete()
    messages.success(request, f"“{row.name}” is forgotten.")
    return redirect(f"{_list_of(row.noun) or reverse('admin:index')}?{row.query}")


def _list_of(noun: str) -> str | None:
    """The address of the list of *noun* (``app.model``); None for one that the admin has not."""
    known = {f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry}
    if noun not in known:
        return None
    try:
        return reverse(f"admin:{noun.replace('.', '_')}_changelist")
    except NoReverseMatch:
        return None
