"""What a page about an error, and a report of one, may show: nothing that somebody typed, with DEBUG on as well.

Django hides what views mark as sensitive, and only with DEBUG off. What is posted here may be a secret anywhere: in a
field, in a body of JSON, in a variable of whichever function failed.
"""

from __future__ import annotations

from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class NothingTyped(SafeExceptionReporterFilter):
    """Names of what was posted without values; no variables of functions while a body was being read."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None:
            return {}
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType | TracebackType
    ) -> Any:
        if request is None or request.method not in ("GET", "HEAD", "OPTIONS"):
            return []
        return super().get_traceback_frame_variables(request, tb_frame)
