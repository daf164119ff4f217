"""``/inventory/<site>/`` and ``/export/<site>/<format>``: renderings, with what HTTP knows of saving work."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from inventory import reading
from inventory.api import degraded
from inventory.api.answers import Endpoint, Refused
from inventory.api.auth import READING, Reader, reader_of
from inventory.api.conditions import conditional, facts_of, filled, headed, refuse_errors, wanted_of
from inventory.serving import consumers, database, meeting, mirror, renderings
from inventory.serving.consumers import Taking
from inventory.serving.contents import name_of
from inventory.serving.renderings import Kept
from inventory.snapshot import AuthorityMode, Snapshot

log = logging.getLogger(__name__)

#: by which a client says what it is called
CONSUMER = "Mgmtplane-Consumer"


class ExportView(Endpoint):
    """Any export as the file it is; the last that went out, while the database is away."""

    permission = READING

    def get(self, request: HttpRequest, site: str, format: str) -> HttpResponse:
        try:
            degraded.require_reachable()
        except DatabaseError:
            answer = degraded.answer(request, site, format)
            if answer is None:
                raise
            return answer
        try:
            with database.impatient():
                return self.from_database(request, site, format)
        except DatabaseError as error:
            if connection.in_atomic_block:
                raise
            why = degraded.why_not(error)
            answer = degraded.answer(request, site, format, why)
            if answer is None:
                raise
            log.error("%s (%s): %s of %s from the mirror", why, type(error).__name__, format, site)
            return answer

    def from_database(self, request: HttpRequest, site: str, format: str) -> HttpResponse:
        reader = reader_for(request, site, format)
        wanted = wanted_of(request)
        kept = renderings.described(site, format, authority=wanted.authority, fetched=True)
        refuse_errors(kept, wanted)
        response = _answer(request, kept, wanted.authority)
        if wanted.authority:
            response["Mgmtplane-Authority"] = _standing(site, wanted.authority)
        mirror.keep(kept, wanted.authority, response.get("Mgmtplane-Authority", ""))
        if reader.token is not None:
            mirror.meet(reader.token)
        reader.note(response["ETag"])
        if meeting.SEEN in request.headers:
            note_seen(request, kept, taking_of(request, reader, kept.site_id, kept.format, kept.variant))
        if request.method == "GET" and (reader.token or CONSUMER in request.headers):
            # Who looks at a file in a browser is no consumer of it.
            taking = taking_of(request, reader, kept.site_id, kept.format, kept.variant)
            consumers.note_fetched(taking, response["ETag"])
        return degraded.told(response)


class InventoryView(ExportView):
    """The document of ``ansible-inventory --list``, whole or for one host or group."""

    def get(self, request: HttpRequest, site: str, format: str = "ansible") -> HttpResponse:
        parts = [(name, request.GET[name]) for name in ("host", "group") if name in request.GET]
        if not parts:
            return super().get(request, site, format)
        degraded.require_reachable()
        reader = reader_for(request, site, format)
        wanted = wanted_of(request)
        if len(parts) > 1:
            raise Refused(400, "Give ?host= or ?group=, not both.")
        if wanted.strict:
            refuse_errors(renderings.described(site, format), wanted)
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


def _answer(request: HttpRequest, kept: Kept, authority: AuthorityMode | None) -> HttpResponse:
    """304 from what is known; the content is read only when it goes out."""
    early = conditional(request, headed(kept.etag, kept.created, facts_of(kept)))
    if early is not None:
        return early
    renderings.note_fetched(kept)
    served = renderings.body_of(kept, authority)
    facts = {**facts_of(kept), "Mgmtplane-Revision": str(served.revision)}
    response = headed(served.etag, served.created, facts)
    return filled(response, served)


def _part(request: HttpRequest, site: str, kind: str, name: str) -> HttpResponse:
    """One host's or one group's share, cut from the Snapshot; nothing of it is kept."""
    snapshot = reading.load(site)
    ansible: Any = importlib.import_module("inventory.exports.ansible")
    cut = ansible.host_document if kind == "host" else ansible.group_document
    try:
        content: bytes = cut(snapshot, name)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    etag = renderings.etag_of(snapshot.site.epoch, snapshot.revision, name_of(content))
    facts = {
        "Mgmtplane-Revision": str(snapshot.revision),
        meeting.SITE: str(snapshot.site.uid),
        meeting.COPY: _copy_of(snapshot),
    }
    response = headed(etag, None, facts)
    early = conditional(request, response)
    if early is not None:
        return early
    response.content = content
    response["Content-Type"] = "application/json"
    return response


def note_seen(request: HttpRequest, at: Kept | reading.Now, taking: Taking) -> None:
    """What the consumer met elsewhere; a person with a browser says nothing of the kind."""
    if taking.token_id is not None and meeting.is_of(at.uid, request.headers.get(meeting.SITE, "")):
        meeting.note(
            request.headers.get(meeting.SEEN, ""),
            site_id=at.site_id,
            uid=at.uid,
            epoch=at.epoch,
            live_copy=at.live_copy,
            told_by=taking.name,
            token_id=taking.token_id,
        )


def _copy_of(snapshot: Snapshot) -> str:
    site = snapshot.site
    return meeting.signed(site.uid, site.epoch, site.live_copy)


def _standing(site: str, wanted: AuthorityMode) -> str:
    """For whom the file was made, and whether that one is to serve it: some formats have no place to say so."""
    declared = reading.load(site).authority
    if declared is None or declared.mode == wanted:
        return wanted
    return f"{wanted}; inactive, {declared.mode} is declared"
