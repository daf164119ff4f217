"""Words are found where they stand, best first, and what matched is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.automating.automation_facts import JobTemplateFacts, ProjectFacts
from inventory.lookup.searching import search
from inventory.lookup.words import pieces, words_of
from inventory.packed import packed
from tests.lookup.site import SITE


def found(text: str) -> dict[str, list[str]]:
    return {kind: [hit.name for hit in hits] for kind, hits in search(SITE, text).hits.items()}


@pytest.mark.parametrize(
    ("text", "name", "where"),
    [
        ("pi01", "pi01", "name"),
        ("pi01.lab.example.net", "pi01", "FQDN"),
        ("BC-24-11-CE-51-EC", "pi01", "MAC"),
        ("11ce51", "pi01", "MAC"),
        ("ce:51", "pi01", "MAC"),
        ("192.0.2.10", "pi01", "address"),
        ("192.0.2.8/29", "pi01", "address"),
        ("192.0.2.9-192.0.2.11", "pi01", "address"),
        ("2001:db8:99::10", "pi01", "address"),
        ("red door", "pi01", "notes"),
        ("sn-4711", "pi01", "serial_number"),
        ("120", "metrics-vm01", "VMID"),
        ("bmc_pass", "pi01", "bmc_password"),
        ("sealed_key", "pi01", "sealed_key"),
    ],
)
def test_a_host_is_found_by_what_stands_in_it(text, name, where):
    hit = search(SITE, text).hits["host"][0]
    assert hit.name == name and where in [place for place, _ in hit.matched]


def test_every_word_must_match():
    assert found("red pi01")["host"] == ["pi01"]
    assert "host" not in found("door metrics")


def test_the_exact_name_comes_first():
    assert found("metrics")["role"] == ["metrics"]
    assert search(SITE, "pi01").hits["host"][0].rank == 0


def test_switch_ports_vlans_and_networks_are_found():
    assert found("gi0/7")["interface"] == ["pi01/eth0"]
    assert found("99")["segment"] == ["management"]
    assert found("192.0.2.0/25")["segment"] == ["management"]


def test_projects_and_job_templates_are_found():
    site = replace(
        SITE,
        projects=(
            ProjectFacts(name="fleet", source="git", location="ssh://git@git.example.net/lab/fleet.git"),
        ),
        templates=(
            JobTemplateFacts(
                name="base", project="fleet", playbook="base.yml", extra_vars={"colour": "mauve"}
            ),
        ),
    )

    def kinds(text: str) -> dict[str, list[str]]:
        return {kind: [hit.name for hit in hits] for kind, hits in search(site, text).hits.items()}

    assert kinds("git.example") == {"project": ["fleet"]}
    assert kinds("fleet") == {"project": ["fleet"], "template": ["base"]}
    assert kinds("mauve") == kinds("base.yml") == {"template": ["base"]}


def test_secrets_are_neither_found_nor_shown():
    assert found("hunter2secret") == {}
    assert found("6162636465") == {}  # inside the ciphertext
    assert "hunter2secret" not in str(search(SITE, "bmc_password"))


@pytest.mark.parametrize("text", ["", "   ", "\\", "%", "(", "[x", "10.0.0.0/99", "-", "::", "ﬀ", "a" * 500])
def test_odd_words_find_nothing_and_break_nothing(text):
    search(SITE, text)


def test_so_many_are_shown_and_all_are_counted():
    few = search(SITE, "1", most=1)
    assert all(len(hits) == 1 for hits in few.hits.values()) and few.total > len(few.hits)


def test_what_was_found_is_marked():
    assert pieces("pi01.lab", words_of("PI01")) == (("pi01", True), (".lab", False))
    assert pieces("bc:24:11:ce:51:ec", words_of("11ce-51")) == (
        ("bc:24:", False),
        ("11:ce:51", True),
        (":ec", False),
    )
    assert pieces("a+b", words_of("+b c")) == (("a", False), ("+b", True))


def test_a_password_in_notes_is_neither_found_nor_shown():
    host = replace(SITE.hosts[0], notes="behind the red door\npassword: hunter3secret")
    site = replace(SITE, hosts=(host,))
    assert search(site, "red door").hits and not search(site, "hunter3").hits


def test_json_of_variables_is_no_text():
    host = replace(SITE.hosts[0], variables=packed('{"ports": [80, 443], "name": "x"}'))
    site = replace(SITE, hosts=(host,), groups=())
    assert search(site, "443").hits and not search(site, '":').hits and not search(site, "[80").hits


def test_kinds_that_nobody_may_see_are_left_out():
    assert set(search(SITE, "pi", kinds=("group",)).counts) == {"group"}
