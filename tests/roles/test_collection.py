"""The collection as an archive, and how its roles are written."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.components import require
from tests.hosts.ansible import BIN
from tests.shared_data import REPOSITORY

OURS = REPOSITORY / "ansible"
ROLES = sorted(path for path in (OURS / "roles").iterdir() if path.is_dir())
TASKS = sorted([*OURS.glob("roles/*/tasks/*.yml"), *OURS.glob("roles/*/handlers/*.yml")])
#: Words of a task that are no module.
OF_A_TASK = {
    "name", "when", "loop", "loop_control", "register", "notify", "listen", "tags", "vars", "changed_when", "failed_when",
    "no_log", "block", "become", "check_mode", "diff",
}  # fmt: skip
names = pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)


def tasks(path: Path) -> Iterator[dict[str, Any]]:
    """Every task of a file, those of its blocks included."""
    waiting = list(yaml.safe_load(path.read_text()))
    while waiting:
        task = waiting.pop(0)
        waiting += task.get("block", [])
        yield task


def test_the_archive_has_every_role_whole_and_nothing_that_is_no_part_of_it(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        members = {member.name: member for member in opened.getmembers()}
    for role in ROLES:
        files = {path for path in role.rglob("*") if path.is_file()}
        assert {path.relative_to(OURS).as_posix() for path in files} <= set(members)
    assert {f"playbooks/{role.name}.yml" for role in ROLES} <= set(members)
    fetch = members["roles/router_client/files/mgmtplane-fetch"]
    assert fetch.isreg() and fetch.size == (REPOSITORY / "clients" / "mgmtplane-fetch").stat().st_size
    assert not [name for name in members if re.search(r"__pycache__|\.pyc$|(^|/)tests?/|\.tar\.gz$", name)]


@pytest.mark.parametrize("path", TASKS, ids=lambda path: path.relative_to(OURS).as_posix())
def test_a_task_has_a_name_and_a_full_module_name_and_no_shell(path: Path) -> None:
    for task in tasks(path):
        assert task.get("name", "")[:1].isupper(), task
        modules = set(task) - OF_A_TASK
        assert len(modules) == (0 if "block" in task else 1), task
        assert all(module.startswith("ansible.builtin.") for module in modules), task
        assert not modules & {"ansible.builtin.shell", "ansible.builtin.raw"}, task
        assert "ansible.builtin.command" not in modules or "changed_when" in task, task
        files = {"ansible.builtin.copy", "ansible.builtin.template"} & modules
        assert all(str(task[module]["mode"]).startswith("0") for module in files), task


@names
def test_what_a_role_takes_is_specified_defaulted_and_told_in_its_readme(role: Path) -> None:
    specified = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    options = specified["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    assert set(defaults) == set(options)
    for name, option in options.items():
        assert name.startswith(f"{role.name}_") and option["description"]
        if "default" in option:
            assert defaults[name] == option["default"], name
    readme = (role / "README.md").read_text()
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", readme)) == set(options)


@names
def test_both_families_of_distributions_are_given_the_same_names(role: Path) -> None:
    debian, fedora = (
        yaml.safe_load((role / "vars" / f"{one}.yml").read_text()) for one in ("Debian", "RedHat")
    )
    assert set(debian) == set(fedora)


@pytest.mark.parametrize("path", sorted(OURS.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_a_playbook_is_understood_by_its_path_where_the_collection_is_installed(
    path: Path, collections: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "--syntax-check", "-i", "localhost,", str(path)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(collections)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr


def test_an_alert_fires_when_a_machine_does_not_answer(tmp_path: Path) -> None:
    require("promtool", package="prometheus")
    rules = OURS / "roles" / "metrics_logs" / "files" / "mgmtplane.rules.yml"
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": 'up{job="declared",instance="pi01:9100"}', "values": "1 0x20"}],
                "alert_rule_test": [
                    {"eval_time": "4m", "alertname": "TargetDown", "exp_alerts": []},
                    {
                        "eval_time": "8m",
                        "alertname": "TargetDown",
                        "exp_alerts": [
                            {
                                "exp_labels": {
                                    "severity": "critical",
                                    "job": "declared",
                                    "instance": "pi01:9100",
                                },
                                "exp_annotations": {
                                    "summary": "pi01:9100 does not answer Prometheus",
                                    "description": "It has not answered for five minutes. "
                                    "Is the machine up, and its exporter?",
                                },
                            }
                        ],
                    },
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_collection_of_the_site_comes_before_ours(collections: Path, tmp_path: Path) -> None:
    """Both ways: another collection that is named first, and a fork of ours that is found first."""
    for space, said in (("site", "of the site"), ("mgmtplane", "of the fork")):
        role = tmp_path / space / "ansible_collections" / space / ("own" if space == "site" else "mgmtplane")
        (role / "roles" / "base" / "tasks").mkdir(parents=True)
        (role / "galaxy.yml").write_text(
            yaml.safe_dump({"namespace": space, "name": role.name, "version": "1.0.0"})
        )
        say = [{"name": "Say", "ansible.builtin.debug": {"msg": f"the role {said}"}}]
        (role / "roles" / "base" / "tasks" / "main.yml").write_text(yaml.safe_dump(say))
    play: dict[str, Any] = {"name": "P", "hosts": "localhost", "gather_facts": False}
    short = {**play, "collections": ["site.own", "mgmtplane.mgmtplane"], "roles": ["base"]}
    assert "the role of the site" in _played(tmp_path, short, tmp_path / "site", collections)
    full = {**play, "roles": ["mgmtplane.mgmtplane.base"]}
    assert "the role of the fork" in _played(tmp_path, full, tmp_path / "mgmtplane", collections)


def _played(folder: Path, play: dict[str, Any], *collections: Path) -> str:
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(playbook)],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, collections)),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
