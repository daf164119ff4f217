"""Which files of a project are playbooks, told from their text alone: nothing is executed, no variable looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory.yaml11 import YamlProblem
from inventory.yaml11.composing import compose

ENDINGS = (".yml", ".yaml")
#: larger files of the ending are data
LARGEST = 1 << 20
DEEPEST = 100
#: folders in which Ansible looks for something else
NEVER_IN = frozenset(
    {
        "collections", "roles", "tasks", "handlers", "vars", "defaults", "meta", "templates", "files", "group_vars",
        "host_vars", "molecule", "tests",
    }
)  # fmt: skip
HOSTS = frozenset({"hosts", "import_playbook", "ansible.builtin.import_playbook"})
_MAYBE = re.compile(rb"^[\s-]*['\"]?(?:hosts|(?:ansible\.builtin\.)?import_playbook)['\"]?\s*:", re.M)


def may_be_one(path: str) -> bool:
    """Whether a playbook could have this *path*, written from the top of the project."""
    *folders, name = path.split("/")
    return (
        name.endswith(ENDINGS)
        and not name.startswith(".")
        and not any(folder in NEVER_IN or folder.startswith(".") for folder in folders)
    )


def is_one(content: bytes) -> bool:
    """Whether *content* is a list of plays: each entry says at which hosts, or imports another playbook."""
    if len(content) > LARGEST or not _MAYBE.search(content):
        return False
    try:
        root = compose(content.decode(), "", DEEPEST)
    except (UnicodeDecodeError, YamlProblem):
        return False
    return isinstance(root, SequenceNode) and bool(root.value) and all(map(_is_play, root.value))


def listed(files: Iterable[tuple[str, bytes]]) -> list[str]:
    """The paths of those *files* (path, content) that are playbooks, sorted."""
    return sorted(path for path, content in files if is_one(content))


def _is_play(node: Node) -> bool:
    return isinstance(node, MappingNode) and any(
        isinstance(name, ScalarNode) and name.value in HOSTS for name, _ in node.value
    )
