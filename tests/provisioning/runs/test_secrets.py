"""Secrets of a run: used by Ansible, and found nowhere afterwards."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from inventory import vault
from inventory.changes import change
from provisioning import requests, runner, states
from provisioning.keeper import client
from provisioning.keeper.client import of_job
from provisioning.management.commands import job as command
from provisioning.models import FrozenInput, PlaybookRun
from tests.provisioning.keeping import keeper  # noqa: F401

pytestmark = pytest.mark.django_db

#: planted, each another
VAULTED, PROMPTED, PASSWORD = "Vaulted-9d1f77aa31", "Prompted-4c2e80bb52", "Password-71ab66cc03"
PLANTED = (VAULTED, PROMPTED, PASSWORD)

PLAYBOOK = """
- name: Use secrets
  hosts: web01
  gather_facts: false
  tasks:
    - name: Say them aloud
      ansible.builtin.debug:
        msg: "{{ api_token }} and {{ db_password }} and {{ api_token | b64encode }}"
    - name: Show the difference
      ansible.builtin.copy:
        dest: "{{ marks }}/digest"
        content: "{{ (api_token ~ db_password) | hash('sha256') }}"
        mode: "0600"
    - name: Give them to a command
      ansible.builtin.command: "echo {{ api_token }} {{ db_password }}"
      environment:
        TOKEN: "{{ api_token }}"
    - name: Write and show
      ansible.builtin.copy:
        dest: "{{ marks }}/clear"
        content: "{{ api_token }}\\n"
        mode: "0600"
    - name: Take it away
      ansible.builtin.file:
        path: "{{ marks }}/clear"
        state: absent
    - name: Fail with it
      ansible.builtin.fail:
        msg: "the token {{ api_token }} of {{ db_password }} is refused"
"""


@pytest.fixture
def secretive(playground, keeper):  # noqa: F811
    """A template that needs the site's vault password and a secret of a person."""
    for one in client.held():
        client.drop(one.scope)
    sealed = vault.encrypt(VAULTED.encode(), PASSWORD.encode(), "default")
    playground.host_variables("web01", db_password={"__ansible_vault": sealed})
    playground.write("secrets.yml", PLAYBOOK)
    playground.template(
        "secretive",
        playbook="secrets.yml",
        diff=True,
        verbosity=4,
        prompts=[{"name": "api_token", "kind": "secret", "label": "API token"}],
        vault_secrets={"default": "unlock:vault"},
    )
    return playground


def carried_out(playground) -> PlaybookRun:
    """A run that waited for both secrets, got them, and used them."""
    run = playground.run("secretive")
    assert (run.job.state, run.job.waiting_for) == (states.WAITING, states.UNLOCK)
    assert sorted(need.said for need in run.job.needed) == ["API token", "vault password"]
    requests.unlock(playground.site, "vault", PASSWORD, minutes=5, by="kim")
    requests.answer(run.job, {"prompt:api_token": PROMPTED}, by="kim")
    run = playground.carry_out(run.job)
    assert run.job.state == states.FAILED, run.job.message
    digest = hashlib.sha256(f"{PROMPTED}{VAULTED}".encode()).hexdigest()
    assert playground.marked() == {"digest": digest}, "both were used"
    return run


def spellings() -> set[bytes]:
    found: set[str] = set()
    for value in PLANTED:
        found |= {value, quote(value, safe=""), base64.b64encode(value.encode()).decode(), value[::-1]}
    return {one.encode() for one in found}


def assert_clean(where: str, content: bytes) -> None:
    for spelling in spellings():
        assert spelling not in content, f"{where} holds {spelling.decode()}"


def rows() -> list[tuple[str, bytes]]:
    """Every row of every table, and what is compressed in one."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                plain = (bytes(one) if isinstance(one, memoryview) else str(one).encode() for one in row)
                found.append((table, b"\0".join(plain)))
    found += [(f"frozen {one.pk}", zlib.decompress(bytes(one.body))) for one in FrozenInput.objects.all()]
    return found


def files(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def test_planted_secrets_are_found_nowhere(secretive, caplog, client):
    caplog.set_level(logging.DEBUG)
    run = carried_out(secretive)
    told = "\n".join(run.events.values_list("text", flat=True))
    assert "TASK [Say them aloud]" in told and "[secret]" in told, "there was something to hide"
    for where, content in [*rows(), *files(secretive.root / "data")]:
        assert_clean(where, content)
    assert_clean("the log", caplog.text.encode())
    client.force_login(User.objects.create_superuser("root"))
    for address in (
        reverse("admin:provisioning_job_change", args=(run.pk,)),
        reverse("admin:provisioning_job_changelist"),
        f"/api/v1/runs/{run.pk}",
        f"/api/v1/runs/{run.pk}/events",
        f"/api/v1/jobs/{run.pk}",
    ):
        answered = client.get(address)
        assert answered.status_code == 200, address
        assert_clean(address, answered.content)
    assert secretive.nothing_is_left()


def test_what_was_given_for_one_run_is_not_held_after_it(secretive):
    run = carried_out(secretive)
    assert client.fetch(of_job(run.pk), "prompt:api_token") is None
    assert client.held("site/lab"), "what was unlocked for the site stays"


def test_a_playbook_with_a_vaulted_file_is_planned_and_run_once_the_vault_is_unlocked(secretive):
    secretive.write("whole.yml", vault.encrypt(f"whole: {VAULTED}\n".encode(), PASSWORD.encode()))
    secretive.write(
        "files.yml",
        "- hosts: web01\n  gather_facts: false\n  vars_files: [whole.yml]\n  tasks: [debug: var=whole]\n",
    )
    secretive.template("files", playbook="files.yml", vault_secrets={"default": "unlock:vault"})
    with pytest.raises(
        requests.Refused, match="cannot be seen yet what this would touch: vault password is locked"
    ):
        secretive.ask("files")
    requests.unlock(secretive.site, "vault", PASSWORD, minutes=5, by="kim")
    run = secretive.run("files")
    assert [line.subject for line in run.job.planned.lines][1:] == ["web01"]
    assert run.job.state == states.SUCCEEDED, run.job.message
    for where, content in [*rows(), *files(secretive.root / "data")]:
        assert_clean(where, content)


def test_a_vaulted_reference_is_opened_as_it_was_when_the_run_was_asked_for(secretive):
    def declare(value, template=None):
        sealed = vault.encrypt(value.encode(), PASSWORD.encode(), "default")
        with change(secretive.site, by="fixture", why="a new token"):
            secretive.site.variables = {"lab_token": {"__ansible_vault": sealed}}
            secretive.site.save()
            if template is not None:  # and nobody names the password any more
                template.vault_secrets = {}
                template.save()

    declare(VAULTED)
    secretive.write(
        "told.yml",
        "- hosts: web01\n  gather_facts: false\n  tasks:\n"
        "    - copy: {dest: '{{ marks }}/told', content: '{{ token | hash(\"sha256\") }}'}\n",
    )
    requests.unlock(secretive.site, "other", PASSWORD, minutes=5, by="kim")
    template = secretive.template(
        "told",
        playbook="told.yml",
        extra_vars={"token": "vault:lab_token"},
        vault_secrets={"default": "unlock:other"},
    )
    job = secretive.ask("told")
    declare("Declared-afterwards-05d1", template)
    run = secretive.carry_out(job)
    assert run.job.state == states.SUCCEEDED, run.job.message
    then = {"told": hashlib.sha256(VAULTED.encode()).hexdigest()}
    assert secretive.marked() == then
    (secretive.marks / "told").unlink()
    again = secretive.run("", origin=run.pk, on="all")
    assert again.job.state == states.SUCCEEDED, again.job.message
    assert secretive.marked() == then
    for where, content in [*rows(), *files(secretive.root / "data")]:
        assert_clean(where, content)


def test_a_reference_to_no_variable_is_refused_before_anything_runs(secretive):
    secretive.template("astray", extra_vars={"token": "vault:nothing"})
    with pytest.raises(requests.Refused, match="site lab has no variable nothing; declare it"):
        secretive.ask("astray")


def test_a_prompt_named_as_what_is_unlocked_is_another_secret(secretive):
    secretive.template(
        "twins",
        playbook="secrets.yml",
        prompts=[{"name": "vault", "kind": "secret", "label": "Their vault"}],
        vault_secrets={"default": "unlock:vault"},
    )
    run = secretive.run("twins")
    assert [need.name for need in run.job.needed] == ["vault", "prompt:vault"]
    requests.answer(run.job, {"prompt:vault": PROMPTED}, by="kim")
    run.job.refresh_from_db()
    assert run.job.state == states.WAITING, "the answer to the prompt is no vault password"
    assert client.fetch(of_job(run.pk), "vault") is None


def test_a_prompts_bounds_hold_for_what_is_entered_later_too(secretive):
    secretive.template(
        "long",
        playbook="secrets.yml",
        prompts=[{"name": "api_token", "kind": "secret", "minimum": 12, "maximum": 20}],
    )
    run = secretive.run("long")
    for short in ("x", "x" * 21):
        with pytest.raises(
            requests.Refused, match=r"api_token has 12 characters or more|has 20 characters at most"
        ):
            requests.answer(run.job, {"prompt:api_token": short}, by="kim")
    requests.answer(run.job, {"prompt:api_token": "x" * 12}, by="kim")
    run.job.refresh_from_db()
    assert run.job.state == states.QUEUED


def test_a_wrong_vault_password_is_a_failure_in_words(secretive):
    run = secretive.run("secretive")
    with pytest.raises(requests.Refused, match="This is not the vault password"):
        requests.answer(run.job, {"vault": "Password-of-another-site"}, by="kim")


def test_the_shell_takes_a_secret_from_stdin(secretive, monkeypatch):
    requests.unlock(secretive.site, "vault", PASSWORD, minutes=5, by="kim")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PROMPTED}\n"))
    monkeypatch.setattr(
        command.time, "sleep", lambda _: [runner.run(one.pk) for one in PlaybookRun.objects.all()]
    )
    out = io.StringIO()
    given = ("--site", "lab", "--template", "secretive", "--secret-stdin", "api_token", "--why", "to see")
    with pytest.raises(SystemExit) as leaving:
        call_command("job", "run", *given, "--wait", stdout=out, stderr=io.StringIO())
    assert leaving.value.code == 2, out.getvalue()
    assert "digest" in secretive.marked()
    assert_clean("the terminal", out.getvalue().encode())
