"""Ansible Vault is opened and sealed as ``ansible-vault`` does it, and its errors say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import vault
from tests.components import unavailable
from tests.shared_data import require_sample

PASSWORD = b"correct horse"


def ansible_vault(tmp_path: Path, *arguments: str, password: bytes = PASSWORD) -> bytes:
    program = Path(sys.executable).with_name("ansible-vault")
    if not program.exists():
        unavailable("needs ansible-core: pip install -r requirements-dev.txt")
    (tmp_path / "password").write_bytes(password)
    (tmp_path / "ansible.cfg").touch()
    return subprocess.run(
        [program, arguments[0], "--vault-password-file", tmp_path / "password", *arguments[1:]],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "PATH": os.defpath,
             "LC_ALL": "C.UTF-8"},
    ).stdout  # fmt: skip


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_what_is_sealed_can_be_opened(plain: bytes, password: bytes) -> None:
    text = vault.encrypt(plain, password)
    assert vault.is_vaulted(text)
    assert vault.decrypt(text, password) == plain
    assert text.endswith("\n")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_ansible_opens_what_we_sealed(tmp_path: Path) -> None:
    for name, text in {
        "plain": vault.encrypt("grüße\n".encode(), PASSWORD),
        "named": vault.encrypt(b"x", PASSWORD, vault_id="lab"),
    }.items():
        (tmp_path / name).write_text(text)
    assert ansible_vault(tmp_path, "view", "plain").decode() == "grüße\n"
    assert ansible_vault(tmp_path, "view", "named").strip() == b"x"


def test_we_open_what_ansible_sealed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"a" * 1000)
    ansible_vault(tmp_path, "encrypt", "secret")
    assert vault.decrypt((tmp_path / "secret").read_text(), PASSWORD) == b"a" * 1000


def test_a_vault_id_makes_format_1_2() -> None:
    assert vault.encrypt(b"x", PASSWORD, "lab").startswith("$ANSIBLE_VAULT;1.2;AES256;lab\n")
    assert vault.encrypt(b"x", PASSWORD, "default").startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    assert vault.decrypt(vault.encrypt(b"x", PASSWORD, "lab"), PASSWORD) == b"x"


def test_the_sample_opens_with_its_password() -> None:
    sealed = list(require_sample().rglob("vault.yml"))
    assert len(sealed) == 6
    for path in sealed:
        assert vault.decrypt(path.read_text(), b"example")


def test_a_wrong_password_is_told_from_damage() -> None:
    text = vault.encrypt(b"hush", PASSWORD)
    with pytest.raises(vault.WrongPassword, match="password does not open"):
        vault.decrypt(text, b"other")
    flipped = text[:-3] + ("1" if text[-3] != "1" else "2") + text[-2:]
    with pytest.raises(vault.VaultError):
        vault.decrypt(flipped, PASSWORD)
    header, *rest = text.splitlines()
    damaged = ["", header, header + "\nzz", header + "\n" + rest[0], "\n".join([header, *rest[:-1]]),
               "$ANSIBLE_VAULT", "$ANSIBLE_VAULT;1.1\n3132", text + "ü"]  # fmt: skip
    for broken in damaged:
        with pytest.raises(vault.MalformedVault):
            vault.decrypt(broken, PASSWORD)
        with pytest.raises(vault.MalformedVault):
            vault.check(broken)


@pytest.mark.parametrize(
    "header", ["$ANSIBLE_VAULT;1.0;AES256", "$ANSIBLE_VAULT;1.1;AES", "$ANSIBLE_VAULT;2;AES256"]
)
def test_another_version_or_cipher_is_named_as_such(header: str) -> None:
    body = vault.encrypt(b"x", PASSWORD).split("\n", 1)[1]
    with pytest.raises(vault.UnknownCipher, match="rekey"):
        vault.decrypt(f"{header}\n{body}", PASSWORD)


def test_messages_never_hold_password_or_text() -> None:
    text = vault.encrypt(b"hush", PASSWORD)
    for broken, password in [(text, b"other"), (text[:-20], PASSWORD), ("hush", PASSWORD)]:
        with pytest.raises(vault.VaultError) as caught:
            vault.decrypt(broken, password)
        assert "hush" not in str(caught.value)
        assert "correct" not in str(caught.value)


def test_sealing_refuses_an_empty_password_and_a_bad_id() -> None:
    with pytest.raises(vault.VaultError, match="empty"):
        vault.encrypt(b"x", b"")
    with pytest.raises(vault.VaultError, match="vault id"):
        vault.encrypt(b"x", PASSWORD, "a;b")


def test_only_text_that_begins_with_the_header_is_vaulted() -> None:
    text = vault.encrypt(b"x", PASSWORD)
    assert vault.is_vaulted(text.encode())
    assert not vault.is_vaulted("\n" + text)
    assert not vault.is_vaulted(text + "ü")
    assert not vault.is_vaulted(b"\xff")
