"""The people of the permission matrix, and what is to be expected of each: from the table of levels alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.test import Client

from inventory.levels import LEVELS, ONLY_EVERYWHERE, permissions_of
from inventory.models import Site
from tests.access.two_sites import person, signed_in


@dataclass(frozen=True)
class Kind:
    """Somebody of one level at one site (ours, theirs), at all, by a user group; or without any."""

    name: str
    level: str = ""
    at: str = ""

    def come(self, sites: dict[str, Site]) -> Client:
        if self.name == "anonymous":
            return Client()
        if self.name == "superuser":
            return signed_in(person(self.name, is_superuser=True))
        grants = [(sites.get(self.at), self.level)] if self.at in ("ours", "theirs", "all") else []
        user = person(self.name, *grants)
        if self.at == "group":
            user.groups.add(Group.objects.get(name=self.level))
        return signed_in(user)

    def may(self, permission: str, at: str | None) -> bool:
        """Whether this person may, at site *at* (ours); None: at whichever site."""
        if self.name == "superuser":
            return True
        granted = permissions_of(self.level)
        if self.at in ("ours", "theirs"):
            granted -= ONLY_EVERYWHERE
        return permission in granted and (at is None or self.at in (at, "all", "group"))


KINDS = [
    Kind("anonymous"),
    Kind("nobody"),
    *(Kind(f"{level}-{at}", level, at) for level in LEVELS for at in ("ours", "theirs", "all")),
    Kind("operator-group", "operator", "group"),
    Kind("superuser"),
]
