"""References to secrets, resolved when they are used."""

from __future__ import annotations

import functools
import os

import pytest
from django.core.exceptions import ValidationError

from inventory import validators
from provisioning import secrets
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks.needs import Need

SECRET = "8a0e9b9c-0000-4000-8000-00000000000a"


@pytest.fixture
def data_dir(tmp_path):
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
def resolve(data_dir):
    return functools.partial(secrets.resolve, data_dir=data_dir)


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "token"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


def test_a_variable_of_the_environment(resolve, monkeypatch):
    monkeypatch.setenv("PVE_TOKEN", SECRET)
    assert resolve("env:PVE_TOKEN") == SECRET
    monkeypatch.setenv("PVE_TOKEN", " ")
    with pytest.raises(SecretError, match="env:PVE_TOKEN is empty"):
        resolve("env:PVE_TOKEN")
    monkeypatch.delenv("PVE_TOKEN")
    with pytest.raises(SecretError, match="PVE_TOKEN is not set"):
        resolve("env:PVE_TOKEN")


def test_a_file_of_its_owner_or_of_a_group_that_may_read(resolve, kept):
    assert resolve(f"file:{kept}") == SECRET
    kept.chmod(0o640)
    assert resolve(f"file:{kept}") == SECRET


@pytest.mark.parametrize(
    ("mode", "whom"),
    [(0o644, "everybody"), (0o604, "everybody"), (0o620, "its group to change"), (0o602, "everybody")],
)
def test_a_file_that_others_may_open_is_refused_with_the_way_out(resolve, kept, mode, whom):
    kept.chmod(mode)
    with pytest.raises(SecretError, match=f"open to {whom}.*chmod 600") as raised:
        resolve(f"file:{kept}")
    assert SECRET not in str(raised.value)


def test_files_that_are_none(resolve, kept, tmp_path):
    with pytest.raises(SecretError, match="No such file"):
        resolve(f"file:{tmp_path}/nothing")
    with pytest.raises(SecretError, match="no absolute path"):
        resolve("file:token")
    with pytest.raises(SecretError):
        resolve(f"file:{tmp_path}")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(SecretError, match="no regular file"):
        resolve(f"file:{pipe}")
    kept.write_bytes(b"\xff\xfe")
    with pytest.raises(SecretError, match="no text"):
        resolve(f"file:{kept}")
    kept.write_text("x" * 70_000)
    with pytest.raises(SecretError, match="larger than"):
        resolve(f"file:{kept}")


def test_a_vaulted_variable_is_opened_by_who_can_and_refused_elsewhere(resolve):
    with pytest.raises(SecretError, match="vault_pve lies under Ansible Vault, which is not opened here"):
        resolve("vault:vault_pve")
    assert resolve("vault:vault_pve", unlocked={"vault_pve": SECRET}.__getitem__) == SECRET


def test_what_nobody_entered_is_needed_by_name_with_two_ways_to_enter_it(resolve):
    with pytest.raises(NeedsUnlock, match=r"the page Unlocked.*manage\.py unlock pve --site lab") as raised:
        resolve("unlock:pve", site_slug="lab", label="API token of hv01")
    assert raised.value.needs == (Need("site/lab", "pve", "API token of hv01"),)
    with pytest.raises(NeedsUnlock) as raised:
        resolve("unlock:deploy", job_id=7, key=True)
    assert raised.value.needs == (Need("job/7", "deploy", "", key=True),)
    with pytest.raises(SecretError, match="entered for a site, and there is none here"):
        resolve("unlock:pve")


@pytest.mark.parametrize(
    "reference", [SECRET, "", "env:", "file:", "vault:", "unlock:", "https://user:word@host"]
)
def test_what_is_no_reference_is_not_repeated(resolve, reference):
    with pytest.raises(SecretError) as raised:
        resolve(reference)
    assert len(reference) < 8 or reference not in str(raised.value)


# --- what is this application's own ---


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "SECRET_KEY", "SECRET_KEY_FILE", "CELERY_BROKER_URL", "PORT", "PGPASSWORD"]
)
def test_no_setting_of_ours_is_taken_for_a_token(resolve, monkeypatch, name):
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(
        SecretError, match=f"{name} is a setting of this application.*a file of its own"
    ) as raised:
        resolve(f"env:{name}")
    assert SECRET not in str(raised.value)
    with pytest.raises(ValidationError, match=f"{name} is a setting of this application"):
        validators.secret_reference(f"env:{name}")


def _kept(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def test_no_file_of_ours_is_taken_for_a_token(resolve, data_dir, tmp_path, monkeypatch, settings):
    settings.DATA_DIR = data_dir
    kept = _kept(data_dir / "secret_key")
    link = tmp_path / "token"
    link.symlink_to(kept)
    key = _kept(tmp_path / "elsewhere" / "key")
    monkeypatch.setenv("SECRET_KEY_FILE", str(key))
    ours = [
        kept,
        link,
        f"{tmp_path}/elsewhere/../data/secret_key",
        key,
        "/proc/self/environ",
        "/proc/self/../self/environ",
    ]
    for path in ours:
        with pytest.raises(SecretError, match="would be sent to the hypervisor") as raised:
            resolve(f"file:{path}")
        assert SECRET not in str(raised.value)
        with pytest.raises(ValidationError, match="would be sent to the hypervisor"):
            validators.secret_reference(f"file:{path}")


def test_a_data_directory_that_is_a_link_is_ours_by_both_names(data_dir, tmp_path):
    kept = _kept(data_dir / "secret_key")
    link = tmp_path / "linked"
    link.symlink_to(data_dir)
    for own, path in ((link, kept), (data_dir, link / "secret_key"), (link, link / "secret_key")):
        with pytest.raises(SecretError, match="lies in DATA_DIR"):
            secrets.resolve(f"file:{path}", data_dir=own)


def test_a_file_beside_ours_is_none_of_them(resolve, tmp_path):
    assert resolve(f"file:{_kept(tmp_path / 'data-of-pve' / 'token')}") == SECRET
