"""Signing in: from which address somebody comes, and what is shown to who tried too often."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers


def address_of(request: HttpRequest) -> str:
    """The client's address as this server or, where it is trusted, the proxy before it saw it.

    A proxy appends the address that it saw: the last one in X-Forwarded-For is its word, those before it are the
    client's own, and may be anything.
    """
    seen = str(request.META.get("REMOTE_ADDR") or "")
    if settings.TRUST_PROXY:
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return _address(last) or _address(seen) or "127.0.0.1"
    return _address(seen) or "127.0.0.1"  # a unix socket has none


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]").partition("%")[0]))
    except ValueError:
        return ""


def locked(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The answer (429) to a sign-in that is not even looked at: how long, and what helps."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds()) // 60
    context = {
        **admin.site.each_context(request),
        "title": "Sign-in is locked",
        "minutes": minutes,
        "attempts": settings.AXES_FAILURE_LIMIT,
    }
    response = render(request, "admin/locked.html", context, status=429)
    response["Retry-After"] = str(minutes * 60)
    add_never_cache_headers(response)
    return response
