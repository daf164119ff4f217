"""System checks: each mistake has its number and says what to do."""

import pytest

from mgmtplane import checks


def ids() -> list[str]:
    return [message.id for message in checks.check_settings()]


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    """A data directory without any fault."""
    tmp_path.chmod(0o700)
    settings.DATA_DIR = tmp_path
    settings.BROKER_DIR = tmp_path / "broker"
    for name in ("messages", "control", "processed"):
        (settings.BROKER_DIR / name).mkdir(parents=True)
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    return tmp_path


def test_nothing_to_complain_about_by_default():
    assert ids() == []


def test_an_open_data_directory(data_dir):
    data_dir.chmod(0o755)
    assert ids() == ["mgmtplane.W001"]


def test_a_readable_secret_key(data_dir):
    key = data_dir / "secret_key"
    key.write_text("x")
    key.chmod(0o644)
    (message,) = checks.check_settings()
    assert message.id == "mgmtplane.W002"
    assert message.hint.endswith(f"chmod 600 {key}")


def test_a_broker_folder_that_is_gone(settings):
    (settings.BROKER_DIR / "messages").rmdir()
    assert ids() == ["mgmtplane.E001"]


def test_sqlite_on_a_network_file_system(monkeypatch):
    monkeypatch.setattr(checks, "file_system", lambda path: "nfs4")
    monkeypatch.setattr(
        "django.conf.settings.DATABASES",
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/mnt/x.sqlite3"}},
    )
    assert ids() == ["mgmtplane.E002"]


def test_debug_for_strangers(settings):
    settings.DEBUG = True
    assert ids() == []
    settings.ALLOWED_HOSTS = ["localhost", "lab.example.org"]
    assert ids() == ["mgmtplane.E003"]


def test_any_host_name(settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert ids() == ["mgmtplane.W003"]


def test_listening_to_all_and_admitting_nobody(settings):
    settings.BIND = "0.0.0.0"
    assert ids() == ["mgmtplane.W004"]
    settings.ALLOWED_HOSTS = ["lab.example.org"]
    assert ids() == []


def test_a_trusted_proxy_that_can_be_passed_by(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ids() == []
    settings.BIND, settings.ALLOWED_HOSTS = "0.0.0.0", ["lab.example.org"]
    assert ids() == ["mgmtplane.W005"]


def test_https_with_cookies_that_travel_without(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://lab.example.org"]
    assert ids() == ["mgmtplane.W006"]


def test_the_longest_mount_point_tells_the_file_system(tmp_path):
    mounts = tmp_path / "mounts"
    inner = tmp_path / "with space"
    inner.mkdir()
    escaped = str(inner).replace(" ", "\\040")
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n")
    assert checks.file_system(tmp_path, mounts) == "ext4"
    assert checks.file_system(inner / "deeper", mounts) == "nfs4"
    assert checks.file_system(inner, tmp_path / "absent") is None
