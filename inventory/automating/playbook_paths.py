"""What is a path of a playbook inside a project. Pure."""

from __future__ import annotations


def playbook_problem(path: str) -> str:
    """Why *path* is no playbook inside a project: paths never leave it."""
    if not path:
        return "Name the playbook, as a path inside the project, such as site.yml."
    if has_controls(path) or "\\" in path:
        return "A playbook's path is plain text with / between its parts."
    if path.startswith(("/", "~", "-")) or any(part in ("", ".", "..") for part in path.split("/")):
        return f"“{path}” does not lie inside the project; write a relative path without .., such as playbooks/site.yml."
    if not path.endswith((".yml", ".yaml")):
        return f"“{path}” is no playbook; its name ends in .yml or .yaml."
    return ""


def has_controls(text: str) -> bool:
    return any(ord(char) < 32 or ord(char) == 127 for char in text)
