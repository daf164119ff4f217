"""What passes every request and answer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

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
