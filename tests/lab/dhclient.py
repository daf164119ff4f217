"""Real DHCP clients: ISC dhclient in namespaces of their own, all of them at the same time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.network import Lab, program

#: Seconds after which a client gives up: one that is to be answered, and one that is not.
PATIENCE, SHORT_PATIENCE = 25, 4

CONFIGURATION = """\
timeout {patience};
retry 1;
reboot 10;
select-timeout 0;
initial-interval 1;
backoff-cutoff 1;
{identifier}
request {options};
"""

#: Called by dhclient with what it learnt in its environment. BOUND comes once, with the lease.
SCRIPT = """\
#!/bin/sh
if [ "$reason" = BOUND ]; then env > "{lease}.new" && mv "{lease}.new" "{lease}"; fi
"""

#: What an operating system asks for, and what the boot code in a network card does.
FIRMWARE = ("subnet-mask", "routers", "domain-name-servers")
SYSTEM = (*FIRMWARE, "domain-name", "domain-search", "host-name", "tftp-server-name", "bootfile-name")


@dataclass(frozen=True)
class Lease:
    """What one client was told; empty where it was told nothing."""

    said: Mapping[str, str]

    def __getattr__(self, name: str) -> str:
        return self.said.get(f"new_{name}", "")

    @property
    def dns_servers(self) -> list[str]:
        return self.domain_name_servers.split()

    @property
    def search(self) -> list[str]:
        return [domain.rstrip(".") for domain in self.domain_search.split()]


class Asking:
    """Clients that ask for an address, all at once; ``leases`` waits for the last."""

    def __init__(
        self,
        lab: Lab,
        clients: Collection[str],
        folder: Path,
        options: Collection[str] = SYSTEM,
        identifier: str = "",
        patience: int = PATIENCE,
        remembered: str = "",
    ) -> None:
        """``remembered``: the lease file with which they start."""
        folder.mkdir()
        self._remembered = remembered
        self._lab, self._folder, self._patience = lab, folder, patience
        sent = f'send dhcp-client-identifier "{identifier}";' if identifier else ""
        (folder / "dhclient.conf").write_text(
            CONFIGURATION.format(patience=patience, options=", ".join(options), identifier=sent)
        )
        self._running = {client: self._start(client) for client in clients}

    def leases(self) -> dict[str, Lease | None]:
        """Client → what it was told; None for those whom nobody answered."""
        deadline = time.monotonic() + self._patience + 20
        for process in self._running.values():
            process.wait(max(1.0, deadline - time.monotonic()))
        return {client: _read(self._folder / client / "lease") for client in self._running}

    def said(self, client: str) -> str:
        return (self._folder / client / "log").read_text(errors="replace")

    def _start(self, client: str) -> subprocess.Popen[bytes]:
        own = self._folder / client
        own.mkdir()
        script = own / "script"
        script.write_text(SCRIPT.format(lease=own / "lease"))
        script.chmod(0o755)
        (own / "leases").write_text(self._remembered)
        files = ["-cf", str(self._folder / "dhclient.conf"), "-sf", str(script)]
        files += ["-lf", str(own / "leases"), "-pf", str(own / "pid")]
        command = [program("dhclient", self._folder), "-4", "-1", "-v", *files, "eth0"]
        return self._lab.start(command, log=own / "log", client=client)


def _read(path: Path) -> Lease | None:
    return Lease(dict(_variables(path.read_text(errors="replace")))) if path.exists() else None


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, value = line.partition("=")
        yield name, value
