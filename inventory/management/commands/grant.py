"""manage.py grant: what a person may do at which site."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from inventory import granting
from inventory.levels import LEVELS
from inventory.models import Site
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = (
        "Give a person a level (viewer, operator, administrator) at one site, or at every site; or take it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the name with which the person signs in")
        parser.add_argument(
            "level", choices=LEVELS, nargs="?", help="what the person may do; not with --revoke"
        )
        parser.add_argument(
            "--site", metavar="SLUG", help="where; without: every site, those to come included"
        )
        parser.add_argument("--revoke", action="store_true", help="take the level that the person has there")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["level"]) == options["revoke"]:
            raise CommandError("Give a level (viewer, operator, administrator), or --revoke; one of them.")
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(
                f"There is no user “{options['user']}”; make one in the browser (Users), "
                "or with: manage.py createsuperuser"
            )
        site = Site.objects.filter(slug=options["site"]).first() if options["site"] else None
        if options["site"] and site is None:
            raise CommandError(str(unknown_site(options["site"])))
        try:
            said = (
                granting.revoke(user, site)
                if options["revoke"]
                else granting.grant(user, options["level"], site)
            )
        except granting.Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(said)
