"""``manage.py up``: everything on one machine, in one command."""

import argparse
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError, connection

from inventory.copying import unfinished
from inventory.serving import database
from mgmtplane import processes, supervisor
from mgmtplane import upgrades as upgrading
from mgmtplane.celery import BrokerAway, BrokerWrong, declare_queues
from mgmtplane.databases.sqlite3.base import make
from mgmtplane.supervisor import Child
from provisioning import standins
from provisioning.keeper import process as keeper

#: seconds for which nobody wrote to a file that is there again: it may be copied just now
SETTLED = 3.0


class Command(BaseCommand):
    help = "Prepare the database and run web server, workers and clock until Ctrl-C."
    requires_system_checks: list[str] = []  # `prepare` runs them, after the refusals that need no database

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Settings come from the environment."""
        parser.add_argument(
            "--demo", action="store_true", help="declare two fictional sites, if the database has none"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what cannot work before touching the database; then prepare, then serve."""
        try:
            with supervisor.only_one(settings.DATA_DIR):
                upgrading.require_none_unfinished(settings.DATA_DIR)
                listener = processes.listen(settings.BIND, settings.PORT)
                if (file := database.lost()) is not None:
                    if not self.serve_readers(listener, file):
                        return
                    listener.close()  # or whoever asks while it prepares would wait
                    listener = processes.listen(settings.BIND, settings.PORT)
                listeners = standins.listen() if options["demo"] else {}
                # In a process of its own: what migrations load would stay in the memory of every child.
                code = supervisor.run_once(partial(self.prepare, demo=options["demo"], listeners=listeners))
                if code:
                    raise SystemExit(code)
                holding = Child("keeper", partial(keeper.serve, settings.DATA_DIR))
                processes.serve(listener, [holding, *standins.children(listeners)])
        except supervisor.Refused as reason:
            raise CommandError(str(reason), returncode=2) from None
        except KeyboardInterrupt:  # while preparing
            raise SystemExit(130) from None

    def serve_readers(self, listener: socket.socket, file: Path) -> bool:
        """Serve what went out last until *file* is there again; False where somebody stopped it before."""
        mirror = settings.DATA_DIR / "mirror"
        supervisor.say(
            f"THE DATABASE IS NOT THERE: {file} is gone or empty, and files went out of it before ({mirror})"
        )
        supervisor.say(
            "no new one is begun: readers get what went out last, and nothing else works. Mount its disk, or put the file "
            "back, and everything starts"
        )
        supervisor.say(
            f"or stop this, and restore a backup (manage.py backup restore); to begin anew, stop this and move {mirror} away"
        )
        if code := supervisor.run_once(self.require_settings):
            raise SystemExit(code)
        if not processes.serve_readers(listener, until=partial(is_back, file)):
            return False
        supervisor.say(f"{file} is there again: everything starts")
        return True

    def require_settings(self) -> None:
        try:
            self.check()
        except CommandError as error:  # SystemCheckError
            self.stderr.write(str(error), ending="\n")
            raise SystemExit(1) from None

    def prepare(self, *, demo: bool = False, listeners: standins.Listeners | None = None) -> None:
        """Bring the database, the static files and the administrator to where they should be."""
        self.require_settings()
        try:
            self.make_private_database()
            self.require_restored()
            upgrading.end_prepared(settings.DATA_DIR)
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
            call_command("ensure_admin")
            if demo:
                call_command("demo")
                standins.prepare(listeners or {})
            self.tell_broker()
            if demo:
                standins.look_first()
            upgrading.note_source(settings.BASE_DIR, settings.DATA_DIR)
        except CommandError as error:
            self.stderr.write(str(error), ending="\n")
            raise SystemExit(1) from None
        except OperationalError as error:
            self.stderr.write(
                f"The database cannot be used: {str(error).strip()}\nDATABASE_URL says where it is."
            )
            raise SystemExit(1) from None
        except OSError as error:  # a full disk, a quota
            place = error.filename or settings.DATA_DIR
            self.stderr.write(f"{place} cannot be written ({error.strerror}); make room, or set DATA_DIR.")
            raise SystemExit(1) from None
        except BrokerWrong as error:
            self.stderr.write(
                f"CELERY_BROKER_URL cannot be used: {error}\nGive redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//."
            )
            raise SystemExit(1) from None

    @staticmethod
    def tell_broker() -> None:
        """The queues; one that does not answer now keeps nobody from being served: workers try until it does."""
        try:
            declare_queues()
        except BrokerAway as error:
            supervisor.say(f"THE BROKER CANNOT BE USED NOW: {error}")
            supervisor.say(
                "CELERY_BROKER_URL says where it is. Pages and exports are served without it; jobs queue, and run once it "
                "answers"
            )

    @staticmethod
    def require_restored() -> None:
        """Raise CommandError in the middle of a restore: what it would go on with must not be worked with yet."""
        if (restoring := unfinished.current()) is not None:
            raise CommandError(
                f"Restoring {restoring.archive} into this database was interrupted. Give the command again "
                "(manage.py backup restore with the same archive): it goes on."
            )

    @staticmethod
    def make_private_database() -> None:
        """A new SQLite file is its owner's alone, in whatever directory; its companions take over its mode."""
        declared = settings.DATABASES["default"]
        if declared["ENGINE"].endswith("sqlite3"):
            with connection.wrap_database_errors:
                make(Path(declared["NAME"]))


def is_back(file: Path) -> bool:
    """Whether the database is there again, and whole as far as can be seen."""
    if database.lost() is not None:
        return False
    try:
        return abs(time.time() - file.stat().st_mtime) > SETTLED
    except OSError:
        return False
