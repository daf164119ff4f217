"""Wake-on-LAN: the magic packet, from this machine or from a relay on the segment. Knows no rows.

The packet is six octets ``ff`` and the MAC sixteen times (AMD, Magic Packet Technology, 1995), broadcast to UDP port 9.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters.base import AdapterError, Unreachable
from provisioning.adapters.commands import Program

PORT = 9
#: a broadcast is lost in silence
TIMES = 3
SECONDS = 60.0
#: what a relay runs: arguments are the broadcast address and the packet in hex; nothing else is put into a command
CODE = (
    "import socket,sys;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
    "s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1);"
    f"[s.sendto(bytes.fromhex(sys.argv[2]),(sys.argv[1],{PORT})) for _ in range({TIMES})]"
)


#: said first, so that it counts whatever the configuration says; in the file, because jump hosts read that alone
QUIET = b"""BatchMode yes
ConnectTimeout 15
StrictHostKeyChecking yes
UpdateHostKeys no
ClearAllForwardings yes
"""


class NotSent(AdapterError):
    way_out = "See that the relay can be logged in to from here and has python3, then run this again."


@dataclass(frozen=True)
class Relay:
    """A host that is logged in to as *way* of an ssh configuration; *files* are it and the host keys, by name."""

    way: str
    files: Mapping[str, bytes]
    config: str = "ssh_config"


def packet(mac: str) -> bytes:
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def is_here(network: str) -> bool:
    """Whether this machine has an address in the IPv4 *network*. Nothing is sent."""
    wanted = ipaddress.IPv4Network(network)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(wanted[1] if wanted.num_addresses > 1 else wanted[0]), PORT))
        except OSError:
            return False
        return ipaddress.IPv4Address(probe.getsockname()[0]) in wanted


def send(mac: str, broadcast: str) -> None:
    """From here. Raises Unreachable."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            for _ in range(TIMES):
                out.sendto(packet(mac), (broadcast, PORT))
        except OSError as error:
            said = error.strerror or "it is no address"
            raise Unreachable(f"Nothing can be sent to {broadcast} from here: {said}.", call="UDP") from None


def send_through(relay: Relay, mac: str, broadcast: str) -> None:
    """From *relay*, by ssh as the user of this process. Raises NotSent with ssh's own words."""
    remote = ["python3", "-c", f"'{CODE}'", str(ipaddress.IPv4Address(broadcast)), packet(mac).hex()]
    with tempfile.TemporaryDirectory(prefix="mgmtplane-wake-") as folder:
        for name, content in relay.files.items():
            path = Path(folder, name)
            path.touch(0o600)
            path.write_bytes(QUIET + content if name == relay.config else content)
        command = ["ssh", "-F", str(Path(folder, relay.config)), "-T", "--", relay.way, *remote]
        ended = Program(_environment(), seconds=SECONDS).run(command, cwd=Path(folder))
    if ended.code:
        said = next((line for line in reversed(ended.err.splitlines()) if line.strip()), "nothing")
        raise NotSent(f"The relay {relay.way} did not send the packet; ssh said: {said[:200]}", call="ssh")


def _environment() -> dict[str, str]:
    """An agent with keys, where this process has one."""
    return {name: os.environ[name] for name in ("SSH_AUTH_SOCK", "HOME") if name in os.environ}
