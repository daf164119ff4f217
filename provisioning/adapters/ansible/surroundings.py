"""What one run is surrounded by: its folders, its environment, what its ansible.cfg may not undo.

Two folders. *private*, in the run's own folder on disk, holds nothing in clear. *memory*, in a file system in memory,
is the home directory and the place for temporary files: Ansible writes modules with their arguments, rendered templates and
decrypted files there. Its path is short, since those of sockets may have no more than 107 letters.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import pwd
import secrets
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.vault import encrypt
from provisioning.adapters.ansible.processes import INSIDE, MARKER, identity
from provisioning.adapters.ansible.values import AnsibleFault, Launch

#: the vault id of what is sealed for one run
OWN_VAULT_ID = "mgmtplane-run"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: in a folder in memory: whose it is
OWNER = "run.json"
#: where ansible-runner puts things in a container, and where the folder in memory goes
RUNNER_INSIDE, MEMORY_INSIDE = Path("/runner"), Path("/run/mgmtplane")
_SSH_DEFAULTS = "-C -o ControlMaster=auto -o ControlPersist=60s"


def in_memory(marker: str) -> Path:
    """The folder in memory of the run with *marker*: the same for each attempt, so that the next one clears it away."""
    return place_in_memory() / f"{own_prefix()}{hashlib.sha256(marker.encode()).hexdigest()[:16]}"


def own_prefix() -> str:
    """How the folders in memory of this user begin."""
    return f"mgmtplane-{os.getuid()}-"


def place_in_memory() -> Path:
    """Where folders in memory are made. Raises AnsibleFault where there is no such place."""
    for place in ("/dev/shm", f"/run/user/{os.getuid()}"):  # noqa: S108 - a folder of ours is made in it, mode 0700
        if place in _memory_mounts() and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise AnsibleFault(
        "There is no file system in memory for what Ansible writes while it runs: /dev/shm is no tmpfs that this user "
        "may write to.",
        way_out="Mount a tmpfs at /dev/shm, then run this again.",
    )


def _memory_mounts() -> set[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return {fields[1] for fields in map(str.split, lines) if fields[2] in ("tmpfs", "ramfs")}


@dataclass(frozen=True)
class Surroundings:
    """The folders of one run; ``seen`` is how a process of Ansible sees a path, in a container too."""

    launch: Launch
    private: Path
    memory: Path

    @property
    def socket(self) -> Path:
        return self.memory / "run.sock"

    @property
    def agent(self) -> Path:
        return self.memory / "agent.sock"

    @property
    def mounts(self) -> dict[Path, Path]:
        """What a container sees, from outside to inside; the longest path that fits counts."""
        launch, inventory = self.launch, RUNNER_INSIDE / "inventory"
        mounts = {
            self.private: RUNNER_INSIDE,
            self.memory: MEMORY_INSIDE,
            launch.project: RUNNER_INSIDE / "project",
            launch.inventory: inventory if launch.inventory.is_dir() else inventory / launch.inventory.name,
        }
        for kind, paths in (("collections", launch.collections), ("roles", launch.roles)):
            for number, path in enumerate(paths):
                if not path.is_relative_to(launch.project):
                    mounts[path] = RUNNER_INSIDE / f"given/{kind}{number}"
        return mounts

    def seen(self, path: Path) -> str:
        if not self.launch.image:
            return str(path)
        fitting = [outside for outside in self.mounts if path == outside or path.is_relative_to(outside)]
        if not fitting:
            return str(path)
        nearest = max(fitting, key=lambda one: len(one.parts))
        return str(self.mounts[nearest] / path.relative_to(nearest))


def make(launch: Launch) -> Surroundings:
    """The folders of *launch*, empty and for their owner alone, with what lies in them from the start."""
    around = Surroundings(launch, launch.folder / "private", in_memory(launch.marker))
    clear(around)
    launch.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (around.private, around.memory):
        folder.mkdir(mode=0o700)
        if folder.is_symlink() or stat.S_IMODE(folder.stat().st_mode) != 0o700:
            raise AnsibleFault(f"{folder} cannot be made for this run alone.")
    for name in ("env", "inventory", "project", "callbacks"):
        (around.private / name).mkdir(mode=0o700)
    for name in ("home", "tmp", "ssh"):
        (around.memory / name).mkdir(mode=0o700)
    _write(around.memory / OWNER, json.dumps({"marker": launch.marker, "child": identity(os.getpid())}))
    _write(around.private / "known_hosts", launch.known_hosts and launch.known_hosts.rstrip("\n") + "\n")
    _write(around.private / "ssh_config", "Include /etc/ssh/ssh_config\n")
    _write(around.private / "empty.cfg", "")
    for name, mode in (("vault-client.py", 0o700), ("awx_display.py", 0o600)):
        target = around.private / ("callbacks" if name == "awx_display.py" else "") / name
        shutil.copyfile(INSIDE / name, target)
        target.chmod(mode)
    return around


def clear(around: Surroundings) -> None:
    """Both folders with all that lies in them."""
    for folder in (around.private, around.memory):
        shutil.rmtree(folder, ignore_errors=True)


def own_password() -> str:
    """What this run's own variables are sealed with; it lives as long as the run."""
    return secrets.token_urlsafe(32)


def write_variables(around: Surroundings, password: str) -> Path:
    """The extra variables of the run, all under one vault; what people gave is never templated."""
    launch = around.launch
    given = [f"{json.dumps(name)}: {_declared(value)}" for name, value in launch.extra_vars.items()]
    for answers in (launch.answers, launch.secret_vars):
        given += [f"{json.dumps(name)}: {_literal(value)}" for name, value in answers.items()]
    path = around.private / "extra_vars.yml"
    _write(path, encrypt(("{" + ", ".join(given) + "}\n").encode(), password.encode(), OWN_VAULT_ID))
    return path


def _declared(value: Any) -> str:
    """JSON, which is YAML, with ciphertext tagged as Ansible wants it."""
    if isinstance(value, Mapping):
        if set(value) == {"__ansible_vault"}:
            return f"!vault {json.dumps(value['__ansible_vault'])}"
        return (
            "{" + ", ".join(f"{json.dumps(str(key))}: {_declared(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_declared, value)) + "]"
    return json.dumps(value)


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return f"!unsafe {json.dumps(value)}" if isinstance(value, str) else json.dumps(value)


def clean() -> dict[str, str]:
    """The environment of a process that has to do with no run: nothing of ours, no credential."""
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH') or SYSTEM_PATH}"
    kept = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
    return {**kept, "PATH": own, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


def environment(around: Surroundings) -> dict[str, str]:
    """What Ansible gets beside ``clean()``. Where ansible.cfg says otherwise, this counts."""
    launch, seen = around.launch, around.seen
    project_cfg = launch.project / "ansible.cfg"
    home = seen(around.memory / "home")
    given = {
        MARKER: launch.marker,
        "MGMTPLANE_RUN_SOCKET": seen(around.socket),
        "HOME": home,
        "TMPDIR": seen(around.memory / "tmp"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": seen(project_cfg if project_cfg.is_file() else around.private / "empty.cfg"),
        "ANSIBLE_HOME": f"{home}/.ansible",
        "ANSIBLE_LOCAL_TEMP": seen(around.memory / "tmp"),
        "ANSIBLE_SSH_ARGS": _ssh_arguments(around),
        "ANSIBLE_SSH_CONTROL_PATH": "",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": seen(around.memory / "ssh"),
        "ANSIBLE_VAULT_IDENTITY_LIST": ",".join(_identities(around)),
        "ANSIBLE_VAULT_PASSWORD_FILE": seen(around.private / "vault-client.py"),
        "ANSIBLE_CALLBACK_PLUGINS": seen(around.private / "callbacks"),
        **_FIXED,
    }
    given |= _search_paths(around)
    if launch.ssh_key:
        given["SSH_AUTH_SOCK"] = seen(around.agent)
    if not launch.image:
        given["USER"] = given["LOGNAME"] = pwd.getpwuid(os.getuid()).pw_name
    return given


_FIXED = {
    "ANSIBLE_ASK_PASS": "False",
    "ANSIBLE_ASK_VAULT_PASS": "False",
    "ANSIBLE_BECOME_ASK_PASS": "False",
    "ANSIBLE_CACHE_PLUGIN": "memory",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION": "",
    # an empty list would be one of a nameless callback; the one that is there anyway adds none
    "ANSIBLE_CALLBACKS_ENABLED": "awx_display",
    "ANSIBLE_DEBUG": "False",
    "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "False",
    "ANSIBLE_ENABLE_TASK_DEBUGGER": "False",
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_INVENTORY_CACHE": "False",
    "ANSIBLE_KEEP_REMOTE_FILES": "False",
    "ANSIBLE_LOG_PATH": os.devnull,
    "ANSIBLE_NOCOLOR": "False",
    "ANSIBLE_NOCOWS": "True",
    # a module that runs here would write its arguments into this machine's log
    "ANSIBLE_NO_TARGET_SYSLOG": "True",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_VAULT_ENCRYPT_IDENTITY": OWN_VAULT_ID,
}


def _identities(around: Surroundings) -> list[str]:
    client = around.seen(around.private / "vault-client.py")
    names = [OWN_VAULT_ID, *around.launch.vault_passwords]
    for name in names:
        if not name or name.startswith("-") or set(name) & set("@,; \t\n") or not name.isascii():
            raise AnsibleFault(
                f"{name!r} is no vault id: ASCII without spaces, commas, semicolons and @.",
                way_out="Rename it in the job template.",
            )
    return [f"{name}@{client}" for name in names]


def _ssh_arguments(around: Surroundings) -> str:
    """Ours first: of several, ssh takes the first."""
    ours = [
        f"-F {around.seen(around.private / 'ssh_config')}",
        "-o StrictHostKeyChecking=yes",
        f"-o UserKnownHostsFile={around.seen(around.private / 'known_hosts')}",
        "-o UpdateHostKeys=no",
        # those of the user that this runs as are nobody's to use
        "-o IdentityFile=none",
    ]
    return " ".join([*ours, _configured(around, "ssh_connection", "ssh_args") or _SSH_DEFAULTS])


def _search_paths(around: Surroundings) -> dict[str, str]:
    """The project's own come first, then what was given, then what its ansible.cfg says."""
    launch, found = around.launch, {}
    kinds = (
        (
            "ANSIBLE_COLLECTIONS_PATH",
            "collections",
            launch.collections,
            ("collections_path", "collections_paths"),
        ),
        ("ANSIBLE_ROLES_PATH", "roles", launch.roles, ("roles_path",)),
    )
    for name, folder, given, keys in kinds:
        said = next(filter(None, (_configured(around, "defaults", key) for key in keys)), "")
        configured = [launch.project / path for path in said.split(":") if path and not path.startswith("~")]
        paths = [launch.project / folder, *given, *configured]
        found[name] = ":".join(dict.fromkeys(around.seen(Path(os.path.normpath(path))) for path in paths))
    return found


def _configured(around: Surroundings, section: str, key: str) -> str:
    """What the project's ansible.cfg says; nothing where Ansible itself will refuse to read it."""
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None, strict=False)
    try:
        parser.read(around.launch.project / "ansible.cfg", encoding="utf-8")
        return parser.get(section, key, fallback="")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as opened:
        opened.write(text)
