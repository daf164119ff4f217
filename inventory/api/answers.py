"""How the endpoints say no: a status and one sentence, as JSON."""

from __future__ import annotations

import logging
import traceback
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from inventory.exports.registry import UnknownFormat
from inventory.models import Site
from inventory.reading import UnknownSite
from inventory.serving import database
from inventory.serving.renderings import NothingDeclared

log = logging.getLogger(__name__)


#: what is said where the database is away, or takes no changes
AILMENTS = {
    "": "The database is away or busy; try again shortly.",
    database.READ_ONLY: "The database takes no changes: it is read-only. Reading goes on; see /readyz.",
    database.FULL: "The disk is full, so nothing can be stored. Reading goes on; make room, then try again.",
}


class Refused(Exception):
    """The request is not answered; ``sentence`` names the rule and the way out."""

    def __init__(
        self, status: int, sentence: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers, self.more = status, sentence, headers or {}, more

    def answer(self) -> HttpResponse:
        response = JsonResponse({"error": self.sentence, **self.more}, status=self.status)
        for name, value in self.headers.items():
            response[name] = value
        return unshared(response)


def unshared(response: HttpResponse) -> HttpResponse:
    """What one reader gets, no cache gives to another; and nobody uses it without asking again."""
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    return response


class Endpoint(View):
    """GET and HEAD, or what a subclass says; every refusal and failure is small JSON, no page and no traceback."""

    http_method_names = ["get", "head"]
    #: what a person needs who comes with a session, at the site that is asked for; ``anybody`` needs nothing
    permission: str
    #: the same for people and for the header Allow
    allowed = "GET, HEAD"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = cast(HttpResponse, super().dispatch(request, *args, **kwargs))
        except Exception as error:
            response = refusal_of(error).answer()
        if request.method == "HEAD":
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return Refused(
            405,
            f"{request.method} is not possible here; use {self.allowed}.",
            headers={"Allow": self.allowed},
        ).answer()


def refusal_of(error: Exception) -> Refused:
    """What the caller is told about *error*."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, UnknownSite | UnknownFormat | NothingDeclared):
        return Refused(404, str(error))
    if isinstance(error, Site.DoesNotExist):
        return Refused(404, "The site was deleted just now.")
    if database.is_away(error) or (isinstance(error, OSError) and database.ailment(error)):
        log.error("the database did not answer, or the disk: %s", type(error).__name__)
        database.note_refusal(error)
        return Refused(503, AILMENTS[database.ailment(error)], headers={"Retry-After": "5"})
    # Without the message: it may quote a variable, and a variable may be a secret.
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s while answering\n%s", type(error).__name__, frames)
    return Refused(500, "This failed inside the application; its log says where.")
