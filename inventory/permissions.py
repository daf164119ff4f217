"""Who may do what at which site. The only place that answers; pages, endpoints and actions ask it.

A permission is named as in Django (``inventory.change_host``). It comes from Django itself (a superuser, a user's or a
user group's permission: for every site) or from a Grant (for one site, or all). ``user.has_perm(permission)`` without an
object says whether the user has it *somewhere*, which is what menus and lists ask; with a site, a row or its id it says
whether the user has it *there*.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from inventory.levels import ONLY_EVERYWHERE, permissions_of
from inventory.models import Grant, Site

#: Django's own answers, which hold for every site
_DJANGO = ModelBackend()

#: site id, or None for every site → the permissions there
Granted = dict[int | None, frozenset[str]]


def may(user: Any, permission: str, where: Any = None) -> bool:
    """True if *user* has *permission* at *where*: a Site, a row that belongs to one, a site's id; None: anywhere."""
    return bool(user.has_perm(permission, where))


def sites_where(user: Any, permission: str) -> frozenset[int] | None:
    """The ids of the sites at which *user* has *permission*; None: all of them. One query for each user object."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser or _DJANGO.has_perm(user, permission):
        return None
    granted = granted_to(user)
    if permission in granted.get(None, frozenset()):
        return None
    return frozenset(site for site, found in granted.items() if site is not None and permission in found)


def within(rows: QuerySet[Any], user: Any, permission: str, path: str = "site") -> QuerySet[Any]:
    """Those of *rows* that belong to sites at which *user* has *permission*; *path* leads from a row to its site.

    An empty path: the rows are sites.
    """
    ids = sites_where(user, permission)
    if ids is None:
        return rows
    return rows.filter(**{f"{path}__in" if path else "pk__in": ids})


def visible_sites(user: Any, permission: str = "inventory.view_site") -> QuerySet[Site]:
    """The sites at which *user* has *permission*, by slug."""
    return within(Site.objects.all(), user, permission, "")


def site_of(where: Any) -> int | None:
    """The id of the site that *where* is or belongs to; None when it belongs to none, or is not stored."""
    if where is None or isinstance(where, int):
        return where
    if isinstance(where, Site):
        return where.pk
    try:
        if hasattr(where, "owner_site_id"):
            owner: int | None = where.owner_site_id
            return owner
    except ObjectDoesNotExist:  # a row as it was, whose host or group is gone, or not chosen yet
        return None
    return getattr(where, "site_id", None)


def granted_to(user: Any) -> Granted:
    """What *user*'s grants give, by site. Looked up once for each user object, which lives as long as a request."""
    if not hasattr(user, "_granted_by_site"):
        rows = Grant.objects.filter(user=user.pk).order_by().values_list("site", "level") if user.pk else ()
        user._granted_by_site = {
            site: permissions_of(level) - (ONLY_EVERYWHERE if site else frozenset()) for site, level in rows
        }
    found: Granted = user._granted_by_site
    return found


class SiteGrants(ModelBackend):
    """Django's backend, and grants. Passwords are Django's."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active:
            return False
        if user_obj.is_superuser or _DJANGO.has_perm(user_obj, perm):
            return True
        granted = granted_to(user_obj)
        if obj is None:
            return any(perm in found for found in granted.values())
        return perm in granted.get(None, frozenset()) or perm in granted.get(site_of(obj), frozenset())

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if user_obj.is_superuser or _DJANGO.has_module_perms(user_obj, app_label):
            return True
        found = granted_to(user_obj).values() if user_obj.is_active else ()
        return any(name.startswith(f"{app_label}.") for names in found for name in names)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        found: set[str] = _DJANGO.get_all_permissions(user_obj)
        if not user_obj.is_active or user_obj.is_anonymous:
            return set()
        granted = granted_to(user_obj)
        sites = [None, site_of(obj)] if obj is not None else list(granted)
        return found.union(*(granted.get(site, frozenset()) for site in sites))
