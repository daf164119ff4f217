"""In which order a site is shut down and powered up, and the scripts that do it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from inventory import reading
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import require
from inventory.models import Host, Site
from inventory.recovery.power import Move, Stage, power_up, shutdown

PER_STAGE = 200
DOWN = {
    "ssh": "asked by ssh to shut down",
    "hypervisor": "shut down by its hypervisor",
    "with": "goes with its hypervisor",
    "hand": "by hand",
}
UP = {
    "wake": "Wake-on-LAN",
    "hypervisor": "started on its hypervisor",
    "with": "comes with its hypervisor",
    "hand": "by hand",
    "left": "left out",
}


@page("pictures/power/<str:site>/", permission="inventory.view_host")
def power_order(request: HttpRequest, site: Site) -> HttpResponse:
    """Both plans, stage by stage."""
    require(request, site, "inventory.view_segment")
    snapshot = reading.load(site.slug)
    pks = dict(Host.objects.filter(site=site).order_by().values_list("name", "pk"))
    plans = [
        ("Shutting down", "shutdown.sh", _told(shutdown(snapshot), DOWN, pks)),
        ("Powering up", "power-up.sh", _told(power_up(snapshot), UP, pks)),
    ]
    return shown(request, "pictures/power.html", f"Shutdown and power-up of {site}", site=site, plans=plans)


def _told(
    stages: tuple[Stage, ...], words: dict[str, str], pks: dict[str, int]
) -> list[tuple[int, list[tuple[Move, int | None, str]], int]]:
    """For each stage its number, its moves with how they are said, and how many more there are."""
    return [
        (
            stage.number,
            [(move, pks.get(move.host), _said(move, words)) for move in stage.moves[:PER_STAGE]],
            max(len(stage.moves) - PER_STAGE, 0),
        )
        for stage in stages
    ]


def _said(move: Move, words: dict[str, str]) -> str:
    by = f", {move.by}" if move.by else ""
    through = f" from {move.through.removesuffix('.ip')}" if move.how == "wake" and move.through else ""
    return f"{words[move.how]}{through}{by}"
