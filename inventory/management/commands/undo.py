"""manage.py undo: put back what changes wrote, as a new change. A plan, unless told to apply it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.models import Change, Site
from inventory.reading import unknown_site
from inventory.undoing import telling
from inventory.undoing.undo import NOTHING_LEFT, Refused, of_request, preview, since, undo


class Command(BaseCommand):
    help = "Undo a revision of a site; without --apply, show what that would put back and what stands in the way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("revision", type=int, metavar="REVISION")
        parser.add_argument("--site", required=True, metavar="SLUG")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--since", action="store_true", help="everything after REVISION, as one change")
        which.add_argument(
            "--request", action="store_true", help="with all changes of the request that made REVISION"
        )
        parser.add_argument(
            "--why", default="", metavar="TEXT", help="the reason, kept in history; needed to apply"
        )
        parser.add_argument("--by", default="undo", metavar="NAME", help="who asks, kept in history")
        parser.add_argument("--apply", action="store_true")

    def handle(self, *args: Any, revision: int, **options: Any) -> None:
        changes = _changes(options["site"], revision, options)
        possible = True
        expected: dict[int, str] = {}
        for site in Site.objects.filter(pk__in={one.site_id for one in changes}).order_by("slug"):
            found = preview(site, changes, tried=True)
            self.stdout.write("\n".join(telling.lines(found)))
            possible = possible and not found.refusals
            expected[site.pk] = found.fingerprint
        if not possible:
            raise CommandError("It cannot be undone as it is; nothing was changed.")
        if not options["apply"]:
            self.stderr.write("Nothing was changed; --apply does it.")
            return
        try:
            made = undo(changes, by=options["by"], why=options["why"], expected=expected)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        for one in made:
            self.stderr.write(f"Undone: revision {one.revision} of {one.site_slug}.")


def _changes(slug: str, revision: int, options: dict[str, Any]) -> list[Change]:
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise CommandError(str(unknown_site(slug)))
    if options["since"]:
        changes = since(site, revision)
        if not changes:
            raise CommandError(f"Nothing changed at {slug} since revision {revision}. {NOTHING_LEFT}")
        return changes
    one = Change.objects.filter(site=site, revision=revision).first()
    if one is None:
        raise CommandError(f"Site {slug} has no revision {revision}; the newest is {site.revision}.")
    return of_request(one) if options["request"] else [one]
