"""manage.py recovery_kit: what helps when everything else is broken, built and looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inventory import reading
from inventory.copying import copies
from inventory.models import Site
from inventory.reading import UnknownSite
from inventory.recovery.signed import FINGERPRINT
from mgmtplane import own_secrets
from provisioning.backups.archive import CannotBackUp
from provisioning.kits import building, checking, delivering, signing, states
from provisioning.kits.signing import Signer
from provisioning.management.places import directory_there


class Command(BaseCommand):
    help = (
        "build: one directory and archive a site that need nothing but a browser and a text editor. check: is every file "
        "as it was written, and who signed it? restore: the application from a kit into an empty directory. key: the "
        "fingerprint of the key that signs kits here, to be written down."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True, metavar="build|deliver|check|restore|key")
        build = ways.add_parser("build", help="into KIT_DIR/SITE and KIT_DIR/SITE.tar.gz")
        build.add_argument("--site", metavar="SLUG", help="without: every site")
        build.add_argument(
            "--to",
            "--output",
            metavar="DIRECTORY",
            help="instead of KIT_DIR, such as a mounted stick; it must be there",
        )
        deliver = ways.add_parser(
            "deliver", help="bring the newest kit in KIT_DIR to the declared places again"
        )
        deliver.add_argument("--site", metavar="SLUG", required=True)
        check = ways.add_parser("check", help="exit status 1 and a line for each file that is not")
        check.add_argument("kit", help="the directory, or the archive")
        check.add_argument(
            "--fingerprint",
            metavar="SHA256:…",
            help="of the key that you wrote down: a kit that is not signed with it is refused; “own” is this installation's",
        )
        restore = ways.add_parser(
            "restore",
            help="check the kit with what is installed here, then the same as sh restore.sh DIRECTORY",
        )
        restore.add_argument("kit", help="the directory")
        restore.add_argument(
            "target", metavar="DIRECTORY", help="an empty one, or where restoring this kit stopped"
        )
        restore.add_argument(
            "--fingerprint",
            default="own",
            metavar="SHA256:…",
            help="of the key that you wrote down; without: this installation's. A kit of another key is refused",
        )
        restore.add_argument(
            "--identity", metavar="FILE", help="the private key that opens what is secret in its backup"
        )
        restore.add_argument(
            "--passphrase-stdin", action="store_true", help="read the backup's passphrase from stdin"
        )
        restore.add_argument(
            "--without-secrets", action="store_true", help="leave what is sealed where it is"
        )
        ways.add_parser("key", help="made now if there is none")

    def handle(self, *args: Any, way: str, **options: Any) -> None:
        try:
            getattr(self, f"_{way}")(**options)
        except (CannotBackUp, UnknownSite) as error:
            raise CommandError(str(error)) from None

    def _build(self, *, site: str | None, to: str | None, **_: Any) -> None:
        slugs = [site] if site else list(Site.objects.order_by("slug").values_list("slug", flat=True))
        there = settings.KIT_DIR if to is None else directory_there(to)
        if not slugs:
            raise CommandError("No site is declared yet: there is nothing to build a kit of.")
        wheels = settings.WHEELS_DIR if settings.WHEELS_DIR.is_dir() else None
        for slug in slugs:
            made = building.build(slug, there, wheels=wheels, step=self._say)
            if to is None:
                states.built(Site.objects.get(slug=slug), made.revision)
            for warning in made.warnings:
                self.stderr.write(f"warning: {warning}")
            self.stdout.write(f"{made.folder} ({made.files} files, {made.size} bytes), {made.archive}")

    def _deliver(self, *, site: str, **_: Any) -> None:
        row = Site.objects.filter(slug=site).first()
        if row is None:
            raise CommandError(f"There is no site {site}.")
        try:
            copies.require_live(row)
        except copies.ReadOnly as reason:  # at its places lie the kits of the copy that is live
            raise CommandError(" ".join(reason.messages)) from None
        made = building.existing(site, states.revision_of(row))
        places = reading.load(site).kit_places
        if not any(place.enabled for place in places):
            raise CommandError(f"{site} declares no place for its kits; see “Places of kits” in the admin.")
        found = delivering.deliver(site, made, places, step=self._say)
        states.brought(row, made.revision, found, [place.name for place in places])
        for one in found:
            self.stdout.write(f"{one.place}: {one.fault or 'there'}")
        if any(one.fault for one in found):
            sys.exit(1)

    def _check(self, *, kit: str, fingerprint: str | None, **_: Any) -> None:
        if not Path(kit).exists():
            raise CommandError(f"{kit} is not there; name the directory of a kit, or its archive.")
        sys.exit(_checked(kit, self._expected(fingerprint)))

    def _expected(self, given: str | None) -> str:
        if given == "own":
            return self._signer().fingerprint
        if given and not FINGERPRINT.match(given):
            raise CommandError(f"{given} is no fingerprint; one is SHA256: and 43 characters.")
        return given or ""

    def _key(self, **_: Any) -> None:
        found = self._signer()
        self.stdout.write(f"{found.fingerprint}\n{found.public}")

    def _signer(self) -> Signer:
        found = signing.signer()
        if found is None:
            raise CommandError("ssh-keygen is missing; install OpenSSH's client.")
        return found

    def _restore(
        self,
        *,
        kit: str,
        target: str,
        fingerprint: str,
        identity: str | None,
        passphrase_stdin: bool,
        without_secrets: bool,
        **_: Any,
    ) -> None:
        if not target:
            raise CommandError("Name an empty directory for the application; an empty name is none.")
        script = _file(kit, "restore.sh")
        if fingerprint == "own" and signing.signer(make=False) is None:
            raise CommandError(
                "This installation signed no kit yet, or ssh-keygen is missing; give the fingerprint that you wrote "
                "down: --fingerprint SHA256:…"
            )
        expected = self._expected(fingerprint)
        if not expected:
            raise CommandError("An empty fingerprint is none; give the one that you wrote down.")
        # before anything of the kit runs: a forged one says yes to itself
        if _checked(kit, expected):
            whose = "this installation's key" if fingerprint == "own" else "the key that you named"
            raise CommandError(
                f"{kit} is damaged, or not signed with {whose}, and nothing of it was run. Take another kit, or give "
                "the fingerprint that you wrote down: --fingerprint SHA256:…"
            )
        words = ["sh", script, str(Path(target).absolute())]
        words += ["--identity", str(Path(identity).absolute())] if identity else []
        words += ["--passphrase-stdin"] if passphrase_stdin else []
        words += ["--without-secrets"] if without_secrets else []
        # what is set for this installation would lead the other one to our data
        environment = {
            name: value for name, value in os.environ.items() if name not in own_secrets.variables()
        }
        sys.exit(_run(words, {**environment, "KIT_FINGERPRINT": expected}))

    def _say(self, step: str) -> None:
        self.stderr.write(f"… {step}")


def _file(kit: str, name: str) -> str:
    path = Path(kit) / name
    if not path.is_file():
        raise CommandError(f"{kit} is no recovery kit: it has no {name}.")
    return str(path)


def _checked(kit: str, fingerprint: str) -> int:
    """The exit status of our own check: what came with the kit is what is in question."""
    return _run(checking.words(kit, fingerprint))


def _run(words: list[str], environment: Mapping[str, str] | None = None) -> int:
    return subprocess.run(words, check=False, env=environment).returncode
