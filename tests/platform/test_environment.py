"""Settings: safe defaults, and every wrong one reported by name with what would be right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtplane import environment, settings
from tests.shared_data import REPOSITORY

LONG_KEY = "k" * 50


@pytest.fixture
def given(tmp_path):
    """Read settings from the given variables, over a data directory of this test."""

    def read(**variables: str) -> dict:
        return environment.read({"DATA_DIR": str(tmp_path / "data"), **variables})

    return read


def problems(read, **variables) -> list[str]:
    with pytest.raises(environment.SettingsError) as caught:
        read(**variables)
    return caught.value.problems


def test_defaults_are_safe(given):
    values = given()
    assert values["DEBUG"] is False
    assert values["BIND"] == "127.0.0.1"
    assert values["PORT"] == 8000
    assert values["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert values["DATABASE_URL"] is None
    assert values["QUARANTINE_DAYS"] == 90
    assert len(values["SECRET_KEY"]) >= 50


def test_an_empty_variable_counts_as_not_set(given):
    assert given(PORT="", ALLOWED_HOSTS="  ")["PORT"] == 8000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "abc", "PORT is 'abc'; give a whole number from 1 to 65535"),
        ("PORT", "0", "PORT is '0'; give a whole number from 1 to 65535"),
        ("PORT", "65536", "PORT is '65536'; give a whole number from 1 to 65535"),
        ("PORT", "٣", "PORT is '٣'; give a whole number from 1 to 65535"),
        ("PORT", "-1", "PORT is '-1'; give a whole number from 1 to 65535"),
        ("DEBUG", "maybe", "DEBUG is 'maybe'; give true or false"),
        ("QUARANTINE_DAYS", "1.5", "QUARANTINE_DAYS is '1.5'; give a whole number from 0 to 36500"),
        (
            "ADMIN_USERNAME",
            "a b/c",
            "ADMIN_USERNAME is 'a b/c'; give at most 150 letters, digits and @ . + - _",
        ),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'; give one of DEBUG, INFO, WARNING, ERROR"),
        (
            "TIME_ZONE",
            "Mars/Phobos",
            "TIME_ZONE is 'Mars/Phobos', which is no time zone; give a name such as UTC",
        ),
        ("TIME_ZONE", "../etc/passwd", "TIME_ZONE is '../etc/passwd', which is no time zone"),
        ("ALLOWED_HOSTS", "https://lab.example.org/x", "has a scheme; give the host alone: lab.example.org"),
        ("ALLOWED_HOSTS", "a b", "ALLOWED_HOSTS contains 'a b', which is no host name"),
        ("ALLOWED_HOSTS", "lab.example.org:8000", "has a port; give the host alone: lab.example.org"),
        ("ALLOWED_HOSTS", "2001:db8::1", "an IPv6 address without brackets; give [2001:db8::1]"),
        ("ALLOWED_HOSTS", "[::1]:8000", "has a port; give the address alone, such as [::1]"),
        ("CSRF_TRUSTED_ORIGINS", "lab.example.org", "give origins such as https://lab.example.org"),
        ("CSRF_TRUSTED_ORIGINS", "https://lab.example.org/x", "without a path"),
        ("DATABASE_URL", "foo", "DATABASE_URL is no URL; give postgresql://"),
        ("DATABASE_URL", "mysql://u:p@h/n", "DATABASE_URL has the scheme 'mysql'; give postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@h:port/n", "cannot be read as a URL (is the password percent-enc"),
        ("DATABASE_URL", "postgresql://u:p@h", "DATABASE_URL names no database"),
        ("DATABASE_URL", "sqlite://", "DATABASE_URL names no database"),
        ("CELERY_BROKER_URL", "kafka://h", "CELERY_BROKER_URL has the scheme 'kafka'; give filesystem://"),
        ("CELERY_BROKER_URL", "redis", "CELERY_BROKER_URL is no URL"),
        ("CELERY_BROKER_URL", "redis:///0", "CELERY_BROKER_URL names no host"),
        ("CELERY_BROKER_URL", "redis://h:x/0", "CELERY_BROKER_URL cannot be read as a URL"),
        (
            "CELERY_BROKER_URL",
            "redis://h:6379/x",
            "names a database that is no number; give redis://HOST:6379/0",
        ),
        ("SECRET_KEY", "short", "SECRET_KEY has only 5 characters; give at least 32"),
        (
            "SECRET_KEY_FILE",
            "/nonexistent",
            "SECRET_KEY_FILE names /nonexistent, which cannot be read (No such file",
        ),
        ("DATA_DIR", "/dev/null/x", "DATA_DIR is /dev/null/x, which cannot be created (Not a directory)"),
        ("KIT_DIR", "ssh://nas/k", "KIT_DIR is an address (ssh:…); give a directory of this machine"),
        ("BACKUP_DIR", "sftp://a:pw@nas/b", "BACKUP_DIR is an address (sftp:…); give a directory of this"),
        ("BACKUP_DIR", "op@nas:/srv/b", "BACKUP_DIR is an address (op@nas:…); give a directory of this"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(given, name, value, message):
    (problem,) = problems(given, **{name: value})
    assert problem.startswith(name)
    assert message in problem


def test_messages_never_show_a_secret(given):
    told = problems(
        given, DATABASE_URL="mysql://u:hunter2@h/n", SECRET_KEY="hunter2", CELERY_BROKER_URL="hunter2"
    )
    assert len(told) == 3
    assert not any("hunter2" in problem for problem in told)


def test_a_secret_comes_from_a_file(given, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{LONG_KEY}\n")
    assert given(SECRET_KEY_FILE=str(file))["SECRET_KEY"] == LONG_KEY


def test_a_wrong_secret_in_a_file_is_reported_under_the_name_of_that_variable(given, tmp_path):
    (tmp_path / "url").write_text("foo")
    (problem,) = problems(given, DATABASE_URL_FILE=str(tmp_path / "url"))
    assert problem.startswith("DATABASE_URL_FILE is no URL; give postgresql://")


def test_a_secret_given_twice_is_wrong(given, tmp_path):
    (problem,) = problems(given, SECRET_KEY=LONG_KEY, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert problem == "SECRET_KEY_FILE and SECRET_KEY are both set; remove one of them"


def test_an_empty_secret_file_is_wrong(given, tmp_path):
    (tmp_path / "key").touch()
    (problem,) = problems(given, ADMIN_PASSWORD_FILE=str(tmp_path / "key"))
    assert problem == f"ADMIN_PASSWORD_FILE names {tmp_path}/key, which is empty; write the secret into it"


def test_a_password_that_begins_with_a_dollar_is_taken_as_it_is(given):
    assert given(ADMIN_PASSWORD="$HOME")["ADMIN_PASSWORD"] == "$HOME"


def test_a_percent_encoded_password_is_decoded(given):
    config = given(DATABASE_URL="postgresql://u:p%40ss%2Fword@db.example.org:5433/lab")["DATABASE_URL"]
    assert (config["PASSWORD"], config["HOST"], config["PORT"]) == ("p@ss/word", "db.example.org", 5433)


def test_an_ipv6_host_in_a_database_url(given):
    config = given(DATABASE_URL="postgresql://u:p@[2001:db8::5]/lab")["DATABASE_URL"]
    assert config["HOST"] == "2001:db8::5"


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-m", "celery", "-A", "mgmtplane", "report"]])
def test_all_wrong_settings_are_printed_at_once_without_a_traceback(tmp_path, command):
    wrong = {"PORT": "abc", "DEBUG": "maybe", "DATABASE_URL": "foo", "DATA_DIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **wrong},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("3 settings are wrong (docs/settings.md describes them all):\n")
    for name in ("PORT is 'abc'", "DEBUG is 'maybe'", "DATABASE_URL is no URL"):
        assert f"  {name}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_relative_data_directory_starts_at_the_project(given):
    values = environment.read({"DATA_DIR": "data", "SECRET_KEY": LONG_KEY})
    assert values["DATA_DIR"] == Path(REPOSITORY) / "data"


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("", "-c lock_timeout=20s"),
        (
            "?options=-c%20lock_timeout%3D5s%20-c%20search_path%3Dlab",
            "-c lock_timeout=20s -c lock_timeout=5s -c search_path=lab",
        ),
    ],
)
def test_a_lock_at_a_server_is_waited_for_as_long_as_the_url_says(given, asked, options):
    config = given(DATABASE_URL=f"postgresql://u:p@db.example.org/lab{asked}")["DATABASE_URL"]
    assert settings._database(config)["OPTIONS"]["options"] == options
