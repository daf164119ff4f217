"""Both Ansible clients as Ansible uses them: the real application, and the real ``ansible-inventory``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from inventory import vault
from inventory.changes import change
from inventory.models import Consumer, Group, Host, Membership, Site, Token
from tests.clients.misbehaving import TOKEN, Server, document, serving, site_of
from tests.components import unavailable
from tests.shared_data import REPOSITORY

BIN = Path(sys.executable).parent
PASSWORD = "opens nothing else"
SEALED = {"__ansible_vault": vault.encrypt(b"hidden text", PASSWORD.encode())}
HOSTS = ("alpha", "beta", "gamma")


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as ``ansible-galaxy`` installs it."""
    if not (BIN / "ansible-galaxy").exists():
        unavailable("needs ansible-core: pip install -r requirements-dev.txt")
    folder = tmp_path_factory.mktemp("collections")
    installed = run(
        ["ansible-galaxy", "collection", "install", str(REPOSITORY / "ansible"), "-p", "."], folder
    )
    assert installed.returncode == 0, installed.stderr
    return folder


def run(command: list[str], home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8", **more}
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


class Ansible:
    """``ansible-inventory`` with the plugin or the script, in an empty home."""

    def __init__(self, home: Path, collections: Path, url: str, token: str) -> None:
        self.home = home
        (home / "token").write_text(token)
        (home / "token").chmod(0o600)
        (home / "vault").write_text(PASSWORD)
        self.source = home / "lab.mgmtplane.yml"
        self.settings: dict[str, Any] = {
            "plugin": "mgmtplane.mgmtplane.mgmtplane",
            "url": url,
            "site": "lab",
            "token_file": str(home / "token"),
            "timeout": 5,
        }
        self.environment = {"ANSIBLE_COLLECTIONS_PATH": str(collections)}
        self.script = REPOSITORY / "ansible" / "mgmtplane_inventory.py"
        self.of_script = {
            "MGMTPLANE_URL": url,
            "MGMTPLANE_SITE": "lab",
            "MGMTPLANE_TOKEN_FILE": str(home / "token"),
        }

    def plugin(self, **more: Any) -> subprocess.CompletedProcess[str]:
        self.source.write_text(json.dumps({**self.settings, **more}))  # JSON is YAML
        return self.run("-i", str(self.source), "--list")

    def run(self, *arguments: str, program: str = "ansible-inventory", **env: str) -> Any:
        ran = run(
            [program, *arguments, "--vault-password-file", str(self.home / "vault")],
            self.home,
            **self.environment,
            **env,
        )
        assert TOKEN not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran


@pytest.fixture
def site(transactional_db: None) -> Site:
    lab = Site(slug="lab", root_domain="example.net")
    variables: Any = {"z_first": "{{ a_second }}", "a_second": [1, {"y": 1, "b": 2}], "secret": SEALED}
    lab.variables = variables
    with change(lab, why="made for a test", source="import"):
        port: Any = {"web_port": 80}
        web = Group(site=lab, name="web", variables=port)
        web.save()
        own: Any = {"says": "{{ web_port }}", "own": SEALED}
        for name in HOSTS:
            host = Host(site=lab, name=name, variables=own)
            host.save()
            Membership(group=web, host=host).save()
    return lab


@pytest.fixture
def application(
    site: Site, live_server: LiveServer, tmp_path: Path, collections: Path, settings: Any
) -> Ansible:
    settings.RENDERINGS_DIR = tmp_path / "renderings"
    token = Token(name="ansible")
    plain = token.issue()
    token.save()
    return Ansible(tmp_path, collections, live_server.url, plain)


def test_both_give_ansible_what_the_site_declares(application: Ansible) -> None:
    script = application.run("-i", str(application.script), "--list", **application.of_script)
    assert script.returncode == 0, script.stderr
    plugin = application.plugin()
    assert plugin.returncode == 0, plugin.stderr
    assert (script.stderr, plugin.stderr) == ("", "")
    assert plugin.stdout == script.stdout
    found = json.loads(plugin.stdout)
    assert sorted(found["_meta"]["hostvars"]) == sorted(HOSTS)
    assert found["_meta"]["hostvars"]["alpha"]["own"] == SEALED
    assert {row.name for row in Consumer.objects.all()} == {os.uname().nodename}
    template = "{{ secret }}|{{ own }}|{{ says }}|{{ z_first | to_json }}|{{ group_names }}"
    told = application.run(
        *("alpha", "-i", str(application.source), "-m", "debug", "-a", f"msg='{template}'"), program="ansible"
    )
    assert 'hidden text|hidden text|80|[1, {\\"y\\": 1, \\"b\\": 2}]|[\'web\']' in told.stdout, told.stdout


def test_the_plugin_makes_groups_and_variables_of_ones_own(application: Ansible) -> None:
    made = application.plugin(
        compose={"doubled": "web_port * 2"},
        groups={"first": "inventory_hostname == 'alpha'"},
        keyed_groups=[{"key": "web_port | string", "prefix": "port"}],
        strict=True,
    )
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert found["_meta"]["hostvars"]["alpha"]["doubled"] == 160
    assert found["first"]["hosts"] == ["alpha"]
    assert sorted(found["port_80"]["hosts"]) == sorted(HOSTS)
    half = application.plugin(keyed_groups=[{"key": "web_port"}], strict=True)
    assert (half.returncode, half.stdout) == (1, ""), "a number names no group; half an inventory is none"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.answer = site_of(document(*HOSTS))
        yield running


@pytest.fixture
def ansible(server: Server, tmp_path: Path, collections: Path) -> Ansible:
    return Ansible(tmp_path, collections, server.url, TOKEN)


def test_the_plugin_uses_the_last_good_copy_loudly(ansible: Ansible, server: Server) -> None:
    fresh = ansible.plugin()
    assert fresh.returncode == 0 and "stale" not in fresh.stdout, fresh.stderr
    server.says(503)
    ran = ansible.plugin()
    assert ran.returncode == 0
    assert "WARNING" in ran.stderr and "STALE" in " ".join(ran.stderr.split())
    found = json.loads(ran.stdout)
    assert found["_meta"]["hostvars"]["alpha"]["mgmtplane_inventory_stale"] is True
    script = ansible.run("-i", str(ansible.script), "--list", **ansible.of_script)
    assert script.stdout == ran.stdout, "the copy is the same, and so is what becomes of it"


def test_ansible_stops_when_the_plugin_refuses(ansible: Ansible, server: Server) -> None:
    assert ansible.plugin().returncode == 0
    server.says(401, b'{"error": "This token is not known."}')
    ran = ansible.plugin()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "does not accept the token (401)" in " ".join(ran.stderr.split())
    play = ansible.home / "play.yml"
    play.write_text('[{"hosts": "all", "gather_facts": false, "tasks": []}]')
    played = ansible.run(str(play), "-i", str(ansible.source), program="ansible-playbook")
    assert played.returncode == 1, "without hosts Ansible would have ended with 0"
    left = ansible.plugin(stop=False)
    assert left.returncode == 0 and "does not accept the token" in " ".join(left.stderr.split())
    server.answer = site_of(document("alpha"), 2)
    ran = ansible.plugin()
    assert (ran.returncode, ran.stdout) == (1, "") and "more than half are gone" in " ".join(
        ran.stderr.split()
    )
    ansible.environment["MGMTPLANE_ACCEPT_DROP"] = "1"
    assert ansible.plugin().returncode == 0


def test_ansible_stops_when_the_plugin_cannot_fill_the_inventory(ansible: Ansible, server: Server) -> None:
    loop = {"_meta": {"hostvars": {}}, "a": {"hosts": ["alpha"], "children": ["b"]}, "b": {"children": ["a"]}}
    server.answer = site_of(json.dumps(loop).encode())
    ran = ansible.plugin()
    assert (ran.returncode, ran.stdout) == (1, "") and "recursive" in ran.stderr
    server.answer = site_of(document(*HOSTS))
    ran = ansible.plugin(timeout="\N{SNOWMAN}")
    assert (ran.returncode, ran.stdout) == (1, ""), (
        "whatever goes wrong, Ansible does not go on without hosts"
    )


def test_ansible_stops_when_the_script_refuses_and_it_is_told_to(ansible: Ansible, server: Server) -> None:
    server.says(404, b'{"error": "There is no site."}')
    wanted = {**ansible.of_script, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    ran = ansible.run("-i", str(ansible.script), "--list", **wanted)
    assert ran.returncode != 0 and ran.stdout == ""
    assert "does not have it (404)" in " ".join(ran.stderr.split())


def test_the_plugin_is_documented(ansible: Ansible) -> None:
    told = run(
        ["ansible-doc", "-t", "inventory", "-j", "mgmtplane.mgmtplane.mgmtplane"],
        ansible.home,
        **ansible.environment,
    )
    assert told.returncode == 0, told.stderr
    options = json.loads(told.stdout)["mgmtplane.mgmtplane.mgmtplane"]["doc"]["options"]
    assert {"url", "site", "token_file", "cache_dir", "keyed_groups", "stop"} <= set(options)
