"""What the page of a host has besides its form: the preview, next free values, what points at it, its latest changes."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from inventory.admin import preview
from inventory.models import Site


class HostPage:
    """For the ModelAdmin of hosts."""

    change_form_outer_before_template = "admin/inventory/host/before.html"
    change_form_outer_after_template = "admin/inventory/host/after.html"

    class Media:
        css = {"all": ["inventory/host.css"]}
        js = ["inventory/host.js"]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        site_id = getattr(request, "declared_site_id", None)
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)  # type: ignore[attr-defined]
        slug = Site.objects.filter(pk=site_id).values_list("slug", flat=True).first() if site_id else None
        if slug:
            context |= {
                "preview_at": preview.address_for(obj, slug, may_edit=bool(may_edit)),
                "propose_at": reverse("admin:propose_value", args=(slug,)) if may_edit else "",
                "may_edit": bool(may_edit),
                "here_slug": slug,
            }
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
