"""The parts of a run's page, each with an address of its own: hosts, tasks, lines, what a search finds, the text."""

from __future__ import annotations

import zlib
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from inventory.admin.pages import page
from inventory.models import Site
from inventory.permissions import may
from provisioning.admin.runs import output, tables
from provisioning.admin.runs.output import PIECE, Filter
from provisioning.admin.runs.tables import Look
from provisioning.models import PlaybookRun
from provisioning.models.runs import OUTCOMES

SEE, READ = "provisioning.view_job", "provisioning.view_run"
#: a run of more pieces than this has no more lines that a page could show
MOST_PIECES = 10_000_000


def run_or_404(site: Site, run: int) -> PlaybookRun:
    """The run of the job *run* at *site*."""
    rows = PlaybookRun.objects.select_related("job", "origin__job")
    found: PlaybookRun | None = rows.filter(site=site, job=run).first()
    if found is None:
        raise Http404(f"Site {site} has no run {run}.")
    return found


def page_of(run: PlaybookRun, query: str = "", anchor: str = "") -> str:
    address = reverse("admin:provisioning_job_change", args=(run.pk,))
    return f"{address}{f'?{query}' if query else ''}{f'#{anchor}' if anchor else ''}"


# --- for who sees the job ---


@page("run/<str:site>/<int:run>/hosts/", permission=SEE)
def run_hosts(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """The matrix, another page of it or sorted otherwise."""
    row = run_or_404(site, run)
    look = Look.of(request.GET)
    if not request.headers.get("HX-Request"):
        return redirect(page_of(row, look.query, "mp-matrix"))
    return render(request, "admin/provisioning/runs/_matrix.html", matrix_context(request.user, row, look))


def matrix_context(user: Any, run: PlaybookRun, look: Look) -> dict[str, Any]:
    """One page of the hosts, with a mark that moves when anything on it does."""
    matrix = tables.matrix(run, look)
    totals = [(name, number) for name, number in tables.totals(run).items() if number]
    mark = f"{zlib.crc32(repr((matrix, totals)).encode()):x}"
    return {
        "run": run,
        "matrix": matrix,
        "columns": tables.COLUMNS,
        "totals": totals,
        "mark_of_matrix": mark,
        "reads": may_read(user, run),
    }


@page("run/<str:site>/<int:run>/tasks/", permission=SEE)
def run_tasks(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """The tasks as they began."""
    row = run_or_404(site, run)
    if not request.headers.get("HX-Request"):
        return redirect(page_of(row, "tasks=1", "mp-tasks"))
    return render(request, "admin/provisioning/runs/_tasks.html", tasks_context(row))


def tasks_context(run: PlaybookRun) -> dict[str, Any]:
    found, more = tables.tasks(run)
    return {"run": run, "tasks": found, "more_tasks": more}


# --- for who may read what it said ---


@page("run/<str:site>/<int:run>/output/", permission=READ)
def run_output(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """The card of the output, with another filter."""
    row = run_or_404(site, run)
    wanted = Filter.of(request.GET)
    address = page_of(row, wanted.query)
    if not request.headers.get("HX-Request"):
        return redirect(f"{address}#mp-output")
    answer = render(request, "admin/provisioning/runs/_output.html", output_context(request, row, wanted))
    answer["HX-Replace-Url"] = address
    return answer


def output_context(request: HttpRequest, run: PlaybookRun, wanted: Filter) -> dict[str, Any]:
    """What the card shows at first: what was asked for, else the end of a run that goes on, else the beginning."""
    count = output.lines_of(run, wanted)
    last = max(0, count - 1) // PIECE
    line, piece = number(request, "line"), number(request, "piece")
    follows = not run.job.is_finished and not line and not piece
    shown = output.piece_of_line(line) if line and not wanted else last if follows else piece
    shown = min(shown, last)
    return {
        "run": run,
        "wanted": wanted,
        "outcomes": OUTCOMES,
        "count": count,
        "number": shown,
        "output_said": output.piece(run, wanted, shown),
        "piece_lines": PIECE,
        "earlier": shown - 1,
        "later": shown + 1 if shown < last else 0,
        "follows": follows,
        "line": line,
        "failure": output.first_failure(run),
    }


@page("run/<str:site>/<int:run>/lines/", permission=READ)
def run_lines(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """The lines of one piece, or those after the first so many of it."""
    row = run_or_404(site, run)
    wanted = Filter.of(request.GET)
    asked = min(number(request, "piece"), MOST_PIECES)
    said = output.piece(row, wanted, asked)[number(request, "from") :]
    return render(request, "admin/provisioning/runs/_lines.html", {"said": said})


@page("run/<str:site>/<int:run>/found/", permission=READ)
def run_found(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """Where a word stands in the output."""
    row = run_or_404(site, run)
    word = request.GET.get("q", "").replace("\0", "").strip()[: output.LONGEST_WORD]
    if not request.headers.get("HX-Request"):
        return redirect(page_of(row, f"{Filter.of(request.GET).query}", "mp-output"))
    context = {"run": row, "word": word, "found": output.found(row, Filter.of(request.GET), word)}
    return render(request, "admin/provisioning/runs/_found.html", context)


@page("run/<str:site>/<int:run>/text/", permission=READ)
def run_text(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """What it said as a text file, or what a filter keeps of it."""
    row = run_or_404(site, run)
    answer = StreamingHttpResponse(
        output.as_text(row, Filter.of(request.GET)), content_type="text/plain; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="run-{row.pk}.txt"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer  # type: ignore[return-value]


def may_read(user: Any, run: PlaybookRun) -> bool:
    """Whether *user* may read what *run* said."""
    return run.site_id is not None and may(user, READ, run.site_id)


def number(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
