"""``/inventory/<site>/`` and ``/export/<site>/<format>``: renderings, with what HTTP knows of saving work."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from inventory import reading
from inventory.api import degraded
from inventory.api.answers import Endpoint, Refused
from inventory.api.auth import READING, Reader, reader_of
from inventory.api.conditions import (
    State,
    conditional,
    facts_of,
    filled,
    headed,
    refuse_errors,
    shared,
    wanted_of,
)
from inventory.exports import ansible, ansible_cut
from inventory.serving import consumers, database, meeting, mirror, renderings
from inventory.serving.consumers import Taking
from inventory.serving.renderings import Kept
from inventory.snapshot import AuthorityMode

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
            answer = self.from_mirror(request, site, format, degraded.NO_ANSWER)
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
            answer = self.from_mirror(request, site, format, why)
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
        mirror.keep_beside()
        reader.note(response["ETag"])
        if meeting.SEEN in request.headers:
            note_seen(request, kept, taking_of(request, reader, kept.site_id, kept.format, kept.variant))
        if request.method == "GET" and (reader.token or CONSUMER in request.headers):
            # Who looks at a file in a browser is no consumer of it.
            taking = taking_of(request, reader, kept.site_id, kept.format, kept.variant)
            consumers.note_fetched(taking, response["ETag"])
        return degraded.told(response)

    def from_mirror(self, request: HttpRequest, site: str, format: str, why: str) -> HttpResponse | None:
        return degraded.answer(request, site, format, why)


class InventoryView(ExportView):
    """The document of ``ansible-inventory --list``, whole or for one host or group."""

    def get(self, request: HttpRequest, site: str, format: str = "ansible") -> HttpResponse:
        return super().get(request, site, format)

    def from_database(self, request: HttpRequest, site: str, format: str) -> HttpResponse:
        if not _parts(request):
            return super().from_database(request, site, format)
        reader = reader_for(request, site, format)
        wanted = wanted_of(request)
        kind, name = _one_part(request)
        if wanted.strict:
            refuse_errors(renderings.described(site, format), wanted)
        response = _part(request, site, kind, name)
        if reader.token is not None:
            mirror.meet(reader.token)
        mirror.keep_beside()
        reader.note(response["ETag"])
        return degraded.told(response)

    def from_mirror(self, request: HttpRequest, site: str, format: str, why: str) -> HttpResponse | None:
        if not _parts(request):
            return super().from_mirror(request, site, format, why)

        def cut(document: bytes) -> bytes | None:
            kind, name = _one_part(request)
            return (
                ansible_cut.cut_host(document, name)
                if kind == "host"
                else ansible_cut.cut_group(document, name)
            )

        return degraded.answer(request, site, format, why, cut)


def _parts(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, request.GET[name]) for name in ("host", "group") if name in request.GET]


def _one_part(request: HttpRequest) -> tuple[str, str]:
    """What of the inventory is asked for: ``host`` or ``group``, and its name."""
    first, *more = _parts(request)
    if more:
        raise Refused(400, "Give ?host= or ?group=, not both.")
    return first


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
    cut = ansible.host_document if kind == "host" else ansible.group_document
    try:
        content = cut(snapshot, name)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    at = snapshot.site
    return shared(request, State(str(at.uid), snapshot.revision, at.epoch, at.live_copy), content)


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


def _standing(site: str, wanted: AuthorityMode) -> str:
    """For whom the file was made, and whether that one is to serve it: some formats have no place to say so."""
    declared = reading.load(site).authority
    if declared is None or declared.mode == wanted:
        return wanted
    return f"{wanted}; inactive, {declared.mode} is declared"
