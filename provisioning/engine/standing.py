"""Workers do nothing for a site that another copy of the application writes: no job is made, taken up or gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from inventory.copying import copies
from inventory.models import Site
from provisioning.engine.asking import Refused
from provisioning.models import Job

if TYPE_CHECKING:
    from provisioning.kinds.base import Kind


def lives() -> Q:
    """Of jobs: this copy writes their site. Those of no site are asked about where they are made."""
    return Q(site__isnull=True) | Q(Exists(copies.live(Site.objects.filter(pk=OuterRef("site")))))


def require_live(kind: Kind | None, site: Site | None) -> None:
    """Raise Refused where this copy does not write the site; *kind* may be one that every copy does for itself."""
    if kind is not None and kind.of_any_copy:
        return
    try:
        copies.require_live(site)
    except copies.ReadOnly as reason:
        raise ReadOnlyHere(" ".join(reason.messages)) from None


class ReadOnlyHere(Refused):
    """Another copy of the application writes the site."""


def why_not(kind: Kind, job: Job) -> str:
    """Why *job* does not go on here; empty where this copy writes its site."""
    try:
        require_live(kind, job.site)
    except ReadOnlyHere as reason:
        return str(reason)
    return ""
