"""What two copies of the application are compared by: rows, exports in every mode, and what would be handed out next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.query import QuerySet

from inventory import reading
from inventory.allocation.foreseen import foreseen
from inventory.exports.registry import Document, Export, all_exports
from inventory.models import Site
from inventory.serving import renderings
from inventory.snapshot import AuthorityMode, Snapshot
from provisioning.backups import tables
from provisioning.backups.comparing import SURVEYED
from provisioning.models import Survey

#: as the authority is declared, and as each of the two would serve; the site document is of no mode, and comes last:
#: it says which serials the others were published with
MODES: tuple[AuthorityMode | None, ...] = ("gateway", "bootstrap", None)

Rendered = tuple[str, Export, Snapshot, Document]


def rendered(slug: str) -> Iterator[Rendered]:
    """Every export of the site in every mode, each with its name here: ``kea``, ``kea?authority=bootstrap``."""
    for mode in MODES:
        for export in sorted(all_exports(), key=lambda one: one.is_whole):
            if mode and export.is_whole:
                continue
            try:
                snapshot, _, document = renderings.document(slug, export.name, authority=mode)
            except renderings.NothingDeclared:  # nothing to serve: nothing to compare
                continue
            yield name_of(export.name, mode), export, snapshot, document


def name_of(format: str, mode: AuthorityMode | None) -> str:
    return f"{format}?authority={mode}" if mode else format


def digest_of(files: Mapping[str, bytes]) -> str:
    """One SHA-256 over names and contents of an export's files."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(json.dumps([name, hashlib.sha256(content).hexdigest()]).encode())
    return whole.hexdigest()


def exports_of(slug: str) -> dict[str, str]:
    """Name of the export → digest of its files."""
    return {name: digest_of(document.files) for name, _, _, document in rendered(slug)}


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
