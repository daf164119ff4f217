"""A PostgreSQL of a test's own, which it may stop, start and make read-only."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.components import find_program, unavailable
from tests.provisioning.brokers import free_port


class Postgresql:
    def __init__(self, folder: Path, binaries: Path, port: int) -> None:
        self.folder, self.binaries, self.port = folder, binaries, port

    @property
    def url(self) -> str:
        return f"postgresql://mgmtplane@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *words: str) -> None:
        """As an account that is not root's: PostgreSQL refuses that one."""
        as_server = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
        command = [*as_server, str(self.binaries / program), "-D", str(self.folder / "data"), *words]
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        with (self.folder / "out").open("ab") as out:
            subprocess.run(
                command, cwd=self.folder, env={"PATH": path}, check=True, stdout=out, stderr=subprocess.STDOUT
            )

    def initialise(self) -> None:
        self._run("initdb", "-U", "mgmtplane", "-A", "trust", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-m", how, "-w", "stop")

    def freeze(self) -> None:
        """As ``docker pause`` does: every process stands still, and keeps its connections."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """The first stands still first, and makes no more of them."""
        first = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(first), number)
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def set_read_only(self, on: bool) -> None:
        """For every session, those that are open included."""
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(self.url, autocommit=True, options=options) as connection:
            value = "on" if on else "off"
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            connection.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def postgresql() -> Iterator[Postgresql]:
    found = [Path(name).parent for name in [find_program("initdb")] if name]
    found += [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if not found:
        unavailable("needs a PostgreSQL server: sudo apt-get install -y postgresql")
    folder = Path(tempfile.mkdtemp(prefix="mgmtplane-postgresql."))
    if getpass.getuser() == "root":
        shutil.chown(folder, "postgres")
    server = Postgresql(folder, found[-1], free_port())
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        with contextlib.suppress(OSError):
            server.thaw()
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
