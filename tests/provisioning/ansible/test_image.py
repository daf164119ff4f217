"""Runs in a container image, through podman."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.vault import encrypt
from provisioning.adapters.ansible import AnsibleFault, Event, Play, image_id, plays
from provisioning.adapters.ansible.processes import marked
from provisioning.adapters.ansible.surroundings import in_memory
from tests.components import find_program, require, unavailable
from tests.provisioning.ansible import image
from tests.provisioning.ansible.stage import Stage

PING = "- hosts: a\n  gather_facts: false\n  tasks: [ping: ]\n"
RECORDER = """#!/bin/sh
case "$1" in --version) echo podman version 4; exit 0;; esac
for word in "$@"; do printf '%s\\n' "$word" >>"FOLDER/$1"; done
env >"FOLDER/env-$1"
while [ "$#" -gt 1 ]; do [ "$1" = --env-file ] && cat "$2" >"FOLDER/env-file-$$"; shift; done
exit 0
"""


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman that writes down what it was asked for; a folder of files named after its commands."""
    programs, said = tmp_path / "programs", tmp_path / "said"
    programs.mkdir()
    said.mkdir()
    (programs / "podman").write_text(RECORDER.replace("FOLDER", str(said)))
    (programs / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return said


def test_podman_is_asked_for_a_container_that_sees_the_run_and_nothing_else(
    stage: Stage, podman: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    elsewhere = stage.root / "collections"
    elsewhere.mkdir()

    stage.run(
        PING,
        image="registry.example.org/ee:1",
        collections=(elsewhere,),
        limit="a",
        secret_vars={"prompted": "hunter2-secret"},
        vault_passwords={"default": "vault-password-1"},
    )

    words = (podman / "run").read_text().splitlines()
    folder, memory = stage.root / "run" / "private", in_memory(stage.marker)
    mounted = [words[at + 1] for at, word in enumerate(words) if word == "-v"]
    assert {mount.removesuffix(":Z") for mount in mounted} == {
        f"{folder}/:/runner/",
        f"{memory}:/run/mgmtplane",
        f"{stage.project}:/runner/project",
        f"{stage.inventory}:/runner/inventory/inventory.json",
        f"{elsewhere}:/runner/given/collections0",
    }
    at = words.index("registry.example.org/ee:1")
    assert words[at + 1 :] == [
        "ansible-playbook",
        "--limit=a",
        "--forks=5",
        "--extra-vars=@/runner/extra_vars.yml",
        "-i",
        "/runner/inventory",
        "/runner/project/site.yml",
    ]
    assert {"--rm", "--user=0:0", "--network=host", "--env=HOME=/run/mgmtplane/home"} <= set(words[:at])
    assert "hunter2-secret" not in "".join(words) and "vault-password-1" not in "".join(words)
    (env_file,) = podman.glob("env-file-*")
    for given in (env_file.read_text(), (podman / "env-run").read_text()):
        assert "DATABASE_URL" not in given
        assert "hunter2-secret" not in given and "vault-password-1" not in given
    assert "ANSIBLE_CALLBACK_PLUGINS=/runner/callbacks:/runner/artifacts/run/callback" in env_file.read_text()
    assert "PATH=" not in [line[:5] for line in env_file.read_text().splitlines()]
    # the container is ended by its name, since it is not below the worker
    name = words[words.index("--name") + 1]
    assert (podman / "rm").read_text().splitlines()[-1] == name
    assert stage.marker.replace("/", "_").replace("-", "") in name.replace("-", "")


def test_without_podman_a_project_with_an_image_is_refused_and_the_package_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(AnsibleFault, match=r"needs podman, and podman is not installed") as refused:
        stage.run(PING, image="registry.example.org/ee:1")

    assert "Install the package podman" in refused.value.way_out


def test_an_image_that_is_an_option_is_refused(stage: Stage, podman: Path) -> None:
    with pytest.raises(AnsibleFault, match="is no name of an image"):
        stage.run(PING, image="--privileged")


@pytest.fixture(scope="module")
def real_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with Ansible in the storage of this machine; and an engine that can start it."""
    require("podman", package="podman runc")
    folder = tmp_path_factory.mktemp("image")
    image.make(folder / "root.tar")
    subprocess.run(
        ["podman", "import", "--quiet", str(folder / "root.tar"), image.NAME], check=True, capture_output=True
    )
    runtime = f'[engine]\nruntime = "{find_program("runc") or find_program("crun")}"\n'
    limits = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
    (folder / "containers.conf").write_text(limits + runtime)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        tried = subprocess.run(
            ["podman", "run", "--rm", "--network=host", image.NAME, "true"],
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode != 0:
            unavailable(f"needs a podman that can start containers here; it says: {tried.stderr.strip()}")
        yield image.NAME
    subprocess.run(["podman", "rmi", "--force", image.NAME], check=False, capture_output=True)


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_a_run_in_a_real_container_has_its_secrets_and_says_what_it_did(
    stage: Stage, real_image: str
) -> None:
    stage.hosts("a", "b", ansible_python_interpreter="/usr/bin/python3")
    stage.write("whole.yml", encrypt(b"whole: whole-value-1234\n", b"vault-password-1"))

    told = stage.run(
        "- hosts: all\n  gather_facts: true\n  vars_files: [whole.yml]\n  tasks:\n"
        "    - debug: var=whole\n    - debug: var=prompted\n    - debug: msg={{ lookup('env', 'HOME') }}\n"
        "    - command: 'false'\n      when: inventory_hostname == 'b'\n",
        image=real_image,
        vault_passwords={"default": "vault-password-1"},
        secret_vars={"prompted": "prompted-value-5678"},
    )

    assert told.result.message == "The run failed on b."
    assert told.result.rc == 2
    assert ("a", "ok") in told.outcomes() and ("b", "failed") in told.outcomes()
    assert "/run/mgmtplane/home" in told.text
    said = json.dumps([event.as_json() for event in told.events])
    assert "whole-value-1234" not in said and "prompted-value-5678" not in said
    assert '\\"whole\\": \\"[secret]\\"' in said
    assert not in_memory(stage.marker).exists()


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_the_hosts_of_a_playbook_are_listed_in_the_container_too(stage: Stage, real_image: str) -> None:
    assert plays(stage.launch(PING, image=real_image)) == [Play("a", ("a",))]
    identity = image_id(real_image)
    assert len(identity) == 64 and image_id(identity) == identity
    assert plays(stage.launch(PING, image=identity)) == [Play("a", ("a",))], "also by its identity"
    assert image_id("registry.example.org/none:1") == ""


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_a_cancelled_run_leaves_no_container(stage: Stage, real_image: str) -> None:
    seen: list[Event] = []
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - name: Sleep\n      command: sleep 311\n",
        image=real_image,
        on_events=seen.extend,
        stopped=lambda: any(event.task == "Sleep" for event in seen),
    )

    assert told.result.status == "cancelled"
    left = subprocess.run(
        ["podman", "ps", "--all", "--quiet", "--filter", "name=mgmtplane_"], capture_output=True, text=True
    )
    assert left.stdout == ""
    assert marked(stage.marker) == []
