"""The whole way back, timed: from a kit on a stick to DHCP, DNS and the application, on a machine without a network.

    python -m tests.recovery.the_drill                   a fictional site, this program's own packages
    python -m tests.recovery.the_drill --wheels --up     the packages from the kit's wheels, everything under `manage.py up`
    python -m tests.recovery.the_drill --write FILE      the measured times into FILE, such as docs/recovery.md

Everything after the loss happens in namespaces that reach nothing: a bootstrap node with one cable for each client, and
nothing of the lost machine but the kit and what consumers kept.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory.recovery.kit import SUMS
from tests.lab.dhclient import Asking, Lease
from tests.lab.dig import dig
from tests.lab.network import Lab, Plug, Wire
from tests.shared_data import REPOSITORY

PASSPHRASE = "a horse that is correct"
BEFORE = "before: declare a site, back it up, build its kit, serve it"
CLIENTS = 3
READY_SECONDS = 120
FORMAT = "hosts"
COMMAND = "python -m tests.recovery.the_drill"
SERVE = ("manage.py", "runserver", "--noreload", "--insecure")
MARKS = (
    "<!-- the drill: written by `python -m tests.recovery.the_drill --write` -->",
    "<!-- end of the drill -->",
)


@dataclass(frozen=True)
class Ran:
    status: int
    said: str


class Consumer:
    """A router with ``mgmtplane-fetch``: what it took up lies in ``target``, what it remembers beside."""

    def __init__(self, folder: Path, site: str, port: int, token: str) -> None:
        folder.mkdir(mode=0o700)
        self.target, self.conf = folder / "hosts", folder / "router.conf"
        (folder / "token").write_text(f"{token}\n")
        (folder / "token").chmod(0o600)
        settings = {
            "URL": f"http://127.0.0.1:{port}",
            "SITE": site,
            "FORMAT": FORMAT,
            "TOKEN_FILE": folder / "token",
            "TARGET": self.target,
            "CHECK": "none",
            "RELOAD": "true",
            "STATE_DIR": folder / "state",
            "CONSUMER": "router-1",
            "SETTLE": "0",
            "VERIFY_SECONDS": "1",
        }
        self.conf.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self.conf.chmod(0o644)

    def run(self, lab: Lab | None = None) -> Ran:
        words = ["sh", str(REPOSITORY / "clients" / "mgmtplane-fetch"), str(self.conf)]
        if lab is not None:
            done = lab.run(words)
        else:
            environment = {"PATH": os.environ["PATH"]}
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        return Ran(done.returncode, done.stdout + done.stderr)


@dataclass
class Outcome:
    """What the drill saw, for who judges it."""

    site: str
    #: the words of the command that repeats it
    how: str = ""
    #: what was done → seconds, and those of them in which a processor worked for it, in order
    times: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: ``backup measure`` of the machine that was lost, when its backup was made, and of the restored one
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    #: client → address it should have, and what it was told
    expected: dict[str, str] = field(default_factory=dict)
    leases: dict[str, Lease | None] = field(default_factory=dict)
    #: name → address it should have, and the addresses it has; address → names
    names: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    reverse: dict[str, set[str]] = field(default_factory=dict)
    node: str = ""
    #: what reached out of the namespace; nothing, as it should be
    routes: str = ""
    said: dict[str, str] = field(default_factory=dict)
    #: what the consumer did with the restored copy, before and after its promotion
    stale: Ran | None = None
    stale_kept: bool = False
    promoted: Ran | None = None
    promoted_took: str = ""


@contextlib.contextmanager
def timed(outcome: Outcome, what: str) -> Iterator[None]:
    began, worked = time.monotonic(), _worked()
    yield
    outcome.times[what] = (time.monotonic() - began, _worked() - worked)


def _worked() -> float:
    """Of the commands that have ended by now; servers that go on are left out."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class TheDrill:
    """One run below *folder*. ``run`` does all of it; each step can be read on its own."""

    slug = "lab"

    def __init__(self, folder: Path, *, wheels: bool = False, up: bool = False) -> None:
        self.folder, self.wheels, self.up = folder, wheels, up
        self.lost, self.stick, self.target = folder / "lost", folder / "stick", folder / "new"
        ways = {"--wheels": wheels, "--up": up}
        self.outcome = Outcome(self.slug, " ".join([COMMAND, *(way for way, asked in ways.items() if asked)]))
        self.kit = self.stick / self.slug
        self.port = _free_port()

    def run(self) -> Outcome:
        with timed(self.outcome, BEFORE):
            self.prepare()
            self.go_on()
        lab = Lab()
        try:
            self.lose()
            with timed(self.outcome, "DHCP and DNS from the kit: first lease and name"):
                self.bootstrap(lab)
            with timed(self.outcome, "the application restored from the kit, every export compared"):
                self.restore(lab)
            with timed(self.outcome, "measured again: rows, exports, next identities"):
                self.outcome.after = json.loads(
                    self.inside(lab, "backup", "measure", "--at", self.made).stdout
                )
            with timed(self.outcome, "a consumer refuses the stale copy, and takes the promoted one"):
                self.promote(lab)
        finally:
            lab.close()
        return self.outcome

    # --- before ---

    def prepare(self) -> None:
        self.manage("migrate", "-v0")
        self.manage("demo")
        if self.wheels:
            done = subprocess.run(
                ["sh", "tools/wheels", str(self.lost / "wheels")],
                cwd=REPOSITORY,
                check=True,
                capture_output=True,
            )
            self.outcome.said["wheels"] = done.stdout.decode()
        self.token = self.manage("token", "create", "router", "--site", self.slug).strip().splitlines()[-1]
        self.manage("backup", "create", BACKUP_PASSPHRASE=PASSPHRASE)
        (archive,) = (self.lost / "backups").glob("*.tar")
        self.made = re.sub(
            r".*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*", r"\1-\2-\3T\4:\5:\6+00:00", archive.name
        )
        self.outcome.before = json.loads(self.manage("backup", "measure", "--at", self.made))
        self.stick.mkdir(exist_ok=True)
        self.outcome.said["build"] = self.manage(
            "recovery_kit", "build", "--site", self.slug, "--to", str(self.stick)
        )
        self.choose()

    def choose(self) -> None:
        """Machines with a reservation where the node is in its mode, as Kea would serve them: not what the kit reads."""
        place = self.folder / "kea.json"
        words = ("kea", "--site", self.slug, "--authority", "bootstrap", "--output", str(place))
        self.manage("export", *words)
        files = [place] if place.is_file() else sorted(place.glob("*dhcp4*"))
        text = re.sub(r"^\s*//.*$", "", files[0].read_text(), flags=re.MULTILINE)
        address, _, self.segment = (
            (self.kit / "bootstrap" / "addresses").read_text().split("\n")[0].partition(" ")
        )
        self.outcome.node = address.partition("/")[0]
        self.reservations = [
            (one["hostname"], one["hw-address"], one["ip-address"])
            for subnet in json.loads(text)["Dhcp4"]["subnet4"]
            for one in subnet.get("reservations", [])
            if _same_network(one.get("ip-address", ""), address) and one.get("hostname")
        ][:CLIENTS]
        self.outcome.expected = {name: ip for name, _, ip in self.reservations}
        self.zone = self._zone()

    def _zone(self) -> str:
        for line in (self.kit / "README.txt").read_text().splitlines():
            if found := re.search(r"\(([\w.-]+)\)\.", line):
                return found[1]
        raise AssertionError("the kit does not say its zone")

    def lose(self) -> None:
        """Nothing is left of it but the stick."""
        shutil.rmtree(self.lost)

    def go_on(self) -> None:
        """After its backup the machine goes on, and a consumer takes what is new: more than the kit knows."""
        name = self.reservations[0][0]
        words = (
            "--site",
            self.slug,
            "--host",
            name,
            "--interface",
            "after-the-backup",
            "--segment",
            self.segment,
        )
        self.outcome.said["lost"] = self.manage("allocate", "address", *words).strip()
        consumer = Consumer(self.folder / "consumer", self.slug, self.port, self.token)
        with self.served():
            self.taken = consumer.run()
        assert self.taken.status == 0, self.taken.said
        assert self.outcome.said["lost"] in consumer.target.read_text(), "it has what the kit has not"
        self.consumer = consumer

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """The machine that will be lost, as long as it is there."""
        process = subprocess.Popen(
            [sys.executable, *SERVE, str(self.port)],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "DATA_DIR": str(self.lost)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: _answers(self.port), "the machine that will be lost answers")
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    # --- without a network ---

    def bootstrap(self, lab: Lab) -> None:
        """The one documented command, and clients that know nothing."""
        plugs = [Plug(name, mac, "segment") for name, mac, _ in self.reservations]
        lab.build([Wire("segment", ())], plugs)
        self.outcome.routes = lab.run(["ip", "route", "show", "default"]).stdout
        log = self.folder / "up.log"
        environment = {"LEASES": str(self.folder / "leases"), "DNSMASQ_USER": "root"}
        process = lab.start(
            ["sh", str(self.kit / "bootstrap" / "up.sh"), "br0"], log, environment=environment
        )
        deadline = time.monotonic() + READY_SECONDS
        while "started, version" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        asking = Asking(lab, [plug.name for plug in plugs], self.folder / "asking", patience=30)
        self.outcome.leases = asking.leases()
        questions = [(f"{name}.{self.zone}", "A") for name, _, _ in self.reservations]
        pointers = [(_pointer(ip), "PTR") for _, _, ip in self.reservations]
        first = plugs[0].name
        lease = self.outcome.leases[first]
        assert lease is not None, log.read_text()
        taken = f"{lease.ip_address}/{lease.subnet_mask}"  # dhclient's own script would do it
        lab.run(["ip", "address", "add", taken, "dev", "eth0"], first)
        answers = dig(lab, first, self.outcome.node, [*questions, *pointers], self.folder)
        self.outcome.names = {
            name: (ip, answers[f"{name}.{self.zone}", "A"].values("A")) for name, _, ip in self.reservations
        }
        self.outcome.reverse = {
            ip: answers[_pointer(ip), "PTR"].values("PTR") for _, _, ip in self.reservations
        }

    def restore(self, lab: Lab) -> None:
        """``restore.sh`` of the kit. Without wheels the packages of this program are there already, and pip finds nothing
        to fetch."""
        self.target.mkdir()
        if not self.wheels:
            shutil.copyfile(self.kit / SUMS, self.target / ".restoring")  # as if it had been ended after pip
            (self.target / ".venv").symlink_to(Path(sys.prefix))
        secret = self.folder / "passphrase"
        secret.write_text(f"{PASSPHRASE}\n")
        script = f'PYTHON={sys.executable} sh "$1/restore.sh" "$2" --passphrase-stdin <"$3"'
        words = ["sh", "-c", script, "sh", str(self.kit), str(self.target), str(secret)]
        done = lab.run(["env", f"HOME={self.folder}", *words], timeout=900)
        self.outcome.said["restore"] = done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr

    def promote(self, lab: Lab) -> None:
        """The restored copy serves: to the consumer it is stale, until a person promotes it."""
        python = str(self.target / ".venv" / "bin" / "python")
        serve = ["manage.py", "up"] if self.up else [*SERVE, str(self.port)]
        place = {"HOME": str(self.folder), "PORT": str(self.port)}
        lab.start([python, *serve], self.folder / "served.log", folder=self.target, environment=place)
        curl = [
            "curl",
            "--silent",
            "--fail",
            "--output",
            "/dev/null",
            f"http://127.0.0.1:{self.port}/healthz",
        ]
        wait_until(lambda: lab.run(curl).returncode == 0, "the restored copy answers")
        before = self.consumer.target.read_bytes()
        self.outcome.stale = self.consumer.run(lab)
        self.outcome.stale_kept = self.consumer.target.read_bytes() == before
        self.inside(lab, "promote", self.slug, "--typed", self.slug, "--why", "The machine is lost.")
        self.outcome.promoted = self.consumer.run(lab)
        self.outcome.promoted_took = self.consumer.target.read_text()
        self.outcome.said["promoted"] = self.inside(lab, "export", FORMAT, "--site", self.slug).stdout

    def inside(self, lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
        """``manage.py`` of the restored application."""
        python = str(self.target / ".venv" / "bin" / "python")
        command = ["env", "-C", str(self.target), f"HOME={self.folder}", python, "manage.py", *words]
        done = lab.run(command, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    # --- the machine that will be lost ---

    def manage(self, *words: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "DATA_DIR": str(self.lost),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _same_network(address: str, with_prefix: str) -> bool:
    import ipaddress

    return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_interface(with_prefix).network


def _pointer(address: str) -> str:
    return ".".join([*reversed(address.split(".")), "in-addr", "arpa"])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.1)


# --- the times, written down ---


def told(outcome: Outcome) -> str:
    """The table for docs/recovery.md."""
    after = {what: one for what, one in outcome.times.items() if what != BEFORE}
    after["in all, from the empty machine on"] = tuple(map(sum, zip(*after.values(), strict=True)))  # type: ignore[assignment]
    exports = sum(len(site["exports"]) for site in outcome.after["sites"].values())
    rows = [f"| {what} | {seconds:.1f} s | {worked:.1f} s |" for what, (seconds, worked) in after.items()]
    measured = (
        f"`{outcome.how}` on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {_processor()}, {platform.system()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[1]:.0f}: {sum(outcome.after['rows'].values())} rows, "
        f"{exports} exports. Times are of the clock, and of the processor: on a busy machine the former says little."
    )
    return "\n".join(
        [
            MARKS[0],
            "",
            measured,
            "",
            "| what | it took | processor |",
            "|---|---|---|",
            *rows,
            "",
            MARKS[1],
        ]
    )


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def write(page: Path, outcome: Outcome) -> None:
    """Put the table between its marks."""
    text = page.read_text()
    first, last = text.index(MARKS[0]), text.index(MARKS[1]) + len(MARKS[1])
    page.write_text(text[:first] + told(outcome) + text[last:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wheels", action="store_true", help="restore from wheels in the kit, downloaded before the loss"
    )
    parser.add_argument("--up", action="store_true", help="serve the restored copy with manage.py up")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the times, between their marks")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="the-drill-") as folder:
        outcome = TheDrill(Path(folder), wheels=asked.wheels, up=asked.up).run()
    problems = judged(outcome)
    print(told(outcome))
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(1)
    if asked.write:
        write(asked.write, outcome)


def judged(outcome: Outcome) -> list[str]:
    """What went wrong, in sentences; empty: everything is as it should be."""
    slug = outcome.site
    found = [] if outcome.expected and not outcome.routes else ["Nobody asked, or there was a way out."]
    for name, address in outcome.expected.items():
        lease = outcome.leases.get(name)
        if lease is None or lease.ip_address != address:
            found.append(f"{name} did not get {address}: {lease}")
        if outcome.names[name][1] != {address} or not any(
            one.partition(".")[0] == name for one in outcome.reverse[address]
        ):
            found.append(f"{name} was not found: {outcome.names[name]}, {outcome.reverse[address]}")
    before, after = outcome.before["sites"][slug], outcome.after["sites"].get(slug)
    for what in ("revision", "exports", "next"):
        if not before[what] or after is None or before[what] != after[what]:
            found.append(f"{what} is not what it was")
    if "Every export is what it was." not in outcome.said["restore"]:
        found.append(f"restore.sh said: {outcome.said['restore']}")
    if outcome.stale is None or outcome.stale.status != 3 or not outcome.stale_kept:
        found.append(f"the stale copy was not refused: {outcome.stale}")
    if outcome.promoted is None or outcome.promoted.status != 0:
        found.append(f"the promoted copy was not taken: {outcome.promoted}")
    if outcome.promoted_took != outcome.said["promoted"] or outcome.said["lost"] in outcome.promoted_took:
        found.append("the consumer has not what the promoted copy exports")
    return found


if __name__ == "__main__":
    main()
