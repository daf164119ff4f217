"""A real worker that knows the tests' kinds: ``python -m tests.provisioning.worker NAME [QUEUE]``."""

from __future__ import annotations

import os
import sys


def hurry() -> None:
    """Machine jobs against a stand-in wait for nothing."""
    from provisioning.adapters.proxmox import Patience
    from provisioning.kinds import machine
    from provisioning.observed import hypervisors
    from provisioning.steps.watching import Patience as MakingPatience

    hypervisors.PATIENCE = Patience(lock=0.3, pause=0.05, longest_pause=0.2)
    machine.PATIENCE = MakingPatience(boot=20.0, settle=5.0, pause=0.05)


def main() -> None:
    import django

    django.setup()
    from mgmtplane import celery  # noqa: F401 - the application
    from mgmtplane.celery import app
    from tests.provisioning.kinds import register_all

    register_all()
    if os.environ.get("IMPATIENT"):
        hurry()
    running = app.Worker(
        hostname=f"{sys.argv[1]}@test",
        queues=[sys.argv[2] if len(sys.argv) > 2 else "short"],
        pool="threads",
        concurrency=4,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel="INFO",
    )
    running.start()
    raise SystemExit(running.exitcode)


if __name__ == "__main__":
    main()
