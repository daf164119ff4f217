"""Import in the browser: paste or upload, look at what it would do, then do exactly that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.admin import asking
from inventory.admin.many.allowed import lacking
from inventory.admin.many.plan_pages import PlanPage
from inventory.admin.pages import page, shown
from inventory.document.declaring import Refused
from inventory.document.text import Complaint
from inventory.importers.csv import TABLES
from inventory.importers.csv.sheet import Unreadable, decoded
from inventory.importers.offered import KINDS, PART, WHOLE, Moved, Offered, Outcome
from inventory.models import Change, Site
from inventory.permissions import visible_sites

#: A larger text is carried along unseen; nobody edits it in a page.
EDITABLE = 200_000
#: So many complaints are shown, and lines of the text around them.
MOST_COMPLAINTS = 500
MOST_LINES = 400
PERMISSION = "inventory.change_host"

_KINDS = [
    ("", "What the text looks like"),
    *((noun, f"Table of {noun}" + (" and their interfaces" if noun == "hosts" else "")) for noun in TABLES),
    (PART, "Part of a site document (YAML): what it does not name stays"),
    (WHOLE, "Whole site document (YAML): what it leaves out is retired or removed"),
]


class OfferForm(forms.Form):
    text = forms.CharField(
        label="Paste here",
        required=False,
        strip=False,
        help_text="A table with its header, out of a spreadsheet or a file; or YAML.",
        widget=asking.textarea(rows=10, classes="mp-paste font-mono"),
    )
    upload = asking.file("or choose a file", "CSV, TSV or YAML. It is read, never kept.", required=False)
    kind = asking.choice("It holds", _KINDS, required=False)
    ignore_unknown = asking.yes_no("Ignore columns that are not known")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        upload = given.get("upload")
        given["content"], given["file"], given["notes"] = _unix(given.get("text", "")).encode(), "pasted", []
        if upload is not None:
            self._uploaded(upload, given)
        elif not given.get("text", "").strip() and "text" not in self.errors:
            self.add_error("text", "Paste a table or choose a file.")
        return given

    def _uploaded(self, upload: Any, given: dict[str, Any]) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2  # it travels twice, escaped
        if upload.size > most:
            self.add_error(
                "upload",
                f"The file has {upload.size:,} bytes, and {most:,} are the most a page carries. Split it, or import it in "
                "a shell: manage.py import_csv FILE --site SLUG.",
            )
            return
        try:
            text, notes = decoded(bytes(upload.read()))
        except Unreadable as problem:
            self.add_error("upload", f"Line {problem.line}: {problem.sentence}")
            return
        given["content"], given["file"], given["notes"] = (
            _unix(text).encode(),
            upload.name[:100] or "uploaded",
            notes,
        )


def _unix(text: str) -> str:
    """With one kind of line end: a form sends another than a file has, and the plan must stay the same."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@page("many/import/", permission=PERMISSION)
def imports(request: HttpRequest) -> HttpResponse:
    """Into which site? With one there is no question."""
    sites = list(visible_sites(request.user, PERMISSION))
    kind = request.GET.get("noun", "")
    query = f"?noun={kind}" if kind in KINDS else ""
    if len(sites) == 1:
        return redirect(reverse("admin:import_into", args=(sites[0].slug,)) + query)
    return shown(request, "many/import_where.html", "Import", sites=sites, query=query)


@page("many/import/<str:site>/", permission=PERMISSION, methods=("GET", "HEAD", "POST"))
def import_into(request: HttpRequest, site: Site) -> HttpResponse:
    """Paste, plan, done."""
    kind = request.GET.get("noun", "")
    kind = {"interfaces": "hosts"}.get(kind, kind)
    if request.method != "POST":
        form = OfferForm(initial={"kind": kind if kind in KINDS else ""})
        return _page(request, site, form, done=_done(request, site))
    form = OfferForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, site, form)
    given = form.cleaned_data
    offered = Offered(
        site.slug, given["content"], given["file"], given["kind"], ignore_unknown=given["ignore_unknown"]
    )
    if "confirmed" in request.POST:
        return _confirmed(request, site, form, offered)
    began = time.monotonic()
    outcome = offered.plan()
    outcome.complaints += lacking(request.user, site.slug, outcome.entries)
    took = time.monotonic() - began
    return _page(request, site, form, offered=offered, outcome=outcome, took=took)


def _confirmed(request: HttpRequest, site: Site, form: OfferForm, offered: Offered) -> HttpResponse:
    why = request.POST.get("why", "").strip()[:1000]
    if not why or "page" in request.POST:
        missing = not why and "page" not in request.POST
        return _page(request, site, form, offered=offered, outcome=offered.plan(), reason_missing=missing)
    try:
        done = offered.apply(
            seen=request.POST["confirmed"],
            by=request.user,
            why=why,
            allowed=lambda slug, entries: lacking(request.user, slug, entries),
        )
    except Moved as moved:
        return _page(request, site, form, offered=offered, outcome=moved.now, moved=True)
    except Refused as refused:
        outcome = offered.plan()
        outcome.complaints = refused.complaints
        return _page(request, site, form, offered=offered, outcome=outcome)
    except DatabaseError:
        outcome = offered.plan()
        outcome.complaints = [
            Complaint("", 0, "The database was busy and stored nothing. Wait a moment, then do it again.")
        ]
        return _page(request, site, form, offered=offered, outcome=outcome)
    return redirect(f"{reverse('admin:import_into', args=(site.slug,))}?revision={done.plan.revision}")


def _done(request: HttpRequest, site: Site) -> Change | None:
    """The change that the page has just made."""
    asked = request.GET.get("revision", "")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 18):
        return None
    return Change.objects.filter(site=site, revision=int(asked)).first()


def _page(
    request: HttpRequest,
    site: Site,
    form: OfferForm,
    *,
    offered: Offered | None = None,
    outcome: Outcome | None = None,
    **more: Any,
) -> HttpResponse:
    text = offered.content.decode() if offered else ""
    context: dict[str, Any] = {}
    if offered and outcome:
        outcome.plan.notes[:0] = form.cleaned_data["notes"]
        if offered.file != "pasted" and len(text) <= EDITABLE:
            form = _filled(form, text)
        context = {
            "outcome": outcome,
            "complaints": outcome.complaints[:MOST_COMPLAINTS],
            "more_complaints": max(0, len(outcome.complaints) - MOST_COMPLAINTS),
            "pasted": _excerpt(text, outcome.complaints),
            "plan": PlanPage.of(outcome.entries, request.POST.get("page", ""), outcome.lines),
            "counts": _counts(outcome),
        }
    return shown(
        request,
        "many/import.html",
        f"Import into {site.slug}",
        site=site,
        form=form,
        offered_text=text,
        carried=len(text) > EDITABLE,
        tables=TABLES,
        **context,
        **more,
    )


def _filled(form: OfferForm, text: str) -> OfferForm:
    """The form with the text of the file in it, to be mended and sent again."""
    data = dict(form.data.items())
    data["text"] = text
    filled = OfferForm(data)
    filled.is_valid()
    return filled


def _counts(outcome: Outcome) -> list[tuple[str, list[str]]]:
    """noun → what happens to how many of it."""
    found: list[tuple[str, list[str]]] = [
        (
            noun,
            [f"{number} to {action}" for action, number in sorted(counted.items()) if action != "unchanged"],
        )
        for noun, counted in outcome.plan.counts().items()
    ]
    stays = sum(outcome.unchanged.values())
    return [(noun, told) for noun, told in found if told] + ([("as before", [str(stays)])] if stays else [])


def _excerpt(text: str, complaints: Sequence[Complaint]) -> list[tuple[int, str, bool]]:
    """(number, line, whether something is wrong with it): all of a short text, of a long one the lines complained of."""
    if not complaints:
        return []
    lines = text.split("\n")
    bad = {one.line for one in complaints if one.line}
    wanted: Iterable[int] = range(1, len(lines) + 1)
    if len(lines) > MOST_LINES:
        near = {1} | {line + step for line in sorted(bad)[: MOST_LINES // 3] for step in (-1, 0, 1)}
        wanted = sorted(line for line in near if 1 <= line <= len(lines))
    return [(line, lines[line - 1][:500], line in bad) for line in wanted]
