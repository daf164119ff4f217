"""The user groups viewer, operator and administrator: kept by ``manage.py migrate`` as the table of levels says."""

from __future__ import annotations

from typing import Any

from inventory.levels import LEVELS, permissions_of


def keep(using: str = "default", **_: Any) -> None:
    """Make the three groups, and bring them to the table. What other groups may is left alone."""
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for level in LEVELS:
        group, _made = Group.objects.using(using).get_or_create(name=level)
        group.permissions.set([known[name] for name in sorted(permissions_of(level)) if name in known])
