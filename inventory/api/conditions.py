"""What both ways of answering with a rendering share: the query string, its refusals, HTTP's conditions and headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date

from inventory.api.answers import Refused, unshared
from inventory.serving import meeting
from inventory.serving.contents import name_of
from inventory.serving.renderings import Kept, Served, etag_of
from inventory.snapshot import AuthorityMode

AUTHORITIES = ("gateway", "bootstrap")
SWITCH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query string asks for."""

    authority: AuthorityMode | None
    strict: bool


def wanted_of(request: HttpRequest) -> Wanted:
    authority = request.GET.get("authority")
    if authority is not None and authority not in AUTHORITIES:
        raise Refused(
            400, f"?authority={authority} is neither gateway nor bootstrap; give one, or leave it out."
        )
    strict = SWITCH.get(request.GET.get("strict", "").lower())
    if strict is None:
        raise Refused(400, "?strict= takes 1 or 0.")
    return Wanted(cast("AuthorityMode | None", authority), strict)


def refuse_errors(kept: Kept, wanted: Wanted) -> None:
    if wanted.strict and kept.errors:
        raise Refused(
            409,
            f"{kept.format} of {kept.slug} has findings that are errors; settle them, or drop ?strict=1.",
            headers=facts_of(kept),
            findings=[finding.as_dict() for finding in kept.errors],
        )


def facts_of(kept: Kept) -> dict[str, str]:
    return {
        "Mgmtplane-Revision": str(kept.revision),
        "Mgmtplane-Findings": str(len(kept.errors)),
        meeting.SITE: kept.uid,
        meeting.COPY: meeting.signed(kept.uid, kept.epoch, kept.live_copy),
    }


def headed(etag: str, modified: datetime | None, facts: dict[str, str]) -> HttpResponse:
    response = unshared(HttpResponse())
    response["ETag"] = etag
    if modified is not None:
        response["Last-Modified"] = http_date(modified.timestamp())
    for name, value in facts.items():
        if value:
            response[name] = value
    return response


def conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse | None:
    """304 (or 412) when the request's conditions (RFC 9110, section 13) ask for it."""
    modified = response.get("Last-Modified")
    seconds = parse_http_date(modified) if modified else None
    answer = get_conditional_response(
        request, etag=response["ETag"], last_modified=seconds, response=response
    )
    if answer is None or answer is response:
        return None
    for name, value in response.items():
        if name != "Content-Type":
            answer.headers.setdefault(name, value)
    return answer


def filled(response: HttpResponse, served: Served) -> HttpResponse:
    """*response* with the content of *served*."""
    response.content = served.body
    response["Content-Type"] = served.content_type
    response["Content-Disposition"] = cast(str, content_disposition_header(False, served.filename))
    return response


@dataclass(frozen=True, slots=True)
class State:
    """Which state of which site is answered with."""

    uid: str
    revision: int
    epoch: int
    live_copy: str


def shared(
    request: HttpRequest, at: State, content: bytes, more: dict[str, str] | None = None
) -> HttpResponse:
    """One host's or one group's share of the inventory."""
    facts = {
        "Mgmtplane-Revision": str(at.revision),
        meeting.SITE: at.uid,
        meeting.COPY: meeting.signed(at.uid, at.epoch, at.live_copy),
        **(more or {}),
    }
    response = headed(etag_of(at.epoch, at.revision, name_of(content)), None, facts)
    early = conditional(request, response)
    if early is not None:
        return early
    response.content = content
    response["Content-Type"] = "application/json"
    return response
