"""manage.py resolve: everything that is known about a name, an address, a MAC or a VMID."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory import knowledge
from inventory.lookup import Answer
from inventory.models import Site
from inventory.reading import unknown_site


class Command(BaseCommand):
    help = (
        "Tells everything known about a name, address, MAC, VMID or VLAN id in any spelling: declared, exported, held, "
        "quarantined, by whom, since when. Exit code 1 when nothing is known."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", metavar="TEXT", help="such as pi01, 10.20.30.11, 02-DE-20-01-00-01, 200")
        parser.add_argument("--site", metavar="SLUG", help="ask this site alone")
        parser.add_argument(
            "--json", action="store_true", help="print the answers as JSON, one for each site asked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sites = Site.objects.all()
        if options["site"]:
            sites = sites.filter(slug=options["site"])
            if not sites:
                raise CommandError(str(unknown_site(options["site"])))
        answers = knowledge.ask(options["text"], sites)
        known = [answer for answer in answers if answer.is_known]
        if options["json"]:
            self.stdout.write(
                json.dumps([answer.as_dict() for answer in answers], indent=2, ensure_ascii=False)
            )
        else:
            for answer in known or answers:
                self.stdout.write("\n".join(told(answer)))
            if not answers:
                self.stdout.write("There is no site yet: import one.")
        if not known:
            raise SystemExit(1)


def told(answer: Answer) -> list[str]:
    """The answer for people, a line a fact."""
    lines = [
        f"{answer.value} ({answer.kind}) at {answer.site}" + ("" if answer.is_known else ": nothing is known")
    ]
    lines += [f"  {sentence}" for sentence in answer.says]
    lines += [f"  declared: {one.subject}: {one.role}" for one in answer.declared]
    for one in answer.claims:
        until = f" until {one.until[:16]}" if one.until else ""
        lines.append(f"  {one.state}: {one.kind} {one.value} of {one.host} since {one.since[:16]}{until}")
    for line in answer.exported:
        lines.append(f"  {line.what}{f' by the {line.authority}' if line.authority else ''}: {line.text}")
    lines += [f"  named in: {place}" for place in answer.references]
    lines += [
        f"  changed: {c.at[:16]} by {c.by or 'nobody'}, revision {c.revision}: {c.why or 'no reason given'}"
        for c in answer.changes
    ]
    if answer.near:
        lines.append(f"  looks alike: {', '.join(answer.near)}")
    return lines
