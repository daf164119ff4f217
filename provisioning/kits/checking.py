"""Whether a kit is as it was written, by our own ``check.py``: what lies in the kit is what is in question."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from inventory.recovery.kit import CHECK


def words(kit: str, fingerprint: str = "") -> list[str]:
    """The program that says so; its exit status is 0 where all is well."""
    return [sys.executable, "-I", str(CHECK), "--fingerprint", fingerprint, "--", kit]


def damage(kit: Path) -> str:
    """The first thing that is not as it was written, in the directory or the archive *kit*; empty: nothing."""
    done = subprocess.run(words(str(kit)), capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).partition("\n")[0] if done.returncode else ""
