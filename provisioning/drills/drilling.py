"""One drill: the same commands that a person restores with, in a scratch place, and then every difference.

Each command is a process of its own with its own DATA_DIR and database, so that nothing of the living application is
touched: neither its memory nor its files nor its rows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from inventory.models import Site
from mgmtplane.environment import SETTINGS
from mgmtplane.parsers import directory
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import Ended, Program, go_on
from provisioning.backups import archive, comparing, measuring
from provisioning.backups.archive import CannotBackUp
from provisioning.backups.comparing import ROWS
from provisioning.backups.making import DOCUMENTS
from provisioning.drills import scratch

#: seconds of one command
LONGEST = 3600.0
#: in the scratch place, the data directory of the site that is had from its text alone
TEXT = "text"


@dataclass(frozen=True)
class Drilled:
    """What came of it. ``differences`` is empty, as it should be."""

    archive: str
    into: str
    #: ``rows``, ``tables``, ``sites``, ``exports``, ``identities``: how much was compared
    numbers: Mapping[str, int]
    #: sites that were declared from their document alone
    documents: int
    seconds: float
    differences: tuple[str, ...] = ()
    #: which exports were not compared, and why
    uncompared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def told(self) -> str:
        """What was compared; and that nothing of it differs, where nothing does."""
        one = self.numbers
        what = "Nothing that was compared differs." if self.uncompared else "Nothing differs."
        return (
            f"{self.archive} was restored into {self.into} in {self.seconds:.0f} s: {one['rows']} rows of {one['tables']} "
            f"tables, {one['exports']} exports and {one['identities']} next identities of {one['sites']} sites, "
            f"{self.documents} of them from their document alone.{'' if self.differences else f' {what}'}"
        )


def drill(
    path: Path,
    *,
    passphrase: str = "",
    step: Callable[[str], None] = lambda name: None,
    check: Callable[[], None] = go_on,
) -> Drilled:
    """Restore *path* beside, and compare. *check* is asked all the time, and raises when it is to stop.

    *passphrase* opens what is sealed with one; without it the secrets are left shut. Raises CannotBackUp where it cannot
    be restored at all.
    """
    began = time.monotonic()
    step("look at the archive")
    if problems := archive.check(path):
        raise archive.Damaged(problems)
    manifest = archive.read_manifest(path)
    with scratch.place() as place:
        inside = _Inside(place, place.folder, place.url, check)
        step("restore it beside")
        miscounted = inside.restore(path, manifest, passphrase)
        step("count and render what was restored")
        found = inside.measured(manifest["made"])
        step("compare")
        said = _Said(manifest, found, miscounted)
        said.look()
        documents = _from_text(path, manifest, place, check, step, said)
    return Drilled(
        path.name,
        place.vendor,
        comparing.numbers({"rows": manifest["rows"], "sites": said.sites}),
        documents,
        round(time.monotonic() - began, 1),
        tuple(said.differences),
        tuple(said.uncompared),
        (*place.warnings, *said.warnings),
    )


def _from_text(
    path: Path,
    manifest: Mapping[str, Any],
    place: scratch.Scratch,
    check: Callable[[], None],
    step: Callable[[str], None],
    said: _Said,
) -> int:
    """The second way back: each site from its document, in an empty database."""
    names = sorted(name for name in manifest["files"] if name.startswith(f"{DOCUMENTS}/"))
    if not names:
        return 0
    step("declare each site from its document")
    folder = place.folder / TEXT
    folder.mkdir(mode=0o700)
    inside = _Inside(place, folder, scratch.sqlite_in(folder), check)
    inside.run("migrate", "-v0")
    for name in names:
        document = folder / Path(name).name
        with archive.file_of(path, name) as stream:
            document.write_bytes(stream.read())
        inside.run("declare", str(document), "--apply")
    step("compare what was declared")
    said.look_at_text(inside.measured(manifest["made"]))
    return len(names)


@dataclass(frozen=True)
class _Inside:
    """``manage.py`` in the scratch place."""

    place: scratch.Scratch
    data_dir: Path
    url: str
    check: Callable[[], None]

    def run(self, *words: str, given: str = "", may_fail: bool = False) -> Ended:
        env = {
            **_settings(),
            "HOME": str(self.data_dir),
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.url,
        }
        program = Program(env, seconds=LONGEST, check=self.check, hold=(self.place.lock,))
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
        try:
            ended = program.run(argv, cwd=settings.BASE_DIR, given=given.encode())
        except AdapterError as error:
            raise CannotBackUp(str(error)) from None
        if ended.code and not may_fail:
            raise CannotBackUp(f"manage.py {words[0]} in the scratch place: {_last_of(ended)}")
        return ended

    def restore(self, path: Path, manifest: Mapping[str, Any], passphrase: str) -> list[str]:
        """Which tables have other numbers of rows than in the archive: the restore counts them before anything else is
        written there."""
        opens = bool(passphrase) and "passphrase" in str(manifest["sealed"])
        ways = ("--passphrase-stdin",) if opens else ("--without-secrets",)
        ended = self.run(
            "backup", "restore", str(path), *ways, given=f"{passphrase}\n" * opens, may_fail=True
        )
        # Where something differs it says what, on its standard output, and everything is there all the same.
        told = ended.out.decode("utf-8", "replace").splitlines()
        if ended.code and not told:
            raise CannotBackUp(f"{path.name} cannot be restored: {_last_of(ended)}")
        return [line for line in told if ROWS in line]

    def measured(self, at: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("backup", "measure", "--at", at).out)
        return found


def _settings() -> dict[str, str]:
    """What is set here, without secrets and without places."""
    named = [one.name for one in SETTINGS if not one.secret and one.parse is not directory]
    return {name: os.environ[name] for name in named if name in os.environ}


def _last_of(ended: Ended) -> str:
    lines = [line for line in ended.err.splitlines() if line.strip()]
    return lines[-1].removeprefix("CommandError: ") if lines else f"it ended with {ended.code}."


class _Said:
    """The differences between the archive and what came of it."""

    def __init__(
        self, manifest: Mapping[str, Any], found: Mapping[str, Any], miscounted: Sequence[str]
    ) -> None:
        self.manifest, self.found = manifest, found
        self.differences: list[str] = [*miscounted]
        self.uncompared: list[str] = []
        self.warnings: list[str] = []
        self.sites: dict[str, comparing.Site] = {}

    def look(self) -> None:
        told = self.found["sites"]
        self.differences += [
            f"The site {slug} is missing." for slug in self.manifest["sites"] if slug not in told
        ]
        for slug, site in self.manifest["sites"].items():
            if slug in told:
                self.sites[slug] = self._expected(slug, site, told[slug])
                self.differences += comparing.differing(slug, self.sites[slug], told[slug])
                self.uncompared += comparing.uncompared(slug, self.sites[slug], told[slug])

    def look_at_text(self, found: Mapping[str, Any]) -> None:
        """Of what a document says nothing of (surveys) nothing is compared. Where the backup says nothing of exports, the
        site was changed while it was made, and its document may be of another revision than its rows."""
        for slug, site in self.sites.items():
            there = found["sites"].get(slug)
            if there is None or not site.get("exports"):
                continue
            said = comparing.differing(slug, comparing.of_text(site), there)
            self.differences += [f"From its document alone: {one}" for one in said]

    def _expected(self, slug: str, site: comparing.Site, found: comparing.Site) -> comparing.Site:
        """What the archive says; where the living site is at the same revision, and this version renders it otherwise than
        when the backup was made, what the living site says."""
        if site.get("exports") and site.get("next") and not comparing.differing(slug, site, found):
            return site
        row = Site.objects.filter(slug=slug, revision=site["revision"]).first()
        if row is None:
            return site
        at = datetime.fromisoformat(self.manifest["made"])
        living = {**site, "exports": measuring.exports_of(slug), "next": measuring.next_of(row, at)}
        if not comparing.differing(slug, living, found):
            self.warnings.append(
                f"{slug} was compared with the living site, which is still at revision {site['revision']}: the archive "
                "says less, or this version renders it otherwise."
            )
            return living
        return site
