"""ETags: which state of an object, or of a list, an answer shows (RFC 9110, section 8.8.3)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rest_framework.request import Request

from inventory.api.v1.problems import Problem

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def etag_of(representation: Any) -> str:
    """Strong: the same for the same content, whoever asks."""
    text = json.dumps(representation, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


def not_changed(request: Request, etag: str) -> bool:
    """Whether If-None-Match says that the caller has this already; weak tags compare by what they name."""
    given = request.headers.get("If-None-Match", "")
    if given.strip() == "*":
        return True
    return etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in _TAG.findall(given)}


def require_match(request: Request, etag: str) -> None:
    """Raise Problem (412) when If-Match names other states than this one. The caller holds the door."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*" or etag in _TAG.findall(given):
        return
    raise Problem(
        412,
        "Somebody changed this meanwhile; nothing was written. Get it again, and send your change with its new ETag.",
        headers={"ETag": etag},
    )
