"""manage.py reidentify: another MAC for an interface whose MAC was assigned. A plan, unless told to apply it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from inventory.allocation import Refused, reidentifying, seeing
from inventory.management import surveyed
from inventory.models import Interface, Site
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = "Give an interface the next assigned MAC; without --apply, show what that would change and leave behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("interface", metavar="HOST/INTERFACE")
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument("--why", required=True, metavar="TEXT", help="the reason, kept in history")
        parser.add_argument("--by", default="reidentify", metavar="NAME", help="who asks, kept in history")
        parser.add_argument("--apply", action="store_true")
        surveyed.add_argument(parser)

    def handle(self, *args: Any, interface: str, **options: Any) -> None:
        row = _interface(options["site"], interface)
        try:
            known = surveyed.vmids(options["surveyed"])
            plan = reidentifying.plan(row, surveyed=known)
            self._show(plan)
            if _unasked(row, known) and any(move.what == "VMID" for move in plan.moves):
                self.stderr.write(surveyed.NOT_ASKED)
            if not options["apply"]:
                self.stderr.write("Nothing was changed; --apply does it.")
                return
            reidentifying.reidentify(
                row,
                by=options["by"],
                why=options["why"],
                source="reidentify",
                expected=plan.new_mac,
                surveyed=known,
            )
        except ValidationError as refusal:
            raise CommandError("\n".join(refusal.messages)) from None
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stderr.write(f"{row} has {plan.new_mac} now; the old values are in quarantine.")

    def _show(self, plan: reidentifying.Plan) -> None:
        for move in plan.moves:
            self.stdout.write(str(move))
        if plan.places:
            self.stdout.write(f"named elsewhere, where it stays as it is: {len(plan.places)}")
        else:
            self.stdout.write("named nowhere else here")
        for place in plan.places:
            self.stdout.write(f"    {place}")
        if plan.sealed:
            self.stdout.write(f"sealed, and not looked into: {len(plan.sealed)}")
            for place in plan.sealed:
                self.stdout.write(f"    {place.subject}, {place.where}")


def _unasked(row: Interface, known: frozenset[int] | None) -> bool:
    return not seeing.seen(row.host.site.slug, known).looked


def _interface(slug: str, text: str) -> Interface:
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise CommandError(str(unknown_site(slug)))
    host, _, name = text.partition("/")
    rows = Interface.objects.select_related("host__site", "host__role", "segment").filter(host__site=site)
    found = rows.filter(host__name=host, name=name).first()
    if found is None:
        names = (
            ", ".join(str(row) for row in rows.filter(host__name=host))
            or f"{host} has none, or is not declared"
        )
        raise CommandError(f"There is no interface “{text}” in site {slug}; write HOST/INTERFACE: {names}.")
    return found
