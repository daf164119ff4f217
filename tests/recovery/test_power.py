"""Shutting down and powering up: the plans, and their scripts in the shells that they are for, against a stand-in of ssh."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.recovery.power import Move, power_up, shutdown
from inventory.snapshot import (
    AuthorityFacts,
    HostFacts,
    InterfaceFacts,
    MachineFacts,
    SegmentFacts,
    SiteFacts,
    Snapshot,
)
from tests.components import find_program, require

SHELLS = ("dash", "busybox")
#: Everybody answers whose file lies in up/; what it is told is written down. Who is off is told as ssh tells it: of a
#: host behind the jump host, by that one.
SSH = """\
#!/bin/sh
config=$2
shift 3
way=$1; shift
if ! [ -e "$UP/$way" ]; then
    case $way in
    jump01.ip) echo "ssh: connect to host 192.0.2.10 port 22: Connection timed out" >&2 ;;
    *) if [ -e "$UP/jump01.ip" ]
       then echo "channel 0: open failed: connect failed: No route to host" >&2
       else echo "ssh: connect to host 192.0.2.10 port 22: Connection timed out" >&2; fi
       echo "stdio forwarding failed" >&2; echo "Connection closed by UNKNOWN port 65535" >&2 ;;
    esac
    exit 255
fi
case "$*" in
true) ;;
ping*) exit 1 ;;
*shutdown*) echo begun; echo "down $way" >>"$LOG"; rm "$UP/$way"; exit 255 ;;
*"qm start"*) echo "start $way ${*##* }" >>"$LOG"; touch "$UP/vm${*##* }.ip" ;;
*) echo "relay $way" >>"$LOG"; touch "$UP/hv02.ip" ;;
esac
"""
#: Time is what the scripts sleep, so patience costs none.
SLEEP = '#!/bin/sh\necho $(($(cat "$UP/../clock") + $1)) >"$UP/../clock"\n'
DATE = '#!/bin/sh\ncat "$UP/../clock"\n'


def host(name: str, form: str, last: int, *, switch: str = "sw01", wakes: bool = False, **more) -> HostFacts:
    card = InterfaceFacts(
        name, "eth0", f"00:00:5e:00:53:{last:02x}", segment="management", addressing="static", ipv4=f"192.0.2.{last}",
        a_record=True, switch=switch if form not in ("sw", "vm") else None, wake_on_lan=wakes,
    )  # fmt: skip
    return HostFacts(name, form=form, interfaces=(card,), **more)


LAN = SegmentFacts(
    "management", network4="192.0.2.0/24", gateway4="192.0.2.1", jump_host="jump01", wake_relay="jump01"
)
SITE = Snapshot(
    SiteFacts("lab", "example.net"),
    segments=(LAN,),
    hosts=tuple(
        sorted(
            (
                host("rt01", "rt", 1),
                host("sw01", "sw", 2, power_kind="pdu", power_address="pdu01", power_outlet="2"),
                host("jump01", "ph", 10),
                host("hv02", "hv", 22, wakes=True),
                host("vm101", "vm", 31, hypervisor="hv02", vmid=101),
                host("vm102", "vm", 32, hypervisor="hv02", vmid=102),
            ),
            key=lambda one: one.name,
        )
    ),
)
OFF = ["down vm101.ip", "down vm102.ip", "down hv02.ip", "down jump01.ip"]
ON = ["relay jump01.ip", "start hv02.ip 101", "start hv02.ip 102"]


def order(stages) -> list[list[str]]:
    return [[f"{move.how} {move.host}" for move in stage.moves] for stage in stages]


def test_nobody_goes_while_somebody_needs_it_and_the_path_goes_last():
    assert order(shutdown(SITE)) == [
        ["ssh vm101", "ssh vm102"],
        ["ssh hv02"],
        ["ssh jump01"],
        ["hand rt01", "hand sw01"],
    ]


def test_powering_up_is_the_other_way_round_and_by_what_each_host_declares():
    assert order(power_up(SITE)) == [
        ["hand sw01"],
        ["hand rt01"],
        ["hand jump01"],
        ["wake hv02"],
        ["hypervisor vm101", "hypervisor vm102"],
    ]
    (wake,) = [move for stage in power_up(SITE) for move in stage.moves if move.how == "wake"]
    assert (wake.mac, wake.broadcast, wake.through) == ("00:00:5e:00:53:16", "192.0.2.255", "jump01.ip")


def test_a_jump_host_on_the_hypervisor_that_is_reached_through_it_goes_with_it():
    jump = host("jump01", "vm", 10, hypervisor="hv02", vmid=100)
    site = replace(SITE, hosts=tuple(jump if one.name == "jump01" else one for one in SITE.hosts))
    assert order(shutdown(site)) == [
        ["ssh vm101", "ssh vm102"],
        ["with jump01"],
        ["ssh hv02"],
        ["hand rt01", "hand sw01"],
    ]
    assert [move.is_blind for stage in shutdown(site) for move in stage.moves if move.host == "hv02"] == [
        True
    ]
    assert order(power_up(site))[2:] == [
        ["hand hv02"],  # its relay runs on it
        ["with jump01"],
        ["hypervisor vm101", "hypervisor vm102"],
    ]


def with_hosts(*hosts: HostFacts, **lan) -> Snapshot:
    """SITE with these in place of, or besides, its own; *lan* changes its segment."""
    kept = {one.name: one for one in (*SITE.hosts, *hosts)}
    made = tuple(kept[name] for name in sorted(kept))
    return replace(SITE, hosts=made, segments=(replace(LAN, **lan),))


def moves(stages) -> dict[str, tuple[int, Move]]:
    """Host → (number of its stage, what is done about it)."""
    return {move.host: (stage.number, move) for stage in stages for move in stage.moves}


def test_a_host_waits_for_the_relay_that_wakes_it():
    found = moves(power_up(with_hosts(host("pi01", "pi", 40), jump_host="", wake_relay="pi01")))
    assert found["pi01"][0] < found["hv02"][0]
    assert found["hv02"][1].how == "wake"
    assert "after pi01 (wakes it)" in found["hv02"][1].why


def test_a_relay_that_runs_on_the_host_that_it_wakes_wakes_nobody():
    relay = host("r-vm01", "vm", 41, hypervisor="hv02", vmid=103)
    found = moves(power_up(with_hosts(relay, wake_relay="r-vm01")))
    assert found["hv02"][0] < found["r-vm01"][0]
    assert (found["hv02"][1].how, found["hv02"][1].through) == ("hand", "")
    assert "its Wake-on-LAN relay r-vm01 waits for it" in found["hv02"][1].why


def test_whoever_is_routed_by_a_virtual_machine_goes_before_it_and_comes_after_it():
    router = host("fw-vm01", "vm", 50, hypervisor="hv02", vmid=110)
    camera = HostFacts("cam01", form="em", interfaces=(
        InterfaceFacts("cam01", "eth0", "00:00:5e:00:53:60", segment="iot", addressing="static", ipv4="198.51.100.9"),
    ))  # fmt: skip
    iot = SegmentFacts("iot", network4="198.51.100.0/24", gateway4="192.0.2.50")
    site = with_hosts(router, camera)
    site = replace(site, segments=(*site.segments, iot))
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert down["cam01"][0] < down["fw-vm01"][0] < down["hv02"][0]
    assert up["hv02"][0] < up["fw-vm01"][0] < up["cam01"][0]


def test_a_gateway_of_the_same_form_is_waited_for_and_one_that_stands_on_its_host_is_not():
    found = moves(
        shutdown(with_hosts(host("nas01", "ph", 60), host("gw01", "ph", 61), gateway4="192.0.2.61"))
    )
    assert found["nas01"][0] < found["gw01"][0]
    carried = with_hosts(host("fw-vm01", "vm", 50, hypervisor="hv02", vmid=110), gateway4="192.0.2.50")
    found = moves(shutdown(carried))
    assert found["vm101"][0] < found["fw-vm01"][0] < found["hv02"][0]


def test_what_is_being_provisioned_is_left_out_and_a_standby_is_not_waited_for():
    new = host("vm103", "vm", 33, hypervisor="hv02", vmid=103, status="provisioning")
    spare = host("vm104", "vm", 34, hypervisor="hv02", vmid=104, status="standby")
    text = get_export("power-scripts").render(with_hosts(new, spare), None).files["power-up.sh"].decode()
    assert "# vm103: it is being provisioned: there may be no machine yet" in text
    assert [line for line in text.splitlines() if "'vm103'" in line] == []
    assert "start 'vm104' 104" in text and "awake 'vm104'" not in text and "awake 'vm102'" in text


def test_a_jump_host_that_its_hypervisor_does_not_start_is_started_by_hand():
    asleep = host("jump01", "vm", 10, hypervisor="hv02", vmid=100, machine=MachineFacts(start_on_boot=False))
    move = moves(power_up(with_hosts(asleep)))["jump01"][1]
    assert (move.how, move.by) == ("hand", "at the console of hv02")
    assert move.why == "hv02 is reached through it, and does not start it when it boots"


def test_the_scripts_go_by_the_addresses_of_the_authority_that_they_are_for():
    """Who has no address in bootstrap mode, because the bootstrap node took it over, is not in its configuration."""
    core = host("core", "ph", 1)
    boot = host("boot01", "pi", 70)
    boot = replace(boot, interfaces=(replace(boot.interfaces[0], bootstrap_ipv4="192.0.2.1"),))
    site = with_hosts(core, boot)
    site = replace(
        site,
        hosts=tuple(one for one in site.hosts if one.name != "rt01"),
        authorities=(AuthorityFacts("gateway", "ada", "2030-06-01T10:00:00+00:00", "", "boot01"),),
    )
    files = get_export("power-scripts").render(site, "bootstrap").files
    assert b"core.ip" not in files["ssh_config"]
    assert b"core.ip" not in files["shutdown.sh"] and b"by_hand 'core'" in files["shutdown.sh"]
    assert (
        b"down 'core' 'core.ip'" in get_export("power-scripts").render(site, "gateway").files["shutdown.sh"]
    )


def test_each_live_host_is_there_once():
    for stages in (shutdown(SITE), power_up(SITE)):
        names = [move.host for stage in stages for move in stage.moves]
        assert sorted(names) == sorted(one.name for one in SITE.live_hosts)


# --- the scripts ---


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "power"
    folder.mkdir()
    for name, content in get_export("power-scripts").render(SITE, None).files.items():
        (folder / name).write_bytes(content)
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "clock").write_text("0\n")
    for name, text in (("ssh", SSH), ("sleep", SLEEP), ("date", DATE), ("ping", "#!/bin/sh\nexit 1\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "up").mkdir()
    return folder


def run(
    folder: Path, shell: str, name: str, *arguments: str, up: list[str], given: str = ""
) -> tuple[int, list[str], str]:
    """Exit status, what the stand-in was told, and what the script said."""
    require(shell, package=shell)
    top = folder.parent
    log = top / "log"
    log.unlink(missing_ok=True)
    for one in up:
        (top / "up" / f"{one}.ip").touch()
    words = [find_program(shell) or shell, *(["sh"] if shell == "busybox" else [])]
    environment = {"PATH": f"{top / 'bin'}:{os.environ['PATH']}", "UP": str(top / "up"), "LOG": str(log)}
    done = subprocess.run(
        [*words, str(folder / name), *arguments], env=environment, input=given, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    told = log.read_text().splitlines() if log.exists() else []
    return done.returncode, told, done.stdout + done.stderr


RUNNING = ["vm101", "vm102", "hv02", "jump01"]


@pytest.mark.parametrize("shell", SHELLS)
def test_hosts_are_shut_down_in_order(scripts, shell):
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (0, OFF), said
    assert said.index("jump01: is off") < said.index(
        "sw01: BY HAND: switch it off, by PDU at pdu01, outlet 2"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_hosts_are_powered_up_in_order(scripts, shell):
    code, told, said = run(scripts, shell, "power-up.sh", "--yes", up=["jump01"])
    assert (code, told) == (0, ON), said
    assert said.index("sw01: BY HAND") < said.index("hv02: wake") < said.index("vm101: is up")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["shutdown.sh", "power-up.sh"])
def test_a_dry_run_tells_everything_and_touches_nobody(scripts, shell, name):
    code, told, said = run(scripts, shell, name, "--dry-run", up=RUNNING)
    assert (code, told) == (0, []), said
    assert all(one.name in said for one in SITE.live_hosts)


def test_it_asks_for_the_name_of_the_site(scripts):
    code, told, said = run(scripts, "dash", "shutdown.sh", up=RUNNING, given="wrong\n")
    assert (code, told) == (2, []) and "Nothing was done." in said
    code, told, _ = run(scripts, "dash", "shutdown.sh", up=RUNNING, given="lab\n\n\n")
    assert (code, told) == (0, OFF)


def test_what_is_off_already_is_seen(scripts):
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=["hv02", "jump01"])
    assert (code, told) == (0, OFF[2:])
    assert "vm101: does not answer, so it is taken to be off" in said


def test_a_host_that_stays_up_stops_it_before_what_it_needs_goes(scripts):
    stubborn = SSH.replace('rm "$UP/$way"', '[ "$way" = vm101.ip ] || rm "$UP/$way"')
    (scripts.parent / "bin" / "ssh").write_text(stubborn)
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", "--wait", "10", up=RUNNING)
    assert (code, told) == (1, OFF[:2])
    assert "vm101: still answers after 10 seconds." in said
    code, told, said = run(
        scripts, "dash", "shutdown.sh", "--yes", "--wait", "10", "--keep-going", up=RUNNING
    )
    assert (code, told) == (1, OFF)


def saying(scripts: Path, way: str, words: str, *, to: str = "true", code: int = 255) -> None:
    """From now on the stand-in says *words* of the host at *way* when it is told *to*."""
    case = f'case "$way $*" in {way}*{to}*) echo "{words}" >&2; exit {code} ;; esac\n'
    (scripts.parent / "bin" / "ssh").write_text(SSH.replace("if ! ", case + "if ! ", 1))


NOBODY_CAN_TELL = (
    "Received disconnect from 192.0.2.32 port 22:2: Too many authentication failures",
    "ssh: connect to host 192.0.2.32 port 22: Network is unreachable",
    "ssh: connect to host 192.0.2.32 port 22: Connection refused",
    "channel 0: open failed: connect failed: Connection refused",
    "channel 0: open failed: administratively prohibited: open failed",
    "Unable to negotiate with 192.0.2.32 port 22: no matching host key type found. Their offer: ssh-rsa",
    "kex_exchange_identification: read: Connection reset by peer",
    "ssh: connect to host 192.0.2.10 port 22: Connection timed out",
    "ssh: Could not resolve hostname vm102.lab.example.net: Name or service not known",
    "",
)


@pytest.mark.parametrize("words", NOBODY_CAN_TELL)
def test_only_who_is_surely_gone_is_taken_to_be_off(scripts, words):
    saying(scripts, "vm102.ip", words)
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (1, OFF[:1]), said
    assert f"vm102: nobody can tell whether it runs. {words}" in said
    assert "taken to be off" not in said and "Done." not in said


@pytest.mark.parametrize("shell", SHELLS)
def test_who_lets_nobody_in_is_not_taken_to_be_off(scripts, shell):
    saying(scripts, "vm102.ip", "ops@vm102: Permission denied (publickey).")
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (1, OFF[:1])
    assert "vm102: cannot be logged in to. ops@vm102: Permission denied (publickey)." in said


def test_a_shell_that_refuses_runs_on_a_host_that_runs(scripts):
    saying(scripts, "vm102.ip", "This account is currently not available.", code=1)
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (1, OFF[:1])
    assert "nobody can tell whether it runs. This account is currently not available." in said


def test_who_answers_a_ping_is_not_off(scripts):
    text = SSH.replace("ping*) exit 1", "ping*192.0.2.32*) exit 0 ;; ping*) exit 1")
    (scripts.parent / "bin" / "ssh").write_text(text)
    code, _, said = run(scripts, "dash", "shutdown.sh", "--yes", up=["vm101", "hv02", "jump01"])
    assert code == 1
    assert "vm102: nobody can tell whether it runs. 192.0.2.32 answers a ping, and no login" in said


@pytest.mark.parametrize("shell", SHELLS)
def test_who_sees_nobody_is_told_so_and_nothing_is_taken_to_be_off(scripts, shell):
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", "--keep-going", up=[])
    assert (code, told) == (2, []), said
    assert "No host of the site answers here" in said and "taken to be off" not in said


def test_behind_a_jump_host_that_does_not_answer_nobody_is_off(scripts):
    saying(scripts, "jump01.ip", "ssh: connect to host 192.0.2.10 port 22: Connection timed out", to="")
    code, told, said = run(scripts, "dash", "shutdown.sh", "--yes", up=["vm101", "vm102", "hv02"])
    assert (code, told) == (1, []), said
    assert (
        "jump01 does not answer, so nothing can be said of what is reached through it: hv02, vm101, vm102."
        in said
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_why_a_host_does_not_shut_down_is_told_at_once(scripts, shell):
    saying(scripts, "hv02.ip", "sudo: a password is required", to="shutdown", code=1)
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (1, OFF[:2]), said
    assert "hv02: does not shut down. sudo: a password is required" in said and "still answers" not in said


@pytest.fixture
def carried(scripts: Path) -> Path:
    """The jump host is a virtual machine of hv02, which is reached through it: nobody sees hv02 go off."""
    jump = host("jump01", "vm", 10, hypervisor="hv02", vmid=100)
    site = replace(SITE, hosts=tuple(jump if one.name == "jump01" else one for one in SITE.hosts))
    for name, content in get_export("power-scripts").render(site, None).files.items():
        (scripts / name).write_bytes(content)
    return scripts


@pytest.mark.parametrize("shell", SHELLS)
def test_nobody_says_that_a_host_is_off_whose_jump_host_it_carries(carried, shell):
    code, told, said = run(carried, shell, "shutdown.sh", "--yes", up=RUNNING)
    assert (code, told) == (0, OFF[:3]), said
    assert "jump01: goes down with hv02" in said
    assert "hv02: was told to shut down, and answers no more; that it is off cannot be seen from here" in said


@pytest.mark.parametrize("shell", SHELLS)
def test_a_hypervisor_that_carries_its_jump_host_and_stays_up_is_no_success(carried, shell):
    saying(carried, "hv02.ip", "sudo: a password is required", to="shutdown", code=1)
    code, _, said = run(carried, shell, "shutdown.sh", "--yes", up=RUNNING)
    assert code == 1
    assert "hv02: does not shut down. sudo: a password is required" in said and "Done." not in said
    saying(carried, "hv02.ip", "begun", to="shutdown", code=0)  # it says yes, and goes on
    code, _, said = run(carried, shell, "shutdown.sh", "--yes", "--wait", "10", up=RUNNING)
    assert code == 1
    assert "hv02: still answers after 10 seconds." in said


def test_patience_counts_what_a_login_takes_too(scripts):
    slow = SSH.replace("if ! ", '[ "$way" != vm101.ip ] || sleep 20\nif ! ', 1)
    slow = slow.replace('rm "$UP/$way"', '[ "$way" = vm101.ip ] || rm "$UP/$way"')
    (scripts.parent / "bin" / "ssh").write_text(slow)
    code, _, said = run(scripts, "dash", "shutdown.sh", "--yes", "--wait", "60", up=RUNNING)
    assert code == 1 and "vm101: still answers after 60 seconds." in said
    # asked, told, and then 20 + 5 + 20 + 5 + 20
    assert int((scripts.parent / "clock").read_text()) <= 2 * 20 + 3 * 20 + 2 * 5


def test_every_hop_is_held_to_no_questions_and_no_tunnels(scripts):
    keep = SSH.replace("shift 3\n", 'shift 3\ncp "$config" "$UP/../config"\n', 1)
    (scripts.parent / "bin" / "ssh").write_text(keep)
    run(scripts, "dash", "shutdown.sh", "--yes", up=RUNNING)
    text = (scripts.parent / "config").read_text()
    head, _, rest = text.partition("ServerAliveCountMax 3\n")
    assert rest.encode() == (scripts / "ssh_config").read_bytes()
    wanted = ("BatchMode yes", "ConnectTimeout 10", "StrictHostKeyChecking yes", "ClearAllForwardings yes")
    assert [line for line in wanted if line not in head.splitlines()] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_virtual_machines_are_started_as_root(scripts, shell):
    """By sudo without a password, where the account is another; with no password the reason is shown."""
    text = SSH.replace('*"qm start"*)', '*"qm start"*) sh -c "PATH=$PATH; ${*#*;}" || exit $?;', 1)
    (scripts.parent / "bin" / "ssh").write_text(text)
    for name, does in (
        ("id", "echo 1000"),
        ("sudo", '[ "$1" = -n ] || exit 9; shift; SUDO=yes "$@"'),
        ("qm", '[ "$SUDO" = yes ] || { echo "400 not root" >&2; exit 2; }; echo "qm $*" >>"$LOG"'),
    ):
        (scripts.parent / "bin" / name).write_text(f"#!/bin/sh\n{does}\n")
        (scripts.parent / "bin" / name).chmod(0o755)
    code, told, said = run(scripts, shell, "power-up.sh", "--yes", up=["jump01"])
    assert code == 0, said
    assert [line for line in told if line.startswith("qm start")] == ["qm start 101", "qm start 102"]


def test_shellcheck_finds_nothing(scripts):
    require("shellcheck", package="shellcheck")
    for script in scripts.glob("*.sh"):
        done = subprocess.run(
            ["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False
        )
        assert done.stdout == ""


def test_names_cannot_break_out_of_their_words():
    evil = replace(SITE.hosts[0], name="x'; touch /tmp/x; '\n$(id)", interfaces=())
    made = (
        get_export("power-scripts")
        .render(replace(SITE, hosts=(*SITE.hosts, evil)), None)
        .files["shutdown.sh"]
    )
    assert b"by_hand 'x'\\''; touch /tmp/x; '\\''\\n$(id)'" in made
    assert b"\n$(id)" not in made
