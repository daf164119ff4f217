"""What templates ask about the copy of the application that they are shown by."""

from __future__ import annotations

from typing import Any

from django import template

from inventory.copying import copies
from inventory.permissions import may, visible_sites

register = template.Library()


@register.inclusion_tag("admin/inventory/_copy_banner.html", takes_context=True)
def copy_banner(context: dict[str, Any]) -> dict[str, Any]:
    """A warning on every page: which of this person's sites are read-only here, and why. One query where none is."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return {"troubles": []}
    found = copies.troubles(visible_sites(user))
    return {"troubles": [(one, may(user, "inventory.promote_site", one.site_id)) for one in found]}
