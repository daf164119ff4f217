"""The kit's SSH configuration on the day when no name resolves, as ssh itself reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inventory.local_ports import FIRST
from inventory.recovery import kit
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot
from tests.components import require, ssh_home

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def host(name: str, address: str, **more) -> HostFacts:
    card = InterfaceFacts(
        name, "eth0", "02:00:5e:00:53:01", segment="lan", ipv4=address, addressing="static", a_record=True
    )
    return HostFacts(name, form="pi", interfaces=(card,), **more)


WIKI = ServiceFacts("wiki", "pi01", tenant="blue", port=8443, web_scheme="https", local_port=FIRST)


SITE = Snapshot(
    SiteFacts("lab", "example.net"),
    segments=(SegmentFacts("lan", network4="192.0.2.0/24"),),
    hosts=(
        host("jump01", "192.0.2.3", access={"user": "ops"}),
        host(
            "pi01",
            "192.0.2.11",
            access={"user": "root", "jump": "jump01"},
            host_keys=KEY,
            console_kind="sol",
            console_address="192.0.2.111",
            power_kind="pdu",
            power_address="pdu01",
            power_outlet="5",
            services=(WIKI,),
        ),
    ),
)


@pytest.fixture(scope="module")
def top(tmp_path_factory) -> Path:
    require("ssh", package="openssh-client")
    folder = tmp_path_factory.mktemp("kit")
    for name, content in kit.files(SITE).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(top: Path, name: str) -> dict[str, str]:
    words = ["ssh", "-G", "-F", "ssh/config", name]
    done = subprocess.run(words, cwd=top, capture_output=True, text=True, check=True)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", ["pi01", "pi01.ip", "pi01.lab.example.net", "192.0.2.11"])
def test_every_name_of_a_host_leads_to_its_address_and_by_addresses_there(top, name):
    found = read(top, name)
    assert found["hostname"] == "192.0.2.11"
    assert (found["user"], found["proxyjump"].strip("[]")) == ("root", "192.0.2.3")
    assert found["stricthostkeychecking"] in ("yes", "true")
    first, *others = found["userknownhostsfile"].split()
    assert first == f"{ssh_home()}/.ssh/known_hosts", (
        "what somebody accepts is written there, and not into the kit"
    )
    assert others == ["ssh/known_hosts", "known_hosts"]


def test_the_jump_host_itself_goes_by_address(top):
    assert read(top, "jump01.ip")["hostname"] == read(top, "jump01")["hostname"] == "192.0.2.3"


def test_the_tunnel_that_the_kit_names_is_there(top):
    (line,) = [line for line in (top / "ssh/config").read_text().splitlines() if "ssh -N" in line]
    told = read(top, line.rpartition(" ")[2])
    assert told["hostname"] == "192.0.2.3"
    assert told["localforward"] == f"[127.0.0.1]:{FIRST} [192.0.2.11]:8443"


def test_the_recorded_key_is_found_under_the_address(top):
    words = ["ssh-keygen", "-F", "192.0.2.11", "-f", "ssh/known_hosts"]
    found = subprocess.run(words, cwd=top, capture_output=True, text=True, check=True).stdout
    assert KEY.split()[1] in found


def test_the_page_of_a_host_has_its_key_as_ssh_asks_about_it_and_console_and_power(top, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    words = ["ssh-keygen", "-l", "-f", tmp_path / "key"]
    mark = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]
    page = (top / "hosts.html").read_text()
    _, _, of_host = page.partition('id="host-pi01"')
    section = of_host.partition("</section>")[0]
    assert f"ssh-ed25519 {mark}" in section
    assert "serial over LAN (IPMI), 192.0.2.111" in section
    assert "PDU, pdu01, outlet 5" in section


def test_a_host_with_a_console_and_power_lacks_no_way_in(top):
    page = (top / "index.html").read_text()
    assert "Console: serial over LAN (IPMI), 192.0.2.111." in page
    *_, by_hand = page.split('href="hosts.html#host-pi01"')[:2]
    assert "how to get in without the network" not in by_hand.partition("</section>")[0]


def test_the_power_scripts_find_the_recorded_keys_beside_them(top):
    words = ["ssh", "-G", "-F", "ssh_config", "pi01.ip"]
    done = subprocess.run(words, cwd=top / "power", capture_output=True, text=True, check=True)
    found = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert found["userknownhostsfile"].split()[1:] == ["known_hosts", "ssh/known_hosts"]
    assert KEY.split()[1] in (top / "power" / "known_hosts").read_text()


def test_index_and_readme_name_commands_that_work(top):
    index = (top / "index.html").read_text()
    assert "sh power/shutdown.sh --dry-run" in index and (top / "power" / "shutdown.sh").is_file()
    assert index.count("see its README") == len(list(top.glob("*/README*"))) == 1
    assert 'manage.py promote lab --why "…"' in (top / "README.txt").read_text()
