"""The ssh configuration, as ssh itself reads it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.exports import get_export
from inventory.snapshot import Snapshot
from tests.components import require
from tests.exports import expected
from tests.exports.client_site import CLIENTS
from tests.exports.example_site import SITE, host, interface
from tests.exports.sites import examples, snapshots, texts

pytestmark = pytest.mark.timeout(1800)
JUMP = "provisioner-ph01"
#: as a jump goes to it, by name and by address
BY_NAME, BY_ADDRESS = f"{JUMP}.lab.example.net", "192.0.2.95"
ZONE = "lab.example.net"


def text_of(site: Snapshot, authority=None) -> str:
    return get_export("ssh-config").render(site, authority).files["ssh_config"].decode("ascii")


@pytest.fixture
def asked(tmp_path: Path):
    """Ask ``ssh -G`` what it would do: (site, destination) → keyword → values."""
    require("ssh", package="openssh-client")

    def ask(site: Snapshot, destination: str, authority=None) -> dict[str, list[str]]:
        path = tmp_path / "config"
        path.write_text(text_of(site, authority))
        done = subprocess.run(
            ["ssh", "-G", "-F", str(path), destination], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            key, _, value = line.partition(" ")
            # -G brackets every address
            told.setdefault(key, []).append(value.strip("[]") if key == "proxyjump" else value)
        return told

    return ask


def told(asked, destination: str, *keys: str, site: Snapshot = CLIENTS, authority=None) -> list[str | None]:
    answer = asked(site, destination, authority)
    return [answer.get(key, [None])[0] for key in keys]


WAY = ("hostname", "user", "port", "proxyjump")


@pytest.mark.parametrize(
    ("destination", "wanted"),
    [
        ("pi01", ["pi01.lab.example.net", "operator", "22", BY_NAME]),
        ("pi01.lab.example.net", ["pi01.lab.example.net", "operator", "22", BY_NAME]),
        ("pi01.ip", ["198.51.100.11", "operator", "22", BY_ADDRESS]),
        ("198.51.100.11", ["198.51.100.11", "operator", "22", BY_ADDRESS]),
        ("2001:db8:30::11", ["2001:db8:30::11", "operator", "22", BY_ADDRESS]),
        ("core-rt02", ["core-rt02.lab.example.net", "vyos", "2222", "hv02.lab.example.net"]),
        ("core-rt02.ip", ["192.0.2.2", "vyos", "2222", "192.0.2.22"]),
        ("access-sw01", ["access-sw01.lab.example.net", "admin", "22", None]),
        (JUMP, ["provisioner-ph01.lab.example.net", "ada", "22", None]),
        (f"{JUMP}.ip", ["192.0.2.95", "ada", "22", None]),
        ("192.0.2.95", ["192.0.2.95", "ada", "22", None]),
        ("hv01.oob", ["192.0.2.121", "root", "22", None]),
        ("artifacts.lab.example.net", ["artifacts.lab.example.net", "operator", "22", BY_NAME]),
        ("hv01-stor.lab.example.net", ["hv01-stor.lab.example.net", "operator", "22", BY_NAME]),
        ("192.0.2.200", ["192.0.2.200", "operator", "22", BY_ADDRESS]),
    ],
)
def test_ssh_goes_where_the_site_says(asked, destination, wanted):
    assert told(asked, destination, *WAY) == wanted


def test_nothing_is_said_of_hosts_of_other_sites(asked):
    import getpass

    assert told(asked, "elsewhere.example.org", "hostname", "user", "proxyjump") == [
        "elsewhere.example.org",
        getpass.getuser(),
        None,
    ]


def test_one_machine_has_one_key_by_whatever_name(asked):
    for destination in ("pi01.ip", "198.51.100.11"):
        assert told(asked, destination, "hostkeyalias") == ["pi01.lab.example.net"]
    assert told(asked, "hv01.oob", "hostkeyalias") == [None], "another machine answers there"


def test_web_pages_are_forwarded_and_by_address_where_dns_is_down(asked):
    assert asked(CLIENTS, JUMP)["localforward"] == [
        "[127.0.0.1]:8006 [hv01.lab.example.net]:8006",
        "[127.0.0.1]:8443 [unifi.example.net]:8443",
        "[127.0.0.1]:8444 [2001:db8::5]:443",
    ]
    assert asked(CLIENTS, f"{JUMP}.ip")["localforward"][0] == "[127.0.0.1]:8006 [192.0.2.21]:8006"


def test_a_key_that_was_declared_is_used(asked):
    assert asked(CLIENTS, "hv02")["identityfile"] == ["~/.ssh/id_hv"]


def test_in_bootstrap_mode_the_bootstrap_node_is_at_its_address_of_that_mode(asked):
    node = CLIENTS.host_by_name[JUMP]
    taking = replace(node.interfaces[0], bootstrap_ipv4="192.0.2.1")
    site = replace(
        CLIENTS,
        hosts=tuple(
            replace(h, interfaces=(taking, *h.interfaces[1:])) if h.name == JUMP else h for h in CLIENTS.hosts
        ),
    )
    assert told(asked, f"{JUMP}.ip", "hostname", site=site, authority="bootstrap") == ["192.0.2.1"]
    assert told(asked, f"{JUMP}.ip", "hostname", site=site, authority="gateway") == ["192.0.2.95"]


def reached(access: object, **more) -> Snapshot:
    machine = host("pi01", interface("pi01", "eth0", None, "iot", "198.51.100.11"))
    other = host("pi02", interface("pi02", "eth0", None, "iot", "198.51.100.12"))
    facts = {"access": access, **more}
    return replace(
        SITE, aliases=(), hosts=(replace(machine, **facts), replace(other, access={"jump": "pi01"}))
    )


def said(site: Snapshot) -> list[str]:
    findings = get_export("ssh-config").render(site, None).findings
    return [f.message for f in findings if f.id == "ssh-access-unusable"]


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"user": "a b"}, "a user that is none"),
        ({"user": "-oProxyCommand=id"}, "a user that is none"),
        ({"user": "{{ x }}"}, "a user that is none"),
        ({"user": "a\n  ProxyCommand id"}, "a user that is none"),
        ({"user": {"__ansible_vault": "x"}}, "a user that is none"),
        ({"port": 0}, "a port"),
        ({"port": "22"}, "a port"),
        ({"identity": "a b"}, "no plain path"),
        ({"identity": "%d/x"}, "no plain path"),
        ({"jump": "nobody"}, "no host of the site"),
        ({"jump": "pi02"}, "a circle"),
        ({"jump": "pi01"}, "a circle"),
        ({"forward": [{"local": 1, "to": "a b:1"}]}, "neither a name nor an address"),
        ({"forward": [{"local": 1, "to": "hv01"}]}, "no host:port"),
        ({"forward": {"local": 1}}, "no list"),
        ({"shell": "zsh"}, "means nothing to ssh"),
    ],
)
def test_what_ssh_cannot_take_is_left_out_and_said(asked, access, words):
    site = reached(access)
    assert words in " ".join(said(site))
    assert "  ProxyCommand" not in text_of(site)
    told(asked, "pi01", "hostname", site=site)
    told(asked, "pi02", "hostname", site=site)


def test_what_a_group_says_wrong_is_said_once():
    site = replace(SITE, site=replace(SITE.site, variables={"mgmtplane_ssh": {"user": "a b"}}))
    assert len(said(site)) == 1


@st.composite
def sites_with_access(draw) -> Snapshot:
    site = draw(snapshots())
    names = st.sampled_from([h.name for h in site.hosts] + ["nobody", "none"])
    access = st.fixed_dictionaries(
        {},
        optional={
            "user": texts | st.just("ada"),
            "port": st.integers(-1, 70000) | st.none(),
            "jump": names,
            "identity": texts,
            "forward": st.lists(
                st.fixed_dictionaries(
                    {
                        "local": st.integers(0, 70000),
                        "to": st.builds("{}:{}".format, names | texts, st.just(80)),
                    }
                ),
                max_size=2,
            ),
        },
    )
    second = st.fixed_dictionaries({}, optional={"address": texts | st.just("192.0.2.121"), "user": texts})
    return replace(
        site,
        site=replace(site.site, variables={"mgmtplane_ssh": draw(access)}),
        hosts=tuple(replace(h, access=draw(access), out_of_band=draw(second)) for h in site.hosts),
    )


ALLOWED = {"Host", "HostName", "HostKeyAlias", "User", "Port", "IdentityFile", "ProxyJump", "LocalForward"}


@examples()
@given(site=sites_with_access())
def test_nothing_but_known_lines_leave_and_ssh_reads_them(site):
    require("ssh", package="openssh-client")
    text = text_of(site)
    for line in text.splitlines():
        assert not line or line.startswith("#") or line.split()[0] in ALLOWED
    done = subprocess.run(
        ["ssh", "-G", "-F", "/dev/stdin", "nobody"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@examples()
@given(site=sites_with_access())
def test_every_live_host_with_an_address_has_a_way_in_and_every_jump_ends(site):
    blocks = _blocks(text_of(site))
    claimed = expected.claims(site)
    zone = expected.zone_of(site)
    for machine in expected.live(site):
        name = expected.name_of(site, machine.name, host=True)
        usable = [
            a
            for i in machine.interfaces
            for a in i.addresses
            if len(claimed["ip", a]) == 1 and "fe80" not in a
        ]
        if zone and name and len(claimed["name", name]) == 1 and usable:
            assert name.removesuffix(f".{zone}") in blocks
    for name in blocks:
        seen = [name]
        while (at := blocks[seen[-1]].get("ProxyJump", "none").strip("[]")) != "none":
            assert at in blocks
            assert at not in seen, "a circle"
            seen.append(at)


def _blocks(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "Host":
            current = value.split()
            for name in current:
                found.setdefault(name, {})
        elif line.startswith("  "):
            for name in current:
                found[name].setdefault(key, value)
    return found
