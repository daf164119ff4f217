"""The OpenAPI document, the page to read and try it, and the list of what there is."""

from __future__ import annotations

import functools
from typing import Any

import orjson
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import BasePermission
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from inventory.api.answers import unshared
from inventory.api.v1 import versions
from inventory.api.v1.callers import PersonAuthentication
from inventory.api.v1.queries import refuse_unknown


@functools.cache
def document() -> tuple[bytes, str]:
    """(the OpenAPI document as JSON, its ETag): a function of the code alone, made once for each process."""
    made: Any = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    return orjson.dumps(made), versions.etag_of(made)


class _Plain(APIView):
    http_method_names = ["get", "head"]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, self)


class Document(_Plain):
    """The OpenAPI document."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        content, etag = document()
        seen = versions.not_changed(request, etag)
        answered = HttpResponse(
            b"" if seen else content, status=304 if seen else 200, content_type="application/json"
        )
        answered["ETag"] = etag
        return unshared(answered)


class Root(_Plain):
    """What there is."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        from inventory.api.v1.nouns.views import NOUNS

        told = {name: reverse(f"api-{name}-list", request=request) for name in NOUNS}
        told["schema"] = reverse("api-schema", request=request)
        return unshared(Response(told))


class _IsStaff(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_staff)


class Workbench(SpectacularSwaggerSplitView):
    """Swagger UI, its script in a file of its own, for people who are signed in; others are led to the sign-in page."""

    authentication_classes = [PersonAuthentication]
    permission_classes = [_IsStaff]
    renderer_classes = [TemplateHTMLRenderer]
    http_method_names = ["get", "head"]
    url_name = "api-schema"
    url_self = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user: Any = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)
