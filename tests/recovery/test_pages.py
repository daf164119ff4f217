"""What is declared stands on the pages of the kit, and logins on the manual floor."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from inventory.local_ports import FIRST
from inventory.recovery.floor import Task, floor
from inventory.recovery.kit import files
from inventory.recovery.pages import pages
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    GroupFacts,
    HostFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
)
from tests.components import require

LAN = SegmentFacts(
    "lan", network4="192.0.2.0/24", jump_host="jump01", jump_alternative="jump02", wake_relay="jump02"
)


def host(name: str, address: str, form: str = "ph", *, bootstrap: str | None = None, **more) -> HostFacts:
    card = InterfaceFacts(
        name,
        "eth0",
        segment="lan",
        ipv4=address,
        addressing="static",
        a_record=True,
        wake_on_lan=name == "hv01",
        bootstrap_ipv4=bootstrap,
    )
    return HostFacts(name, form=form, interfaces=(card,), **more)


WIKI = ServiceFacts("wiki", "hv01", tenant="blue", port=8443, web_scheme="https", local_port=FIRST)
SITE = Snapshot(
    SiteFacts("lab", "example.net"),
    authority=AuthorityFacts("gateway", "ada", "2026-01-01T00:00:00Z", "usual", "jump01"),
    segments=(LAN, SegmentFacts("open", network4="198.51.100.0/24")),
    hosts=(
        host("hv01", "192.0.2.21", "hv", services=(ServiceFacts("files", "hv01"), WIKI)),
        host("jump01", "192.0.2.10", bootstrap="192.0.2.1"),
        host("jump02", "192.0.2.11"),
    ),
    aliases=(AliasFacts("docs", "wiki.blue"),),
)


def table(site: Snapshot, name: str, caption: str) -> list[dict[str, str]]:
    """The rows of one table of a page, by heading, without markup."""
    text = pages(site)[name].decode()
    body = text.partition(f"<caption>{caption}</caption>")[2].partition("</table>")[0]
    headings = [_plain(one) for one in re.findall("<th.*?>(.*?)</th>", body)]
    lines = [re.findall("<td>(.*?)</td>", line) for line in body.split("</tr>")]
    return [dict(zip(headings, map(_plain, line), strict=True)) for line in lines if line]


def _plain(cell: str) -> str:
    return unescape(re.sub("<[^>]*>", "", cell))


def test_a_service_has_its_web_page_its_local_port_and_its_alias():
    files, wiki = table(SITE, "services.html", "Every service")
    assert [wiki[key] for key in ("Port", "Web page", "Local port")] == ["8443", "https", str(FIRST)]
    assert wiki["Also called"] == "docs.example.net"
    assert {files[key] for key in ("Port", "Web page", "Local port", "Also called")} == {"—"}
    assert b"ssh -F ssh/config -N JUMP-HOST.web" in pages(SITE)["services.html"]


def test_a_segment_has_its_jump_hosts_and_its_relay():
    lan, open_ = table(SITE, "segments.html", "Ways into each segment")
    assert list(lan.values()) == ["lan", "jump01", "jump02", "jump02"]
    assert list(open_.values()) == ["open", "—", "—", "—"]


def test_an_interface_has_its_wake_on_lan_and_its_address_of_bootstrap_mode():
    (hv01,) = table(SITE, "hosts.html", "Interfaces of hv01")
    (jump01,) = table(SITE, "hosts.html", "Interfaces of jump01")
    assert (hv01["Wake-on-LAN"], hv01["In bootstrap mode"]) == ("yes", "—")
    assert (jump01["Wake-on-LAN"], jump01["In bootstrap mode"]) == ("—", "192.0.2.1")


def test_an_address_of_bootstrap_mode_stands_among_all_addresses():
    found = [(row["Address"], row["Only in mode"]) for row in table(SITE, "addresses.html", "Every address")]
    assert found[:2] == [("192.0.2.1", "bootstrap"), ("192.0.2.10", "—")]


# --- the manual floor ---

OPS = {"mgmtplane_ssh": {"user": "ops", "port": 2222}}


def with_hv01(**facts) -> Snapshot:
    return replace(
        SITE, hosts=tuple(replace(one, **facts) if one.name == "hv01" else one for one in SITE.hosts)
    )


def task(site: Snapshot, name: str = "hv01") -> Task:
    return next(one for one in floor(site) if one.host == name)


@pytest.mark.parametrize(
    "site",
    [
        replace(SITE, site=replace(SITE.site, variables=OPS)),
        replace(SITE, groups=(GroupFacts("metal", hosts=("hv01",), variables=OPS),)),
        with_hv01(variables=OPS),
    ],
    ids=["site", "group", "host"],
)
def test_a_login_that_a_variable_declares_stands_on_the_manual_floor(site):
    found = task(site)
    assert "SSH: as ops, port 2222, through jump01." in found.lines
    assert not [what for what in found.lacking if "login" in what]
    assert b"as ops, port 2222, through jump01" in pages(site)["hosts.html"]


def test_what_the_host_says_itself_stands_beside_it():
    lines = task(with_hv01(access={"user": "root"})).lines
    assert {"SSH: as root, through jump01.", "Access, user: root."} <= set(lines)


def test_a_jump_host_alone_is_no_login():
    found = task(SITE)
    assert "SSH: through jump01." in found.lines
    assert [what for what in found.lacking if "login" in what]


def test_in_bootstrap_mode_the_login_is_the_same():
    node = AuthorityFacts("bootstrap", "ada", "2026-01-02T00:00:00Z", "core router is down", "jump01")
    site = replace(SITE, site=replace(SITE.site, variables=OPS), authority=node, authorities=(node,))
    assert "SSH: as ops, port 2222, through jump01." in task(site).lines


def test_what_looks_like_a_secret_is_on_no_page_and_in_no_script_and_the_readme_says_where_it_is():
    bad = host(
        "hv02",
        "192.0.2.22",
        "hv",
        out_of_band={"user": "root", "password": "PLANTEDx1"},
        notes="password: PLANTEDx6",
        access={"ansible_password": "PLANTEDx2"},
        console_kind="kvm",
        console_address="https://root:PLANTEDx3@kvm.example.net/",
        power_kind="pdu",
        power_address="http://apc:PLANTEDx4@192.0.2.99/",
        services=(ServiceFacts("shop", "hv02", health_check="http://bob:PLANTEDx5@192.0.2.22/"),),
    )
    emergency = replace(SITE.site, emergency_who="ada", emergency_how="root, password: PLANTEDx7")
    site = replace(SITE, site=emergency, hosts=(*SITE.hosts, bad))
    found = files(site)
    shown = [name for name in found if name.endswith((".html", ".sh")) or name == "README.txt"]
    assert [name for name in shown if b"PLANTED" in found[name]] == []
    assert "not shown" in found["index.html"].decode()
    readme = found["README.txt"].decode()
    assert (
        "Secrets that are declared in clear" in readme
        and "site lab, host hv02, service shop on hv02" in readme
    )
    assert "What is secret is sealed, or not in here." in files(SITE)["README.txt"].decode()


def test_what_a_host_needs_and_who_needs_it_stand_on_its_page_and_in_the_order():
    hosts = [replace(one, needs=("jump02",)) if one.name == "hv01" else one for one in SITE.hosts]
    made = {name: page.decode() for name, page in pages(replace(SITE, hosts=tuple(hosts))).items()}
    assert "<dt>needs</dt><dd>jump02</dd>" in made["hosts.html"]
    assert "<dt>needed by</dt><dd>hv01</dd>" in made["hosts.html"]
    assert "; needs it: jump02" in made["index.html"]
    assert "host hv01: degraded, needs jump02" in made["domains.html"]


# --- a jump host that comes later ---


def with_jump(jump: str, other: str = "", *, gate: HostFacts | None = None) -> Snapshot:
    """hv01, its switch, and a virtual jump host on hv01, which leads into the segment."""
    lan = replace(LAN, jump_host=jump, jump_alternative=other)
    hosts = (
        host("hv01", "192.0.2.21", "hv"),
        host("jump-vm01", "192.0.2.12", "vm", hypervisor="hv01"),
        host("sw01", "192.0.2.31", "sw", variables=OPS),
        gate or host("pi01", "192.0.2.13", "pi"),
    )
    return replace(SITE, authority=None, authorities=(), segments=(lan,), hosts=hosts, aliases=())


def logins(site: Snapshot, name: str) -> list[str]:
    return [line for line in task(site, name).lines if line.startswith(("SSH", "Access, jump"))]


def ssh_reads(site: Snapshot, folder: Path, *words: str) -> dict[str, str]:
    """What ssh makes of *words* at the top of the kit."""
    require("ssh", package="openssh-client")
    for name, content in files(site).items():
        if name.startswith("ssh/"):
            (folder / "ssh").mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    done = subprocess.run(["ssh", "-G", *words], cwd=folder, capture_output=True, text=True, check=True)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


def test_before_a_virtual_jump_host_is_back_the_login_is_direct(tmp_path):
    site = with_jump("jump-vm01")
    (said,) = logins(site, "sw01")
    assert said == (
        "SSH: as ops, port 2222, to 192.0.2.31 directly from a machine in lan: "
        "ssh -F ssh/config -o ProxyJump=none sw01. jump-vm01, which leads there otherwise, comes later."
    )
    found = ssh_reads(site, tmp_path, "-F", "ssh/config", "-o", "ProxyJump=none", "sw01")
    assert (found["hostname"], found["user"], found["port"]) == ("192.0.2.31", "ops", "2222")
    assert "proxyjump" not in found
    assert "proxyjump" in ssh_reads(site, tmp_path, "-F", "ssh/config", "sw01"), "as it is once it is back"
    assert b"as ops, port 2222, through jump-vm01" in pages(site)["hosts.html"]


def test_where_the_second_jump_host_is_there_by_then_the_login_goes_through_it(tmp_path):
    early = host("rt01", "192.0.2.1", "rt")
    site = with_jump("jump-vm01", "rt01", gate=early)
    (said,) = logins(site, "sw01")
    assert said == (
        "SSH: as ops, port 2222, through rt01: ssh -F ssh/config sw01.alt. "
        "jump-vm01, which leads there otherwise, comes later."
    )
    found = ssh_reads(site, tmp_path, "-F", "ssh/config", "sw01.alt")
    assert (found["hostname"], found["proxyjump"].strip("[]")) == ("192.0.2.31", "192.0.2.1")


def test_a_second_jump_host_that_comes_later_itself_does_not_help():
    late = host("jump-vm02", "192.0.2.13", "vm", hypervisor="hv01")
    assert (
        "directly from a machine in lan" in logins(with_jump("jump-vm01", "jump-vm02", gate=late), "sw01")[0]
    )


def test_a_jump_host_that_is_done_by_hand_after_it_comes_later_too():
    """Both stand in one stage; the access point is this one's turn first."""
    late = host("pi01", "192.0.2.13", "pi")
    site = with_jump("pi01", gate=late)
    site = replace(site, hosts=(*site.hosts, host("ap01", "192.0.2.14", "ap", variables=OPS)))
    names = [task.host for task in floor(site)]
    assert names.index("ap01") < names.index("pi01")
    (said,) = logins(site, "ap01")
    assert "directly from a machine in lan" in said and "pi01, which leads there otherwise" in said


def test_a_jump_host_behind_a_virtual_one_comes_later_too():
    behind = host("pi01", "192.0.2.13", "pi", access={"jump": "jump-vm01"})
    (said,) = logins(with_jump("pi01", gate=behind), "hv01")
    assert "to 192.0.2.21 directly" in said and "jump-vm01, which leads there otherwise" in said


def test_a_jump_that_the_host_itself_declares_is_said_to_come_later():
    stubborn = host("pi01", "192.0.2.13", "pi", access={"jump": "jump-vm01", "user": "root"})
    ssh, access = logins(with_jump("", gate=stubborn), "pi01")
    assert ssh.startswith("SSH: as root, to 192.0.2.13 directly from a machine in lan")
    assert access == "Access, jump: jump-vm01, which comes later."
