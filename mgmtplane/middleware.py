"""What passes every request and answer."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

Handler = Callable[[HttpRequest], HttpResponseBase]


def no_length_of_nothing(get_response: Handler) -> Handler:
    """Take off the ``Content-Length: 0`` that Django puts on a 304.

    There it would have to be the length of the unconditional answer (RFC 9110, section 8.6).
    """

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code == 304 and response.has_header("Content-Length"):
            del response["Content-Length"]
        return response

    return handle


#: what no page of ours uses, and no script that gets in shall
UNUSED = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()"

#: written by timezone.js
ZONE_COOKIE = "mgmtplane_timezone"


def careful_browser(get_response: Handler) -> Handler:
    """Tell browsers which of their abilities no page of ours may use."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", UNUSED)
        return response

    return handle


def zone_of_the_person(get_response: Handler) -> Handler:
    """Show times in the zone that the person's browser told; else, and for nonsense, in TIME_ZONE."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        zone = _zone(request.COOKIES.get(ZONE_COOKIE, ""))
        if zone is None:
            return get_response(request)
        with timezone.override(zone):
            return get_response(request)

    return handle


@functools.lru_cache(maxsize=64)
def _zone(given: str) -> zoneinfo.ZoneInfo | None:
    name = unquote(given)
    return zoneinfo.ZoneInfo(name) if name in _known_zones() else None


@functools.cache
def _known_zones() -> frozenset[str]:
    """Looked for in the list, not tried: a zone's name is a path, and a cookie may hold any."""
    return frozenset(zoneinfo.available_timezones())
