"""What is vaulted in the files of a run is found wherever Ansible would find it."""

from __future__ import annotations

import json

import pytest

from inventory.vault import encrypt
from provisioning.adapters.ansible import vaulted
from provisioning.adapters.ansible.vaulted import secrets_in, secrets_of

PASSWORD = "a-password"


def sealed(text: str, vault_id: str | None = None) -> str:
    return encrypt(text.encode(), PASSWORD.encode(), vault_id)


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        sealed("value: the-secret\nlist: [1234]\n"),
        f"before: 1\nsecret: !vault |\n{indented(sealed('the-secret'))}backup: deadbeef\n",
        f"secret: !vault |\n{indented(sealed('the-secret', 'prod'))}",
        json.dumps({"secret": {"__ansible_vault": sealed("the-secret")}}),
        json.dumps([{"a": {"__ansible_vault": sealed("the-secret")}}], indent=2),
    ],
)
def test_a_secret_is_found(tmp_path, content):
    folder = tmp_path / "group_vars" / "all"
    folder.mkdir(parents=True)
    (folder / "any.name").write_text(content)

    assert "the-secret" in secrets_in([tmp_path], {"default": "another", "prod": PASSWORD})


def test_what_no_password_opens_is_left_alone(tmp_path):
    (tmp_path / "vars.yml").write_text(sealed("the-secret"))

    assert secrets_in([tmp_path], {"default": "another"}) == set()
    assert secrets_in([tmp_path], {}) == set()


def test_files_that_are_sealed_whole_are_opened_however_many_single_values_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(vaulted, "MOST", 1)
    (tmp_path / "many.json").write_text(
        json.dumps([{"__ansible_vault": sealed(f"single-{n}")} for n in range(3)])
    )
    (tmp_path / "whole.yml").write_text(sealed("a: whole-value\n"))

    found = secrets_in([tmp_path], {"default": PASSWORD})

    assert "whole-value" in found
    assert len([one for one in found if one.startswith("single-")]) == 1


def test_of_a_sealed_file_each_value_is_secret_and_numbers_are_too():
    assert {"the-secret", "1234", "within", "a b"} <= secrets_of(
        "a: the-secret\nb: {c: [1234, !unsafe within]}\nd: true\ne: !vault 'a b'\n"
    )
    assert secrets_of("just one value") == {"just one value"}
    assert secrets_of("-----BEGIN: [broken yaml") == {"-----BEGIN: [broken yaml"}
