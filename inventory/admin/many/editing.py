"""Edit many rows together: choose in the list, say what changes, look at every row, apply it in one change a site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory import reading
from inventory.admin.door import offer_undo_at
from inventory.admin.many.allowed import lacking
from inventory.admin.many.chosen import MODELS, MOST, Chosen, chosen, numbers, said
from inventory.admin.many.edit_form import EditForm
from inventory.admin.many.plan_pages import PER_PAGE, which
from inventory.admin.pages import page, shown
from inventory.document import amending
from inventory.document.amending import Amended, Moved, Refused
from inventory.document.bulk import Edit, Name, patch_of
from inventory.document.form import Path
from inventory.document.places import path_of_entry
from inventory.document.plans import Entry
from inventory.models import Site

#: As many rows without permission are named.
NAMED = 20


@dataclass
class Line:
    """One row of the plan."""

    site: str
    name: str
    page: str
    details: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class EditsMany:
    """For a ModelAdmin whose rows are edited together: the action above its list."""

    opts: Any

    def _get_base_actions(self) -> list[Any]:
        own = self.get_action("edit_chosen")  # type: ignore[attr-defined]
        return [own, *super()._get_base_actions()]  # type: ignore[misc]

    @admin.action(permissions=["change"], description="Edit these together")
    def edit_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            messages.error(
                request, f"More than {MOST:,} rows at once are not edited in a page; filter the list."
            )
            return None
        noun = self.opts.model_name
        rows = chosen(request, noun, ids)
        if not rows.names:
            where = ", ".join(rows.forbidden) or "that site"
            messages.error(
                request, f"Nothing was done: at {where} you may not change a {self.opts.verbose_name}."
            )
            return None
        return _page(request, noun, rows, None)

    #: rows without the permission are named on the page, and left out when the person says so
    edit_chosen.asks_itself = True  # type: ignore[attr-defined]


def _register(noun: str) -> None:
    def edit_many(request: HttpRequest) -> HttpResponse:
        return _answer(request, noun)

    edit_many.__name__ = f"edit_many_{noun}"
    page(f"many/edit/{noun}/", permission=f"inventory.change_{noun}", methods=("GET", "HEAD", "POST"))(
        edit_many
    )


for _noun in MODELS:
    _register(_noun)


def _answer(request: HttpRequest, noun: str) -> HttpResponse:
    ids = numbers(request.POST.get("rows", ""))
    rows = chosen(request, noun, ids) if ids and len(ids) <= MOST else None
    if rows is None or not (rows.names or rows.forbidden):
        messages.info(request, "Choose the rows in the list, then “Edit these together” below it.")
        return redirect(f"admin:inventory_{noun}_changelist")
    form = EditForm(noun, _sites(rows), request.POST)
    if not form.is_valid():
        return _page(request, noun, rows, form)
    edits: dict[str, Edit] = form.cleaned_data["edits"]
    makers = {slug: _maker(noun, set(names), edits) for slug, names in rows.names.items()}
    if "apply" in request.POST and not (rows.forbidden and "leave_out" not in request.POST):
        return _applied(request, noun, rows, form, makers)
    return _page(request, noun, rows, form, found=_allowed(request, amending.plan(makers)))


def _maker(noun: str, names: set[Name], edits: Mapping[str, Edit]) -> amending.Maker:
    return lambda stored: patch_of(noun, stored, names, edits)


def _sites(rows: Chosen) -> list[Site]:
    return list(Site.objects.filter(slug__in=rows.names))


def _allowed(request: HttpRequest, found: list[Amended]) -> list[Amended]:
    """With what the person may not do said beside the rest."""
    for one in found:
        one.patch.complaints += lacking(request.user, one.plan.slug, one.entries)
    return found


def _applied(
    request: HttpRequest, noun: str, rows: Chosen, form: EditForm, makers: dict[str, amending.Maker]
) -> HttpResponse:
    why = request.POST.get("why", "").strip()[:1000]
    if not why:
        found = _allowed(request, amending.plan(makers))
        return _page(request, noun, rows, form, found=found, reason_missing=True)
    try:
        done = amending.amend(
            makers,
            seen=request.POST.get("seen", ""),
            by=request.user,
            why=why,
            allowed=lambda one: lacking(request.user, one.plan.slug, one.entries),
        )
    except Moved as moved:
        return _page(request, noun, rows, form, found=_allowed(request, moved.now), moved=True)
    except Refused as refused:
        more = [complaint.sentence for complaint in refused.complaints]
        return _page(request, noun, rows, form, found=amending.plan(makers), more=more)
    except (DatabaseError, reading.UnknownSite):
        more = ["The database was busy, or a site is gone; nothing was stored. Look again, then do it again."]
        return _page(request, noun, rows, form, more=more)
    number = sum(len(_lines(noun, rows, one)) for one in done)
    told = ", ".join(f"{one.plan.slug} revision {one.plan.revision}" for one in done if not one.plan.is_empty)
    messages.success(request, f"{number} {_plural(noun, number)} changed: {told}.")
    offer_undo_at(request, [one.plan.slug for one in done if not one.plan.is_empty])
    return redirect(f"admin:inventory_{noun}_changelist")


def _page(
    request: HttpRequest,
    noun: str,
    rows: Chosen,
    form: EditForm | None,
    *,
    found: list[Amended] | None = None,
    more: list[str] | None = None,
    **context: Any,
) -> HttpResponse:
    forbidden = [
        f"{slug}: {said(noun, name)}" for slug, names in rows.forbidden.items() for name in sorted(names)
    ]
    if found is not None:
        context |= _planned(request, noun, rows, found, more or [])
    return shown(
        request,
        "many/edit.html",
        f"Edit {rows.number} {_plural(noun, rows.number)} together",
        action=reverse(f"admin:edit_many_{noun}"),
        back=reverse(f"admin:inventory_{noun}_changelist"),
        form=form or EditForm(noun, _sites(rows)),
        rows=rows,
        several=len(rows.names) > 1,
        forbidden=forbidden[:NAMED],
        more_forbidden=max(0, len(forbidden) - NAMED),
        leave_out="leave_out" in request.POST,
        noun=noun,
        more=more,
        **context,
    )


def _planned(
    request: HttpRequest, noun: str, rows: Chosen, found: list[Amended], more: list[str]
) -> dict[str, Any]:
    """What the page tells of the plan: refused rows first, a page at a time."""
    lines = [line for one in found for line in _lines(noun, rows, one)]
    lines.sort(key=lambda line: (not line.refusals, line.site, line.name))
    general = [*more, *(sentence for one in found for sentence in _general(noun, one))]
    refused = sum(bool(line.refusals) for line in lines)
    number, pages = which(request.POST.get("page", ""), len(lines))
    following = number + 1 if number < pages else 0
    return {
        "looked": True,
        "lines": lines[(number - 1) * PER_PAGE : number * PER_PAGE],
        "pages": {
            "number": number, "pages": pages, "total": len(lines), "previous": number - 1, "next": following,
        },
        "refused": refused,
        "changed": len(lines) - refused,
        "as_before": sum(map(len, rows.names.values())) - len(lines),
        "general": general,
        "seen": amending.fingerprint_of(found),
        "may_apply": not refused and not general and bool(lines),
    }  # fmt: skip


def _plural(noun: str, number: int) -> str:
    names: Any = MODELS[noun]._meta
    return str(names.verbose_name if number == 1 else names.verbose_name_plural)


# --- what happens to each row ---


def _lines(noun: str, rows: Chosen, one: Amended) -> list[Line]:
    """The rows of one site that change, or that refuse to."""
    slug = one.plan.slug
    found: dict[str, Line] = {}
    names = {said(noun, name): name for name in rows.names.get(slug, {})}

    def line(key: str) -> Line:
        return found.setdefault(key, Line(slug, key, rows.page(slug, names[key]) if key in names else ""))

    for entry in one.entries:
        if key := _key(noun, path_of_entry(entry), entry):
            line(key).details += _details(entry, key)
    for path, sentence in one.patch.told:
        if key := _key(noun, path, None):
            line(key).refusals.append(sentence)
    return list(found.values())


def _key(noun: str, path: Path, entry: Entry | None) -> str:
    """What the row is called that *path* or *entry* speaks of; empty when it speaks of none."""
    if noun == "service":
        if entry is None or entry.noun != "service":
            return ""
        where = next((one for one in entry.details if one.startswith("host ")), "")
        return f"{entry.name} on {where[5:].partition(' → ')[0]}" if where else entry.name
    if noun == "interface":
        return f"{path[1]}/{path[3]}" if len(path) > 3 and path[2] == "interfaces" else ""
    return str(path[1]) if len(path) > 1 and path[0] == f"{noun}s" else ""


def _details(entry: Entry, key: str) -> list[str]:
    if entry.noun in ("membership", "assignment"):
        return [f"{'into' if entry.action == 'create' else 'out of'} {entry.name.partition(' in ')[2]}"]
    if entry.noun == "group nesting":
        return [f"{'below' if entry.action == 'create' else 'out of'} {entry.name.partition(' below ')[2]}"]
    if entry.details:
        return list(entry.details)
    return [] if entry.name == key else [str(entry)]


def _general(noun: str, one: Amended) -> list[str]:
    """Complaints that no row of the page stands for."""
    told: dict[str, int] = defaultdict(int)
    for path, sentence in one.patch.told:
        if _key(noun, path, None):
            told[sentence] += 1
    return list(
        dict.fromkeys(
            complaint.sentence
            for complaint in one.complaints
            if not any(complaint.sentence.endswith(sentence) for sentence in told)
        )
    )
