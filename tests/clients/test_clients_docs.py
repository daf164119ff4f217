"""docs/clients.md and the clients say the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.clients.router import CLIENT
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGE = (REPOSITORY / "docs" / "clients.md").read_text(encoding="utf-8")
SCRIPT = (REPOSITORY / "ansible" / "mgmtplane_inventory.py").read_text(encoding="utf-8")
PLUGIN = (REPOSITORY / "ansible" / "plugins" / "inventory" / "mgmtplane.py").read_text(encoding="utf-8")


def keys_of_the_script() -> set[str]:
    found = re.search(r"(?s)\nKEYS = \((.*?)\)", SCRIPT)
    assert found
    return set(re.findall(r'"(\w+)"', found[1]))


def test_every_key_of_the_router_client_is_in_the_table() -> None:
    found = re.search(r'(?s)KEYS="(.*?)"', CLIENT.read_text(encoding="utf-8"))
    assert found
    keys = set(re.findall(r"[A-Z_]+", found[1]))
    table = PAGE[PAGE.index("| key | |") : PAGE.index("A `RELOAD` must fail")]
    assert keys <= set(re.findall(r"`([A-Z_]+)(?:=\d)?`", table))


def test_the_script_begins_with_all_its_settings() -> None:
    head = SCRIPT[: SCRIPT.index("from __future__")]
    assert {f"MGMTPLANE_{key.upper()}" for key in keys_of_the_script()} <= set(
        re.findall(r"MGMTPLANE_[A-Z_]+", head)
    )


def test_the_plugin_takes_the_settings_of_the_script() -> None:
    found = re.search(r'(?s)DOCUMENTATION = r"""\n(.*?)"""', PLUGIN)
    assert found
    options = yaml.safe_load(found[1])["options"]
    assert set(options) == keys_of_the_script() | {"plugin", "token", "stop"}
    for name in keys_of_the_script():
        assert options[name]["env"] == [{"name": f"MGMTPLANE_{name.upper()}"}]


@pytest.mark.parametrize(
    "example", sorted((REPOSITORY / "clients" / "examples").iterdir()), ids=lambda p: p.name
)
def test_the_examples_are_configurations(example: Path, tmp_path: Path) -> None:
    assert f"/etc/mgmtplane/{example.name}" in example.read_text()
    folder = tmp_path / "target"
    folder.mkdir()
    here = (
        re.sub(r"(?m)^TARGET=.*/", f"TARGET={folder}/", example.read_text()) + f"STATE_DIR={tmp_path}/state\n"
    )
    conf = tmp_path / example.name
    conf.write_text(here)
    conf.chmod(0o644)
    told = subprocess.run(
        ["sh", str(CLIENT), str(conf), "--status"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert f"target   {folder}/" in told.stdout


def test_the_plugin_imports_the_script_itself() -> None:
    link = REPOSITORY / "ansible" / "plugins" / "plugin_utils" / "mgmtplane_inventory.py"
    assert link.read_text(encoding="utf-8") == SCRIPT
