"""Collections and roles that a project names: found offline or said to be missing, installed once, read only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioning.projects import (
    Installed,
    Outside,
    ProjectError,
    cache,
    installing,
    paths,
    requirements,
    resolved,
)
from tests.provisioning.projects import galaxy


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    folder = tmp_path / "offline"
    folder.mkdir()
    return folder


@pytest.fixture
def install(code: Path, data_dir: Path, offline: Path) -> Any:
    def installed(text: str = "", **given: Any) -> Installed:
        if text:
            (code / "requirements.yml").write_text(text)
        return requirements(code, data_dir=data_dir, **{"offline": str(offline), **given})

    return installed


def found(installed: Installed, name: str) -> str:
    """The version of collection *name* that Ansible would take."""
    space, short = name.split(".")
    for place in installed.collections:
        manifest = place / "ansible_collections" / space / short / "MANIFEST.json"
        source = manifest.with_name("galaxy.yml")
        if manifest.is_file():
            return next(
                line.split('"')[3] for line in manifest.read_text().splitlines() if '"version"' in line
            )
        if source.is_file():
            return next(
                line.split()[1] for line in source.read_text().splitlines() if line.startswith("version:")
            )
    return ""


def test_a_project_without_requirements_needs_nothing(install, data_dir):
    assert found(install(), "acme.tools") == ""
    assert not (data_dir / "requirements").exists()


def test_a_tarball_is_installed_with_what_it_needs(install, offline, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.tools", "1.2.0", {"acme.base": ">=1.0.0"})
    galaxy.tarball(offline, tmp_path, "acme.base", "1.1.0")
    installed = install("collections:\n  - acme.tools\n")
    assert (found(installed, "acme.tools"), found(installed, "acme.base")) == ("1.2.0", "1.1.0")


def test_the_newest_version_that_fits_is_taken(install, offline, tmp_path):
    for version in ("1.2.0", "1.10.0", "2.0.0", "2.1.0-rc.1"):
        galaxy.tarball(offline, tmp_path, "acme.tools", version)
    assert (
        found(install("collections:\n  - name: acme.tools\n    version: '>=1.0.0,<2.0.0'\n"), "acme.tools")
        == "1.10.0"
    )
    assert (
        found(install("collections:\n  - name: acme.tools\n    version: '1.2.0'\n"), "acme.tools") == "1.2.0"
    )
    assert found(install("collections:\n  - acme.tools\n"), "acme.tools") == "2.0.0"


def test_what_lies_installed_there_is_taken_where_it_lies(install, offline, tmp_path, data_dir):
    galaxy.source(offline / "ansible_collections", "acme.tools", "1.3.0")
    installed = install("collections:\n  - name: acme.tools\n    version: '>=1.0.0'\n")
    assert found(installed, "acme.tools") == "1.3.0"
    assert offline in installed.collections


def test_a_source_there_is_built_and_installed(install, offline):
    galaxy.source(offline, "acme.tools", "1.4.0")
    installed = install("collections:\n  - acme.tools\n")
    assert found(installed, "acme.tools") == "1.4.0"
    assert offline not in installed.collections


def test_roles_are_taken_from_folders_and_tarballs(install, offline, tmp_path):
    galaxy.role(offline / "roles", "inplace")
    galaxy.role(offline, "copied")
    galaxy.role_tarball(offline, tmp_path / "scratch", "acme.packed")
    installed = install("roles:\n  - inplace\n  - name: copied\n  - src: acme.packed\n    version: v1\n")
    for name in ("inplace", "copied", "acme.packed"):
        assert any((place / name / "tasks" / "main.yml").is_file() for place in installed.roles), name


def test_the_old_list_of_roles_and_all_the_places_of_the_file_are_read(install, offline, code, tmp_path):
    galaxy.role(offline / "roles", "first")
    galaxy.role(offline / "roles", "second")
    galaxy.tarball(offline, tmp_path, "acme.tools")
    (code / "roles").mkdir()
    (code / "roles" / "requirements.yml").write_text("- first\n- include: roles/more.yml\n")
    (code / "roles" / "more.yml").write_text("- second\n- include: roles/more.yml\n")
    (code / "collections").mkdir()
    (code / "collections" / "requirements.yml").write_text("collections: [acme.tools]\n")
    installed = install()
    assert found(installed, "acme.tools") == "1.0.0"
    assert {"first", "second"} <= {one for place in installed.roles for one in os.listdir(place)}


def test_everything_that_is_missing_is_named_with_both_ways_out(install, offline, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.old", "1.0.0", {"acme.base": ">=2.0.0"})
    with pytest.raises(ProjectError) as caught:
        install(
            "collections:\n  - community.general\n  - name: acme.old\n    version: '>=1'\nroles:\n  - web\n"
        )
    said = str(caught.value)
    assert "collection community.general" in said and "role web" in said
    assert "collection acme.base (>=2.0.0), which acme.old needs" in said
    assert f"{offline} has none that fits" in said
    assert "Put its tarball there" in said and "empty “collections at”" in said


def test_a_version_that_does_not_fit_is_missing(install, offline, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.tools", "1.0.0")
    with pytest.raises(ProjectError, match=r"collection acme.tools \(>=2\), and .* has none that fits"):
        install("collections:\n  - name: acme.tools\n    version: '>=2'\n")


def test_without_a_way_to_the_server_what_is_needed_is_named_with_both_ways_out(install, code):
    (code / "ansible.cfg").write_text("[galaxy]\nserver = https://127.0.0.1:9/\n")
    with pytest.raises(ProjectError) as caught:
        install("collections:\n  - name: community.general\n    version: '>=8'\n", offline="")
    said = str(caught.value)
    assert "The project needs collection community.general (>=8), and the server" in said
    assert "Let this machine reach" in said and "declare that as the project's “collections at”" in said
    with pytest.raises(ProjectError, match=r"needs role acme.web"):
        install("roles:\n  - acme.web\n", offline="")


def test_a_second_run_installs_nothing(install, offline, tmp_path, monkeypatch):
    galaxy.tarball(offline, tmp_path, "acme.tools")
    first = install("collections:\n  - acme.tools\n")
    monkeypatch.setattr(installing, "Galaxy", None)
    assert install() == first


def test_another_tarball_under_the_same_name_is_installed_anew(install, offline, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.tools")
    first = install("collections:\n  - acme.tools\n")
    (offline / "acme-tools-1.0.0.tar.gz").unlink()
    galaxy.tarball(offline, tmp_path / "again", "acme.tools", needs={"acme.base": "*"})
    galaxy.tarball(offline, tmp_path, "acme.base")
    assert install().collections != first.collections


def test_a_failed_installation_leaves_nothing(install, offline, tmp_path, data_dir):
    (offline / "acme-tools-1.0.0.tar.gz").write_bytes(b"no tarball")
    with pytest.raises(ProjectError, match=r"acme-tools-1.0.0.tar.gz is no tarball of a collection"):
        install("collections:\n  - acme.tools\n")
    (offline / "acme-tools-1.0.0.tar.gz").unlink()
    good = galaxy.tarball(offline, tmp_path, "acme.tools")
    good.write_bytes(good.read_bytes()[:-200])
    with pytest.raises(ProjectError, match=r"acme.tools"):
        install("collections:\n  - acme.tools\n")
    assert [one for one in os.listdir(data_dir / "requirements") if not one.endswith(".lock")] == []


def test_the_cache_is_read_only_and_can_be_removed(install, offline, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.tools")
    place = install("collections:\n  - acme.tools\n").collections[0].parent
    writable = [one for one in place.rglob("*") if not one.is_symlink() and one.stat().st_mode & 0o277]
    assert writable == []
    cache.remove(place)
    assert not place.exists()


def test_what_the_project_carries_comes_first_and_is_not_asked_for(install, code):
    galaxy.source(code / "collections" / "ansible_collections", "acme.tools", "3.0.0")
    installed = install("collections:\n  - name: acme.tools\n    version: '>=3.0.0'\n", offline="")
    assert found(installed, "acme.tools") == "3.0.0"
    assert installed.collections[0] == code / "collections"


def test_a_collection_in_the_project_is_installed_from_there(install, code, tmp_path):
    galaxy.tarball(code / "vendor", tmp_path, "acme.tools")
    text = "collections:\n  - name: ./vendor/acme-tools-1.0.0.tar.gz\n    type: file\n"
    assert found(install(text), "acme.tools") == "1.0.0"
    assert found(install(text, offline=""), "acme.tools") == "1.0.0"


def test_our_own_collection_comes_last(install, code):
    place = install().collections[-1]
    known = yaml_of(paths.OURS / "galaxy.yml")
    assert os.path.samefile(place / "ansible_collections" / known["namespace"] / known["name"], paths.OURS)


def yaml_of(path: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in path.read_text().splitlines() if line.startswith("name"))


def test_ansible_finds_what_was_installed(install, offline, code, tmp_path):
    galaxy.tarball(offline, tmp_path, "acme.tools", "1.2.0")
    installed = install("collections:\n  - acme.tools\n")
    (code / "play.yml").write_text("- hosts: localhost\n  gather_facts: false\n  roles: [acme.tools.hello]\n")
    done = subprocess.run(
        [
            sys.executable,
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "localhost,",
            "play.yml",
            "-c",
            "local",
        ],
        cwd=code,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, installed.collections)),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acme.tools 1.2.0" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("collections: {a: b}\n", "collections is no list"),
        ("hosts: all\n", "is no requirements file"),
        ("collections:\n  - 7\n", "a collection has no name"),
        ("collections:\n  - no-name\n", "no-name"),
        ("roles:\n  - {}\n", "a role has no name"),
        ("collections: [\n", "is not valid YAML"),
        ("roles:\n  - src: /etc\n", "/etc is absolute"),
        ("roles:\n  - src: ../x\n", "leads upwards"),
        ("roles:\n  - include: /etc/passwd\n", "/etc/passwd is absolute"),
        ("collections:\n  - name: ../x\n    type: dir\n", "leads upwards"),
        ("collections:\n  - name: git+file:///root/x\n    type: git\n", "for which nobody vouches"),
        ("collections:\n  - name: http://example.org/x.tar.gz\n    type: url\n", "for which nobody vouches"),
        ("roles:\n  - src: git@example.org:roles/x.git\n    scm: git\n", "is reached by ssh"),
        ("collections:\n  - name: ssh://git@example.org/x\n    type: git\n", "is reached by ssh"),
        ("roles:\n  - src: git+ext::sh\n", "would be read as a command"),
        ("roles:\n  - src: --help\n", "would be read as a command"),
    ],
)
def test_what_is_wrong_in_a_requirements_file_is_said(install, text, said):
    with pytest.raises(ProjectError, match=said):
        install(text)
    with pytest.raises(ProjectError, match=said):
        install(text, offline="")


def test_an_offline_directory_that_is_not_there_is_named(install):
    with pytest.raises(ProjectError, match="There is no directory /nowhere on this machine"):
        install("collections: [acme.tools]\n", offline="/nowhere")


@pytest.mark.parametrize(
    "line",
    ["roles_path = ../roles", "roles_path = roles:/etc/ansible/roles", "collections_path = ~/c", "library = /opt/m",
     "callback_plugins = /opt/c", "log_path = /var/log/x", "vault_identity_list = dev@~/pass"],
)  # fmt: skip
def test_an_ansible_cfg_that_leaves_the_project_is_refused_by_its_setting(install, code, line):
    (code / "roles").mkdir()
    (code / "ansible.cfg").write_text(f"[defaults]\n{line}\n")
    with pytest.raises(Outside, match=f"leaves the project by {line.split()[0]}"):
        install()


def test_the_places_that_an_ansible_cfg_names_come_first(install, code):
    for name in ("roles", "ours/roles", "ours/collections"):
        (code / name).mkdir(parents=True)
    (code / "ansible.cfg").write_text(
        "[defaults]\nroles_path = ./ours/roles:not/there\ncollections_path = ours/collections\n"
    )
    installed = install()
    assert installed.roles == (code / "ours" / "roles", code / "roles")
    assert installed.collections[0] == code / "ours" / "collections"


def test_what_was_found_beside_a_project_is_told_by_version_and_content(install, offline, code, tmp_path):
    galaxy.source(offline / "ansible_collections", "acme.tools", "1.3.0")
    galaxy.role(offline / "roles", "extra")
    galaxy.source(code / "collections" / "ansible_collections", "acme.own", "3.0.0")

    def found() -> dict[str, str]:
        there = install("collections: [acme.tools]\nroles: [extra]\n")
        return {name: told for name, told in resolved(there, code).items() if not name.startswith("own ")}

    before = found()
    assert list(before) == ["collection acme.tools", "role extra"], (
        "what the project carries is of its commit"
    )
    assert before["collection acme.tools"].startswith("1.3.0 (")
    assert found() == before
    changed = offline / "ansible_collections" / "acme" / "tools" / "README.md"
    changed.write_text("something else")
    after = found()
    assert after["collection acme.tools"] != before["collection acme.tools"]
    assert after["role extra"] == before["role extra"]
