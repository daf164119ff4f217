"""What a document may not say: every complaint has its line, the thing, the rule and the way out; nothing is stored."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from inventory.document import text
from inventory.document.declaring import Refused, declare
from inventory.models import Change, Interface, Site
from tests.document.support import apply, run
from tests.document.test_declare import AUTHORITY, QUARANTINED, SMALL, edited

pytestmark = pytest.mark.django_db


def complaints(text: str | bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        declare(text.encode() if isinstance(text, str) else text, "lab.yml", apply=True)
    return [str(one) for one in refused.value.complaints]


@pytest.fixture
def nothing_stored():
    yield
    assert not Site.objects.exists()
    assert not Change.objects.exists()


# --- files that are no documents ---

ROOT = "mgmtplane: 1\nsite: lab\n"
UNREADABLE = {
    "empty": ("", "lab.yml:1: the file is empty; a site document begins with `mgmtplane: 1` and `site: <name>`."),
    "comments alone": ("# nothing\n---\n# more\n", "lab.yml:1: the file is empty"),
    "no mapping": ("- a\n", "lab.yml:1: a site document is a mapping"),
    "a tab": (ROOT + "hosts:\n\tpi01: {}\n", "lab.yml:4: This is not valid YAML"),
    "a key twice": (ROOT + "hosts:\n  a: {}\n  a: {}\n", "lab.yml:5: The key 'a' stands twice, on lines 4 and 5."),
    "no site": ("mgmtplane: 1\n", "lab.yml:1: the document needs the key site"),
    "no version": ("site: lab\n", "lab.yml:1: the document needs the key mgmtplane"),
    "another version": ("mgmtplane: 2\nsite: lab\n", "lab.yml:1: mgmtplane is “2”, and this version reads 1 alone; export the site anew."),
    "a name that is none": ("mgmtplane: 1\nsite: My Lab\n", "lab.yml:2: site is “My Lab”, and must be a DNS label"),
    "a tag": (ROOT + "variables: {a: !!python/object:x.y {}}\n", "lab.yml:3: The tag !!python/object:x.y is not read"),
    "one site twice": (ROOT + "---\n" + ROOT, "lab.yml:5: site lab has a document on line 2 already; keep one."),
    "an alias of itself": (ROOT + "variables: &a {b: *a}\n", "lab.yml:3: An alias refers to the value that contains it."),
    "too deep": (ROOT + "variables: " + "[" * 5000 + "]" * 5000, "The nesting is deeper than 100 levels."),
}  # fmt: skip


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(("text", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_is_no_document(text, said):
    found = complaints(text)
    assert any(said in line for line in found), found


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02", b"\xff\xfe\x00", bytes(range(256)), b"\x7fELF\n" * 9, b"mgmtplane: 1\nsite: \x07\n"],
)
def test_binary_is_refused_in_words(content):
    assert all(line.startswith("lab.yml:") for line in complaints(content))


@pytest.mark.usefixtures("nothing_stored")
def test_a_bomb_of_anchors_is_refused():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (said,) = complaints(ROOT + "variables:\n" + "".join(f"  {line}\n" for line in bomb.splitlines()))
    assert "Anchors and aliases expand to more than" in said


def test_a_file_that_is_not_there_is_said():
    assert run("/nowhere/lab.yml")[2] == "/nowhere/lab.yml cannot be read (No such file or directory)."


# --- single mistakes in a good document: (what to change, the line, what is said) ---

MISTAKES = {
    "unknown key": (("    form: vm\n    role: web\n    int", "    from: vm\n    role: web\n    int"), "host w1: from is no key that is known here; did you mean form?"),
    "unknown noun": (("groups:", "group:"), "lab.yml:21: group is no key that is known here; did you mean groups?"),
    "wrong type": (("vlan: 10", "vlan: ten"), "lab.yml:7: segment lan: vlan is text, and must be a whole number."),
    "a list for a text": (("aliases:", "sealed: {groups: {all: {f: [x]}}}\naliases:"), "sealed: groups: all: f is a list, and must be text."),
    "a fraction": (("vlan: 10", "vlan: 1.5"), "segment lan: vlan is a fraction, and must be a whole number."),
    "a moment that is none": (("aliases:", QUARANTINED.format("'0001-01-01T00:00:00+23:00'") + "aliases:"), "is no moment; write one with its offset"),
    "VLAN out of range": (("vlan: 10", "vlan: 4095"), "segment lan: vlan is 4095, and must lie between 0 and 4094."),
    "unquoted octet": (("environment: '10'", "environment: 10"), "facts: environment is “10” to YAML, and must be text; put it in quotes."),
    "unquoted MAC": (("'02:de:10:01:00:01'", "12:10:10:01:00:01"), "mac is “9462963601” to YAML, and must be text; put it in quotes, such as '02:de:20:01:00:01'."),
    "MAC in another spelling": (("02:de:10:01:00:01", "02-DE-10-01-00-01"), "“02-DE-10-01-00-01” is written 02:de:10:01:00:01."),
    "no address": (("192.0.2.11", "192.0.2.300"), "host w1: interface eth0: ipv4 cannot be: “192.0.2.300” is not an IP address"),
    "host bits": (("192.0.2.0/24", "192.0.2.1/24"), "network4 cannot be: “192.0.2.1/24” has host bits set; the network is 192.0.2.0/24."),
    "unknown status": (("    form: vm\n    role: web\n    int", "    form: vm\n    status: activ\n    int"), "status is “activ”, and must be one of provisioning, active, standby, maintenance, retired; did you mean active?"),
    "unknown segment": (("segment: lan, ipv4: 192.0.2.12", "segment: wan, ipv4: 192.0.2.12"), "lab.yml:20: host w2: interface eth0: segment names the segment wan, which is not declared; add it to segments, or correct the name."),
    "unknown role": (("role: web\n    interfaces:\n      eth0: {mac: '00", "role: db\n    interfaces:\n      eth0: {mac: '00"), "host w2: role names the role db, which is not declared"),
    "unknown host in a group": (("hosts: [w1, w2]", "hosts: [w1, w3]"), "group web: hosts: number 2 names the host w3, which is not declared"),
    "a host twice in a group": (("hosts: [w1, w2]", "hosts: [w1, w1]"), "group web: hosts names w1 2 times; once is enough."),
    "dangling alias": (("www: www", "www: nothing"), "alias www points at the service nothing, which no host carries; add it to a host."),
    "circle of groups": (("  web: {hosts", "  a: {children: [b]}\n  b: {children: [a]}\n  web: {hosts"), "form a circle: a → b → a; take one of them out."),
    "static without address": (("segment: lan, ipv4: 192.0.2.12", "segment: lan, addressing: static"), "addressing is static without an address"),
    "DHCP with an address": (("ipv4: 192.0.2.12", "addressing: dhcp, ipv4: 192.0.2.12"), "addressing is dhcp with an IPv4 address; leave one of them out."),
    "one end of a range": (("organisation: de", "vmid_first: 200"), "facts: vmid_first and vmid_last: give both ends of the range"),
    "one code for two roles": (("  web: {code: '01'}", "  web: {code: '01'}\n  db: {code: '01'}"), "role db: code 01 is the code of role web already; a code names one role."),
    "a service twice": (("      - {name: www, port: 80}\n", "      - {name: www}\n      - {name: www}\n"), "host w1: services: number 1 www stands twice; keep one."),
    "group all": (("  web: {hosts", "  all: {}\n  web: {hosts"), "group all is the site itself; write its variables under `variables`"),
    "a plain secret": (("    role: web\n    int", "    proxmox: {secret: hunter2}\n    int"), "proxmox: secret cannot be: This is no reference to a secret"),
    "an unsealed vault": (("variables: {port: 80}", "variables: {p: !vault hunter2}"), "variables cannot be: A !vault value is not ciphertext"),
    "a mapping of nothing": (("aliases:", "mapping: {host.shoe: x}\naliases:"), "mapping cannot be: The mapping names host.shoe"),
    "one address for two": (("192.0.2.12", "192.0.2.11"), "lab.yml:20: host w2: interface eth0: ipv4 claims the address 192.0.2.11, which is w1's on line 13; give one of them another, or list the contest under identities: disputed: ip."),
    "a withheld address": (("aliases:", QUARANTINED.format("null").replace("192.0.2.13", "192.0.2.12") + "aliases:"), "host w2: interface eth0: ipv4 claims the address 192.0.2.12, which was gone's and is in quarantine"),
}  # fmt: skip


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(("mistake", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_one_mistake(mistake, said):
    old, new = mistake
    assert old in SMALL
    found = complaints(SMALL.replace(old, new, 1))
    assert any(said in line for line in found), found
    assert len(found) <= 2


@pytest.mark.usefixtures("nothing_stored")
def test_every_mistake_is_said_at_once_in_the_order_of_the_file(tmp_path):
    file = tmp_path / "lab.yml"
    file.write_text(
        edited(
            ("vlan: 10", "vlan: 5000"),
            ("192.0.2.12", "none"),
            ("hosts: [w1, w2]", "hosts: [w1, w3]"),
            ("form: vm", "from: vm"),
        )
    )
    _, errors, refusal = run(str(file), apply=True)
    said = errors.splitlines()
    assert [line.split(":")[1] for line in said] == ["7", "10", "17", "20", "22"]
    assert refusal == "5 errors; nothing was stored."


def test_two_primary_interfaces_are_one_too_many():
    text = edited(
        ("a_record: true}\n    services", "primary: true}\n      eth1: {primary: true}\n    services")
    )
    (said,) = complaints(text)
    assert said.endswith(
        "interface eth1: primary is set, and eth0 is the primary interface already; a host has one."
    )


def test_an_assigned_mac_is_no_edit():
    apply(SMALL)
    (said,) = complaints(edited(("02:de:10:01:00:01", "02:de:10:01:00:02")))
    assert (
        "02:de:10:01:00:01 was assigned here and cannot be edited; re-identify the interface: `manage.py reidentify"
        in said
    )
    assert Interface.objects.get(host__name="w1").mac == "02:de:10:01:00:01"
    apply(edited(("00:00:5e:00:53:02", "00:00:5e:00:53:03")))


def test_what_something_stands_on_cannot_be_left_out():
    apply(SMALL)
    without = "mgmtplane: 1\nsite: lab\nroles: {}\nsegments: {}\n"
    assert complaints(without) == [
        "lab.yml:3: role web cannot be removed: it is the role of host w1. Keep the role, or give w1 another.",
        "lab.yml:3: role web cannot be removed: it is the role of host w2. Keep the role, or give w2 another.",
        "lab.yml:4: segment lan cannot be removed: interface w1/eth0 is on it. Keep the segment, or move the interface.",
        "lab.yml:4: segment lan cannot be removed: interface w2/eth0 is on it. Keep the segment, or move the interface.",
    ]
    text = edited(("    services:\n      - {name: www, port: 80}\n", ""), ("aliases: {www: www}\n", ""))
    (said,) = complaints(text)
    assert "service www cannot be removed: alias www points at it. Take the alias out first" in said


def test_an_unknown_bootstrap_node_is_said():
    (said,) = complaints(SMALL + AUTHORITY.replace("bootstrap_host: w1", "bootstrap_host: w9"))
    assert "authority: number 1: bootstrap_host names the host w9, which is not declared" in said


@pytest.mark.timeout(20)
def test_comments_are_read_in_no_time():
    header = f"# key{' ' * 5000}meaning\n" + f"  #{' ' * 60}\n" * 1000
    apply(header + ROOT)
    assert Site.objects.exists()
    assert "the file is empty" in complaints(header)[0]


def test_a_file_without_end_is_not_read_to_the_end(monkeypatch):
    monkeypatch.setattr(text, "MAX_BYTES", 1000)
    _, errors, last = run("/dev/zero")
    assert "/dev/zero" in errors + last


def test_a_closed_standard_input_is_named(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert run("-")[2] == "Standard input is closed; name the FILE that holds the document."


def test_a_long_value_is_not_repeated_in_full():
    (said,) = complaints(ROOT + f"facts: {{block: '{'a' * 5000}'}}\n")
    assert f"facts: block cannot be: “{'a' * 59}…” is not" in said
    assert len(said) < 300


@pytest.mark.parametrize("name", ["null", "12", "''"])
def test_a_service_without_a_usable_name_is_refused(name):
    (said,) = complaints(ROOT + f"hosts:\n  pi01:\n    form: pi\n    services: [{{name: {name}}}]\n")
    assert said.startswith("lab.yml:6: host pi01: services: number 1: name is ")


@pytest.mark.parametrize(
    ("kind", "value"), [("ip", "pi01"), ("mac", "'02'"), ("vmid", "'x'"), ("vmid", "'007'")]
)
def test_the_ledger_takes_no_value_that_is_none_of_its_kind(kind, value):
    line = "[pi01, '2026-01-01T00:00:00+00:00', null]"
    (said,) = complaints(ROOT + f"identities: {{quarantined: {{{kind}: {{{value}: {line}}}}}}}\n")
    assert said.startswith("lab.yml:3: identities: quarantined: ")
    assert "as a name cannot be" in said
