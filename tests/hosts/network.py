"""A wire between hosts in a lab and the machine that the tests run on, so that any process here reaches them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.components import SEARCH_PATH, unavailable
from tests.lab.network import Lab, Plug, Wire

#: Of 198.18.0.0/15, which RFC 2544 sets aside for tests: one /24 a lab, told apart by its third number.
NETS = 256
#: The first host's last number; before it come the machine itself (.1) and room for what a test adds.
FIRST = 10
WIRE = "hosts"


@dataclass(frozen=True, slots=True)
class Net:
    """The /24 of one lab."""

    number: int

    @property
    def card(self) -> str:
        """What the machine's own end of the wire is called."""
        return f"mghosts{self.number}"

    @property
    def gateway(self) -> str:
        return f"198.18.{self.number}.1"

    def address(self, position: int) -> str:
        """The address of the host at *position*, counted from 0."""
        return f"198.18.{self.number}.{FIRST + position}"

    def forget(self, address: str) -> None:
        """Ask anew who has *address*: what the kernel remembers it would believe for five seconds more."""
        _here("ip", "neighbour", "del", address, "dev", self.card)


def lay(lab: Lab, names: Sequence[str]) -> Net:
    """Plug a card for each of *names* into one wire of *lab*, and the other end of it into this machine.

    The pair vanishes with the lab's network, however that ends.
    """
    plugs = [Plug(name, f"02:00:00:12:00:{FIRST + at:02x}", WIRE) for at, name in enumerate(names)]
    lab.build([Wire(WIRE, ())], plugs)
    net = _free_net(lab)
    _must(lab.run(["ip", "link", "set", "uplink", "master", "br0", "up"]))
    _must(_here("ip", "addr", "add", f"{net.gateway}/24", "dev", net.card))
    _must(_here("ip", "link", "set", net.card, "up"))
    _notice_quickly(net)
    for at, name in enumerate(names):
        _must(lab.run(["ip", "addr", "add", f"{net.address(at)}/24", "dev", "eth0"], name))
        _must(lab.run(["ip", "route", "add", "default", "via", net.gateway], name))
    return net


def _free_net(lab: Lab) -> Net:
    """Take a net. The kernel decides: of two that make a card of the same name at once, one fails."""
    first = os.getpid() % NETS
    said = ""
    for number in [*range(first, NETS), *range(first)]:
        net = Net(number)
        pair = ["type", "veth", "peer", "name", "uplink", "netns", str(lab.holder)]
        made = _here("ip", "link", "add", net.card, *pair)
        if made.returncode == 0:
            return net
        said = made.stderr.strip()
        if "exists" not in said:
            break
    unavailable(f"needs root, and a virtual network card on this machine, and got: {said}")


def _notice_quickly(net: Net) -> None:
    """Find out in half a second, not in three, that nobody has an address any more."""
    Path(f"/proc/sys/net/ipv4/neigh/{net.card}/retrans_time_ms").write_text("150")


def _here(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PATH": SEARCH_PATH},
    )


def _must(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.args}: {done.stderr}"
