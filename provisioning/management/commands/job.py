"""manage.py job: what an admin's action does, from a shell."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.management.person import account_name
from inventory.models import Host, Site
from inventory.reading import unknown_site
from provisioning import kinds, requests, states
from provisioning.engine import workers
from provisioning.management import run_options
from provisioning.management.following import Follower
from provisioning.management.secret_asking import Secrets
from provisioning.models import Job
from provisioning.plans import Plan
from provisioning.requests import Refused

#: seconds between two looks at a job that is waited for
LOOK_EVERY = 0.3
REFUSED = 2
#: as a shell says of what Ctrl-C ended
INTERRUPTED = 130

EXIT_CODES = (
    "Exit code: 0 succeeded (or asked for), 1 failed or lost, 2 refused, 3 waits for a person, 4 cancelled. "
    "A run of a playbook that came to its end: ansible-playbook's own."
)


class Command(BaseCommand):
    help = f"Ask for a job, and with --wait follow it. Without KIND, list the kinds. {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", metavar="KIND")
        parser.add_argument(
            "--site", metavar="SLUG", help="not needed where only one site has the host of --host"
        )
        parser.add_argument("--host", metavar="NAME", help="the same as --param host=NAME")
        parser.add_argument("--to", metavar="VALUE", help="the same as --param to=VALUE")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--why", default="", metavar="TEXT", help="the reason, kept with the job")
        parser.add_argument("--by", default=None, metavar="NAME", help="who asks, kept with the job")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--plan", action="store_true", help="show what it would do, and do nothing")
        what.add_argument("--wait", action="store_true", help="follow it to its end")
        parser.add_argument("--yes", action="store_true", help="confirm the plan as it is shown here")
        parser.add_argument("--json", action="store_true", help="print the plan, or the job, as JSON")
        run_options.add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] is None:
            self.stdout.write("\n".join(_listed()))
            return
        options["kind"] = kinds.meant(options["kind"])
        by = options["by"] or account_name("job")
        parameters = _parameters(options) | run_options.parameters(options)
        site = _site(options, parameters.get("host"))
        given: dict[str, Any] = {"site": site, "parameters": parameters, "by": by}
        try:
            if options["plan"]:
                self._show(requests.show_plan(options["kind"], **given), options)
                return
            job = self._ask(options, given)
        except Refused as refusal:
            if refusal.plan is not None and refusal.plan.lines:  # of one without lines the refusal says all
                self.stderr.write("\n".join(_told(replace(refusal.plan, problems=()))))
            raise CommandError(str(refusal), returncode=REFUSED) from None
        if silence := _silence(job):
            self.stderr.write(silence)
        if options["wait"]:
            self._follow(job, options)
        self._end(job, options)

    def _ask(self, options: dict[str, Any], given: dict[str, Any]) -> Job:
        """Make the job. With --yes exactly the plan that is shown here is confirmed; of another the refusal tells."""
        plan = None
        kind = kinds.find(options["kind"])
        if options["yes"] and kind is not None and kind.plans_on_request:
            plan = requests.show_plan(options["kind"], **given)
        confirmed = plan.fingerprint if plan is not None else ""
        job = requests.request(options["kind"], **given, why=options["why"], confirmed=confirmed)
        if plan is not None and not options["json"]:
            self.stdout.write("\n".join(_told(plan)))
        return job

    def _show(self, plan: Plan, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({**plan.as_dict(), "fingerprint": plan.fingerprint}, indent=2))
        else:
            self.stdout.write("\n".join(_told(plan)))
            self.stderr.write("Nothing was done.")
        if plan.problems:
            raise SystemExit(REFUSED)

    def _follow(self, job: Job, options: dict[str, Any]) -> None:
        """Print what the job says until it is finished or waits for a person who is not here."""
        coloured = self.stdout.isatty() and not options["no_color"]
        follower = Follower(job, self.stdout, coloured=coloured, quiet=options["json"])
        secrets = Secrets(options["by"] or account_name("job"), options["secret_stdin"])
        try:
            while not follower.look():
                if (
                    job.state == states.WAITING
                    and job.waiting_for != states.PART
                    and not (self._confirm_late(job, options) or secrets.given(job))
                ):
                    return
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            self.stderr.write(f"\nJob {job.pk} goes on without this shell; its page has it, and cancels it.")
            raise SystemExit(INTERRUPTED) from None
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=REFUSED) from None

    def _confirm_late(self, job: Job, options: dict[str, Any]) -> bool:
        """--yes confirms the first plan of a job that plans late; never one that moved after it was confirmed."""
        late = options["yes"] and job.waiting_for == states.CONFIRMATION and job.confirmed_at is None
        if not late or job.planned is None:
            return False
        if not options["json"]:
            self.stdout.write("\n".join(_told(job.planned)))
        requests.confirm(job, job.fingerprint, by=options["by"] or account_name("job"))
        return True

    def _end(self, job: Job, options: dict[str, Any]) -> None:
        job.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(job.as_dict(), indent=2, ensure_ascii=False))
        elif job.state == states.WAITING and job.waiting_for == states.UNLOCK:
            needs = ", ".join(need.said for need in job.needed)
            self.stderr.write(
                f"Job {job.pk} needs unlock: {needs}. Enter it on its page, or with --wait here."
            )
        elif job.state == states.WAITING and job.waiting_for == states.PART:
            self.stderr.write(f"Job {job.pk} waits for its part, a job of its own; it goes on by itself.")
        elif job.state == states.WAITING:
            self.stdout.write("\n".join(_told(job.planned or Plan())))
            self.stderr.write(
                f"Job {job.pk} waits for {job.waiting_for}: on its page, or with --yes from the start."
            )
        else:
            self.stderr.write(
                f"Job {job.pk} {'is ' if job.is_active else ''}{job.state}. {job.message}".rstrip()
            )
        if code := _exit_code(job):
            raise SystemExit(code)


def _exit_code(job: Job) -> int:
    kind = kinds.find(job.kind)
    own = kind.exit_code(job) if kind is not None else None
    return states.EXIT_CODES.get(job.state, 0) if own is None else own


def _listed() -> list[str]:
    """The kinds, each with the short name that stands for it."""
    said = []
    for kind in kinds.all_kinds():
        short = kind.name.partition("_")[0]
        also = f" ({short})" if short != kind.name and kinds.meant(short) == kind.name else ""
        said.append(f"{kind.name + also:<30} {kind.what}")
    return said


def _site(options: dict[str, Any], host: str | None) -> Site | None:
    slug = options["site"]
    if slug is None:
        return run_options.site_of(options) or _site_of_host(options["kind"], host)
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise CommandError(str(unknown_site(slug)), returncode=REFUSED)
    return site


def _site_of_host(kind_name: str, host: str | None) -> Site | None:
    """The only site that has *host*; None where the kind belongs to no site, or none is asked for."""
    kind = kinds.find(kind_name)
    if not host or kind is None or not kind.of_site:
        return None
    found = list(Site.objects.filter(pk__in=Host.objects.filter(name=host).values("site")).order_by("slug"))
    if len(found) > 1:
        named = ", ".join(site.slug for site in found)
        raise CommandError(
            f"Several sites have a host {host}: {named}. Name one with --site.", returncode=REFUSED
        )
    if not found:
        raise CommandError(
            f"No site has a host {host}. Declare it first, or look how it is written.", returncode=REFUSED
        )
    return found[0]


def _parameters(options: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in options["param"]:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"--param {text}: write it as NAME=VALUE.", returncode=REFUSED)
        found[name] = value
    return found | {name: options[name] for name in ("host", "to") if options[name] is not None}


def _silence(job: Job) -> str:
    """Said where the job would wait for a worker that nobody has heard."""
    return workers.unheard(job.queue) if job.state == states.QUEUED else ""


def _told(plan: Plan) -> list[str]:
    said = [f"Problem: {one}" for one in plan.problems] + [f"Warning: {one}" for one in plan.warnings]
    return [f"Plan: {plan.summary}.", *said, *(f"  {line}" for line in plan.lines)]
