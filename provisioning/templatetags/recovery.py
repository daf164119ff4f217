"""What the first page says of the way back: how old backup and drill are, and what is wrong with them."""

from __future__ import annotations

from typing import Any

from django import template

from inventory.models import Site
from provisioning.backups import ages
from provisioning.clockwork import powered
from provisioning.drills import ages as drills

register = template.Library()

HOUR, DAY = 3600, 86_400


@register.inclusion_tag("admin/provisioning/_recovery_alarms.html", takes_context=True)
def recovery_alarms(context: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with backup and drill, at the top of the first page."""
    sees = context["request"].user.has_perm("provisioning.view_job")
    if not sees or not Site.objects.exists():
        return {}
    said = [drills.silence(), ages.silence()]
    if ages.newest() is None and powered.known() < HOUR:
        said.pop()  # its workers are about to make the first one
    return {"problems": [_sentence(one) for one in said if one]}


@register.inclusion_tag("admin/provisioning/_recovery.html", takes_context=True)
def recovery_line(context: dict[str, Any]) -> dict[str, Any]:
    """For who sees jobs that are of no site."""
    user = context["request"].user
    if not user.has_perm("provisioning.view_job"):
        return {}
    moments = {"backup": ages.newest(), "drill": drills.last_good()}
    return {
        "shown": True,
        **{name: said_of(powered.age(at)) if at else "" for name, at in moments.items()},
    }


def said_of(seconds: float) -> str:
    """Such as “3 hours”, “2 days”."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        if seconds >= 2 * size or (size == 60 and seconds >= size):
            number = int(seconds // size)
            return f"{number} {name}{'s' if number > 1 else ''}"
    return "less than a minute"


def _sentence(said: str) -> str:
    return f"{said[0].upper()}{said[1:]}."
