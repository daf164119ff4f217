"""Where a run lies while it goes on: a folder of its own in the data directory, for the server's user alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

RUNS = "runs"
#: how folders of plans begin, which nobody needs when their process is gone
PLANNING = "plan-"


def folder_of(job_id: int) -> Path:
    return all_of_them() / str(job_id)


def marker_of(job_id: int) -> str:
    """Names the run in the environment of its processes: another for each installation of one machine."""
    installed = hashlib.sha256(os.fsencode(settings.DATA_DIR)).hexdigest()[:12]
    return f"{installed}-{job_id}"


@contextmanager
def fresh(job_id: int) -> Iterator[Path]:
    """The run's folder, empty; it is removed with everything in it, however the run ends."""
    folder = folder_of(job_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def planning() -> Iterator[Path]:
    """A folder in which somebody looks whom a run would touch."""
    folder = Path(tempfile.mkdtemp(prefix=PLANNING, dir=all_of_them()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def all_of_them() -> Path:
    folder = Path(settings.DATA_DIR) / RUNS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
