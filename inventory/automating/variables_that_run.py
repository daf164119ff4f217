"""Which variables make Ansible run code where playbooks run, not at the host that they are declared of. Pure.

Ansible templates variables in its own process, and takes from them which program it calls to reach a host. Both
happen as the application's user unless the project has a container image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

WAY_OUT = (
    "Ask an administrator of the site to declare it; or let an administrator give the project a container image, and "
    "set it in the playbook."
)

#: connections by which Ansible reaches another machine without a program that a variable could choose
REMOTE = frozenset(
    {
        "smart", "ssh", "paramiko", "paramiko_ssh", "winrm", "psrp", "ansible.builtin.ssh",
        "ansible.builtin.paramiko_ssh", "ansible.builtin.winrm", "ansible.builtin.psrp", "network_cli", "netconf",
        "httpapi", "ansible.netcommon.network_cli", "ansible.netcommon.netconf", "ansible.netcommon.httpapi",
    }
)  # fmt: skip
#: a variable of Ansible that names a program, a library that a program loads, or what a program is called with
_CHOOSES = re.compile(
    r"ansible_(?:\w+_)?(?:executable|exe|args|flags|cmd|command|kinitcmd|provider|plugin|control_path|control_path_dir)\Z"
)
_INTERPRETER = re.compile(r"ansible_\w*interpreter\w*\Z")
#: what a distribution installs
_INSTALLED = re.compile(
    r"(?:auto|auto_silent|auto_legacy|auto_legacy_silent|/usr/libexec/platform-python"
    r"|(?:/usr(?:/local)?)?/bin/(?:python|pypy|perl|ruby)[0-9.]{0,8})\Z"
)
_ADDRESS = frozenset({"ansible_host", "ansible_ssh_host"})
_BEGIN = re.compile(r"\{\{|\{%")
#: Jinja's names for Ansible's plugins that read files and start programs, called or handed on
_PLUGINS = re.compile(r"(?<![\w.])(?:lookup|query|q)(?!\w)")
#: (a header that makes other characters than braces begin an expression)
_HEADER = "#jinja2:"


def found(variables: Mapping[str, Any]) -> dict[str, str]:
    """Name → why, of those of *variables* that run code: each a clause that follows the name."""
    told: dict[str, str] = {}
    for name, value in variables.items():
        if why := _by_name(str(name), value) or _by_value({name: value}):
            told[str(name)] = why
    return told


def first_look(text: str) -> bool:
    """False when nothing in the JSON *text* of variables runs code."""
    return "ansible_" in text or "{{" in text or "{%" in text or _HEADER in text


def in_text(value: Any) -> str:
    """Why *value*, text or what holds text, runs code once Ansible templates it; empty when it does not."""
    return _by_value(value)


def added(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """As :func:`found`, without the variables that stay as they were."""
    told = found(after)
    return {name: why for name, why in told.items() if name not in before or before[name] != after.get(name)}


def refusal(name: str, why: str) -> str:
    return f"{name} {why}; who may not declare job templates at the site may not declare that. {WAY_OUT}"


def _by_name(name: str, value: Any) -> str:
    if name == "ansible_connection":
        if isinstance(value, str) and value in REMOTE:
            return ""
        return "makes Ansible work on the machine that runs playbooks, or start a program there"
    if _INTERPRETER.match(name):
        if isinstance(value, str) and _INSTALLED.match(value):
            return ""
        return "chooses a program that no distribution installs there"
    if _CHOOSES.match(name):
        return "chooses a program of the machine that runs playbooks, or what it is called with"
    if name in _ADDRESS and isinstance(value, str) and value.lstrip().startswith("-"):
        return "begins with a hyphen, so that a program takes it for an option"
    return ""


def _by_value(value: Any) -> str:
    if any(_looks_up(text) for text in _texts(value)):
        return "has a lookup, which reads files and starts programs on the machine that runs playbooks"
    return ""


def _looks_up(text: str) -> bool:
    if text.startswith(_HEADER):
        return True
    begin = _BEGIN.search(text)
    return begin is not None and bool(_PLUGINS.search(text, begin.end()))


def _texts(value: Any) -> Iterator[str]:
    """Every text of *value* that Ansible templates: neither ciphertext nor what is marked unsafe."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        if "__ansible_vault" in value or "__ansible_unsafe" in value:
            return
        for key, below in value.items():
            yield from _texts(key)
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)
