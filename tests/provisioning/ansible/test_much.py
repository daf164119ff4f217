"""Many lines, many hosts, one huge output."""

from __future__ import annotations

import resource
import time

import pytest

from provisioning.adapters.ansible.events import LONGEST, plain
from provisioning.adapters.ansible.running import MOST


def test_events_come_in_batches_while_the_run_goes_on(stage):
    came = []

    stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - wait_for: {timeout: 1}\n    - wait_for: {timeout: 1}\n",
        on_events=lambda events: came.append((time.monotonic(), len(events))),
    )

    assert len(came) >= 3
    assert came[-1][0] - came[0][0] > 1.5
    assert all(1 <= count <= MOST for _, count in came)


def test_a_huge_output_is_cut_with_a_note(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - debug: msg=\"{{ 'x y' * 1000000 }}\"\n    - debug: msg=after\n"
    )

    assert told.result.status == "successful"
    (huge,) = [
        event
        for event in told.events
        if sum(map(len, event.lines)) > LONGEST // 2 or "…" in "".join(event.lines)
    ]
    assert sum(map(len, huge.lines)) < 2 * LONGEST
    assert "more letters" in huge.lines[-1] or "more letters" in huge.lines[1]
    assert "after" in told.text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_thousand_lines_come_whole_and_in_order_without_filling_the_memory(stage):
    numbers = "{{ range(item * 500, item * 500 + 500) | list }}"
    playbook = f"""
- hosts: a
  gather_facts: false
  tasks:
    - debug:
        msg: "{numbers}"
      loop: "{{{{ range(100) | list }}}}"
      loop_control: {{label: "{{{{ item }}}}"}}
"""
    told = stage.run(playbook, time_limit=800.0)

    seen = [
        int(line.strip().rstrip(","))
        for line in plain(told.text).splitlines()
        if line.strip().rstrip(",").isdecimal()
    ]
    assert seen == list(range(50_000))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600 * 1024


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_task_over_five_hundred_hosts_gives_each_its_outcome(stage):
    stage.hosts(*(f"host{number:03}" for number in range(500)))

    told = stage.run(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: msg=hello\n    - set_fact: {x: 1}\n",
        forks=20,
        time_limit=800.0,
    )

    assert told.result.status == "successful"
    assert len(told.outcomes()) == 1000
    assert len(told.result.stats) == 500


def test_a_slow_receiver_makes_ansible_wait_and_loses_nothing(stage):
    counts = []

    def slowly(events):
        time.sleep(0.2)
        counts.append(len(events))

    stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - debug: msg={{ item }}\n      loop: '{{ range(600) | list }}'\n",
        on_events=slowly,
    )

    assert sum(counts) >= 600
    assert max(counts) <= MOST
