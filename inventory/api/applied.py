"""``POST /export/<site>/<format>/applied``: a consumer says what became of the file that it fetched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware

from inventory import reading
from inventory.api import degraded
from inventory.api.answers import Endpoint, Refused, unshared
from inventory.api.auth import READING, Reader
from inventory.api.conditions import wanted_of
from inventory.api.reading import note_seen, reader_for, taking_of
from inventory.exports.registry import get_export
from inventory.serving import consumers
from inventory.serving.renderings import variant_of

LARGEST = 16_384  # bytes
SHAPE = 'Send {"etag": "…", "ok": true or false, "message": "…"}'


@dataclass(frozen=True, slots=True)
class Report:
    etag: str
    ok: bool
    message: str


class _Csrf(CsrfViewMiddleware):
    """Django's check, for the sessions among those who report: tokens need none."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


class AppliedView(Endpoint):
    """Takes what may read the export: a token, or the session of a person who may see hosts."""

    permission = READING
    http_method_names = ["post"]
    allowed = "POST"

    def post(self, request: HttpRequest, site: str, format: str) -> HttpResponse:
        degraded.require_reachable()
        reader = reader_for(request, site, format)
        get_export(format)
        now = reading.current(site)
        wanted = wanted_of(request)
        _refuse_forgery(request, reader)
        report = _report(_body_of(request))
        taking = taking_of(request, reader, now.site_id, format, variant_of(wanted.authority))
        note_seen(request, now, taking)
        consumers.report(taking, etag=report.etag, ok=report.ok, message=report.message)
        told = {"consumer": taking.name, "site": site, "format": format, "etag": report.etag, "ok": report.ok}
        return unshared(JsonResponse(told))


def _refuse_forgery(request: HttpRequest, reader: Reader) -> None:
    """Raise Refused (403) when a page elsewhere may have made the browser of *reader* send this."""
    if reader.token is not None:
        return
    check = _Csrf(lambda request: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, lambda request: HttpResponse(), (), {})
    if reason:
        raise Refused(
            403, f"{reason} With a session, send its CSRF token as X-CSRFToken; or report with a token."
        )


def _body_of(request: HttpRequest) -> bytes:
    """At most LARGEST bytes. Raises Refused: 413 for more, before it is read when its length is announced."""
    announced = request.headers.get("Content-Length", "0")
    body = request.read(LARGEST + 1) if announced.isdecimal() and int(announced) <= LARGEST else None
    if body is None or len(body) > LARGEST:
        raise Refused(413, f"The report is larger than {LARGEST} bytes; send a shorter message.")
    return body


def _report(body: bytes) -> Report:
    """What *body* says. Raises Refused (400) with everything that is wrong with it."""
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, f"The report is no JSON. {SHAPE}.") from None
    if not isinstance(given, dict):
        raise Refused(400, f"The report is no JSON object. {SHAPE}.")
    problems = list(_problems(given))
    if problems:
        raise Refused(400, f"{'; '.join(problems)}. {SHAPE}.")
    etag, _ = consumers.read_etag(given["etag"]) or ("", 0)
    return Report(etag, given["ok"], given.get("message") or "")


def _problems(given: dict[str, Any]) -> list[str]:
    etag, ok, message = given.get("etag"), given.get("ok"), given.get("message")
    problems = []
    if not isinstance(etag, str) or consumers.read_etag(etag) is None:
        problems.append("etag is not one that an export had")
    if not isinstance(ok, bool):
        problems.append("ok is neither true nor false")
    if message is not None and not isinstance(message, str):
        problems.append("message is no text")
    return problems
