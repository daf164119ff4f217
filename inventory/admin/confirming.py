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


@dataclass(frozen=True)
class Item:
    """One row that the act concerns."""

    pk: int
    name: str
    page: str = ""
    note: str = ""


@dataclass(frozen=True)
class Act:
    """What is about to be done, in the words of its page."""

    verb: str
    question: str
    consequence: str
    dangerous: bool = False


def confirmed_reason(request: HttpRequest) -> str:
    """The reason, when the page was answered with one; empty when it must be asked."""
    return posted_reason(request) if "confirmed" in request.POST else ""


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
        "reason_missing": "confirmed" in request.POST,
        "back": back or reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, "admin/inventory/confirm.html", context)
