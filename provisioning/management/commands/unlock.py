"""manage.py unlock: enter a secret that jobs of a site wait for, see what is unlocked, lock it again."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inventory import reading
from inventory.management.person import account_name
from inventory.models import Site
from inventory.reading import unknown_site
from provisioning import requests
from provisioning.engine.asking import Refused
from provisioning.keeper import client
from provisioning.keeper.client import KeeperAway, KeeperRefused, of_site
from provisioning.unlocks.unlocked import seconds_left
from provisioning.unlocks.wanted import wanted

REFUSED = 2
MINUTES = 60


class Command(BaseCommand):
    help = (
        "Hold a secret in memory for a while, as unlock:NAME of a site: typed without being shown, or read from standard "
        "input, as a private key is. Exit code: 0 done, 2 refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="such as vault")
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument(
            "--minutes", type=int, default=0, metavar="N", help="60, or what UNLOCK_MINUTES_MOST allows"
        )
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--list", action="store_true", help="what is asked for, and what is unlocked")
        does.add_argument("--lock", action="store_true", help="forget NAME; without one, all of the site")

    def handle(self, *args: Any, name: str, site: str, minutes: int, **options: Any) -> None:
        found = Site.objects.filter(slug=site).first()
        if found is None:
            raise CommandError(str(unknown_site(site)), returncode=REFUSED)
        try:
            if options["list"]:
                self._list(found)
            elif options["lock"]:
                self._lock(found, name)
            elif name:
                self._unlock(found, name, minutes or min(MINUTES, settings.UNLOCK_MINUTES_MOST))
            else:
                raise CommandError("Name what to unlock, such as vault; --list shows the names.")
        except (Refused, KeeperAway, KeeperRefused) as reason:
            raise CommandError(str(reason), returncode=REFUSED) from None

    def _unlock(self, site: Site, name: str, minutes: int) -> None:
        done = requests.unlock(site, name, _entered(name), minutes=minutes, by=_person())
        until = timezone.localtime(done.until)
        self.stderr.write(f"{name} of {site} is unlocked until {until:%Y-%m-%d %H:%M %Z}.")
        for job in done.jobs:
            self.stdout.write(f"job {job} goes on")

    def _lock(self, site: Site, name: str) -> None:
        names = requests.lock(site, name or None, by=_person())
        self.stderr.write(f"Locked: {', '.join(names)}." if names else "It was locked already.")

    def _list(self, site: Site) -> None:
        """The names on lines of their own; no values."""
        asked = {one.name: ", ".join(one.places) for one in wanted(reading.load(site.slug))}
        held = {one.name: one for one in client.held(of_site(site.slug))}
        for name in sorted({*asked, *held}):
            one = held.get(name)
            state = f"unlocked by {one.by}, {seconds_left(one)} s left" if one else "locked"
            places = f"; asked for by {asked[name]}" if name in asked else ""
            self.stdout.write(f"{name}: {state}{places}")


def _entered(name: str) -> str:
    """From the terminal without being shown, else all of standard input."""
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            return getpass.getpass(f"{name} (not shown): ")
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Nothing was entered.", returncode=REFUSED) from None
    try:
        return sys.stdin.read() if sys.stdin is not None else ""
    except UnicodeDecodeError:
        raise CommandError("Standard input is no text.", returncode=REFUSED) from None


def _person() -> str:
    return account_name("manage.py unlock")
