"""Giving and taking levels. The admin and the command do it here, so that nobody hands out what he does not have."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from inventory.levels import LEVELS, ONLY_EVERYWHERE, permissions_of
from inventory.models import Grant, Site
from inventory.permissions import may, sites_where


class Refused(Exception):
    """Nothing was given or taken; the message says why, and the way out."""


def offered(by: Any, site: Site | None) -> list[str]:
    """The levels that *by* may give, change and take at *site* (None: at every site): up to the own one there."""
    return [level for level in LEVELS if all(_has(by, name, site) for name in _needed(level, site))]


def _needed(level: str, site: Site | None) -> frozenset[str]:
    return permissions_of(level) - (ONLY_EVERYWHERE if site else frozenset())


def _has(by: Any, permission: str, site: Site | None) -> bool:
    return may(by, permission, site) if site else sites_where(by, permission) is None


def grant(user: User, level: str, site: Site | None = None) -> str:
    """Give *user* *level* at *site*, or another than before; what there is to say about it."""
    Grant.objects.update_or_create(user=user, site=site, defaults={"level": level})
    return f"{user} is {level} of {_at(site)}.{let_in(user)}"


def let_in(user: User) -> str:
    """See that who has a grant can sign in; what there is to say about it, with a blank before."""
    if not user.is_active:
        return f" The account is switched off; {user} signs in when somebody switches it on."
    if user.is_staff:
        return ""
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    return f" {user} could not sign in here until now, and can from now on (staff status was given)."


def revoke(user: User, site: Site | None = None) -> str:
    """Take the level of *user* at *site*; what there is to say about it. Raises Refused where there is none."""
    gone, _ = Grant.objects.filter(user=user, site=site).delete()
    if not gone:
        has = ", ".join(f"{row.level} of {_at(row.site)}" for row in user.grants.select_related("site"))
        raise Refused(f"{user} has no level at {_at(site)}; what there is: {has or 'nothing'}.")
    left = "" if user.grants.exists() else " That was the last one; staff status stays."
    return f"{user} has no level at {_at(site)} any more.{left}"


def _at(site: Site | None) -> str:
    return f"site {site}" if site else "every site"
