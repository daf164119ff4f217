"""The shell: what is handed out is on standard output, alone."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from inventory.models import Change, Host, Identity
from tests.allocation.conftest import retire

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(site, capsys):
    def call(*arguments: str) -> tuple[str, str]:
        call_command("allocate", *arguments, "--site", "lab")
        said = capsys.readouterr()
        return said.out, said.err

    return call


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["mac", "--host", "dns-vm01"], "02:de:20:01:00:01\n"),
        (["mac", "--host", "dns-vm01", "--interface", "eth1", "--group", "0A"], "02:de:20:01:0a:01\n"),
        (["address", "--host", "dns-vm01", "--segment", "management"], "192.0.2.2\n"),
        (["address", "--host", "dns-vm01", "--segment", "storage", "--range", "198.51.100.9-198.51.100.9"], "198.51.100.9\n"),  # noqa: E501
        (["vmid", "--host", "dns-vm01"], "200\n"),
        (["vmid", "--host", "dns-vm01", "--surveyed", "200,201"], "202\n"),
        (["host", "--role", "dns", "--form", "vm"], "dns-vm02\n"),
        (
            ["host", "--role", "dns", "--form", "vm", "--vmid", "--mac", "--segment", "management"],
            "dns-vm02\n200\n02:de:20:01:00:01\n192.0.2.2\n",
        ),
    ],
)  # fmt: skip
def test_only_the_value_is_printed(run, machine, arguments, out):
    machine("dns-vm01")
    assert run(*arguments)[0] == out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--range", "192.0.2.3-192.0.2.4"],
            "--range is about an address, which a new host gets with --segment",
        ),
        (["--family", "both"], "--family is about an address, which a new host gets with --segment"),
        (["--interface", "eth1"], "--interface names what gets a MAC or an address"),
    ],
)
def test_what_would_be_ignored_is_refused(run, arguments, said):
    with pytest.raises(CommandError, match=said):
        run("host", "--role", "dns", "--form", "vm", *arguments)
    assert not Host.objects.exists()


def test_what_happened_is_told_beside_it(run, machine):
    machine("dns-vm01")
    assert run("mac", "--host", "dns-vm01")[1] == "dns-vm01/eth0 got its MAC.\n"
    out, err = run("mac", "--host", "dns-vm01")
    assert (out, err) == (
        "02:de:20:01:00:01\n",
        "dns-vm01/eth0 has this already; nothing new was handed out.\n",
    )
    assert "The hypervisors were not asked" in run("vmid", "--host", "dns-vm01")[1]


def test_json_tells_everything(run, machine):
    out, _ = run("host", "--role", "dns", "--form", "vm", "--mac", "--segment", "management", "--json")
    assert json.loads(out) == {
        "site": "lab",
        "host": "dns-vm01",
        "interface": "eth0",
        "segment": "management",
        "mac": "02:de:20:01:00:01",
        "ipv4": "192.0.2.2",
        "vmid": None,
        "ipv6": [],
        "given": ["name", "segment", "mac", "ipv4"],
        "dry_run": False,
    }


def test_a_dry_run_keeps_nothing(run):
    out, err = run("host", "--role", "dns", "--form", "vm", "--dry-run")
    assert (out, err) == ("dns-vm01\n", "dns-vm01 would now get its name.\n")
    assert not Host.objects.exists()


def test_reason_and_person_are_kept(run, machine):
    machine("dns-vm01")
    run("vmid", "--host", "dns-vm01", "--why", "a second resolver", "--by", "ada")
    row = Change.objects.latest("id")
    assert (row.why, row.by_name, row.source) == ("a second resolver", "ada", "allocate")


@pytest.mark.parametrize(
    ("text", "vmid"),
    [("200\n201\n", 202), ("[200, 201]", 202), ("none\n", 200)],
    ids=["lines", "json", "none"],
)
def test_surveyed_vmids_may_lie_in_a_file(run, machine, tmp_path, text, vmid):
    machine("dns-vm01")
    (tmp_path / "vmids").write_text(text)
    assert run("vmid", "--host", "dns-vm01", "--surveyed", str(tmp_path / "vmids"))[0] == f"{vmid}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vmid", "--host", "dns-vm01", "--surveyed", "/nowhere"], "is neither a list of VMIDs nor a file that can be read"),
        (["address", "--host", "dns-vm01", "--segment", "management", "--range", "192.0.2.5"], "is no range"),
        (["address", "--host", "dns-vm01", "--segment", "management", "--range", "a-b"], "“a” is not an IP address"),
        (["mac", "--host", "dns-vm01", "--group", "zz"], "“zz” is no group"),
        (["read", "nonsense"], "“nonsense” is not a MAC address"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(run, machine, arguments, said):
    machine("dns-vm01")
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert said in str(caught.value)


def test_an_empty_survey_is_a_failure_and_not_an_empty_world(run, machine, tmp_path):
    machine("dns-vm01")
    (tmp_path / "vmids").write_text("")
    with pytest.raises(CommandError, match="lists no VMIDs; write 100,101 or one a line, or “none”"):
        run("vmid", "--host", "dns-vm01", "--surveyed", str(tmp_path / "vmids"))


def test_a_mac_is_read_back(run, machine):
    assert run("read", "02-DE-20-01-00-05")[0] == (
        "02:de:20:01:00:05: site lab, role dns (code 01), group 00, instance 05\n"
    )


def test_freeing_asks_why_and_frees(site, machine, capsys):
    retire(machine("dns-vm01", {"mac": "bc:24:11:00:00:01"}, vmid=200))
    with pytest.raises(CommandError, match="Say why"):
        call_command("free", "vmid", "200", site="lab", why=" ")
    call_command("free", "mac", "BC-24-11-00-00-01", site="lab", why="the card is scrap")
    assert "bc:24:11:00:00:01, last dns-vm01's, is free to be used again." in capsys.readouterr().err
    assert Identity.objects.get(kind="mac").state == "released"
    assert Identity.objects.get(kind="vmid").state == "quarantined"
    assert Change.objects.latest("id").why == "the card is scrap"


def test_only_what_is_in_quarantine_is_freed(site, machine):
    machine("dns-vm01", vmid=200)
    with pytest.raises(CommandError, match="vmid 200 is not in quarantine: dns-vm01 has it"):
        call_command("free", "vmid", "200", site="lab", why="x")
    with pytest.raises(CommandError, match=r"address 192\.0\.2\.77 is not in quarantine; nothing to free"):
        call_command("free", "address", "192.0.2.77", site="lab", why="x")
