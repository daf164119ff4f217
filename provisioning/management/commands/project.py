"""manage.py project: where playbooks come from, from a shell."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from inventory import reading
from inventory.automating.automation_facts import ProjectFacts
from inventory.models import Project, Site
from inventory.reading import unknown_site
from inventory.snapshot import Snapshot
from provisioning import projects, updating
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed, in_words
from provisioning.projects import trusting
from provisioning.projects.trusting import NotAccepted
from provisioning.secrets import SecretError

FAILED, REFUSED = 1, 2


class Command(BaseCommand):
    help = "List the projects of a site, update one, list its playbooks, accept the host key of its server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="each project with the commit that was taken last")
        update = verbs.add_parser("update", help="take the newest commit: a job, followed to its end")
        update.add_argument("--why", default="", metavar="TEXT", help="the reason, kept with the job")
        books = verbs.add_parser("playbooks", help="its playbooks, told from their text")
        books.add_argument(
            "--last-fetched", action="store_true", help="of what was fetched last; nobody is asked"
        )
        trust = verbs.add_parser("trust", help="show the SSH host key of its server, and accept it")
        trust.add_argument(
            "--fingerprint", default="", metavar="SHA256:…", help="accept it if it is this one"
        )
        trust.add_argument("--yes", action="store_true", help="accept what the server shows, whatever it is")
        for verb in (update, books, trust):
            verb.add_argument("name", metavar="NAME", help="the project, as declared")
        for verb in (listing, update, books, trust):
            verb.add_argument("--site", metavar="SLUG", required=True)
        for verb in (listing, books):
            verb.add_argument("--json", action="store_true", help="as JSON, for other software")

    def handle(self, *args: Any, **options: Any) -> None:
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None:
            raise CommandError(str(unknown_site(options["site"])), returncode=REFUSED)
        if options["verb"] == "list":
            self._list(site, as_json=options["json"])
            return
        snapshot = reading.load(site.slug)
        project = updating.facts_of(snapshot, options["name"])
        if project is None:
            known = ", ".join(one.name for one in snapshot.projects) or "none yet"
            raise CommandError(
                f"Site {site.slug} has no project {options['name']}; there are: {known}.", returncode=REFUSED
            )
        try:
            getattr(self, f"_{options['verb']}")(snapshot, project, options)
        except (AdapterError, JobFailed, SecretError) as fault:
            raise CommandError(in_words(fault), returncode=FAILED) from None

    def _list(self, site: Site, *, as_json: bool) -> None:
        rows = list(Project.objects.filter(site=site).select_related("state").order_by("name"))
        told = [_told(row) for row in rows]
        if as_json:
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
            return
        for one in told:
            taken = f"{one['commit'][:17]} of {one['fetched']}" if one["commit"] else "not taken yet"
            self.stdout.write(f"{one['name']:<24} {one['origin']}: {taken}")
            if one["fault"]:
                self.stdout.write(f"    since {one['failed']}: {one['fault']}")
        if not told:
            self.stderr.write(f"Site {site.slug} declares no project.")

    def _update(self, snapshot: Snapshot, project: ProjectFacts, options: dict[str, Any]) -> None:
        asked = {"site": snapshot.site.slug, "param": [f"project={project.name}"], "why": options["why"]}
        call_command("job", "update_project", wait=True, stdout=self.stdout, stderr=self.stderr, **asked)

    def _playbooks(self, snapshot: Snapshot, project: ProjectFacts, options: dict[str, Any]) -> None:
        obtained = updating.obtain(snapshot, project, last_fetched=options["last_fetched"])
        found = projects.playbooks(obtained)
        if options["json"]:
            self.stdout.write(json.dumps({"commit": obtained.commit, "playbooks": found}, indent=2))
        else:
            self.stdout.write("\n".join(found))
            self.stderr.write(f"{len(found)} playbooks at {obtained.commit}.")

    def _trust(self, snapshot: Snapshot, project: ProjectFacts, options: dict[str, Any]) -> None:
        seen = trusting.look(project, site=snapshot.site.slug, data_dir=Path(settings.DATA_DIR))
        for line in seen.lines():
            self.stdout.write(line)
        if seen.is_accepted:
            self.stdout.write("They are those that were accepted.")
            return
        try:
            trusting.accept(seen, fingerprint=options["fingerprint"] or self._agreed(options))
        except NotAccepted as refusal:
            raise CommandError(str(refusal), returncode=REFUSED) from None
        self.stdout.write(f"Accepted. They lie in {seen.file}.")

    def _agreed(self, options: dict[str, Any]) -> str:
        if options["yes"]:
            return trusting.ANY
        try:
            given = input("Type yes once you have compared a fingerprint with whoever runs the server: ")
        except (EOFError, KeyboardInterrupt):
            given = ""
        return trusting.ANY if given.strip() == "yes" else ""


def _told(row: Project) -> dict[str, Any]:
    state = updating.current(row)
    return {
        "name": row.name,
        "origin": updating.origin_of(row),
        "commit": state.commit if state else "",
        "fetched": f"{state.fetched:%Y-%m-%d %H:%M} UTC" if state and state.fetched else "",
        "failed": f"{state.failed:%Y-%m-%d %H:%M} UTC" if state and state.failed else "",
        "fault": state.fault if state else "",
    }
