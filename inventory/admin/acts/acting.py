"""The page of an act: asks, shows the plan, asks why, and does it while the plan is still the one that was shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from inventory.acts.effects import SMALL, effects
from inventory.acts.nearby import effects_nearby
from inventory.acts.plan import Changed, Plan
from inventory.acts.writing import Order
from inventory.admin.acts.forms import ActForm
from inventory.admin.door import offer_undo_at
from inventory.admin.pages import shown
from inventory.allocation.choosing import Refused
from inventory.snapshot import Snapshot

OTHER_ANSWERS = "This is the plan for what you say now. Nothing was done yet: look at it, then confirm."


@dataclass(frozen=True)
class ActPage:
    """One act on one thing, in the words of its page."""

    title: str
    #: what it does, in a sentence
    intro: str
    verb: str
    #: where the thing is, and where people are led afterwards
    back: str
    #: what to do while there is no plan yet
    hint: str
    #: the plan for the answers of a valid form; None while an answer is missing
    planned: Callable[[Snapshot, dict[str, Any]], Plan | None]
    #: does it; raises as ``inventory.acts.doing``, and returns what to say
    act: Callable[[Order, dict[str, Any]], str]
    dangerous: bool = True


def answer(request: HttpRequest, page: ActPage, form: ActForm) -> HttpResponse:
    """Show the page, or do the act and lead back to the thing."""
    posted = request.method == "POST"
    form.full_clean()
    plan = None
    try:
        if not set(form.errors) - {"why"}:
            plan = page.planned(form.snapshot, form.cleaned_data)
    except LookupError as gone:
        raise Http404(f"{gone} is not declared any more; look at the list.") from gone
    if posted and plan is not None and not form.errors:
        done, plan = _done(request, page, form, plan)
        if done:
            messages.success(request, done)
            offer_undo_at(request, [form.snapshot.site.slug])
            return redirect(page.back)
    return shown(
        request,
        "acts/act.html",
        page.title,
        page=page,
        form=form,
        plan=plan,
        answers=_answers(form) if plan else "",
        variant="danger" if page.dangerous else "primary",
        effects=effects_of(request, plan),
        chosen=set(_sent(request).getlist("literal")),
    )


def effects_of(request: HttpRequest, plan: Plan | None) -> Any:
    """What changes in exports; None where nobody asked and rendering takes a while."""
    if plan is None or plan.problems:
        return None
    if len(plan.before.hosts) <= SMALL:
        return effects(plan.before, plan.draft)
    return effects_nearby(plan.before, plan.draft) if _sent(request).get("exports") == "1" else None


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else request.GET


def _done(request: HttpRequest, page: ActPage, form: ActForm, plan: Plan) -> tuple[str, Plan]:
    """What to say when it is done; else nothing, and the plan that is to be shown."""
    expected = request.POST.get("fingerprint", "") or "none was shown"
    try:
        return page.act(
            Order(request.user, form.cleaned_data["why"], "admin", expected), form.cleaned_data
        ), plan
    except Changed as moved:
        same = request.POST.get("answers") == _answers(form)
        messages.warning(request, str(moved) if same else OTHER_ANSWERS)
        return "", moved.plan
    except Refused as refusal:
        if not plan.problems:  # else the plan says it
            form.add_error(None, str(refusal))
    except ValidationError as refusal:
        form.add_error(None, ValidationError(refusal.messages))
    return "", plan


def _answers(form: ActForm) -> str:
    """The same for the same answers: tells another answer from a site that moved on."""
    said = sorted((name, str(value)) for name, value in form.cleaned_data.items() if name != "why")
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]
