"""Runs with the real Ansible, on hosts that are this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provisioning.adapters.ansible import AnsibleFault, end_strays
from provisioning.adapters.ansible.processes import marked
from provisioning.adapters.ansible.surroundings import in_memory

EVERY_OUTCOME = """
- name: Every outcome
  hosts: a
  gather_facts: false
  tasks:
    - name: Is ok
      ansible.builtin.command: "true"
      changed_when: false
    - name: Changes
      ansible.builtin.command: "true"
    - name: Is skipped
      ansible.builtin.command: "true"
      when: false
    - name: Is ignored
      ansible.builtin.command: "false"
      ignore_errors: true
    - name: Is rescued
      block:
        - name: Fails within a block
          ansible.builtin.command: "false"
      rescue:
        - name: Rescues
          ansible.builtin.debug:
            msg: rescued
    - name: Fails
      ansible.builtin.command: "false"
"""


def test_outcomes_are_what_ansibles_own_recap_counts(stage):
    told = stage.run(EVERY_OUTCOME)

    assert told.outcomes() == [
        ("a", "ok"),
        ("a", "changed"),
        ("a", "skipped"),
        ("a", "ignored"),
        ("a", "rescued"),
        ("a", "ok"),
        ("a", "failed"),
    ]
    assert told.result.status == "failed"
    assert told.result.rc == 2
    assert told.result.stats == {
        "a": {"ok": 4, "changed": 2, "unreachable": 0, "failed": 1, "skipped": 1, "rescued": 1, "ignored": 1}
    }
    assert told.result.message == "The run failed on a."


def test_events_name_play_task_and_role_and_count_lines_without_a_gap(stage):
    stage.write("roles/greeter/tasks/main.yml", "- name: Greet\n  ansible.builtin.debug:\n    msg: hello\n")

    told = stage.run("- name: Greeting\n  hosts: a\n  gather_facts: false\n  roles: [greeter]\n")

    (greeting,) = told.where(lambda event: event.kind == "runner_on_ok")
    assert (greeting.play, greeting.task, greeting.role, greeting.host) == (
        "Greeting",
        "Greet",
        "greeter",
        "a",
    )
    assert greeting.duration is not None and greeting.at.endswith("+00:00")
    counters = [event.counter for event in told.events]
    assert counters == sorted(set(counters))
    lines = 0
    for event in told.events:
        assert event.first_line == lines
        lines += len(event.lines)


def test_a_successful_run_leaves_no_file_no_folder_in_memory_and_no_process(stage):
    told = stage.run("- hosts: all\n  gather_facts: false\n  tasks: [ping: ]\n")

    assert told.result.status == "successful"
    assert told.result.message == ""
    assert list((stage.root / "run").rglob("*")) == []
    assert not in_memory(stage.marker).exists()
    assert marked(stage.marker) == []


def test_facts_are_a_small_selection(stage):
    told = stage.run("- hosts: a\n  gather_facts: true\n")

    (facts,) = [event.facts for event in told.events if event.facts]
    assert facts["hostname"] == os.uname().nodename.partition(".")[0]
    assert facts["kernel"] == os.uname().release
    assert {"os_family", "distribution", "python", "fqdn"} <= set(facts)
    (loopback,) = [one for one in facts["interfaces"] if one["name"] == "lo"]
    assert "127.0.0.1/8" in loopback["addresses"]
    assert "env" not in facts and "mounts" not in facts


def test_tags_limit_check_and_diff_reach_ansible(stage):
    playbook = f"""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "new\\n"
        dest: {stage.root}/file
      tags: [wanted]
    - ansible.builtin.command: "false"
      tags: [unwanted]
    - ansible.builtin.command: "false"
      tags: [wanted, skipped]
"""
    told = stage.run(playbook, tags="wanted", skip_tags="skipped", limit="b", check=True, diff=True)

    assert told.outcomes() == [("b", "changed")]
    assert not (stage.root / "file").exists()
    (diff,) = [event.diff for event in told.events if event.diff]
    assert "+new" in diff and "\x1b" not in diff


def test_what_a_template_declares_is_templated_and_what_people_give_is_not(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - debug: msg='{{ declared }}|{{ given }}|{{ secret | length }}'\n",
        extra_vars={"declared": "{{ 6 * 7 }}"},
        answers={"given": "{{ lookup('pipe', 'id') }}"},
        secret_vars={"secret": "{{ 1 + 1 }}x"},
    )

    assert "42|{{ lookup('pipe', 'id') }}|12" in told.text


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"limit": "@/etc/passwd"}, "would read a file"),
        ({"playbook": Path("/etc/hosts")}, "has no playbook hosts"),
        ({"vault_passwords": {"a@b": "x"}}, "is no vault id"),
        ({"ssh_key": "no key at all"}, "The SSH key of this run cannot be used"),
    ],
)
def test_what_prevents_a_run_is_said_before_anything_is_touched(stage, more, sentence):
    stage.write("site.yml", "- hosts: all\n")

    with pytest.raises(AnsibleFault, match=sentence) as refused:
        stage.run(**more)

    assert refused.value.way_out
    assert not in_memory(stage.marker).exists()


def test_a_syntax_error_fails_the_run_with_file_and_line(stage):
    told = stage.run("- hosts: all\n  tasks:\n    - debug: msg=x\n      debug2: y\n")

    assert told.result.status == "failed"
    assert told.result.complaint.startswith("site.yml, line 3: conflicting action statements: debug, debug2")


def test_an_unreachable_host_is_no_failed_one(stage):
    stage.hosts("a", ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)

    told = stage.run("- hosts: all\n  gather_facts: false\n  tasks: [ping: ]\n")

    assert told.outcomes() == [("a", "unreachable")]
    assert told.result.rc == 4
    assert told.result.message == "The run could not reach a."


def test_a_pause_and_a_question_of_a_playbook_do_not_wait_for_anybody(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  vars_prompt: [{name: answer, prompt: Well, default: yes}]\n"
        "  tasks:\n    - pause: prompt=Go\n    - debug: msg=went-on\n"
    )

    assert told.result.status == "successful"
    assert "went-on" in told.text


def test_ending_strays_of_a_run_that_never_was_does_nothing():
    end_strays("test/never")
