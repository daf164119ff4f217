"""Generated trees resolve exactly as the real ``ansible-inventory`` resolves them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inventory.yaml11 import dump
from tests.importers.tree_support import assert_like_ansible, write_tree
from tests.scale import share

KEYS = ("a", "b", "c", "d", "ansible_host", "ansible_group_priority", "ünï", "key with space", "x-y")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -7, 2**70, 1.5, 1e20, "", "yes", "0644", "1_000", "12:30:45", "2020-01-01", "~",
    "=", " padded ",
    "a: b", "a #b", "{{ a }}", "{% if b %}", "two\nlines\n", "\ttab", "é", "😀", "\u2028", "\x85", "it's",
    [], {}, [1, [2, {"k": "v"}]], {"k": {"l": [None]}}, {"__ansible_unsafe": "{{ raw }}"}, {"1": 2},
)  # fmt: skip
EXTENSIONS = ("", ".yml", ".yaml", ".json")


class Maker:
    """One random tree: groups without cycles, hosts in several of them, variables everywhere."""

    def __init__(self, random: Random) -> None:
        self.random = random
        letters = random.sample("zyxwvutsrqponmlkjihgfedcba", random.randint(2, 14))
        self.groups = [f"{letter}_grp" for letter in letters]  # a group's children come after it
        self.hosts = [f"h{number}" for number in range(random.randint(1, 12))]
        self.files: dict[str, str | bytes] = {}

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def some(self, items: list[str], most: int) -> list[str]:
        return self.random.sample(items, min(len(items), self.random.randint(0, most)))

    def variables(self, *, inline_group: bool = False) -> dict[str, Any]:
        result = {key: self.random.choice(VALUES) for key in self.some(list(KEYS), 5)}
        if inline_group and "ansible_group_priority" in result:
            result["ansible_group_priority"] = self.random.choice([-1, 0, 1, 2, 10, "5", 3.7, True])
        return result

    def tree(self) -> tuple[dict[str, str | bytes], str]:
        hosts = self.random.choice(["hosts.yml", "hosts", "hosts.ini", "inventory.json"])
        if hosts == "hosts.ini":
            self.files[hosts] = self.ini()
        else:
            groups = self.yaml()
            self.files[hosts] = json.dumps(groups) if hosts.endswith("json") else dump(groups)
        for name in (*self.groups, "all", "ungrouped"):
            self.vars_files(f"group_vars/{name}")
        for name in self.hosts:
            self.vars_files(f"host_vars/{name}")
        return self.files, hosts

    # --- YAML

    def yaml(self) -> dict[str, Any]:
        top = {name: self.group(number) for number, name in enumerate(self.groups) if self.chance(60)}
        if self.chance(50):
            top = {"all": {"children": top, "vars": self.variables(inline_group=True)}}
            if self.chance(50):
                top["all"]["hosts"] = self.members()
        if self.chance(30):
            top["ungrouped"] = {"hosts": self.members()}
        if not top:
            top["all"] = {"hosts": self.members()}
        return top

    def group(self, number: int, depth: int = 0) -> dict[str, Any] | None:
        if self.chance(10):
            return None
        body: dict[str, Any] = {}
        if self.chance(60):
            body["hosts"] = self.members()
        if self.chance(60):
            body["vars"] = self.variables(inline_group=True)
        later = list(range(number + 1, len(self.groups)))
        if later and depth < 5 and self.chance(70):
            chosen = self.random.sample(later, min(len(later), self.random.randint(1, 3)))
            body["children"] = {self.groups[child]: self.group(child, depth + 1) for child in chosen}
        items = list(body.items())
        self.random.shuffle(items)
        return dict(items)

    def members(self) -> dict[str, Any]:
        members = {name: self.variables() if self.chance(40) else None for name in self.some(self.hosts, 5)}
        if self.chance(15):
            members["h[1:3]"] = self.variables()
        return members

    # --- INI

    def ini(self) -> str:
        lines = [self.host_line(name) for name in self.some(self.hosts, 2)]
        for number, name in enumerate(self.groups):
            lines.append(f"[{name}]")
            lines += [self.host_line(host) for host in self.some(self.hosts, 4)]
            if self.chance(60):
                lines.append(f"[{name}:vars]")
                lines += [f"{key} = {self.literal()}" for key in self.some(list("abcd"), 3)]
                lines += [f"ansible_group_priority={self.random.randint(-2, 9)}"] if self.chance(20) else []
            if children := self.some(self.groups[number + 1 :], 3):
                lines += [f"[{name}:children]", *children]
        return "\n".join(lines) + "\n"

    def literal(self) -> str:
        text = (
            "1",
            "0644",
            "None",
            "'q'",
            "[1, 'a']",
            "{'k': (1, 2)}",
            "a b",
            "x=y",
            "1e3",
            "",
            "True",
            "yes",
            "{{ a }}",
        )
        return self.random.choice(text)

    def host_line(self, name: str) -> str:
        values = ("1", "'a b'", "\"'7'\"", "[1,2]", "None", "x#y", "'{\"k\": [1]}'", "{{x}}", "True")
        return " ".join(
            [name, *(f"{key}={self.random.choice(values)}" for key in self.some(list("abcd"), 2))]
        )

    # --- files

    def vars_files(self, base: str) -> None:
        if not self.chance(45):
            return
        for extension in self.random.sample(EXTENSIONS, self.random.randint(1, 2)):
            if not extension and self.chance(60):
                for name in self.random.sample(
                    ("10.yml", "9.yaml", "B", "a.json", "sub/x.yml", ".no", "no~", "no.txt"), 4
                ):
                    self.files[f"{base}/{name}"] = self.vars_file(name)
            else:
                self.files[base + extension] = self.vars_file(extension)

    def vars_file(self, name: str) -> str:
        variables = {} if self.chance(10) else self.variables()
        return json.dumps(variables) if name.endswith(".json") else dump(variables)


def compare(random: Random) -> None:
    files, hosts = Maker(random).tree()
    with tempfile.TemporaryDirectory() as directory:
        assert_like_ansible(write_tree(Path(directory), files), hosts)


trees = given(st.randoms(use_true_random=False))
quick = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.explicit]
)


@trees
@settings(quick, max_examples=15)
def test_generated_trees_resolve_as_in_ansible(random: Random) -> None:
    compare(random)


@pytest.mark.slow
@pytest.mark.timeout(600)
@trees
@settings(quick, max_examples=share(150))
def test_many_generated_trees_resolve_as_in_ansible(random: Random) -> None:
    compare(random)
