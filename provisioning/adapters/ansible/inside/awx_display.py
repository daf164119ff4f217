"""Ansible's stdout callback of a run: ansible-runner's own, with nothing of a result written to a file.

ansible-runner's callback puts every result whole, secrets included, into a file beside the run, for a moment or for
good. This one takes its name and stands before it in the search path; what an event needs goes over the run's socket.
What Ansible decrypts on the way is reported there before anybody can see it, so that it can be masked.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import threading

from ansible.executor.stats import AggregateStats
from ansible.parsing.vault import VaultLib
from ansible.plugins.action import ActionBase

DOCUMENTATION = """
    callback: awx_display
    short_description: Playbook event dispatcher for ansible-runner, without files
    version_added: "2.0"
    description:
        - Events of a run, sent over a socket
    type: stdout
    extends_documentation_fragment:
      - default_callback
    requirements:
      - Set as stdout in config
"""

SOCKET = os.environ["MGMTPLANE_RUN_SOCKET"]
#: longer ones are files, not secrets
LONGEST_SECRET = 1024 * 1024
FACTS = (
    "architecture",
    "default_ipv4",
    "default_ipv6",
    "distribution",
    "distribution_major_version",
    "distribution_release",
    "distribution_version",
    "domain",
    "fqdn",
    "hostname",
    "interfaces",
    "kernel",
    "nodename",
    "os_family",
    "python",
    "python_version",
    "system",
)
KEPT = (
    "created",
    "duration",
    "event",
    "host",
    "name",
    "play",
    "role",
    "task",
    "task_action",
    "resolved_action",
    "warnings",
)
COUNTS = ("changed", "dark", "failures", "ignored", "ok", "processed", "rescued", "skipped")


def _runners_own():
    """ansible-runner's callback: the next of the same name in the search path."""
    here = os.path.realpath(__file__)
    for folder in os.environ["ANSIBLE_CALLBACK_PLUGINS"].split(":"):
        path = os.path.realpath(os.path.join(folder, "awx_display.py"))
        if path != here and os.path.exists(path):
            spec = importlib.util.spec_from_file_location("ansible_runner_awx_display", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError("ansible-runner's own callback is not in ANSIBLE_CALLBACK_PLUGINS")


class Line(threading.local):
    """The socket of the run; each process and thread has a connection of its own: a lock would not survive a fork."""

    pid, file = 0, None

    def say(self, what):
        """Send *what* and wait until it was taken; a run nobody listens to ends."""
        if self.pid != os.getpid():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(SOCKET)
            self.file = connection.makefile("rwb")
            self.pid = os.getpid()
        self.file.write(json.dumps(what, default=str).encode() + b"\n")
        self.file.flush()
        if not self.file.readline():
            raise ConnectionError("nobody follows this run any more")


line = Line()
runners = _runners_own()


class Sent:
    """In the place of ansible-runner's writer of files."""

    def set(self, key, value):
        line.say({"event": key[len(":1:ev-") :], "data": shortened(value)})


def shortened(value):
    """Of an event what is shown: never a result, except facts that were gathered."""
    data = value.get("event_data") or {}
    kept = {name: data[name] for name in KEPT if data.get(name) is not None}
    kept.update({name: value[name] for name in ("event", "created")})
    if value["event"] == "playbook_on_stats":
        kept["counts"] = {name: data.get(name) for name in COUNTS}
    result = data.get("res")
    gathers = str(data.get("task_action", "")).rpartition(".")[2] in ("setup", "gather_facts")
    if gathers and isinstance(result, dict) and isinstance(result.get("ansible_facts"), dict):
        kept["facts"] = chosen(result["ansible_facts"])
    if data.get("host"):
        kept["delegated"] = delegates.pop(data["host"], "")
        kept["increments"] = increments.pop(data["host"], [])
    return kept


def chosen(facts):
    """The few gathered facts that are handed on, without the prefix ``ansible_``."""
    plain = {name[len("ansible_") :] if name.startswith("ansible_") else name: facts[name] for name in facts}
    few = {name: plain[name] for name in FACTS if name in plain}
    few.update({name: plain[name] for name in plain if name.startswith("ssh_host_key_")})
    interfaces = plain.get("interfaces")
    for interface in interfaces if isinstance(interfaces, list) else []:
        # a fact is named after the interface with what no variable may hold replaced
        name = "".join(letter if letter.isalnum() else "_" for letter in str(interface))
        if isinstance(plain.get(name), dict):
            few.setdefault("details", {})[str(interface)] = plain[name]
    return few


#: where the task that ends was, in the place of its host
delegates = {}
#: what Ansible has counted for a host since its last event: only that tells a rescued failure from another
increments = {}
_increment = AggregateStats.increment


def _counted(self, what, host):
    _increment(self, what, host)
    increments.setdefault(host, []).append(what)


AggregateStats.increment = _counted

_reported = set()
_decrypt = VaultLib.decrypt_and_get_vault_id


def _decrypted(self, *args, **kwargs):
    answer = _decrypt(self, *args, **kwargs)
    plain = bytes(answer[0])
    if plain not in _reported and len(plain) <= LONGEST_SECRET:
        line.say({"secret": plain.decode("utf-8", "replace")})
        _reported.add(plain)
    return answer


VaultLib.decrypt_and_get_vault_id = _decrypted

#: where a task on this machine itself would write into the user's home directory, which no variable moves
FOLDERS = {"remote_tmp": ".ansible/tmp", "async_dir": ".ansible_async"}
_shell_option = ActionBase.get_shell_option


def _in_memory(self, option, default=None):
    if option in FOLDERS and getattr(self._connection, "transport", "") == "local":
        return os.path.join(os.environ["HOME"], FOLDERS[option])
    return _shell_option(self, option, default)


ActionBase.get_shell_option = _in_memory
runners.event_context.cache = Sent()


class CallbackModule(runners.CallbackModule):
    CALLBACK_NAME = "awx_display"
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"


def _delegating(tell):
    """*tell*, a method that is given the result of a task, with where that task was noted before."""

    def noted(self, result, *args, **kwargs):
        task = result.task if hasattr(result, "task") else result._task
        host = result.host if hasattr(result, "host") else result._host
        place = str(task.delegate_to or "")
        if place and "{{" not in place:  # of a loop, each item has its own
            delegates[host.get_name()] = place
        return tell(self, result, *args, **kwargs)

    return noted


for _name in ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable",
              "runner_item_on_ok", "runner_item_on_failed", "runner_item_on_skipped"):  # fmt: skip
    setattr(CallbackModule, f"v2_{_name}", _delegating(getattr(CallbackModule, f"v2_{_name}")))
