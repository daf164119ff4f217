"""Addresses below ``/api/v1/``. Without a slash at the end; one more is forgiven."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from rest_framework.routers import SimpleRouter

from inventory.api.v1.nouns.views import NOUNS
from inventory.api.v1.pages import Document, Root, Workbench
from inventory.api.v1.problems import Problem
from inventory.api.v1.resolving import Resolve

PREFIX = "/api/v1/"

router = SimpleRouter(trailing_slash=False, use_regex_path=True)
for _name, _view in NOUNS.items():
    router.register(_name, _view, basename=f"api-{_name}")


@csrf_exempt
def elsewhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Whatever is no address: the same without the slash at its end, or a problem."""
    if rest.endswith("/"):
        match: Any = resolve(PREFIX + rest.rstrip("/"))
        if match.func is not elsewhere:
            answered: HttpResponse = match.func(request, *match.args, **match.kwargs)
            return answered
    return Problem(404, f"There is nothing at this address; {PREFIX} lists what there is.").answer()


urlpatterns = [
    path("", Root.as_view(), name="api-root"),
    path("schema", Document.as_view(), name="api-schema"),
    path("resolve", Resolve.as_view(), name="api-resolve"),
    path("docs", Workbench.as_view(), name="api-docs"),
    *router.urls,
    re_path(r"^(?P<rest>.*)$", elsewhere),
]
