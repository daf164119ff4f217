"""Real servers on exported files. The commands are those of ``docs/dhcp-dns.md``; no file is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.components import require, require_namespaces
from tests.lab.network import Lab, program

READY_SECONDS = 30

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
    environment={"KEA_LOCKFILE_DIR": "{own}", "KEA_PIDFILE_DIR": "{own}"},
)
DNSMASQ = Server(
    "dnsmasq",
    format="dnsmasq",
    program="dnsmasq",
    package="dnsmasq-base",
    # Without --no-ping it looks around for three seconds, one stranger at a time, before it gives an address.
    arguments="--keep-in-foreground --conf-file=dnsmasq.conf --user=root --group=root --pid-file= --no-ping "
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
)
UNBOUND = Server(
    "Unbound",
    format="unbound",
    program="unbound",
    package="unbound",
    arguments="-d -c {own}/main.conf",
    ready="start of service",
)

DHCP_SERVERS = (KEA, DNSMASQ, DHCPD)
DNS_SERVERS = (BIND, UNBOUND, DNSMASQ)


class Running:
    """A server that answers, started inside the directory *export*; it ends with the lab."""

    def __init__(self, server: Server, lab: Lab, export: Path) -> None:
        own = export.with_name(f"{export.name}-own")
        own.mkdir()
        self.server, self.log, self.export = server, own / "log", export
        self._before = contents(export)
        (own / "dhcpd.leases").touch()
        (own / "main.conf").write_text(UNBOUND_AROUND.format(export=export / "unbound.conf"))
        self._process = lab.start(
            [program(server.program, own), *(word.format(own=own) for word in server.arguments.split())],
            log=self.log,
            folder=export,
            environment={key: value.format(own=own) for key, value in server.environment.items()},
        )
        self._wait()

    def left_its_files_alone(self) -> bool:
        """True when every exported file is as it was; BIND adds files of its own beside them."""
        now = contents(self.export)
        return {name: now.get(name) for name in self._before} == self._before

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self.server.ready not in self.said():
            ended = self._process.poll() is not None
            words = f"{self.server.name} {'ended' if ended else 'waits'} and said:\n{self.said()}"
            assert not ended and time.monotonic() < deadline, words
            time.sleep(0.02)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
