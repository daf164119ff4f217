"""The recovery kit of a site, as a job: asked for by a person, a schedule, or because the newest is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.plans import ADD, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


class BuildKit(Kind):
    """Outcome: ``kit`` (its directory), ``files``, ``bytes``, ``warnings``, ``signed_by`` (fingerprint of the key),
    ``delivered`` and ``not_delivered`` (names of places)."""

    name = "build_kit"
    title = "Build the recovery kit of {site}"
    verb = "Build the kit"
    what = (
        "Pages, exports, inventory, application and backup that need nothing but a browser and a text editor."
    )
    queue = LONG
    reads_only = True

    def target_key(self, asked: Asked) -> str:
        return f"kit/{asked.site}"

    def plan(self, asked: Asked) -> Plan:
        from inventory.models import KitPlace

        here = str(settings.KIT_DIR / str(asked.site))
        lines = [Line(ADD, here, "a new kit in place of the one that is there")]
        for place in KitPlace.objects.filter(site=asked.site, enabled=True).order_by("name"):
            lines.append(Line(ADD, place.location, f"a copy, at the place {place.name}"))
        return Plan(tuple(lines))

    def run(self, turn: Turn, plan: Plan) -> None:
        from inventory import reading
        from provisioning.backups.archive import CannotBackUp
        from provisioning.kits import building, delivering, states

        site = turn.asked.site
        if site is None:
            raise JobFailed("A kit is of one site.", "Name it.")
        wheels = settings.WHEELS_DIR if settings.WHEELS_DIR.is_dir() else None
        try:
            made = building.build(site.slug, settings.KIT_DIR, wheels=wheels, step=turn.step)
        except CannotBackUp as error:
            raise JobFailed(str(error)) from None
        states.built(site, made.revision)
        for warning in made.warnings:
            turn.event("warning", warning)
        turn.keep_outcome(
            kit=str(made.folder),
            files=made.files,
            bytes=made.size,
            warnings=len(made.warnings),
            signed_by=made.fingerprint,
        )
        places = reading.load(site.slug).kit_places
        found = delivering.deliver(site.slug, made, places, step=turn.step, check=turn.check)
        states.brought(site, made.revision, found, [place.name for place in places])
        failed = [one for one in found if one.fault]
        for one in failed:
            turn.event("error", f"{one.place}: {one.fault}")
        turn.keep_outcome(
            delivered=[one.place for one in found if not one.fault],
            not_delivered=[one.place for one in failed],
        )
        turn.message = f"{made.folder} has {made.files} files; {made.archive.name} beside it has the same."
        if failed:
            said = "; ".join(f"{one.place} ({one.fault})" for one in failed)
            raise JobFailed(
                f"The kit is built, and did not arrive at {len(failed)} of {len(found)} places: {said}",
                "The next kit is brought there again.",
            )
