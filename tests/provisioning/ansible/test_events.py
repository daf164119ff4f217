"""What ansible-runner tells becomes what is kept: masked, counted, cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.adapters.ansible.events import LONGEST, LONGEST_LINE, Telling, outcome_of
from provisioning.adapters.ansible.facts import selected
from provisioning.adapters.ansible.words import complaint, message
from provisioning.masking import Mask

PROJECT = Path("/run/project")


def told(stdout: str = "", kind: str = "runner_on_ok", **data):
    telling = Telling(Mask(["simple-secret"]), ("simple-secret",))
    return telling.event({"counter": 1, "uuid": "u", "stdout": stdout}, {"event": kind, **data})


@pytest.mark.parametrize(
    ("kind", "increments", "outcome"),
    [
        ("runner_on_ok", ["ok"], "ok"),
        ("runner_on_ok", ["ok", "changed"], "changed"),
        # an include was counted before, and told of by no event of its own
        ("runner_on_ok", ["ok", "changed", "ok"], "ok"),
        ("runner_on_failed", ["failures"], "failed"),
        ("runner_on_failed", ["rescued"], "rescued"),
        ("runner_on_failed", ["ok", "ignored", "changed"], "ignored"),
        ("runner_on_failed", [], "failed"),
        ("runner_on_unreachable", ["dark"], "unreachable"),
        ("runner_on_unreachable", ["ok", "ignored"], "ignored"),
        ("runner_on_skipped", ["skipped"], "skipped"),
        ("runner_item_on_failed", [], ""),
        ("playbook_on_task_start", [], ""),
    ],
)
def test_an_outcome_is_what_ansible_counted(kind, increments, outcome):
    assert outcome_of(kind, {"increments": increments}) == outcome


def test_every_text_of_an_event_is_masked():
    event = told(
        "simple-secret",
        play="p simple-secret",
        task="t simple-secret",
        role="r simple-secret",
        host="h-simple-secret",
        facts={"hostname": "simple-secret"},
    )

    assert "simple-secret" not in repr(event)


def test_a_secret_that_colours_interrupt_is_masked():
    assert told("\x1b[0;32msimple\x1b[0m\x1b[0;31m-secret\x1b[0m").lines == ("[secret]",)


def test_the_recap_hides_and_cuts_the_names_of_hosts_and_adds_up_those_that_become_one():
    telling = Telling(Mask(["simple-secret", "web01"]), ("simple-secret",), "hosts: web01")
    hosts = {"simple-secret": 1, "x-simple-secret": 2, "web01": 1, "n" * 300: 1}
    telling.event(
        {"counter": 1, "uuid": "u"},
        {"event": "playbook_on_stats", "counts": {"processed": hosts, "ok": hosts}},
    )

    found = {host: counts["ok"] for host, counts in telling.stats().items()}
    assert found == {"[secret]": 3, "web01": 1, "n" * 255: 1}


def test_colours_stay_and_what_else_a_terminal_obeys_goes():
    event = told("\x1b[0;32mok\x1b[0m\x1b[2J\x1b]0;title\x07\x00\x1b[1Ax\r\ny\tz")

    assert event.lines == ("\x1b[0;32mok\x1b[0mx", "y\tz")


def test_long_lines_and_long_outputs_are_cut_after_they_were_masked():
    line = told("x" * (LONGEST_LINE - 5) + "simple-secret and more")
    whole = told("y\n" * LONGEST)

    assert "simple" not in line.lines[0] and line.lines[0].endswith("more letters")
    assert whole.lines[-1] == f"… {LONGEST} more letters of this output are not kept."


def test_what_has_nothing_to_show_is_no_event():
    assert told(kind="runner_on_start", host="a") is None
    assert told("said", kind="runner_on_start", host="a") is not None


@pytest.mark.parametrize(
    ("rc", "stats", "said"),
    [
        (0, {}, ""),
        (2, {"b": {"failed": 1}, "a": {"failed": 2}}, "The run failed on a, b."),
        (4, {"a": {"unreachable": 1}}, "The run could not reach a."),
        (4, {"a": {"unreachable": 1}, "b": {"failed": 1}}, "The run failed on b and could not reach a."),
        (2, {f"h{n}": {"failed": 1} for n in range(10)}, "The run failed on h0, h1, h2, h3, h4, h5, h6, h7 and 2 more."),
        (8, {}, "A play stopped because too many of its hosts failed (exit code 8)."),
        (250, {}, "Ansible met an error that it did not expect (exit code 250)."),
        (42, {}, "Ansible ended with exit code 42."),
        (None, {}, "Ansible was killed from outside before it was done."),
    ],
)  # fmt: skip
def test_the_end_of_a_run_is_said_in_words(rc, stats, said):
    assert message(rc, stats) == said


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        (["[ERROR]: No such thing.\nOrigin: /run/project/a/b.yml:7:3\n\n7 x"], "a/b.yml, line 7: No such thing."),
        (["first", "last", ""], "last"),
        ([], ""),
    ],
)  # fmt: skip
def test_what_ansible_complains_of_is_one_sentence(problems, said):
    assert complaint(problems, PROJECT) == said


def test_facts_are_selected_also_where_a_host_tells_nonsense():
    assert selected({"hostname": 7, "interfaces": "x", "details": {"eth0": 5}, "default_ipv4": []}) == {
        "interfaces": []
    }
    assert selected(
        {
            "hostname": "web1",
            "default_ipv4": {"interface": "eth0"},
            "details": {
                "eth0": {
                    "macaddress": "02:00:5E:00:53:01",
                    "active": True,
                    "type": "ether",
                    "ipv4": {"address": "192.0.2.7", "prefix": "24"},
                    "ipv6": [{"address": "2001:db8::7", "prefix": "64"}],
                }
            },
            "ssh_host_key_ed25519_public": "AAAA",
            "ssh_host_key_ed25519_public_keytype": "ssh-ed25519",
            "env": {"SECRET": "x"},
        }
    ) == {
        "hostname": "web1",
        "default_interface": "eth0",
        "interfaces": [
            {
                "name": "eth0",
                "mac": "02:00:5e:00:53:01",
                "active": True,
                "type": "ether",
                "addresses": ["192.0.2.7/24", "2001:db8::7/64"],
            }
        ],
        "ssh_host_keys": {"ssh-ed25519": "AAAA"},
    }
