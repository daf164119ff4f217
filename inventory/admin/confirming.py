"""Acts that are asked about later: a page that says what will happen and asks why, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from inventory.admin.door import posted_reason
from inventory.versions import digest_of


@dataclass(frozen=True)
class Item:
    """One row that the act concerns."""

    pk: int
    name: str
    page: str = ""
    note: str = ""
    #: what the decision rests on, such as the row's status
    state: str = ""


@dataclass(frozen=True)
class Act:
    """What is about to be done, in the words of its page."""

    verb: str
    question: str
    consequence: str
    dangerous: bool = False


def decided_on(items: Sequence[Item]) -> str:
    """A short name of what a confirmation page shows; it comes back with the answer."""
    return digest_of({str(item.pk): f"{item.name} {item.state}" for item in items})


def has_moved(request: HttpRequest, items: Sequence[Item]) -> bool:
    """Whether the page was answered, and speaks of something else by now."""
    decided = request.POST.get("decided", "")
    return bool("confirmed" in request.POST and decided and decided != decided_on(items))


def confirmed_reason(request: HttpRequest, items: Sequence[Item] = ()) -> str:
    """The reason, when the page was answered with one; empty when it must be asked, or asked once more."""
    if "confirmed" not in request.POST or (items and has_moved(request, items)):
        return ""
    return posted_reason(request)


def ask(
    page: admin.ModelAdmin[Any], request: HttpRequest, act: Act, items: Sequence[Item], *, back: str = ""
) -> HttpResponse:
    opts = page.opts
    context = {
        **page.admin_site.each_context(request),
        "title": act.question,
        "opts": opts,
        "verb": act.verb,
        "variant": "danger" if act.dangerous else "primary",
        "consequence": act.consequence,
        "items": items,
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "moved": has_moved(request, items),
        "decided": decided_on(items),
        "given": posted_reason(request),
        "reason_missing": "confirmed" in request.POST and not posted_reason(request),
        "back": back or reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, "admin/inventory/confirm.html", context)
