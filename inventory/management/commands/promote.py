"""manage.py promote: make this copy of the application the one that writes a site."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.copying import copies, promoting
from inventory.models import Site
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = (
        "Make this copy the live one of a site: from then on it writes, and consumers take nothing of an earlier epoch any "
        "more. Without a site: where each one stands."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("site", nargs="?", metavar="SITE", help="the site's name; it is typed once more")
        parser.add_argument(
            "--typed",
            metavar="SITE",
            help="the site's name once more, instead of typing it: for scripts",
        )
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, kept in history")
        parser.add_argument("--by", default="promote", metavar="NAME", help="who asks, kept in history")
        parser.add_argument(
            "--above",
            type=int,
            default=0,
            metavar="EPOCH",
            help="an epoch that a consumer refuses to go below, where this copy does not know of it",
        )

    def handle(self, *args: Any, site: str | None, **options: Any) -> None:
        if site is None:
            if options["why"] or options["typed"] is not None or options["above"]:
                raise CommandError(
                    'Nothing was promoted: no site was named. Name it: manage.py promote SITE --why "…"; without any option '
                    "each site is told where it stands."
                )
            self._tell()
            return
        if not options["why"].strip():
            raise CommandError(
                f'Say why this copy is to be the live one; people will ask: manage.py promote {site} --why "…".'
            )
        row = Site.objects.filter(slug=site).first()
        if row is None:
            raise CommandError(str(unknown_site(site)))
        (standing,) = copies.standings(Site.objects.filter(pk=row.pk))
        self.stderr.write(standing.trouble or f"Site {site} is live in this copy already.")
        epoch = max(copies.next_epoch(row), options["above"] + 1)
        self.stderr.write(
            f"Promoting it begins epoch {epoch}. The copy that was live is refused by every consumer from then on: see that "
            "it is off, or that nobody works with it."
        )
        try:
            done = promoting.promote(
                row,
                typed=options["typed"] if options["typed"] is not None else self._type(site),
                by=options["by"],
                why=options["why"],
                shown=epoch,
                above=options["above"],
            )
        except promoting.NotPromoted as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(f"This copy is live for {site}: epoch {done.epoch}, revision {done.revision}.")

    def _type(self, site: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError(f"Type the site's name once more: --typed {site}.")
        try:
            return input("Type the site's name to promote it: ")
        except EOFError:
            raise CommandError("Nothing was promoted: the site's name was not typed.") from None

    def _tell(self) -> None:
        found = copies.standings(Site.objects.all())
        if not found:
            self.stdout.write("There is no site yet.")
        for one in found:
            state = "live" if one.is_live else "read-only"
            self.stdout.write(f"{one.slug}  {state}  epoch {one.epoch}")
            if one.trouble:
                self.stdout.write(f"    {one.trouble}")
