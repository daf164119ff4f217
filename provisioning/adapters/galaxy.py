"""ansible-galaxy by its command line: collections and roles into a folder of ours."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from provisioning.adapters.base import AdapterError, Refused, Strange, Unreachable
from provisioning.adapters.commands import Ended, NotInstalled, Program
from provisioning.adapters.git_faults import DiskFull
from provisioning.redaction import redact

ENVIRONMENT = {
    "HOME": "/nonexistent",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_GALAXY_DISPLAY_PROGRESS": "0",
    "ANSIBLE_COLLECTIONS_PATH_WARNING": "0",
    "PYTHONNOUSERSITE": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https",
}


class Unresolved(Refused):
    """What is asked for is on no server that was asked, or in no version that fits."""

    way_out = "See how it is spelt and which versions there are."


@dataclass(frozen=True)
class Galaxy:
    """*project* is where its ``ansible.cfg`` lies, which may name a site's own server of collections."""

    project: Path
    #: for what it keeps while it works
    scratch: Path
    program: Program

    def collections(self, file: Path, into: Path) -> None:
        """Install what requirements *file* names into *into*, with what that needs."""
        self._run("collection", "install", "-r", str(file), "-p", str(into))

    def artifacts(self, paths: Sequence[Path], into: Path) -> None:
        """Install tarballs and sources that lie here; nobody is asked for anything else."""
        self._run("collection", "install", "--offline", "-p", str(into), "--", *map(str, paths))

    def roles(self, file: Path, into: Path) -> None:
        self._run("role", "install", "-r", str(file), "-p", str(into))

    def role_archives(self, file: Path, into: Path) -> None:
        """As ``roles``, for archives that lie here: what those need in turn is not looked for."""
        self._run("role", "install", "--no-deps", "-r", str(file), "-p", str(into))

    def _run(self, *arguments: str) -> Ended:
        own, none = self.project / "ansible.cfg", self.scratch / "ansible.cfg"
        none.touch()  # without one it would read the user's, then the system's
        env = {
            **ENVIRONMENT,
            "ANSIBLE_CONFIG": str(own if own.is_file() else none),
            "ANSIBLE_HOME": str(self.scratch / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.scratch / "tmp"),
            "ANSIBLE_GALAXY_CACHE_DIR": str(self.scratch / "cache"),
            "ANSIBLE_GALAXY_TOKEN_PATH": str(self.scratch / "token"),
            "TMPDIR": str(self.scratch),
        }
        program = replace(self.program, env={**self.program.env, **env})
        command = Path(sys.executable).with_name("ansible-galaxy")
        if not command.is_file():
            raise NotInstalled("ansible-core is not installed in the environment of this application.")
        ended = program.run([sys.executable, command, *arguments], cwd=self.project)
        # a role that was not found is told of, and counts as well
        if ended.code or "was NOT installed successfully" in ended.err + ended.out.decode("utf-8", "replace"):
            raise fault(ended, f"ansible-galaxy {arguments[0]} install")
        return ended


def fault(ended: Ended, call: str) -> AdapterError:
    """What ansible-galaxy means; *ended* is all that it said."""
    said = f"{ended.err}\n{ended.out.decode('utf-8', 'replace')}"
    if re.search(r"No space left on device|Disk quota exceeded", said):
        return DiskFull("The disk of the data directory is full.", call=call)
    unreachable = (
        r"urlopen error|timed out|Name or service not known|Connection refused|Could not resolve|Bad Gateway"
    )
    if found := re.search(unreachable, said):
        return Unreachable(f"the server of collections and roles cannot be reached ({found[0]})", call=call)
    if found := re.search(r"Could not satisfy the following requirements:\s*\n((?:\* .*\n?)+)", said):
        lacking = "; ".join(line.removeprefix("* ").strip() for line in found[1].splitlines())
        return Unresolved(f"nothing that was asked has {_readable(lacking)}", call=call)
    if re.search(r"not found|was NOT installed|Failed to find|HTTP Code: 404", said, re.I):
        return Unresolved(f"it is not to be had ({_telling(said)})", call=call)
    return Strange(f"ansible-galaxy failed ({_telling(said)})", call=call)


def _telling(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("[ERROR]", "ERROR!")) or "NOT installed" in line]
    found = (errors or lines or ["it said nothing"])[0]
    return _readable(re.sub(r"^\[(?:ERROR|WARNING)\]:\s*|^ERROR!\s*|^- ", "", found))


def _readable(text: str) -> str:
    return redact("".join(letter if letter.isprintable() else "?" for letter in text)[:300]).rstrip(".")
