"""What two copies of the application are compared by: rows, exports in every mode, and what would be handed out next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.query import QuerySet

from inventory import reading
from inventory.allocation.foreseen import foreseen
from inventory.exports.registry import Export, all_exports
from inventory.models import Site
from inventory.serving import renderings
from inventory.snapshot import AuthorityMode
from provisioning.backups import tables
from provisioning.backups.comparing import REFUSED, SURVEYED
from provisioning.models import Survey

#: as the authority is declared, and as each of the two would serve; the site document is of no mode, and comes last:
#: it says which serials the others were published with
MODES: tuple[AuthorityMode | None, ...] = ("gateway", "bootstrap", None)


@dataclass(frozen=True)
class Rendered:
    """One export in one mode."""

    #: ``kea``, ``kea?authority=bootstrap``
    name: str
    export: Export
    #: of the site
    revision: int
    files: Mapping[str, bytes]
    #: the kind of error that it ends with, where it cannot be made
    refused: str = ""

    @property
    def digest(self) -> str:
        return f"{REFUSED}{self.refused}" if self.refused else digest_of(self.files)


def rendered(slug: str) -> Iterator[Rendered]:
    """Every export of the site in every mode. One that refuses what is declared is among them, without files."""
    for mode in MODES:
        for export in sorted(all_exports(), key=lambda one: one.is_whole):
            if mode and export.is_whole:
                continue
            name = name_of(export.name, mode)
            try:
                snapshot, _, document = renderings.document(slug, export.name, authority=mode)
            except renderings.NothingDeclared:  # nothing to serve: nothing to compare
                continue
            except (DatabaseError, OSError, reading.UnknownSite):  # which is no word about the export
                raise
            except Exception as error:
                yield Rendered(name, export, reading.current(slug).revision, {}, type(error).__name__)
                continue
            yield Rendered(name, export, snapshot.revision, document.files)


def name_of(format: str, mode: AuthorityMode | None) -> str:
    return f"{format}?authority={mode}" if mode else format


def digest_of(files: Mapping[str, bytes]) -> str:
    """One SHA-256 over names and contents of an export's files."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(json.dumps([name, hashlib.sha256(content).hexdigest()]).encode())
    return whole.hexdigest()


def exports_of(slug: str) -> dict[str, str]:
    """Name of the export → digest of its files, or that and why it cannot be made."""
    return {one.name: one.digest for one in rendered(slug)}


def next_of(site: Site, at: datetime) -> dict[str, str]:
    """What would be handed out next, as it was *at* that moment: “vmid” by the declaration alone, “vmid surveyed” beside
    all that surveys have seen, however long ago."""
    surveys = Survey.objects.filter(site=site).values_list("vmids", flat=True)
    seen = {vmid for vmids in surveys for vmid in vmids}
    both = foreseen(site, at=at, vmids=seen)["vmid"] if seen else ""
    declared = foreseen(site, at=at)
    return {**declared, SURVEYED: both} if seen else declared


def rows() -> dict[str, int]:
    """How many rows each table has that is backed up."""
    return {model._meta.label_lower: QuerySet(model).count() for model in tables.kept()}


def migrations() -> list[list[str]]:
    """The newest state of the schema: every migration that was applied."""
    return sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())


def measure(at: datetime) -> dict[str, Any]:
    """``rows``, and of each site ``revision``, ``exports`` and ``next``: the shape that the manifest of a backup has too."""
    with reading.one_moment():
        found: dict[str, Any] = {"rows": rows(), "sites": {}}
        sites = list(Site.objects.order_by("slug"))
        for site in sites:
            found["sites"][site.slug] = {"revision": site.revision, "next": next_of(site, at)}
    for site in sites:
        found["sites"][site.slug]["exports"] = exports_of(site.slug)
    return found
