"""A second try, in CI alone, for tests that wait for processes which are not ours. ``conftest.py`` calls it.

A server, a browser or a worker that is starved of its processor for half a minute says nothing about this program. Such a
test is run once more where ``MGMTPLANE_TEST_SECOND_TRY=1``; the closing lines name it whatever came of it, so that a test
which needs this often is seen. No test of races or killed workers is among them: what those show once is a fault.
"""

from __future__ import annotations

import os

import pytest

#: folders and files, below the root of the project
WAITING_FOR_OTHERS = (
    "tests/browser/",
    "tests/clients/",
    "tests/hosts/",
    "tests/lab/",
    "tests/platform/test_up.py",
    "tests/platform/test_supervisor.py",
    "tests/provisioning/adapters/",
    "tests/provisioning/ansible/test_image.py",
    "tests/provisioning/ansible/test_plays.py",
    "tests/provisioning/ansible/test_running.py",
    "tests/provisioning/ansible/test_ssh.py",
    "tests/provisioning/demo/",
    "tests/provisioning/jobs/test_chain_over_ssh.py",
    "tests/provisioning/keeper/test_process.py",
    "tests/provisioning/projects/",
    "tests/provisioning/runs/test_running.py",
    "tests/provisioning/runs/test_shell.py",
    "tests/provisioning/runs/test_ssh_hosts.py",
    "tests/provisioning/test_command_machines.py",
    "tests/provisioning/test_workers.py",
    "tests/recovery/",
    "tests/roles/",
)


def mark(items: list[pytest.Item]) -> None:
    """Give those in :data:`WAITING_FOR_OTHERS` their second try, where it is asked for."""
    if os.environ.get("MGMTPLANE_TEST_SECOND_TRY") != "1":
        return
    for item in items:
        if item.nodeid.startswith(WAITING_FOR_OTHERS):
            item.add_marker(pytest.mark.flaky(reruns=1))
