"""Launches and events cross a pipe to another process and back."""

from __future__ import annotations

import json
from pathlib import Path

from provisioning.adapters.ansible import Event, Launch


def a_launch(**more) -> Launch:
    return Launch(
        folder=Path("/run/1"),
        marker="lab/1",
        playbook=Path("/run/1/project/site.yml"),
        project=Path("/run/1/project"),
        inventory=Path("/run/1/inventory.json"),
        **more,
    )


def test_a_launch_is_the_same_on_the_other_side_of_the_pipe():
    launch = a_launch(
        collections=(Path("/c/1"), Path("/c/2")),
        extra_vars={"a": [1, None]},
        secret_vars={"p": "x"},
        hide=("q",),
    )

    assert Launch.from_json(json.loads(json.dumps(launch.as_json()))) == launch


def test_an_event_is_the_same_on_the_other_side_of_the_pipe():
    event = Event(
        counter=3,
        uuid="u",
        kind="runner_on_ok",
        at="2026-01-01T00:00:00+00:00",
        lines=("a", "b"),
        facts={"os": "x"},
    )

    assert Event.from_json(json.loads(json.dumps(event.as_json()))) == event


def test_no_secret_of_a_launch_stands_in_its_representation():
    launch = a_launch(
        secret_vars={"p": "hunter22"},
        vault_passwords={"default": "hunter23"},
        ssh_key="hunter24",
        hide=("hunter25",),
    )

    assert "hunter2" not in repr(launch)
    assert {"hunter22", "hunter23", "hunter24", "hunter25"} <= set(launch.secrets)
