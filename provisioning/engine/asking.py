"""Who asks, whether they may, and how they are told that nothing was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import PermissionDenied

from inventory.models import Site
from inventory.permissions import may, sites_where
from provisioning.models import Job
from provisioning.plans import Plan


class Refused(Exception):
    """Nothing was done; the message says why. ``fields`` names what is wrong in the parameters, ``plan`` is a new one."""

    def __init__(
        self,
        message: str,
        *,
        fields: Mapping[str, list[str]] | None = None,
        plan: Plan | None = None,
        job: Job | None = None,
    ) -> None:
        super().__init__(message)
        self.fields, self.plan, self.job = dict(fields or {}), plan, job


def person(by: Any) -> dict[str, Any]:
    """The columns that say who it is: ``by``, ``by_name``."""
    if isinstance(by, AbstractBaseUser):
        return {"by": by if isinstance(by, User) else None, "by_name": by.get_username()}
    return {"by": None, "by_name": str(by or "")}


def allowed(by: Any, permission: str, site: Site | None) -> bool:
    """Whether *by* has *permission* at *site*, or at every site; who has only a name was let in by whoever gave it."""
    if not isinstance(by, AbstractBaseUser):
        return True
    return may(by, permission, site) if site is not None else sites_where(by, permission) is None


def require(by: Any, permission: str, site: Site | None) -> None:
    """Raise PermissionDenied unless the user *by* has *permission* at *site*; without one, at every site."""
    if not allowed(by, permission, site):
        where = f"site {site}" if site is not None else "every site"
        raise PermissionDenied(f"This needs the permission {permission} at {where}.")
