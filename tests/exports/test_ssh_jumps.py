"""Ways through the jump hosts of segments, tunnels to web pages, and recorded host keys, as ssh itself reads them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from inventory import host_keys
from inventory.exports import get_export
from inventory.exports.ssh_config import with_known_hosts
from inventory.local_ports import FIRST, LAST, next_port
from inventory.recovery.power import shutdown
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot
from tests.components import require, ssh_home
from tests.exports.jump_site import SITE, host, host_key, page, with_host

KEYS = "~/.ssh/lab_known_hosts"
#: the jump host of most segments, as a jump goes to it
BY_NAME = "jump01.lab.example.net"


def files(site: Snapshot, format: str) -> dict[str, bytes]:
    return dict(get_export(format).render(site, None).files)


@pytest.fixture
def asked(tmp_path: Path):
    """Ask ``ssh -G`` what it would do: (destination, site or text) → keyword → values."""
    require("ssh", package="openssh-client")

    def ask(destination: str, site: Snapshot | bytes = SITE) -> dict[str, list[str]]:
        path = tmp_path / "config"
        path.write_bytes(site if isinstance(site, bytes) else files(site, "ssh-config")["ssh_config"])
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


@pytest.mark.parametrize(
    ("destination", "name", "jump"),
    [
        ("hv01", "hv01.lab.example.net", BY_NAME),
        ("hv01.ip", "192.0.2.21", "192.0.2.10"),
        ("192.0.2.21", "192.0.2.21", "192.0.2.10"),
        ("hv01.alt", "192.0.2.21", "192.0.2.11"),
        ("store.lab.example.net", "store.lab.example.net", BY_NAME),
        ("cam01", "cam01.lab.example.net", BY_NAME),
        ("cam01.ip", "198.51.100.11", "192.0.2.10"),
        ("192.0.2.77", "192.0.2.77", "192.0.2.10"),
        ("198.51.100.77", "198.51.100.77", "192.0.2.10"),
        ("jump01", "jump01.lab.example.net", None),
        ("jump01.ip", "192.0.2.10", None),
        ("jump01.alt", "192.0.2.10", "192.0.2.11"),
        ("jump02.ip", "192.0.2.11", None),
        ("wiki01", "wiki01.lab.example.net", None),
        ("203.0.113.77", "203.0.113.77", None),
    ],
)
def test_each_segment_is_entered_through_its_jump_host(asked, destination, name, jump):
    told = asked(destination)
    assert (told["hostname"], told.get("proxyjump")) == ([name], [jump] if jump else None)


@pytest.mark.parametrize(
    ("access", "jump"),
    [
        ({"jump": "jump02"}, ["jump02.lab.example.net"]),
        ({"jump": "none"}, None),
        ({"user": "ada"}, [BY_NAME]),
    ],
)
def test_what_a_host_says_itself_comes_first(asked, access, jump):
    assert asked("hv01", with_host(SITE, "hv01", access=access)).get("proxyjump") == jump


def elsewhere() -> Snapshot:
    """Another site, which has a jump01 as well."""
    inside = SegmentFacts("management", network4="233.252.0.0/24", jump_host="jump01")
    hosts = (
        host("hv09", "233.252.0.21", "management"),
        host("jump01", "233.252.0.10", "management", access={"user": "ops", "port": 2222}),
    )
    return Snapshot(SiteFacts("other", "example.org"), segments=(inside,), hosts=hosts)


@pytest.mark.parametrize(
    ("destination", "jump"),
    [
        ("hv01", "jump01.lab.example.net"),
        ("hv09", "jump01.other.example.org"),
        ("hv09.ip", "233.252.0.10"),
        ("233.252.0.77", "233.252.0.10"),
    ],
)
def test_two_sites_in_one_configuration_each_go_through_their_own_jump_host(
    asked, tmp_path, destination, jump
):
    for name, site in (("aa", SITE), ("bb", elsewhere())):
        (tmp_path / name).write_bytes(files(site, "ssh-config")["ssh_config"])
    both = f"Include {tmp_path}/aa\nInclude {tmp_path}/bb\n".encode()
    assert asked(destination, both)["proxyjump"] == [jump]


@pytest.mark.parametrize("jump", ["jump01.other.example.org", "233.252.0.10"])
def test_the_jump_host_that_is_named_has_its_own_login(asked, jump):
    told = asked(jump, elsewhere())
    assert (told["user"], told["port"], told.get("proxyjump")) == (["ops"], ["2222"], None)
    assert [jump] == told["hostname"]
    assert told.get("hostkeyalias", [jump]) == ["jump01.other.example.org"]


def test_a_jump_host_without_a_name_is_named_by_its_address(asked):
    nameless = replace(
        SITE.host_by_name["jump01"].interfaces[0], a_record=False, ipv4=None, ipv6=("2001:db8::10",)
    )
    site = with_host(SITE, "jump01", interfaces=(nameless,), access={"user": "ops"})
    assert b"  ProxyJump [2001:db8::10]\n" in files(site, "ssh-config")["ssh_config"]
    assert asked("hv01", site)["proxyjump"] == asked("hv01.ip", site)["proxyjump"] == ["2001:db8::10"]
    assert asked("2001:db8::10", site)["user"] == ["ops"]


def test_the_segment_is_nearer_than_the_site(asked):
    variables = {"mgmtplane_ssh": {"user": "ops", "jump": "wiki01"}}
    site = replace(SITE, site=replace(SITE.site, variables=variables))
    assert asked("hv01", site)["proxyjump"] == [BY_NAME]
    assert asked("hv01", site)["user"] == ["ops"]
    assert asked("elsewhere.lab.example.net", site)["proxyjump"] == ["wiki01.lab.example.net"]


def card(on: str, name: str, segment: str, ipv4: str | None = None, **more) -> InterfaceFacts:
    facts = {"addressing": "static" if ipv4 else "dhcp", "ipv4": ipv4, "a_record": bool(ipv4), **more}
    return InterfaceFacts(on, name, segment=segment, **facts)


def several(*cards: InterfaceFacts, **facts) -> Snapshot:
    """The site with nas01, which has *cards*; storage is entered through jump02, and trusted through nobody."""
    segments = (
        *SITE.segments,
        SegmentFacts("storage", network4="233.252.0.0/24", jump_host="jump02", jump_alternative="jump01"),
        SegmentFacts("trusted", network4="233.252.1.0/24"),
    )
    hosts = (*SITE.hosts, HostFacts("nas01", form="ph", interfaces=cards, **facts))
    return replace(SITE, segments=segments, hosts=tuple(sorted(hosts, key=lambda one: one.name)))


IN_THREE = (
    card("nas01", "eth0", "management", "192.0.2.90"),
    card("nas01", "eth1", "storage", "233.252.0.9", ipv6=("2001:db8::9",)),
    card("nas01", "eth2", "trusted", "233.252.1.9"),
)


@pytest.mark.parametrize(
    ("destination", "jump"),
    [
        ("nas01", BY_NAME),
        ("nas01.ip", "192.0.2.10"),
        ("192.0.2.90", "192.0.2.10"),
        ("nas01.alt", "192.0.2.11"),
        ("233.252.0.9", "192.0.2.11"),
        ("2001:db8::9", "192.0.2.11"),
        ("nas01-stor.lab.example.net", "jump02.lab.example.net"),
        ("233.252.1.9", None),
        ("nas01-trusted.lab.example.net", None),
    ],
)
def test_each_address_is_reached_through_the_jump_host_of_its_own_segment(asked, destination, jump):
    told = asked(destination, several(*IN_THREE))
    assert told.get("proxyjump") == ([jump] if jump else None)
    assert told.get("hostkeyalias", ["nas01.lab.example.net"]) == ["nas01.lab.example.net"]


def test_each_address_is_reached_through_the_jump_host_that_the_host_names_itself(asked):
    site = several(*IN_THREE, access={"jump": "wiki01"})
    for destination in ("nas01.ip", "192.0.2.90", "233.252.0.9", "233.252.1.9"):
        assert asked(destination, site)["proxyjump"] == ["203.0.113.20"], destination


def test_a_jump_host_is_reached_directly_at_each_of_its_addresses(asked):
    own = SITE.host_by_name["jump01"].interfaces[0]
    site = with_host(several(), "jump01", interfaces=(own, card("jump01", "eth1", "storage", "233.252.0.8")))
    for destination in ("jump01", "jump01.ip", "192.0.2.10", "233.252.0.8"):
        assert asked(destination, site).get("proxyjump") is None, destination


IN_TRUSTED_BY_DHCP = (
    card("nas01", "eth0", "trusted", primary=True),
    card("nas01", "eth1", "management", "192.0.2.90", management=True),
)


@pytest.mark.parametrize(
    "destination", ["nas01", "nas01.ip", "192.0.2.90", "nas01.alt", "nas01-mgmt.lab.example.net"]
)
def test_where_the_primary_interface_has_no_address_the_segment_of_the_other_counts(asked, destination):
    told = asked(destination, several(*IN_TRUSTED_BY_DHCP, host_keys=host_key(3)))
    if not destination.startswith("nas01-"):
        assert told["hostname"] == ["192.0.2.90"]
    jump = {"nas01.alt": "192.0.2.11", "nas01-mgmt.lab.example.net": BY_NAME}.get(destination, "192.0.2.10")
    assert told["proxyjump"] == [jump]


def test_its_recorded_key_is_found_where_it_has_no_name(asked):
    site = several(*IN_TRUSTED_BY_DHCP, host_keys=host_key(3))
    told = asked("nas01-mgmt.lab.example.net", with_known_hosts(site, None, ["known_hosts"]))
    assert (told["stricthostkeychecking"], told["hostkeyalias"]) == (["true"], ["192.0.2.90"])
    assert f"nas01,192.0.2.90 {host_key(3)}" in files(site, "known-hosts")["known_hosts"].decode()


@pytest.mark.parametrize("cards", [IN_THREE, IN_TRUSTED_BY_DHCP])
def test_the_power_scripts_go_the_same_way(asked, cards):
    site = several(*cards)
    moves = {move.host: move for stage in shutdown(site) for move in stage.moves}
    told = asked(moves["nas01"].way, site)
    assert told["hostname"] == [moves["nas01"].address]
    assert told["proxyjump"] == asked(moves["nas01"].gate, site)["hostname"]


JUMPING = replace(SITE, site=replace(SITE.site, variables={"mgmtplane_ssh": {"jump": "jump01"}}))


@pytest.mark.parametrize("own", [{"user": "ada"}, {"port": 2222}])
def test_a_second_jump_host_with_words_of_its_own_does_not_go_through_the_first(asked, own):
    site = with_host(SITE, "jump02", variables={"mgmtplane_ssh": own})
    for destination in ("jump02", "jump02.ip", "192.0.2.11", "jump02.lab.example.net"):
        assert asked(destination, site).get("proxyjump") is None, destination
    itself = with_host(SITE, "jump02", variables={"mgmtplane_ssh": {"jump": "wiki01"}})
    assert asked("jump02", itself)["proxyjump"] == ["wiki01.lab.example.net"]


@pytest.mark.parametrize("site", [
    with_host(JUMPING, "wiki01", variables={"mgmtplane_ssh": {"port": 2222}}),
    with_host(JUMPING, "wiki01", access={"jump": "wiki01"}),
])  # fmt: skip
def test_no_jump_is_no_jump_by_whatever_name(asked, site):
    for destination in ("wiki01", "wiki01.ip", "wiki01.lab.example.net", "203.0.113.20"):
        assert asked(destination, site).get("proxyjump") is None, destination
    assert asked("other.lab.example.net", site)["proxyjump"] == [BY_NAME]


def test_a_jump_host_never_goes_through_itself(asked):
    site = with_host(JUMPING, "jump01", variables={"mgmtplane_ssh": {"user": "ada"}})
    for destination in ("jump01", "jump01.ip", "jump01.lab.example.net", "192.0.2.10"):
        assert asked(destination, site).get("proxyjump") is None, destination


@pytest.mark.parametrize(
    ("destination", "jump"),
    [
        ("10.10.99.7", ["192.0.2.11"]),
        ("10.20.30.5", None),
        ("10.30.40.5", ["192.0.2.10"]),
        ("10.99.1.1", ["192.0.2.10"]),
    ],
)
def test_a_narrow_network_counts_before_the_wide_one_around_it(asked, destination, jump):
    segments = (
        SegmentFacts("all", network4="10.0.0.0/8", jump_host="jump01"),
        SegmentFacts("inner", network4="10.10.99.0/24", jump_host="jump02"),
        SegmentFacts("like-all", network4="10.30.40.0/24", jump_host="jump01"),
        SegmentFacts("open-inside", network4="10.20.30.0/24"),
    )
    assert asked(destination, replace(SITE, segments=(*SITE.segments, *segments))).get("proxyjump") == jump


def test_a_jump_host_that_is_gone_is_said_and_left_out(asked):
    site = with_host(SITE, "jump01", status="retired")
    document = get_export("ssh-config").render(site, None)
    assert asked("cam01", site).get("proxyjump") is None
    told = [f for f in document.findings if f.subject == "segment iot"]
    assert ["is reached through jump01, which is retired" in f.message for f in told] == [True]


@pytest.mark.parametrize(
    ("destination", "tunnels"),
    [
        ("jump01.web", ["24000 [hv01.lab.example.net]:8006", "24001 [sw01.lab.example.net]:80"]),
        ("jump01.web.ip", ["24000 [192.0.2.21]:8006", "24001 [192.0.2.2]:80"]),
        ("jump02.web.ip", ["24000 [192.0.2.21]:8006", "24001 [192.0.2.2]:80"]),
        ("wiki01.web", ["24002 [wiki01.lab.example.net]:443"]),
        ("jump01", []),
    ],
)
def test_tunnels_lead_to_the_web_pages_behind_a_host(asked, destination, tunnels):
    assert asked(destination).get("localforward", []) == [f"[127.0.0.1]:{one}" for one in tunnels]


def test_tunnels_through_a_host_without_a_name_go_by_address(asked):
    nameless = replace(SITE.host_by_name["jump01"].interfaces[0], a_record=False)
    site = with_host(SITE, "jump01", interfaces=(nameless,))
    for destination in ("jump01.web", "jump01.web.ip"):
        told = asked(destination, site)
        assert told["hostname"] == ["192.0.2.10"]
        assert told["localforward"][0] == "[127.0.0.1]:24000 [192.0.2.21]:8006", destination


def many_pages(number: int) -> Snapshot:
    hosts = []
    for at in range(number):
        name = f"web{at:03}"
        hosts.append(
            host(name, f"192.0.2.{at % 200 + 30}" if at < 200 else f"198.51.100.{at - 170}",
                 "management" if at < 200 else "iot", services=(page(f"ui{at}", name, at + 10),))
        )  # fmt: skip
    return replace(SITE, hosts=tuple(sorted((*SITE.hosts, *hosts), key=lambda one: one.name)))


def test_over_two_hundred_web_pages_have_a_port_each(asked):
    site = many_pages(230)
    text = files(site, "ssh-config")["ssh_config"]
    told = asked("jump01.web.ip", text)["localforward"]
    ports = [line.split("]:")[1].split()[0] for line in told]
    assert len(ports) == len(set(ports)) == 232


def test_ssh_understands_the_stanzas_of_every_host(asked):
    text = files(SITE, "ssh-config")["ssh_config"]
    words = [
        word for line in text.decode().splitlines() if line.startswith("Host ") for word in line.split()[1:]
    ]
    assert len(words) > 30
    for word in words:
        assert asked(word.replace("*", "77"), text)["hostname"]


def test_a_forward_on_the_port_of_a_web_page_is_said():
    site = with_host(SITE, "jump02", access={"forward": [{"local": FIRST, "to": "hv01:80"}]})
    messages = [f.message for f in get_export("ssh-config").render(site, None).findings]
    assert [m for m in messages if "forwards local port 24000, which is the web page's of proxmox" in m]


# --- ports ---


def test_a_port_that_was_freed_is_not_the_next_one():
    assert next_port([]) == FIRST
    assert next_port([FIRST, FIRST + 2]) == FIRST + 3
    assert next_port([FIRST], elsewhere=[FIRST + 1]) == FIRST + 2
    assert next_port([], elsewhere=[FIRST + 4]) == FIRST + 5
    assert next_port([], ever=[FIRST, FIRST + 4]) == FIRST + 5


def test_at_the_end_of_the_range_ports_that_nobody_had_come_first():
    everyone = range(FIRST, LAST + 1)
    assert next_port([LAST]) == FIRST
    assert next_port([LAST], ever=[FIRST, FIRST + 1]) == FIRST + 2
    assert next_port([LAST, FIRST], elsewhere=[FIRST + 1], ever=everyone) == FIRST + 2
    assert next_port([FIRST], elsewhere=everyone) == FIRST + 1
    assert next_port(everyone) is None


# --- host keys ---


def test_known_hosts_has_every_name_of_a_host():
    site = with_host(SITE, "hv01", access={"port": 2222})
    lines = [
        line for line in files(site, "known-hosts")["known_hosts"].decode().splitlines() if line[0] != "#"
    ]
    assert lines == [
        "hv01.lab.example.net,hv01,192.0.2.21,[hv01.lab.example.net]:2222,[hv01]:2222,[192.0.2.21]:2222 "
        + host_key(1),
        f"jump01.lab.example.net,jump01,192.0.2.10 {host_key(2)}",
    ]


def test_recorded_keys_are_held_to_where_a_file_of_them_is_declared(asked):
    declared = {"mgmtplane_ssh": {"known_hosts": KEYS}}
    site = replace(SITE, site=replace(SITE.site, variables=declared))
    for destination in ("hv01", "hv01.ip", "hv01.alt", "jump01.web"):
        told = asked(destination, site)
        assert told["userknownhostsfile"] == [KEYS.replace("~", ssh_home())], destination
        assert told["stricthostkeychecking"] == ["true"], destination
    assert asked("cam01", site)["stricthostkeychecking"] == ["ask"]
    assert asked("hv01")["stricthostkeychecking"] == ["ask"]


def test_a_directory_names_the_files_that_it_brings(asked):
    text = with_known_hosts(SITE, None, ["known_hosts", "~/.ssh/known_hosts"])
    assert asked("cam01", text)["userknownhostsfile"] == [f"known_hosts {ssh_home()}/.ssh/known_hosts"]
    with pytest.raises(ValueError, match="no plain path"):
        with_known_hosts(SITE, None, ["a\nProxyCommand sh"])


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        (f"{host_key(1)} root@hv01\n", host_key(1)),
        (f"# hv01:22 SSH-2.0\nhv01 {host_key(1)}\n[hv01]:22 {host_key(1)}\n", host_key(1)),
        ("", ""),
    ],
)
def test_keys_are_kept_without_names_and_comments(pasted, kept):
    assert host_keys.problem(pasted) == ""
    assert host_keys.lines_of(pasted) == kept


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n", "private key"),
        ("hello", "is no SSH host key"),
        (host_key(1)[:-12], "is cut off or damaged"),
        (host_key(1).replace("ssh-ed25519", "ssh-rsa"), "is cut off or damaged"),
        ("\n".join(host_key(n) for n in range(21)), "more than a host has"),
        (f"@revoked * {host_key(1)}", "is no SSH host key"),
    ],
)
def test_what_is_no_key_is_refused_in_words(pasted, why):
    assert why in host_keys.problem(pasted)
    assert "b3Blb" not in host_keys.problem(pasted)


def test_a_page_without_a_way_in_is_said():
    site = replace(SITE, hosts=(*SITE.hosts, replace(SITE.hosts[0], name="lost", interfaces=(), services=(
        ServiceFacts("ui", "lost", web_scheme="http", local_port=FIRST + 9),
    ))))  # fmt: skip
    assert [f.message for f in get_export("ssh-config").render(site, None).findings if "ui" in f.subject] == [
        "has a web page, and no way in; that is left out."
    ]
