"""The command line of a run, through ansible-runner and, where an image is declared, podman. Used in the child alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provisioning.adapters.ansible.processes import guarded
from provisioning.adapters.ansible.surroundings import Surroundings, clean, environment
from provisioning.adapters.ansible.values import AnsibleFault, Launch, Play
from provisioning.adapters.ansible.words import NO_HOSTS, complaint, plays_in
from provisioning.masking import Mask

PODMAN = "podman"
#: for the engine to end a container
ENGINE_SECONDS = 60.0
#: where podman finds its images and how it is configured
_ENGINES = (
    "HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
)
_IDENT = "run"
_MOST_VERBOSE = 5
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
#: of our own environment what the engine itself would misunderstand: they name places in the container
_INSIDE_ALONE = ("HOME", "TMPDIR")


def check(launch: Launch) -> None:
    """Raise AnsibleFault where *launch* cannot run here, or would read what is not in its project."""
    path = clean()["PATH"]
    if "@" in launch.limit:
        raise AnsibleFault(
            f"The limit “{launch.limit}” would read a file: @ is not taken.",
            way_out="Name hosts and groups, separated by commas.",
        )
    if not launch.playbook.is_relative_to(launch.project) or not launch.playbook.is_file():
        raise AnsibleFault(
            f"The project has no playbook {launch.playbook.name}.",
            way_out="Correct the job template, or commit the playbook.",
        )
    if launch.image and shutil.which(PODMAN, path=path) is None:
        raise AnsibleFault(
            f"The project runs in the image {launch.image}, which needs podman, and podman is not installed.",
            way_out="Install the package podman on the worker's machine, or leave the project's image empty.",
        )
    if launch.image and not _IMAGE.fullmatch(launch.image):
        raise AnsibleFault(f"“{launch.image}” is no name of an image.", way_out="Write registry/name:tag.")
    if not launch.image and shutil.which("ansible-playbook", path=path) is None:
        raise AnsibleFault(
            "ansible-playbook is not installed where this job runs.",
            way_out="Install ansible-core into the environment of the worker, then run this again.",
        )


def run(around: Surroundings, tell: Callable[[dict[str, Any]], None]) -> int | None:
    """Run the playbook; *tell* gets every event of ansible-runner. The exit code, None where it was killed."""
    from ansible_runner.exceptions import AnsibleRunnerException
    from ansible_runner.runner import Runner
    from pexpect.exceptions import ExceptionPexpect

    config = _prepared(around, _arguments(around))
    config.command = guarded(config.command)
    ended = False

    def handle(told: dict[str, Any]) -> bool:
        nonlocal ended
        ended = ended or told.get("event") == "EOF"
        tell(told)
        return False  # True would keep the event in a file

    runner = Runner(config, event_handler=handle, cancel_callback=lambda: False)
    try:
        runner.run()
    except ExceptionPexpect:
        return None  # something that was left behind holds the terminal: the outcome is not known
    except AnsibleRunnerException as error:
        raise AnsibleFault(f"ansible-runner refuses this run: {error}.") from None
    return runner.rc


def plays(around: Surroundings, mask: Mask) -> list[Play]:
    """The plays with the hosts that the limit leaves; none where it matches nothing."""
    rc, out, errors = _list(around, _arguments(around))
    if rc != 0 and NO_HOSTS in errors:
        unlimited = [one for one in _arguments(around) if not one.startswith("--limit=")]
        rc, out, errors = _list(around, unlimited)
        out = out if rc == 0 else ""
        return [Play(mask.mask(play.name), ()) for play in plays_in(out)]
    if rc != 0:
        text = mask.mask(f"{out}\n{errors}")
        raise AnsibleFault(
            f"Ansible cannot read the playbook {_named(around.launch)} (exit code {rc}).",
            way_out="Correct the project or the job template, then ask again.",
            complaint=complaint(text.splitlines(), around.launch.project),
        )
    return [Play(mask.mask(play.name), play.hosts) for play in plays_in(out)]


def _named(launch: Launch) -> str:
    """The playbook as the project names it."""
    return str(launch.playbook.relative_to(launch.project))


def end_container(around: Surroundings) -> bool:
    """Ask the engine to end the container of this run; processes in it are not below us. Whether it answered."""
    return end_named(_container_name(around.launch.marker)) if around.launch.image else True


def end_named(name: str) -> bool:
    """End the container *name*, if there is one; False where the engine did not answer in time."""
    env = {**clean(), **engine_environment()}
    if shutil.which(PODMAN, path=env["PATH"]):
        # there may be none of that name, and the engine may hang: then nothing is to be done
        try:
            subprocess.run(
                [PODMAN, "rm", "--force", "--ignore", "--time", "0", name],
                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=ENGINE_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        except (subprocess.SubprocessError, OSError):
            pass
    return True


def engine_environment() -> dict[str, str]:
    """What of our own environment podman needs."""
    return {name: os.environ[name] for name in _ENGINES if name in os.environ}


def _container_name(marker: str) -> str:
    return "mgmtplane_" + re.sub(r"[^A-Za-z0-9_-]", "_", marker)


def _arguments(around: Surroundings) -> list[str]:
    """Options as one word each, so that no value is taken for an option."""
    launch = around.launch
    options = {
        "--limit": launch.limit,
        "--tags": launch.tags,
        "--skip-tags": launch.skip_tags,
        "--user": launch.remote_user,
        "--forks": str(launch.forks),
        "--extra-vars": f"@{around.seen(around.private / 'extra_vars.yml')}",
    }
    found = [f"{name}={value}" for name, value in options.items() if value]
    found += ["--check"] * launch.check + ["--diff"] * launch.diff
    if launch.verbosity:
        found.append("-" + "v" * min(launch.verbosity, _MOST_VERBOSE))
    return found


def _prepared(around: Surroundings, arguments: list[str]) -> Any:
    """ansible-runner's configuration. Its settings have to come from a file: those given as values are dropped."""
    from ansible_runner.config.runner import RunnerConfig

    launch = around.launch
    settings = {"suppress_output_file": True, "suppress_ansible_output": True, "pexpect_timeout": 1}
    path = around.private / "env" / "settings"
    path.write_text(json.dumps(settings))
    given = environment(around)
    more = _in_container(around, given) if launch.image else {"inventory": [str(launch.inventory)]}
    config = RunnerConfig(
        private_data_dir=str(around.private),
        project_dir=str(launch.project),
        ident=_IDENT,
        playbook=around.seen(launch.playbook),
        cmdline=shlex.join(arguments),
        envvars=given,
        fact_cache_type="memory",
        suppress_env_files=True,
        quiet=True,
        **more,
    )
    config.prepare()
    if launch.image:
        name = _container_name(launch.marker)
        config.command = [name if word == config.container_name else word for word in config.command]
        config.container_name = name
        (around.memory / "container").write_text(name)
    return config


def _in_container(around: Surroundings, given: dict[str, str]) -> dict[str, Any]:
    """What ansible-runner is told of the container; what names places inside is taken out of *given*."""
    inside = [f"--env={name}={given.pop(name)}" for name in _INSIDE_ALONE]
    mounts = [f"{outside}:{target}" for outside, target in around.mounts.items() if outside != around.private]
    return {
        "process_isolation": True,
        "process_isolation_executable": PODMAN,
        "container_image": around.launch.image,
        "container_volume_mounts": mounts,
        # what lies in the folders of the run belongs to this user, who is root inside
        "container_options": ["--user=0:0", "--network=host", "--security-opt=label=disable", *inside],
    }


def _list(around: Surroundings, arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of ``--list-hosts``; without a terminal, which would mix the two."""
    config = _prepared(around, [*arguments, "--list-hosts"])
    command = [word for word in config.command if word not in ("--tty", "--interactive")]
    env = {**config.env, "ANSIBLE_FORCE_COLOR": "False", "ANSIBLE_NOCOLOR": "True"}
    if around.launch.image:
        listed = "\n".join(f"{name}={value}" for name, value in env.items())
        Path(config.artifact_dir, "env.list").write_text(listed)
        env = dict(os.environ)
    done = subprocess.run(
        guarded(command),
        cwd=around.launch.project,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
