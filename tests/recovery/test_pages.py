"""What is declared stands on the pages of the kit, and logins on the manual floor."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

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
        access={"ansible_password": "PLANTEDx2"},
        console_kind="kvm",
        console_address="https://root:PLANTEDx3@kvm.example.net/",
        power_kind="pdu",
        power_address="http://apc:PLANTEDx4@192.0.2.99/",
        services=(ServiceFacts("shop", "hv02", health_check="http://bob:PLANTEDx5@192.0.2.22/"),),
    )
    site = replace(SITE, hosts=(*SITE.hosts, bad))
    found = files(site)
    shown = [name for name in found if name.endswith((".html", ".sh")) or name == "README.txt"]
    assert [name for name in shown if b"PLANTED" in found[name]] == []
    assert "not shown" in found["index.html"].decode()
    readme = found["README.txt"].decode()
    assert "2 declare a secret in clear" in readme and "host hv02, service shop on hv02" in readme
    assert "What is secret is sealed, or not in here." in files(SITE)["README.txt"].decode()


def test_what_a_host_needs_and_who_needs_it_stand_on_its_page_and_in_the_order():
    hosts = [replace(one, needs=("jump02",)) if one.name == "hv01" else one for one in SITE.hosts]
    made = {name: page.decode() for name, page in pages(replace(SITE, hosts=tuple(hosts))).items()}
    assert "<dt>needs</dt><dd>jump02</dd>" in made["hosts.html"]
    assert "<dt>needed by</dt><dd>hv01</dd>" in made["hosts.html"]
    assert "; needs it: jump02" in made["index.html"]
    assert "host hv01: degraded, needs jump02" in made["domains.html"]
