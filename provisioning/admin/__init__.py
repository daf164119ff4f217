"""The browser's side of what happens."""

from provisioning.admin import drift, jobs, kits, recording, runs, schedules, starting, unlocked

__all__ = ["drift", "jobs", "kits", "recording", "runs", "schedules", "starting", "unlocked"]
