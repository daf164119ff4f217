"""manage.py hypervisor rehearse: try everything on a real node, with a machine that is thrown away."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory import reading
from inventory.models import Site
from inventory.reading import unknown_site
from inventory.snapshot import Snapshot
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed, in_words
from provisioning.engine.moments import database_now
from provisioning.rehearsing.rehearsal import Impossible, Rehearsal, prepare
from provisioning.rehearsing.stage import Stage
from provisioning.rehearsing.transcript import FORMAT, Transcript, names_of

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit code: 0 all of it went well and nothing is left, 1 something failed, 2 refused, 130 interrupted."
)


class Command(BaseCommand):
    help = f"Try a hypervisor out: rehearse creating, backing up, restoring and destroying. {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        one = verbs.add_parser("rehearse", help="make a throwaway machine, and destroy it again")
        one.add_argument("name", metavar="NAME", help="the hypervisor, as declared")
        one.add_argument("--site", metavar="SLUG", required=True)
        one.add_argument("--vmid", type=int, metavar="N", help="default: the lowest free one from 990000 on")
        one.add_argument(
            "--template",
            default="",
            metavar="T",
            help="how its name begins; default: what machines there have",
        )
        one.add_argument(
            "--plan", action="store_true", help="look, show what it would do, and change nothing"
        )
        one.add_argument("--yes", action="store_true", help="do not ask for the name of the hypervisor")
        one.add_argument("--anonymise", action="store_true", help="no names and addresses in the transcript")
        one.add_argument(
            "--transcript", type=Path, metavar="FILE", help="default: rehearsal-<time>.jsonl, here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None:
            raise CommandError(str(unknown_site(options["site"])), returncode=REFUSED)
        place: Path = options["transcript"] or Path(f"rehearsal-{database_now():%Y%m%d-%H%M%S}.jsonl")
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(
                f"The transcript {place} cannot be made: {error.strerror}. Name another with --transcript.",
                returncode=REFUSED,
            ) from None
        with os.fdopen(descriptor, "w", buffering=1) as opened:
            names = _names(reading.load(site.slug), options["name"]) if options["anonymise"] else None
            transcript = Transcript(opened.write, names=names)
            code = self._rehearse(Stage(site, transcript, self._tell), site, options)
        self.stderr.write(f"Transcript: {place}")
        if code:
            raise SystemExit(code)

    def _rehearse(self, stage: Stage, site: Site, options: dict[str, Any]) -> int:
        stage.transcript.line(
            rehearsal=FORMAT, at=database_now().isoformat(timespec="seconds"), python=sys.version.split()[0]
        )
        try:
            found = prepare(stage, site, options["name"], vmid=options["vmid"], template=options["template"])
        except Impossible as fault:
            return self._end(stage, REFUSED, f"Not begun. {fault}")
        spec = found.machine.spec
        chosen = {"template": found.template.vmid, "storage": found.machine.storage}
        stage.transcript.line(vmid=spec.vmid, mac=spec.mac, node=found.proxmox.node, **chosen)
        self.stdout.write(
            f"Plan: {found.plan.summary}.\n" + "\n".join(f"  {line}" for line in found.plan.lines)
        )
        if options["plan"]:
            return self._end(stage, 0, "Nothing was done.")
        if not options["yes"] and not self._agreed(options["name"]):
            return self._end(stage, REFUSED, "Not begun: the name of the hypervisor was not typed.")
        return self._carry_out(stage, found)

    def _agreed(self, name: str) -> bool:
        try:
            return input(f"Type {name} to go on: ").strip() == name
        except (EOFError, KeyboardInterrupt):
            return False

    def _carry_out(self, stage: Stage, found: Rehearsal) -> int:
        """Run it; then tidy up, whatever happened. A second Ctrl-C ends the tidying, and says what may be left."""
        code, said = 0, "Everything went well."
        before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            try:
                found.run()
            except (AdapterError, JobFailed) as fault:
                code, said = FAILED, f"It failed: {in_words(fault)}"
            except KeyboardInterrupt:
                code, said = INTERRUPTED, "Interrupted."
            try:
                found.tidy()
                said += " Nothing of it is left."
            except (AdapterError, JobFailed) as fault:
                code, said = code or FAILED, f"{said} Tidying up failed: {in_words(fault)} {found.left()}"
            except KeyboardInterrupt:
                code, said = INTERRUPTED, f"{said} Tidying up was interrupted. {found.left()}"
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._end(stage, code, said)

    def _end(self, stage: Stage, code: int, said: str) -> int:
        stage.transcript.line(end=said, code=code)
        self.stderr.write(said)
        return code

    def _tell(self, level: str, text: str) -> None:
        if level != "debug":
            self.stdout.write(f"{'→ ' if level == 'step' else '  '}{text}")
            self.stdout.flush()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _names(snapshot: Snapshot, hypervisor: str) -> dict[str, str]:
    host = snapshot.host_by_name.get(hypervisor)
    api = host.proxmox if host else None
    tokens = [token for token in (api.token_id, api.read_token_id) if token] if api else []
    return names_of(
        node=(api.node if api else "") or hypervisor,
        hypervisor=hypervisor,
        site=snapshot.site.slug,
        uid=snapshot.site.uid,
        domain=snapshot.site.root_domain,
        tokens=tokens,
    )
