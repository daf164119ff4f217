"""The power scripts where something went before them: a second run, a hypervisor that still boots, packets that are lost."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot
from tests.components import require
from tests.recovery.test_power import LAN, OFF, RUNNING, SHELLS, SITE, SSH, host, run, scripts

__all__ = ["scripts"]  # the fixture
LOST = "Connection timed out during banner exchange"
GIVEN_UP = "channel 0: open failed: connect failed: Connection timed out"


def two_ways_in() -> Snapshot:
    """SITE, and a second segment behind a jump host of its own."""
    field = SegmentFacts("field", network4="198.51.100.0/24", jump_host="jump02")
    far = [
        HostFacts(name, form="ph", interfaces=(
            InterfaceFacts(name, "eth0", f"00:00:5e:00:53:{last:02x}", segment="field", addressing="static",
                           ipv4=f"198.51.100.{last}", a_record=True),
        ))
        for name, last in (("cell01", 91), ("jump02", 90))
    ]  # fmt: skip
    hosts = sorted((*SITE.hosts, *far), key=lambda one: one.name)
    return replace(SITE, hosts=tuple(hosts), segments=(field, LAN))


#: as SSH, of two jump hosts, and only of who shuts down
TWO = """\
#!/bin/sh
shift 3
way=$1; shift
case $way in
jump01.ip) gate= address=192.0.2.10 ;;
jump02.ip) gate= address=198.51.100.90 ;;
cell01.ip) gate=jump02.ip address=198.51.100.90 ;;
*) gate=jump01.ip address=192.0.2.10 ;;
esac
if [ -n "$gate" ] && ! [ -e "$UP/$gate" ] || [ -z "$gate" ] && ! [ -e "$UP/$way" ]; then
    echo "ssh: connect to host $address port 22: Connection timed out" >&2
    [ -z "$gate" ] || echo "Connection closed by UNKNOWN port 65535" >&2
    exit 255
fi
if ! [ -e "$UP/$way" ]; then
    echo "channel 0: open failed: connect failed: No route to host" >&2
    exit 255
fi
case "$*" in
true) ;;
ping*) exit 1 ;;
*shutdown*)
    [ "$way" != "$STUBBORN" ] || { echo "sudo: a password is required" >&2; exit 1; }
    echo begun; echo "down $way" >>"$LOG"; rm "$UP/$way"; exit 255 ;;
esac
"""


@pytest.fixture
def two(scripts: Path, monkeypatch) -> Path:
    """Scripts of the site with two jump hosts; what they note stays in a home of their own."""
    lay_out(scripts, two_ways_in())
    (scripts.parent / "home").mkdir()
    (scripts.parent / "clock").write_text("100000\n")
    at_home(scripts, TWO, STUBBORN="")
    return scripts


def lay_out(scripts: Path, site: Snapshot) -> None:
    for name, content in get_export("power-scripts").render(site, None).files.items():
        (scripts / name).write_bytes(content)


def at_home(scripts: Path, ssh: str, **settings: str) -> None:
    """The scripts have a home, and the stand-in *ssh* these settings."""
    said = "\n".join(f"{key}={value}" for key, value in settings.items())
    (scripts.parent / "bin" / "ssh").write_text(ssh.replace("#!/bin/sh\n", f"#!/bin/sh\n{said}\n", 1))
    for script in scripts.glob("*.sh"):
        text = script.read_text()
        if "HOME=" not in text:
            script.write_text(text.replace("set -eu\n", f"set -eu\nHOME={scripts.parent / 'home'}\n", 1))


ALL = [*RUNNING, "jump02", "cell01"]


def stopped_at_the_second_jump_host(two: Path, shell: str) -> None:
    """A run after which all behind the first jump host is off, and that itself."""
    at_home(two, TWO, STUBBORN="jump02.ip")
    code, told, said = run(two, shell, "shutdown.sh", "--yes", "--wait", "10", up=ALL)
    assert (code, sorted(told)) == (1, sorted([*OFF, "down cell01.ip"])), said
    at_home(two, TWO, STUBBORN="")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_second_run_goes_on_where_a_jump_host_is_off_already(two, shell):
    stopped_at_the_second_jump_host(two, shell)
    code, told, said = run(two, shell, "shutdown.sh", "--yes", up=["cell01"])  # somebody switched it on again
    assert (code, told) == (0, ["down cell01.ip", "down jump02.ip"]), said
    assert "jump01 was seen off by an earlier run" in said
    assert "vm101: was seen off by an earlier run" in said
    assert not list((two.parent / "home").rglob("off-*"))  # the next shutdown is another one


@pytest.mark.parametrize("shell", SHELLS)
def test_what_an_earlier_run_saw_is_forgotten_when_asked_later_or_after_powering_up(two, shell):
    stopped_at_the_second_jump_host(two, shell)
    (noted,) = (two.parent / "home").rglob("off-lab")
    kept = noted.read_text()
    for what in ("--again", "later", "clock", "rubbish", "power-up.sh"):
        noted.write_text("x y\n\n9 9 9\n" if what == "rubbish" else kept)
        clock = two.parent / "clock"
        before = int(clock.read_text())
        clock.write_text(f"{before + {'later': 6 * 3600, 'clock': -before}.get(what, 0)}\n")
        if what == "power-up.sh":
            run(two, shell, "power-up.sh", "--yes", "--keep-going", "--wait", "1", up=[])
            assert not noted.exists()
        more = ["--again"] if what == "--again" else []
        code, told, said = run(two, shell, "shutdown.sh", "--yes", *more, up=["jump02"])
        assert (code, told) == (1, []), (what, said)
        assert "jump01 does not answer, so nothing can be said of what is reached through it" in said
        clock.write_text(f"{before}\n")


def test_a_dry_run_forgets_nothing(two):
    stopped_at_the_second_jump_host(two, "dash")
    for name in ("shutdown.sh", "power-up.sh"):
        run(two, "dash", name, "--dry-run", "--again", *(), up=[])
    assert list((two.parent / "home").rglob("off-lab"))


def test_who_was_not_seen_off_is_not_taken_to_be_off_because_its_jump_host_was(two):
    stopped_at_the_second_jump_host(two, "dash")
    (noted,) = (two.parent / "home").rglob("off-lab")
    noted.write_text("".join(line for line in noted.read_text().splitlines(True) if "vm102" not in line))
    code, told, said = run(two, "dash", "shutdown.sh", "--yes", up=["jump02"])
    assert (code, told) == (1, []), said
    assert "vm102: nobody can tell whether it runs." in said


def test_what_answers_again_is_shut_down_though_it_was_seen_off(two):
    stopped_at_the_second_jump_host(two, "dash")
    code, told, said = run(two, "dash", "shutdown.sh", "--yes", up=["jump01", "vm101", "jump02"])
    assert (code, sorted(told)) == (0, ["down jump01.ip", "down jump02.ip", "down vm101.ip"]), said


# --- packets that are lost behind a jump host ---


def lost(scripts: Path, patient: str, *, ping: int = 1) -> None:
    """Of vm102 nothing comes back: ssh gives up at once, and says *patient* when it waits for the jump host's word."""
    case = f"""\
case "$way $*" in
"vm102.ip true")
    if [ "$(head -n 1 "$config")" = "ConnectTimeout 150" ]; then echo "{patient}" >&2
    else echo "{LOST}" >&2; echo "Connection to UNKNOWN port 65535 timed out" >&2; fi
    exit 255 ;;
*"ping -c 1 -W 2 192.0.2.32"*) exit {ping} ;;
esac
"""
    (scripts.parent / "bin" / "ssh").write_text(SSH.replace("if ! ", case + "if ! ", 1))


@pytest.mark.parametrize("shell", SHELLS)
def test_who_is_lost_behind_a_jump_host_is_off_once_that_one_says_so(scripts, shell):
    lost(scripts, GIVEN_UP)
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", up=["vm101", "hv02", "jump01"])
    assert (code, told) == (0, [OFF[0], *OFF[2:]]), said
    assert "vm102: does not answer, so it is taken to be off" in said


@pytest.mark.parametrize(("words", "ping"), [(LOST, 1), (GIVEN_UP, 0)])
def test_a_host_that_accepts_and_says_nothing_is_not_off(scripts, words, ping):
    lost(scripts, words, ping=ping)
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (1, OFF[:1]), said
    assert "vm102: nobody can tell whether it runs." in said


# --- virtual machines, by their hypervisor ---

QM = """\
case "$*" in *"qm start 101"*)
    n=$(cat "$UP/../tries" 2>/dev/null || echo 0); echo $((n + 1)) >"$UP/../tries"
    [ "$n" -ge 2 ] || { echo "VM 101 is locked" >&2; exit 255; } ;;
esac
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_machine_is_started_again_until_it_runs(scripts, shell):
    (scripts.parent / "bin" / "ssh").write_text(SSH.replace('case "$*" in\ntrue', QM + 'case "$*" in\ntrue'))
    code, told, said = run(scripts, shell, "power-up.sh", "--yes", up=["jump01"])
    assert code == 0, said
    assert [line for line in told if "start" in line] == ["start hv02.ip 101", "start hv02.ip 102"]


@pytest.mark.parametrize(
    ("words", "tries"), [("VM 101 is locked", "13"), ("sudo: a password is required", "1")]
)
def test_a_machine_that_is_not_started_in_time_is_told_with_its_reason(scripts, words, tries):
    never = QM.replace("-ge 2 ]", "-ge 99 ]").replace("VM 101 is locked", words)
    (scripts.parent / "bin" / "ssh").write_text(
        SSH.replace('case "$*" in\ntrue', never + 'case "$*" in\ntrue')
    )
    code, _, said = run(scripts, "dash", "power-up.sh", "--yes", "--wait", "60", up=["jump01"])
    assert code == 1 and f"vm101: could not be started. {words}" in said
    assert (scripts.parent / "tries").read_text().strip() == tries


def quiet_machine() -> Snapshot:
    card = InterfaceFacts("vm109", "eth0", "00:00:5e:00:53:77", segment="management", addressing="dhcp")
    machine = HostFacts("vm109", form="vm", hypervisor="hv02", vmid=109, interfaces=(card,))
    return replace(SITE, hosts=tuple(sorted((*SITE.hosts, machine), key=lambda one: one.name)))


HALT = 'case "$*" in *"qm shutdown 109 --timeout "*) echo "halt $way ${*##* }" >>"$LOG"; exit $CODE ;; esac\n'


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("code", [0, 1])
def test_a_machine_without_an_address_is_shut_down_by_its_hypervisor(scripts, shell, code):
    lay_out(scripts, quiet_machine())
    text = SSH.replace('case "$*" in\ntrue', HALT.replace("$CODE", str(code)) + 'case "$*" in\ntrue')
    (scripts.parent / "bin" / "ssh").write_text(text)
    found, told, said = run(scripts, shell, "shutdown.sh", "--yes", "--wait", "60", up=RUNNING)
    assert "halt hv02.ip 60" in told and ("down hv02.ip" in told) == (code == 0)
    assert found == code, said


def test_a_machine_whose_hypervisor_is_off_is_off(scripts):
    lay_out(scripts, quiet_machine())
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=["jump01"])
    assert (code, told) == (0, ["down jump01.ip"]), said
    assert "vm109: its hypervisor does not answer, so both are taken to be off" in said


def test_a_dry_run_tells_of_machines_without_an_address(scripts):
    lay_out(scripts, quiet_machine())
    _, told, said = run(scripts, "dash", "shutdown.sh", "--dry-run", up=RUNNING)
    assert told == [] and "vm109: shut down virtual machine 109, from hv02" in said


def test_shellcheck_finds_nothing_where_everything_occurs(scripts):
    require("shellcheck", package="shellcheck")
    card = host("jump01", "vm", 10, hypervisor="hv02", vmid=100)
    site = quiet_machine()
    lay_out(scripts, replace(site, hosts=tuple(card if one.name == "jump01" else one for one in site.hosts)))
    for script in scripts.glob("*.sh"):
        done = subprocess.run(
            ["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False
        )
        assert done.stdout == ""
