"""The browser: every noun listed, found, and edited through the door. One module per family of nouns."""

from django.contrib import admin

from inventory.admin import (
    access,
    consumers,
    dashboard,
    explained,
    groups,
    hosts,
    interfaces,
    log,
    overrides,
    renderings,
    segments,
    services,
    sites,
)

#: pages that belong to no model; unfold's site asks for them when it builds its addresses
admin.site.extra_urls = lambda: [*dashboard.urls(), *explained.urls()]  # type: ignore[attr-defined]

__all__ = [
    "access",
    "consumers",
    "dashboard",
    "explained",
    "groups",
    "hosts",
    "interfaces",
    "log",
    "overrides",
    "renderings",
    "segments",
    "services",
    "sites",
]
