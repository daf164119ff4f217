"""Questions to the rows, as adjectives; and the guard that keeps bulk writes at the door."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from inventory.door import open_change, require_bulk
from inventory.identity import canonical_mac

if TYPE_CHECKING:
    from inventory.models import Segment, Site


class GuardedQuerySet(models.QuerySet[Any]):
    """Refuses what would write without history; `change()` offers the same with it."""

    def update(self, **kwargs: Any) -> int:
        require_bulk(f"{self.model.__name__}.objects.update()")
        return super().update(**kwargs)

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        require_bulk(f"{self.model.__name__}.objects.bulk_create()")
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, objs: Any, *args: Any, **kwargs: Any) -> int:
        require_bulk(f"{self.model.__name__}.objects.bulk_update()")
        return super().bulk_update(objs, *args, **kwargs)

    def delete(self) -> Any:
        """Row by row: each asks the door, and the ledger hears of it."""
        if open_change() is None:
            require_bulk(f"{self.model.__name__}.objects.delete()")
            return super().delete()
        counted: Counter[str] = Counter()
        for row in self:
            counted.update(row.delete()[1])
        return counted.total(), dict(counted)


class OfSite(GuardedQuerySet):
    def of(self, site: Site) -> OfSite:
        return self.filter(site=site)


class HostQuerySet(OfSite):
    def active(self) -> HostQuerySet:
        """All but the retired ones."""
        return self.exclude(status="retired")

    def on_segment(self, segment: Segment) -> HostQuerySet:
        return self.filter(interfaces__segment=segment).distinct()

    def matching(self, text: str) -> HostQuerySet:
        """Hosts that *text* names: by name, address, service, or a MAC in any spelling, whole or in part."""
        return self.filter(host_search(text)).distinct()


def host_search(text: str, prefix: str = "") -> Q:
    """The condition behind every search box: *prefix* is the path from the searched model to its host."""
    wanted = text.strip()
    found = Q(**{f"{prefix}name__icontains": wanted}) | Q(**{f"{prefix}interfaces__ipv4__icontains": wanted})
    found |= Q(**{f"{prefix}interfaces__ipv6__icontains": wanted.lower()})
    found |= Q(**{f"{prefix}services__name__icontains": wanted})
    for spelling in mac_spellings(wanted):
        found |= Q(**{f"{prefix}interfaces__mac__contains": spelling})
    return found


def mac_spellings(text: str) -> list[str]:
    """The canonical text to look for when *text* may be a MAC or a part of one; empty when it cannot be."""
    try:
        return [canonical_mac(text)]
    except ValueError:
        pass
    digits = "".join(c for c in text.lower() if c not in ":-. ")
    if len(digits) < 4 or any(c not in "0123456789abcdef" for c in digits):
        return []
    aligned = ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))
    shifted = digits[:1] + ":" + ":".join(digits[i : i + 2] for i in range(1, len(digits), 2))
    return [aligned, shifted]


class IdentityQuerySet(GuardedQuerySet):
    def active(self) -> IdentityQuerySet:
        """What blocks its value, and what contests it: held, quarantined, disputed."""
        return self.exclude(state="released")

    def held(self, site: Site, kind: str) -> IdentityQuerySet:
        return self.filter(site=site, kind=kind, state="held")
