"""A project, an inventory of hosts that are this machine, and everything that a run of it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from provisioning.adapters.ansible import Event, Launch, Result, run

#: one that is there wherever the tests run; Ansible's own search finds what is not installed
PYTHON = "/usr/bin/python3"


class Stage:
    """Files are written below *root*; ``launch`` and ``run`` take what a Launch takes."""

    def __init__(self, root: Path, marker: str) -> None:
        self.root, self.marker = root, marker
        self.project = root / "project"
        self.project.mkdir()
        self.inventory = root / "inventory.json"
        self.hosts("a", "b", "c")

    def hosts(self, *names: str, **variables) -> None:
        local = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON, **variables}
        groups = {"all": {"hosts": dict.fromkeys(names, local)}}
        self.inventory.write_text(json.dumps(groups))

    def write(self, name: str, text: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def launch(self, text: str = "", **more) -> Launch:
        if text:
            self.write("site.yml", text)
        given = {
            "folder": self.root / "run",
            "marker": self.marker,
            "playbook": self.project / "site.yml",
            "project": self.project,
            "inventory": self.inventory,
            "time_limit": 110.0,
        }
        return Launch(**{**given, **more})

    def run(self, text: str = "", **more) -> Told:
        told = Told()
        stopped = more.pop("stopped", lambda: False)
        on_events = more.pop("on_events", told.batches.append)
        told.result = run(self.launch(text, **more), on_events=on_events, stopped=stopped)
        return told


class Told:
    """What a run said, in its batches."""

    result: Result

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def text(self) -> str:
        return "\n".join(line for event in self.events for line in event.lines)

    def outcomes(self) -> list[tuple[str, str]]:
        return [(event.host, event.outcome) for event in self.events if event.outcome]

    def where(self, test: Callable[[Event], bool]) -> list[Event]:
        return [event for event in self.events if test(event)]
