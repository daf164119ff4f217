"""manage.py free: end a quarantine before its time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory import quarantine
from inventory.addressing import canonical_address
from inventory.identity import canonical_mac
from inventory.models import Identity, Site
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = "Free a MAC, address, VMID or name from quarantine, so that it can be handed out again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["mac", "address", "vmid", "name"])
        parser.add_argument("value")
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument("--why", required=True, metavar="TEXT", help="the reason, kept in history")
        parser.add_argument("--by", default="free", metavar="NAME", help="who asks, kept in history")

    def handle(self, *args: Any, kind: str, value: str, **options: Any) -> None:
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None:
            raise CommandError(str(unknown_site(options["site"])))
        if not options["why"].strip():
            raise CommandError("Say why with --why; freeing is asked about later.")
        try:
            wanted = {"mac": canonical_mac, "address": canonical_address}.get(kind, str.lower)(value)
        except ValueError as error:
            raise CommandError(str(error)) from None
        stored = Identity.Kind.IP if kind == "address" else kind
        rows = list(Identity.objects.active().filter(site=site, kind=stored, value=wanted))
        withheld = [row for row in rows if row.state == Identity.State.QUARANTINED]
        if not withheld:
            raise CommandError(_why_not(kind, wanted, rows))
        quarantine.free(withheld, by=options["by"], why=options["why"], source="free")
        self.stderr.write(f"{wanted}, last {withheld[0].host_name}'s, is free to be used again.")


def _why_not(kind: str, value: str, rows: list[Identity]) -> str:
    holders = [row.host_name for row in rows if row.state == Identity.State.HELD]
    if holders:
        return f"{kind} {value} is not in quarantine: {holders[0]} has it. Retire that host, or take it from there."
    return f"{kind} {value} is not in quarantine; nothing to free."
