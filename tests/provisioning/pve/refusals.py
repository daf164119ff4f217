"""A refusal in Proxmox's words: status, reason phrase, field errors."""

from __future__ import annotations


class Refusal(Exception):
    """HTTP *status* with *reason* as its phrase; *errors* by parameter."""

    def __init__(self, status: int, reason: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = " ".join(reason.split())
        self.errors = errors


def wrong(**errors: str) -> Refusal:
    """400, with what is wrong of each parameter (``_`` stands for ``-``)."""
    return Refusal(400, "Parameter verification failed.", {k.replace("_", "-"): v for k, v in errors.items()})


def forbidden(path: str, *privileges: str) -> Refusal:
    return Refusal(403, f"Permission check failed ({path}, {'|'.join(privileges)})")


def died(text: str) -> Refusal:
    return Refusal(500, text)


def no_config(node: str, vmid: int, kind: str = "qemu") -> Refusal:
    folder = "qemu-server" if kind == "qemu" else "lxc"
    return died(f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist")


class TaskError(Exception):
    """A worker died: the text becomes the task's exit status, *lines* stand in its log before."""

    def __init__(self, text: str, *lines: str) -> None:
        super().__init__(text)
        self.lines = lines
