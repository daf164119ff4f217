"""A worker that carries out one run, to be killed: ``python -m tests.provisioning.ansible.worker FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from provisioning.adapters.ansible import Launch, run


def main() -> None:
    launch = Launch.from_json(json.loads(Path(sys.argv[1]).read_text()))

    def show(events):
        for event in events:
            print(event.kind, event.task, flush=True)

    print(run(launch, on_events=show, stopped=lambda: False), flush=True)


if __name__ == "__main__":
    main()
