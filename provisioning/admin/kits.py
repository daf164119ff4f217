"""The places that recovery kits are brought to, with what became of the newest there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.models import KitPlace
from provisioning.backups.archive import CannotBackUp
from provisioning.kits import signing
from provisioning.models import KitState


@admin.register(KitPlace)
class KitPlaceAdmin(DoorAdmin):
    list_display = ["name", "site", "kind", "location", "delivered", "enabled"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, ("kind", ChoicesDropdownFilter), ("enabled", BooleanRadioFilter)]
    search_fields = ["name", "location"]
    search_help_text = "Name or location"
    ordering = ["site__slug", "name"]
    list_before_template = "admin/provisioning/kit_places_before.html"
    fieldsets = [
        (None, {"fields": ["site", "name", "kind", "location", "enabled", "why"]}),
        ("A git repository", {"fields": ["private"]}),
        ("Over SSH", {"fields": ["host_key", "key"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        states = KitState.objects.filter(site=OuterRef("site"), place=OuterRef("name"))
        columns = {
            f"state_{name}": Subquery(states.values(name)[:1]) for name in ("arrived", "tried", "fault")
        }
        return super().get_queryset(request).annotate(**columns)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        extra = {"fingerprint": _fingerprint(), "kit_dir": settings.KIT_DIR}
        return super().changelist_view(request, {**(extra_context or {}), **extra})

    @display(description="newest kit there")
    def delivered(self, place: Any) -> str:
        at = f"{timezone.localtime(place.state_arrived):%Y-%m-%d %H:%M}" if place.state_arrived else "never"
        return f"{at}; then: {place.state_fault}" if place.state_fault else at


def _fingerprint() -> str:
    """Of the key that signs kits here; empty where there is none yet. A page makes none."""
    try:
        found = signing.signer(make=False)
    except CannotBackUp:
        return ""
    return found.fingerprint if found else ""
