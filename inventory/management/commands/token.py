"""manage.py token: who may read from outside."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from inventory.exports.registry import UnknownFormat, get_export
from inventory.models import Site, Token
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = "Make, list and revoke the tokens with which other software reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{create,list,revoke}")
        create = actions.add_parser("create", help="make a token and print it, once")
        create.add_argument("name", help="who will use it: ansible-control, kea-01")
        create.add_argument("--site", metavar="SLUG", help="the only site it may read; without: every site")
        create.add_argument(
            "--format",
            metavar="F",
            action="extend",
            nargs="+",
            default=[],
            help="the only formats it may read; without: every format",
        )
        create.add_argument(
            "--scope", choices=Token.SCOPES, default="read", help="each includes the ones before"
        )
        create.add_argument(
            "--expires", metavar="DATE", help="2027-01-31 (as that day begins), or a date and time"
        )
        actions.add_parser("list", help="the tokens, without their secrets")
        revoke = actions.add_parser("revoke", help="delete a token: it stops working at once")
        revoke.add_argument("name")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[action](options)

    def _create(self, options: dict[str, Any]) -> None:
        formats: Any = _formats(options["format"])
        token = Token(
            name=_free_name(options["name"]),
            site=_site(options["site"]),
            formats=formats,
            scope=options["scope"],
            expires=_expiry(options["expires"]),
        )
        plain = token.issue()
        token.save()
        self.stderr.write(
            f"Token “{token}” {_may(token)}. It is shown this once; keep it where its user reads it."
        )
        self.stdout.write(plain)

    def _list(self, options: dict[str, Any]) -> None:
        for token in Token.objects.select_related("site"):
            used = f"last used {token.last_used:%Y-%m-%d %H:%M}" if token.last_used else "never used"
            expired = " (expired)" if token.is_expired else ""
            self.stdout.write(f"{token}: {_may(token)}{expired}; {used}")

    def _revoke(self, options: dict[str, Any]) -> None:
        token = Token.objects.filter(name=options["name"]).first()
        if token is None:
            names = ", ".join(Token.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no token “{options['name']}”. Tokens: {names}.")
        token.delete()
        self.stderr.write(f"Token “{options['name']}” is revoked.")


def _free_name(name: str) -> str:
    if not name.strip() or len(name) > 100:
        raise CommandError("A token's name has 1 to 100 characters; say who will use it.")
    if Token.objects.filter(name=name).exists():
        raise CommandError(
            f"There is a token “{name}” already; choose another name, or revoke that one first."
        )
    return name


def _site(slug: str | None) -> Site | None:
    if slug is None:
        return None
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise CommandError(str(unknown_site(slug)))
    return site


def _formats(names: list[str]) -> list[str]:
    for name in names:
        try:
            get_export(name)
        except UnknownFormat as error:
            raise CommandError(str(error)) from None
    return sorted(set(names))


def _expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day: date | None = parse_datetime(text) or parse_date(text)
    except ValueError:  # well formed, and no such day
        day = None
    if day is None:
        raise CommandError(f"--expires {text} is no date; give one such as 2027-01-31 or 2027-01-31T18:00.")
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)  # noqa: DTZ001
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    if moment <= timezone.now():
        raise CommandError(f"--expires {text} is in the past; give a date to come.")
    return moment


def _may(token: Token) -> str:
    reads = f"may {token.scope} {', '.join(token.formats) or 'every format'} of {token.site or 'every site'}"
    return f"{reads} until {token.expires:%Y-%m-%d %H:%M %Z}" if token.expires else f"{reads} without end"
