"""An engine of containers that does not answer keeps nothing alive, and is told nothing of ours."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioning.adapters.ansible import commands

ROOT = Path(__file__).resolve().parents[3]
#: the watch of a run in an image, above a task that sleeps; says how long that lived after the run was cancelled
WATCHING = """
import os, subprocess, time
from types import SimpleNamespace
from provisioning.adapters.ansible import child
watch = child.Watch(0, b"cancel")
watch.around = SimpleNamespace(launch=SimpleNamespace(image="x", marker="m"))
task = subprocess.Popen(["sleep", "100"])
begun = time.monotonic()
watch.start()
task.wait()
print(time.monotonic() - begun)
print(end="", flush=True)
os._exit(0)
"""


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """A podman that writes down its environment and then hangs."""
    said = tmp_path / "environment"
    program = tmp_path / "podman"
    program.write_text(f"#!/bin/sh\nenv > {said}\nexec sleep 100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return said


def test_a_task_ends_though_the_engine_hangs(engine):
    told = subprocess.run(
        [sys.executable, "-c", WATCHING], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True
    )

    assert float(told.stdout) < 20


def test_an_engine_that_hangs_is_given_up(engine, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "ours")
    monkeypatch.setattr(commands, "ENGINE_SECONDS", 3.0)
    begun = time.monotonic()

    commands.end_named("mgmtplane_nobody")

    assert time.monotonic() - begun < 30
    assert "HOME=" in engine.read_text()
    assert "ours" not in engine.read_text()
