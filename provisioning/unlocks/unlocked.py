"""What every page says of what is unlocked: names and times, for who may lock it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inventory.permissions import visible_sites
from provisioning.keeper import client
from provisioning.keeper.client import Held, KeeperAway, KeeperRefused, of_site
from provisioning.unlocks.unlocking import PERMISSION


def seconds_left(held: Held) -> int:
    return max(0, round((held.until - datetime.now(UTC)).total_seconds()))


@dataclass(frozen=True)
class AtSite:
    site: str
    held: tuple[tuple[Held, int], ...]


def of_person(request: Any) -> list[AtSite]:
    """What is unlocked at the sites where this person may lock it; asked once for each request."""
    if not hasattr(request, "_unlocked"):
        request._unlocked = _of_person(request.user)
    found: list[AtSite] = request._unlocked
    return found


def _of_person(user: Any) -> list[AtSite]:
    if not user.is_authenticated or not user.has_perm(PERMISSION):
        return []
    try:
        held = [one for one in client.held() if one.scope.startswith("site/")]
    except (KeeperAway, KeeperRefused):
        return []
    if not held:
        return []
    slugs = {one.scope.removeprefix("site/") for one in held}
    known = visible_sites(user, PERMISSION).filter(slug__in=slugs).order_by("slug")
    return [
        AtSite(slug, tuple((one, seconds_left(one)) for one in held if one.scope == of_site(slug)))
        for slug in known.values_list("slug", flat=True)
    ]
