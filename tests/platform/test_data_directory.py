"""The data directory and the secret key in it."""

import stat
import subprocess
import sys

import pytest

from mgmtplane import environment
from tests.shared_data import REPOSITORY


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_and_key_belong_to_their_owner_alone(tmp_path):
    data = tmp_path / "deep" / "data"
    key = environment.read({"DATA_DIR": str(data)})["SECRET_KEY"]
    assert mode(data) == 0o700
    assert mode(data / "secret_key") == 0o600
    assert environment.read({"DATA_DIR": str(data)})["SECRET_KEY"] == key


def test_processes_that_race_get_the_same_key(tmp_path):
    program = (
        "import sys, pathlib; from mgmtplane.environment import stored_secret_key as k; sys.stdin.read(1); "
    )
    program += "print(k(pathlib.Path(sys.argv[1])))"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for racer in racers:
        racer.stdin.write("!")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=30)[0].strip() for racer in racers}
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_the_loser_of_the_race_keeps_the_winners_key(tmp_path):
    path = tmp_path / "secret_key"
    environment._create_exclusively(path, "winner")
    environment._create_exclusively(path, "loser")
    assert path.read_text() == "winner\n"


def test_a_truncated_key_is_reported_and_not_replaced(tmp_path):
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(environment.SettingsError, match=r"SECRET_KEY lies in .*/secret_key, which is empty"):
        environment.read({"DATA_DIR": str(tmp_path)})
    assert (tmp_path / "secret_key").read_text() == ""


def test_a_given_key_leaves_no_file(tmp_path):
    environment.read({"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 50})
    assert not (tmp_path / "secret_key").exists()
