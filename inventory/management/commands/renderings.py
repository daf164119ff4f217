"""manage.py renderings: what was rendered for whom, and what lies between any two."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils.timezone import localtime

from inventory import reading
from inventory.exports.registry import UnknownFormat, get_export
from inventory.models import Rendering
from inventory.serving.comparison import CannotCompare, compare
from inventory.serving.renderings import variant_of


class Command(BaseCommand):
    help = (
        "List the kept renderings of a site, newest first; with --diff what lies between two of one format: "
        "two revisions, one revision and the newest, or, without any, the newest and the one before it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", nargs="?", help="see: manage.py exports")
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument(
            "--authority", choices=("gateway", "bootstrap"), help="the rendering made for this one"
        )
        parser.add_argument(
            "--diff",
            nargs="*",
            type=int,
            metavar="REVISION",
            help="compare instead of listing; at most two revisions",
        )

    def handle(self, *args: Any, site: str, format: str | None, **options: Any) -> None:
        try:
            rows = Rendering.objects.filter(site=reading.current(site).site_id).select_related("site")
            if format:
                rows = rows.filter(format=get_export(format).name, variant=variant_of(options["authority"]))
        except (reading.UnknownSite, UnknownFormat) as error:
            raise CommandError(str(error)) from None
        rows = rows.order_by("format", "variant", "-revision")
        if options["diff"] is None:
            self._list(rows)
        elif not format:
            raise CommandError(
                "Name the format to compare, as in: manage.py renderings kea --site SLUG --diff"
            )
        else:
            self._diff(rows, options["diff"])

    def _list(self, rows: QuerySet[Rendering]) -> None:
        for row in rows:
            made_for = f" {row.variant}" if row.variant else ""
            marks = "".join(
                f", {what} {localtime(at):%Y-%m-%d %H:%M}"
                for what, at in (("fetched", row.fetched), ("applied", row.applied))
                if at
            )
            self.stdout.write(
                f"{row.format}{made_for} revision {row.revision}: {localtime(row.created):%Y-%m-%d %H:%M}, "
                f"{row.size} bytes, sha256 {row.sha256[:12]}{marks}"
            )
        self.stderr.write(f"renderings: {len(rows)}")

    def _diff(self, rows: QuerySet[Rendering], revisions: list[int]) -> None:
        old, new = self._two(list(rows), revisions)
        try:
            changes = compare(old, new)
        except CannotCompare as error:
            raise CommandError(str(error)) from None
        for change in changes:
            self.stdout.write(f"--- {change.path} revision {old.revision}")
            self.stdout.write(f"+++ {change.path} revision {new.revision}")
            self.stdout.write("\n".join(change.lines))
        if not changes:
            self.stderr.write(f"Revisions {old.revision} and {new.revision} are the same, byte by byte.")

    def _two(self, rows: list[Rendering], revisions: list[int]) -> tuple[Rendering, Rendering]:
        if len(revisions) > 2:
            raise CommandError("Two revisions can be compared, not more.")
        if not rows:
            raise CommandError("Nothing of this format was rendered yet; fetch or export it over HTTP first.")
        known = {row.revision: row for row in rows}
        for revision in revisions:
            if revision not in known:
                there = ", ".join(map(str, sorted(known)))
                raise CommandError(f"There is no rendering of revision {revision}. There are: {there}.")
        if len(revisions) == 2:
            return known[revisions[0]], known[revisions[1]]
        if revisions:
            return known[revisions[0]], rows[0]
        return before(rows[0], rows), rows[0]


def before(row: Rendering, rows: list[Rendering]) -> Rendering:
    """The newest of *rows*, newest first, that is older than *row* and says something else; *row* when none is."""
    return next((one for one in rows if one.revision < row.revision and one.sha256 != row.sha256), row)
