"""Which Ansible, and which container image, a run would use on this machine."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version

from provisioning.adapters.ansible.commands import ENGINE_SECONDS, PODMAN, engine_environment
from provisioning.adapters.ansible.surroundings import clean

#: the second brings collections of its own
_PACKAGES = ("ansible-core", "ansible")


def versions() -> dict[str, str]:
    """The packages that are installed here, with their versions."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def image_id(image: str) -> str:
    """The identity of *image*, a name or an identity, in the storage of this machine; empty: it is not there.

    64 hexadecimal digits over its content, which a tag may leave.
    """
    try:
        done = subprocess.run(
            [PODMAN, "image", "inspect", "--format", "{{.Id}}", "--", image],
            env={**clean(), **engine_environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ENGINE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):  # no engine: whoever needs one is told so elsewhere
        return ""
    told = done.stdout.strip().removeprefix("sha256:")
    return told if done.returncode == 0 and len(told) == 64 and set(told) <= set("0123456789abcdef") else ""
