"""What templates show of unlocked secrets: names and times."""

from __future__ import annotations

from typing import Any

from django import template

from provisioning.unlocks import unlocked

register = template.Library()


@register.inclusion_tag("admin/provisioning/_unlocked_banner.html", takes_context=True)
def unlocked_banner(context: dict[str, Any]) -> dict[str, Any]:
    """One line on every page while something is unlocked; for who may lock it."""
    request = context.get("request")
    return {"sites": unlocked.of_person(request) if hasattr(request, "user") else []}


@register.inclusion_tag("admin/provisioning/_unlocked_card.html", takes_context=True)
def unlocked_card(context: dict[str, Any], site: Any = None) -> dict[str, Any]:
    """The same on the first page with what locks it, of *site* or of every site."""
    found = unlocked.of_person(context["request"])
    return {
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
        "sites": [one for one in found if site is None or one.site == site.slug],
    }
