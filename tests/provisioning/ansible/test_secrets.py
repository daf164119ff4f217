"""What a run is given in confidence is found nowhere: known values are planted, and everything is searched."""

from __future__ import annotations

import base64
import json
import os
import pwd
import subprocess
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote

import pytest

from inventory.vault import encrypt
from provisioning.adapters.ansible.processes import below, marked
from provisioning.adapters.ansible.surroundings import in_memory

PASSWORD = "vault-password-7b1f"
OTHER_PASSWORD = "other-vault-password-93aa"
PROMPTED = "prompted secret/ü+'9c31\"&"
INVENTORY = "inventory-value-51d0"
WHOLE_FILE = "whole-file-value-e4e2"
INLINE = "inline-value-0c77"
LATER = "later-value-a8f3"
MANY_LINES = "first line of 88aa\nsecond line of 88bb\nthird line of 88cc"
LINES = MANY_LINES.split("\n")

PLAYBOOK = """
- hosts: a
  gather_facts: false
  vars_files: [whole.yml]
  vars:
    inline: !vault |
      INLINE
  tasks:
    - debug: var=prompted
    - debug: var=from_inventory
    - debug: var=whole
    - debug: var=inline
    - debug: var=many_lines
    - debug: msg="{{ many_lines }}"
    - debug:
        msg: "{{ prompted | b64encode }} {{ ('user:' ~ prompted) | b64encode }} {{ prompted | urlencode }}"
    - debug:
        msg: "{{ {'a': {'b': prompted} | to_json} | to_json }}"
    - debug:
        msg: "{{ lookup('file', 'later.yml') }}"
    - include_vars: later.yml
    - debug: var=later
    - name: "Named {{ whole }}"
      debug: msg=x
    - set_fact: {kept: "{{ prompted }}", cacheable: true}
    - copy: {content: "{{ prompted }} {{ inline }}\\n{{ many_lines }}\\n", dest: DESTINATION}
      diff: true
    - command: cat DESTINATION
    - file: {path: DESTINATION, state: absent}
    - ping: {data: "{{ prompted }}{{ inline }}"}
      async: 30
      poll: 1
    - wait_for: {timeout: 1}
    - fail: msg="{{ inline }} and {{ prompted }}"
      ignore_errors: true
    - assert: {that: "prompted == 'x'"}
      ignore_errors: true
    - debug: msg="{{ nothing[inline] }}"
"""


def planted() -> set[str]:
    values = {PASSWORD, OTHER_PASSWORD, PROMPTED, INVENTORY, WHOLE_FILE, INLINE, LATER, *LINES}
    found = set(values)
    for value in values:
        encoded = base64.b64encode(value.encode()).decode().rstrip("=")
        found |= {
            encoded,
            quote(value, safe=""),
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
        }
    return found


def secrets_in(text: str | bytes, also: Collection[str] = ()) -> set[str]:
    plain = text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
    return {value for value in planted() | set(also) if value in plain}


@pytest.fixture
def key(tmp_path_factory) -> str:
    """A private key; what is searched for is a line from its middle."""
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    text = path.read_text()
    path.unlink()
    return text


class Searching(threading.Thread):
    """Looks again and again at the folder of a run, and at arguments and environment of its processes."""

    def __init__(self, folder: Path, marker: str, also: set[str]) -> None:
        super().__init__(daemon=True)
        self.folder, self.marker, self.also = folder, marker, also
        self.found: set[tuple[str, str]] = set()
        self.files: set[str] = set()
        self.programs: set[str] = set()
        self.done = threading.Event()

    def run(self) -> None:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        while not self.done.wait(0.01):
            for folder in (self.folder, home / ".ansible", home / ".ansible_async"):
                for path in folder.rglob("*"):
                    self.files.add(path.name)
                    self.look(path)
            for pid in {*marked(self.marker), *below(os.getpid())}:
                for name in ("cmdline", "environ"):
                    self.look(Path(f"/proc/{pid}/{name}"))
                self.programs.add(self.name_of(pid))

    def look(self, path: Path) -> None:
        try:
            if path.is_file():
                self.found |= {(str(path), value) for value in secrets_in(path.read_bytes(), self.also)}
        except OSError:
            pass

    def name_of(self, pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            return ""


def confide(stage) -> dict:
    stage.hosts(
        "a",
        from_inventory={"__ansible_vault": encrypt(INVENTORY.encode(), PASSWORD.encode())},
        many_lines={"__ansible_vault": encrypt(MANY_LINES.encode(), OTHER_PASSWORD.encode(), "other")},
    )
    stage.write("whole.yml", encrypt(f"whole: {WHOLE_FILE}\n".encode(), PASSWORD.encode()))
    stage.write("later.yml", encrypt(f"later: {LATER}\n".encode(), PASSWORD.encode()))
    sealed = encrypt(INLINE.encode(), PASSWORD.encode()).rstrip("\n").replace("\n", "\n      ")
    playbook = PLAYBOOK.replace("INLINE", sealed).replace("DESTINATION", str(stage.root / "written"))
    stage.write("site.yml", playbook)
    return {
        "vault_passwords": {"default": PASSWORD, "other": OTHER_PASSWORD},
        "secret_vars": {"prompted": PROMPTED},
    }


@pytest.mark.timeout(240)
def test_secrets_are_found_nowhere_while_a_run_goes_on_nor_after_it(stage, key):
    lines_of_key = set(key.splitlines()[1:-1])
    given = confide(stage)
    searching = Searching(stage.root / "run", stage.marker, lines_of_key)
    searching.start()
    before = {path: path.stat().st_mtime for path in Path(tempfile.gettempdir()).iterdir()}

    told = stage.run(verbosity=4, diff=True, ssh_key=key, **given)

    searching.done.set()
    searching.join()
    assert searching.found == set()
    assert {"extra_vars.yml", "vault-client.py", "settings", "command"} <= searching.files
    assert any("ansible-playbook" in program for program in searching.programs)
    assert any("ssh-agent" in program for program in searching.programs)
    said = json.dumps([event.as_json() for event in told.events], ensure_ascii=False)
    assert secrets_in(said, lines_of_key) == set()
    assert secrets_in(told.text.replace("\n", ""), lines_of_key) == set()
    assert secrets_in(told.result.message + told.result.complaint) == set()
    # it did what it was asked to: the secrets were there to be seen
    assert [outcome for _, outcome in told.outcomes()].count("ok") >= 12
    assert told.result.rc == 2
    assert not in_memory(stage.marker).exists()
    new = [path for path in Path(tempfile.gettempdir()).iterdir() if path not in before]
    for path in [*stage.root.rglob("*"), *(inner for one in new for inner in one.rglob("*"))]:
        if path.is_file() and not path.is_symlink():
            assert secrets_in(path.read_bytes(), lines_of_key) == set(), path


def test_what_is_vaulted_outside_the_files_that_were_looked_at_is_masked_too(stage, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "vars.yml"
    elsewhere.write_text(encrypt(f"later: {LATER}\n".encode(), PASSWORD.encode()))

    told = stage.run(
        f"- hosts: a\n  gather_facts: false\n  tasks:\n    - include_vars: {elsewhere}\n    - debug: var=later\n",
        vault_passwords={"default": PASSWORD},
    )

    assert told.result.status == "successful"
    assert '"later": "[secret]"' in told.text
    assert LATER not in told.text


def test_what_a_playbook_itself_gives_to_a_shell_is_masked_in_all_that_is_said_of_it(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n"
        '    - shell: "cat <<< {{ prompted | quote }}; printenv TOKEN; exit 3"\n'
        "      args: {executable: /bin/bash}\n"
        '      environment: {TOKEN: "{{ prompted }}"}\n',
        secret_vars={"prompted": PROMPTED},
        verbosity=4,
    )

    assert told.outcomes() == [("a", "failed")]
    assert "TOKEN=" in told.text
    assert PROMPTED.split("'")[0] not in told.text and "9c31" not in told.text


@pytest.mark.parametrize(
    "given", [{"secret_vars": {"token": INLINE}}, {"vault_passwords": {"default": PASSWORD}}]
)
def test_a_host_that_is_named_after_a_secret_is_nameless_in_all_that_is_said(stage, given):
    stage.write("whole.yml", encrypt(f"token: {INLINE}\n".encode(), PASSWORD.encode()))
    files = "  vars_files: [whole.yml]\n" if "vault_passwords" in given else ""
    told = stage.run(
        f"- hosts: a\n  gather_facts: false\n{files}  tasks:\n"
        "    - add_host: {name: 'x-{{ token }}', groups: new, ansible_connection: local}\n"
        "- hosts: new\n  gather_facts: false\n  tasks: [fail: ]\n",
        **given,
    )

    assert told.result.status == "failed"
    assert sorted(told.result.stats) == ["[secret]", "a"]
    assert told.result.stats["[secret]"]["failed"] == 1
    assert ("[secret]", "failed") in told.outcomes()
    assert secrets_in(json.dumps([event.as_json() for event in told.events])) == set()
    assert secrets_in(repr(told.result)) == set()


def test_no_log_is_respected_also_where_nothing_is_known_to_be_secret(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - command: echo unmarked-value-77\n      no_log: true\n",
        verbosity=4,
        diff=True,
    )

    assert told.result.status == "successful"
    assert "unmarked-value-77" not in json.dumps([event.as_json() for event in told.events])


def test_a_task_is_told_no_vault_password_once_the_playbook_has_begun(stage):
    told = stage.run(
        "- hosts: a\n  gather_facts: false\n  tasks:\n"
        '    - command: \'{{ lookup("env", "ANSIBLE_VAULT_PASSWORD_FILE") }} --vault-id default\'\n',
        vault_passwords={"default": PASSWORD},
    )

    assert told.outcomes() == [("a", "failed")]
    assert "No password was given for it." in told.text


def test_without_its_vault_password_a_run_fails_and_says_so(stage):
    confide(stage)

    told = stage.run(secret_vars={"prompted": PROMPTED})

    assert told.result.status == "failed"
    assert "decrypt" in told.result.complaint.lower() or "vault" in told.result.complaint.lower()


def test_nothing_of_our_own_environment_reaches_a_run(stage, monkeypatch):
    for name in (
        "DATABASE_URL",
        "SECRET_KEY",
        "SSH_AUTH_SOCK",
        "ANSIBLE_LOG_PATH",
        "HTTP_PROXY",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, f"ours-{name}")

    told = stage.run("- hosts: a\n  gather_facts: false\n  tasks: [command: env]\n", verbosity=1)

    assert told.result.status == "successful"
    assert "ours-" not in told.text
    assert f"HOME={in_memory(stage.marker)}/home" in told.text


def test_an_ansible_cfg_cannot_undo_what_is_promised(stage):
    kept = stage.root / "kept"
    kept.mkdir()
    stage.write(
        "ansible.cfg",
        f"""
[defaults]
log_path = {kept}/log
local_tmp = {kept}/tmp
vault_password_file = {kept}/none
inventory = {kept}/none
fact_caching = jsonfile
fact_caching_connection = {kept}/facts
host_key_checking = False
callbacks_enabled = ansible.builtin.junit
stdout_callback = minimal
retry_files_enabled = True
forks = 1
roles_path = my_roles
[ssh_connection]
ssh_args = -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ServerAliveInterval=7
""",
    )
    stage.write("my_roles/mine/tasks/main.yml", "- debug: msg=from-my-roles\n")

    told = stage.run(
        "- hosts: a\n  gather_facts: true\n  roles: [mine]\n  tasks:\n"
        "    - debug: msg=\"{{ lookup('config', 'ssh_args', plugin_type='connection', plugin_name='ssh') }}\"\n"
    )

    assert told.result.status == "successful"
    assert "from-my-roles" in told.text
    assert list(kept.iterdir()) == []
    ssh_args = next(line for line in told.text.splitlines() if "StrictHostKeyChecking" in line)
    assert ssh_args.index("StrictHostKeyChecking=yes") < ssh_args.index("StrictHostKeyChecking=no")
    assert "ServerAliveInterval=7" in ssh_args
