"""``/inventory/<site>/`` and ``/export/<site>/<format>``: renderings, with what HTTP knows of saving work."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date

from inventory import reading
from inventory.api.answers import Endpoint, Refused, unshared
from inventory.api.auth import Reader, reader_of
from inventory.serving import consumers, renderings
from inventory.serving.consumers import Taking
from inventory.serving.contents import name_of
from inventory.serving.renderings import Kept
from inventory.snapshot import AuthorityMode

#: by which a client says what it is called
CONSUMER = "Mgmtplane-Consumer"
AUTHORITIES = ("gateway", "bootstrap")
SWITCH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query string asks for."""

    authority: AuthorityMode | None
    strict: bool


class ExportView(Endpoint):
    """Any export as the file it is."""

    def get(self, request: HttpRequest, site: str, format: str) -> HttpResponse:
        reader = reader_for(request, site, format)
        wanted = wanted_of(request)
        kept = renderings.described(site, format, authority=wanted.authority, fetched=True)
        _refuse_errors(kept, wanted)
        response = _answer(request, kept, wanted.authority)
        if wanted.authority:
            response["Mgmtplane-Authority"] = _standing(site, wanted.authority)
        reader.note(response["ETag"])
        if request.method == "GET" and (reader.token or CONSUMER in request.headers):
            # Who looks at a file in a browser is no consumer of it.
            taking = taking_of(request, reader, kept.site_id, kept.format, kept.variant)
            consumers.note_fetched(taking, response["ETag"])
        return response


class InventoryView(ExportView):
    """The document of ``ansible-inventory --list``, whole or for one host or group."""

    def get(self, request: HttpRequest, site: str, format: str = "ansible") -> HttpResponse:
        parts = [(name, request.GET[name]) for name in ("host", "group") if name in request.GET]
        if not parts:
            return super().get(request, site, format)
        reader = reader_for(request, site, format)
        wanted = wanted_of(request)
        if len(parts) > 1:
            raise Refused(400, "Give ?host= or ?group=, not both.")
        if wanted.strict:
            _refuse_errors(renderings.described(site, format), wanted)
        response = _part(request, site, *parts[0])
        reader.note(response["ETag"])
        return response


def reader_for(request: HttpRequest, site: str, format: str) -> Reader:
    """Who asks, and may have *format* of *site*."""
    reader = reader_of(request)
    reader.require(site, format)
    if "\0" in site:
        raise reading.unknown_site(site)  # PostgreSQL refuses to look for it
    return reader


def taking_of(request: HttpRequest, reader: Reader, site_id: int, format: str, variant: str) -> Taking:
    """The consumer: what it calls itself, else its token's name, else its user's."""
    name = consumers.clean_name(request.headers.get(CONSUMER, ""))
    return Taking(
        site_id=site_id,
        format=format,
        variant=variant,
        name=name or consumers.clean_name(str(reader.token or reader.user)) or "unnamed",
        token_id=reader.token.pk if reader.token else None,
    )


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


def _refuse_errors(kept: Kept, wanted: Wanted) -> None:
    if wanted.strict and kept.errors:
        raise Refused(
            409,
            f"{kept.format} of {kept.slug} has findings that are errors; settle them, or drop ?strict=1.",
            headers=_facts(kept),
            findings=[finding.as_dict() for finding in kept.errors],
        )


def _answer(request: HttpRequest, kept: Kept, authority: AuthorityMode | None) -> HttpResponse:
    """304 from what is known; the content is read only when it goes out."""
    early = _conditional(request, _headed(kept.etag, kept.created, _facts(kept)))
    if early is not None:
        return early
    renderings.note_fetched(kept)
    served = renderings.body_of(kept, authority)
    facts = {**_facts(kept), "Mgmtplane-Revision": str(served.revision)}
    response = _headed(served.etag, served.created, facts)
    response.content = served.body
    response["Content-Type"] = served.content_type
    response["Content-Disposition"] = cast(str, content_disposition_header(False, served.filename))
    return response


def _part(request: HttpRequest, site: str, kind: str, name: str) -> HttpResponse:
    """One host's or one group's share, cut from the Snapshot; nothing of it is kept."""
    snapshot = reading.load(site)
    ansible: Any = importlib.import_module("inventory.exports.ansible")
    cut = ansible.host_document if kind == "host" else ansible.group_document
    try:
        content: bytes = cut(snapshot, name)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    etag = renderings.etag_of(snapshot.revision, name_of(content))
    facts = {"Mgmtplane-Revision": str(snapshot.revision)}
    response = _headed(etag, None, facts)
    early = _conditional(request, response)
    if early is not None:
        return early
    response.content = content
    response["Content-Type"] = "application/json"
    return response


def _standing(site: str, wanted: AuthorityMode) -> str:
    """For whom the file was made, and whether that one is to serve it: some formats have no place to say so."""
    declared = reading.load(site).authority
    if declared is None or declared.mode == wanted:
        return wanted
    return f"{wanted}; inactive, {declared.mode} is declared"


def _facts(kept: Kept) -> dict[str, str]:
    return {"Mgmtplane-Revision": str(kept.revision), "Mgmtplane-Findings": str(len(kept.errors))}


def _headed(etag: str, modified: datetime | None, facts: dict[str, str]) -> HttpResponse:
    response = unshared(HttpResponse())
    response["ETag"] = etag
    if modified is not None:
        response["Last-Modified"] = http_date(modified.timestamp())
    for name, value in facts.items():
        response[name] = value
    return response


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse | None:
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
