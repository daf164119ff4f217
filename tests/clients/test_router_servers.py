"""The client of routers with real Kea and real dnsmasq: a bad file is refused, and the good one still answers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.exports.registry import get_export
from inventory.snapshot import Snapshot
from tests.clients import fileserver
from tests.clients.misbehaving import etag_of
from tests.clients.router import Ran, Router
from tests.components import require
from tests.lab import dual_stack, site_files
from tests.lab.dhclient import PATIENCE, Asking
from tests.lab.dig import dig
from tests.lab.dual_stack import SITE, ZONE
from tests.lab.network import Lab, program
from tests.lab.servers import DNSMASQ, KEA, Running
from tests.lab.test_changes import ADDRESS, CARD, OTHER_ADDRESS, with_nas

pytestmark = pytest.mark.lab
PORT = 8000

every_shell = pytest.mark.parametrize(
    "shell",
    ["dash", pytest.param("bash", marks=pytest.mark.slow), pytest.param("busybox", marks=pytest.mark.slow)],
)


class Served:
    """A management plane in the lab, and the client of the router beside its server."""

    def __init__(self, lab: Lab, folder: Path, shell: str, **settings: str) -> None:
        self.lab, self.folder, self.revision = lab, folder / "served", 0
        self.folder.mkdir()
        self.publish(b"")
        source = str(Path(fileserver.__file__))
        lab.start([sys.executable, source, str(self.folder), str(PORT)], folder / "served.log")
        self.router = Router(folder, f"http://127.0.0.1:{PORT}", shell, **settings)

    def publish(self, body: bytes) -> None:
        self.revision += 1
        (self.folder / "body").write_bytes(body)
        (self.folder / "etag").write_text(etag_of(self.revision, body))

    def run(self, *arguments: str) -> Ran:
        deadline = time.monotonic() + 10
        while True:
            done = self.lab.run(self.router.command(*arguments))
            if done.returncode != 75 or time.monotonic() > deadline:
                return Ran(done.returncode, done.stdout + done.stderr)
            time.sleep(0.2)  # the management plane is starting

    def reported(self) -> list[bool]:
        lines = (self.folder / "reports").read_text().split("\n")
        return [json.loads(line)["ok"] for line in lines if line]


@pytest.fixture
def lab() -> Iterator[Lab]:
    KEA.require()
    DNSMASQ.require()
    require("dhclient", package="isc-dhcp-client")
    require("dig", package="bind9-dnsutils")
    running = Lab()
    try:
        running.build(dual_stack.WIRES, [CARD])
        yield running
    finally:
        running.close()


def rendered(snapshot: Snapshot, format: str) -> bytes:
    [content] = get_export(format).render(snapshot, None).files.values()
    return content


def leased(lab: Lab, folder: Path) -> str | None:
    lease = Asking(lab, [CARD.name], folder, patience=PATIENCE).leases()[CARD.name]
    return lease.ip_address if lease else None


#: Kea keeps what it has when a reload fails, and says so in its log alone.
KEA_RELOAD = """\
said() {{ grep -c DHCP4_DYNAMIC_RECONFIGURATION_SUCCESS {log}; }}; before=$(said); kill -HUP $(cat {pid}); \
for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; [ $(said) -gt $before ] && exit 0; done; tail -n 1 {log}; exit 1"""


@every_shell
def test_kea_refuses_a_bad_file_and_answers_from_the_good_one(lab: Lab, tmp_path: Path, shell: str) -> None:
    kea = Running(KEA, lab, site_files.write(SITE, "kea", tmp_path / "kea"))
    target = kea.export / "kea-dhcp4.conf"
    served = Served(
        lab,
        tmp_path,
        shell,
        FORMAT="kea",
        TARGET=str(target),
        CHECK=f'{program("kea-dhcp4", kea.own)} -t "$1"',
        RELOAD=KEA_RELOAD.format(log=kea.log, pid=kea.own / "pid"),
    )
    good = rendered(with_nas(ipv4=OTHER_ADDRESS), "kea")
    served.publish(good)
    ran = served.run()
    assert ran.status == 0, ran.said
    served.publish(good.replace(b'"subnet4"', b'"subnet5"'))
    ran = served.run()
    assert ran.status == 1 and "The checker refuses it" in ran.said and "subnet5" in ran.said, ran.said
    assert target.read_bytes() == good
    served.router.configure(CHECK="none")
    served.publish(rendered(SITE, "kea").replace(b'"subnet4"', b'"subnet6x"'))
    ran = served.run()
    assert ran.status == 1 and "The last good file is served again" in ran.said, ran.said
    assert target.read_bytes() == good
    assert served.reported() == [True, False, False]
    assert leased(lab, tmp_path / "asking") == OTHER_ADDRESS, "Kea answers, and from the good file"


#: Ends with an error when dnsmasq cannot start; else it runs in the background.
DNSMASQ_START = """\
kill $(cat {own}/pid) 2>/dev/null; while kill -0 $(cat {own}/pid) 2>/dev/null; do sleep 0.1; done; {dnsmasq} \
--conf-file="$1" --pid-file={own}/pid --user=root --group= --no-ping --no-resolv \
--dhcp-leasefile={own}/leases --log-facility={own}/log"""


@every_shell
def test_dnsmasq_refuses_a_bad_file_and_answers_from_the_good_one(
    lab: Lab, tmp_path: Path, shell: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    dnsmasq = program("dnsmasq", own)
    target = tmp_path / "dnsmasq.conf"
    served = Served(
        lab,
        tmp_path,
        shell,
        FORMAT="dnsmasq",
        TARGET=str(target),
        CHECK=f'{dnsmasq} --test --conf-file="$1"',
        RELOAD=DNSMASQ_START.format(own=own, dnsmasq=dnsmasq),
        VERIFY=f"dig +tries=1 +time=2 @192.0.2.1 nas-ph01.{ZONE} | grep -q NOERROR",
    )
    (own / "pid").write_text("")
    lab.run(["ip", "addr", "add", f"{ADDRESS}/24", "dev", "eth0"], CARD.name)
    good = rendered(with_nas(ipv4=OTHER_ADDRESS), "dnsmasq")
    served.publish(good)
    ran = served.run()
    assert ran.status == 0, ran.said
    served.publish(good + b"no-such-option\n")
    ran = served.run()
    assert ran.status == 1 and "The checker refuses it" in ran.said, ran.said
    # What --test accepts and the start does not: an address that this machine does not have.
    served.publish(rendered(SITE, "dnsmasq") + b"bind-interfaces\nlisten-address=198.18.0.1\n")
    ran = served.run()
    assert ran.status == 1 and "The last good file is served again" in ran.said, ran.said
    assert target.read_bytes() == good
    assert served.reported() == [True, False, False]
    question = (f"nas-ph01.{ZONE}", "A")
    answer = dig(lab, CARD.name, "192.0.2.1", [question], tmp_path)[question]
    assert answer.values("A") == {OTHER_ADDRESS}, "dnsmasq answers, and from the good file"
    assert served.run("--rollback").status == 1, "there is no file before the first good one"
