"""Real servers on exported files. The commands are those of ``docs/dhcp-dns.md``; no file is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.components import require, require_namespaces
from tests.lab.network import Lab, program

READY_SECONDS = 30

#: What a site's own named.conf says besides including the export.
BIND_AROUND = """\
options {{ directory "{export}"; recursion no; listen-on-v6 {{ any; }}; }};
include "{export}/named.conf";
"""
#: What a site's own unbound.conf says besides including the export.
UNBOUND_AROUND = """\
server:
  interface: 0.0.0.0
  interface: ::0
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  pidfile: ""
  num-threads: 1
include: "{export}"
"""


@dataclass(frozen=True)
class Server:
    """How to run one server, inside the directory of its export."""

    name: str
    #: also the directory's: what ``manage.py export`` calls it
    format: str
    program: str
    package: str
    arguments: str
    #: what its log says once it answers
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)
    #: what its log says once it took up changed files on SIGHUP; empty: it has to be started again
    reloaded: str = ""

    def require(self) -> None:
        """Skip unless the server, its client and namespaces are there."""
        require_namespaces()
        require("nsenter", package="util-linux")
        require(self.program, package=self.package)


#: ``{own}`` is a directory for what the server itself keeps.
KEA = Server(
    "Kea",
    format="kea",
    program="kea-dhcp4",
    package="kea-dhcp4-server",
    arguments="-c kea-dhcp4.conf",
    ready="DHCP4_STARTED",
    reloaded="DHCP4_DYNAMIC_RECONFIGURATION_SUCCESS",
    environment={"KEA_LOCKFILE_DIR": "{own}", "KEA_PIDFILE_DIR": "{own}"},
)
DNSMASQ = Server(
    "dnsmasq",
    format="dnsmasq",
    program="dnsmasq",
    package="dnsmasq-base",
    # Without --no-ping it looks around for three seconds, one stranger at a time, before it gives an address.
    arguments="--keep-in-foreground --conf-file=dnsmasq.conf --user=root --group= --pid-file= --no-ping "
    "--dhcp-leasefile={own}/dnsmasq.leases --no-resolv --log-facility=-",
    ready="started, version",
)
DHCPD = Server(
    "dhcpd",
    format="isc-dhcp",
    program="dhcpd",
    package="isc-dhcp-server",
    arguments="-4 -f -d -cf dhcpd.conf -lf {own}/dhcpd.leases -pf {own}/dhcpd.pid",
    ready="Server starting service.",
)
BIND = Server(
    "BIND",
    format="bind",
    program="named",
    package="bind9",
    arguments="-g -n 1 -c named.conf",
    ready="running",
    reloaded="all zones loaded",
)
BIND_INCLUDING = Server(
    "BIND, from a configuration of its own",
    format="bind",
    program="named",
    package="bind9",
    arguments="-g -n 1 -c {own}/named-own.conf",
    ready="running",
    reloaded="all zones loaded",
)
UNBOUND = Server(
    "Unbound",
    format="unbound",
    program="unbound",
    package="unbound",
    arguments="-d -c {own}/unbound-own.conf",
    ready="start of service",
    reloaded="start of service",
)

DHCP_SERVERS = (KEA, DNSMASQ, DHCPD)
DNS_SERVERS = (BIND, UNBOUND, DNSMASQ)


class Running:
    """A server that answers, started inside the directory *export*; it ends with the lab."""

    def __init__(self, server: Server, lab: Lab, export: Path) -> None:
        self.own = export.with_name(f"{export.name}-own")
        self.own.mkdir()
        self.server, self.log, self.export = server, self.own / "log", export
        self._lab, self._before = lab, contents(export)
        (self.own / "dhcpd.leases").touch()
        (self.own / "named-own.conf").write_text(BIND_AROUND.format(export=export))
        (self.own / "unbound-own.conf").write_text(UNBOUND_AROUND.format(export=export / "unbound.conf"))
        self.start()

    def start(self) -> None:
        server = self.server
        words = [program(server.program, self.own), *server.arguments.format(own=self.own).split()]
        self._process = self._lab.start(
            ["sh", "-c", 'echo $$ > "$0"; exec "$@"', str(self.own / "pid"), *words],
            log=self.log,
            folder=self.export,
            environment={key: value.format(own=self.own) for key, value in server.environment.items()},
        )
        self._wait_for(server.ready)

    def stop(self) -> None:
        self._signal("TERM")
        self._process.wait(READY_SECONDS)

    def take_up(self) -> None:
        """Do what ``docs/dhcp-dns.md`` says makes it read its changed files."""
        if self.server.reloaded:
            times = self.said().count(self.server.reloaded)
            self._signal("HUP")
            self._wait_for(self.server.reloaded, times + 1)
        else:
            self.stop()
            self.start()

    def left_its_files_alone(self) -> bool:
        """True when every exported file is as it was; BIND adds files of its own beside them."""
        now = contents(self.export)
        return {name: now.get(name) for name in self._before} == self._before

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def _signal(self, name: str) -> None:
        pid = (self.own / "pid").read_text().strip()
        sent = self._lab.run(["sh", "-c", f"kill -{name} {pid}"])
        assert sent.returncode == 0, sent.stderr

    def _wait_for(self, sign: str, times: int = 1) -> None:
        """Wait until the log says *sign* for the nth time."""
        deadline = time.monotonic() + READY_SECONDS
        while self.said().count(sign) < times:
            ended = self._process.poll() is not None
            words = f"{self.server.name} {'ended' if ended else 'waits'} and said:\n{self.said()}"
            assert not ended and time.monotonic() < deadline, words
            time.sleep(0.02)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
