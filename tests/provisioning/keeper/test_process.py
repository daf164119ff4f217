"""The keeper as the process that it is, asked by another one."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.keeper import calling, client, wire
from provisioning.keeper.calling import KeeperAway, KeeperRefused
from tests.components import unavailable
from tests.provisioning.keeping import POWERLESS, Keeper, keeper  # noqa: F401
from tests.provisioning.support import until
from tests.shared_data import REPOSITORY

SECRET = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir(mode=0o700)


def test_a_secret_given_by_one_process_is_told_to_another(keeper, settings):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    asked = "from provisioning.keeper import client; print(client.fetch('site/lab', 'vault'))"
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", asked],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(settings.DATA_DIR)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == SECRET + "\n"


def test_what_is_held_is_listed_with_its_end_and_without_its_value(keeper):  # noqa: F811
    end = client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    (held,) = client.held("site/lab")
    assert (held.scope, held.name, held.by) == ("site/lab", "vault", "anna")
    assert abs(held.until - end) < timedelta(seconds=5)
    assert timedelta(seconds=50) < held.until - datetime.now(UTC) <= timedelta(seconds=60)
    assert SECRET not in repr(held)


def test_it_forgets_at_the_end_of_the_time(keeper):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=0.3, by="anna")
    time.sleep(0.35)
    assert client.fetch("site/lab", "vault") is None
    assert client.held() == []


def test_it_forgets_when_it_dies_and_a_new_one_begins_empty(keeper):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    keeper.kill()
    with pytest.raises(KeeperAway, match=r"manage\.py keeper as the same user"):
        client.fetch("site/lab", "vault")
    keeper.start()
    assert client.fetch("site/lab", "vault") is None


def test_without_a_keeper_the_sentence_says_how_to_start_one():
    with pytest.raises(KeeperAway, match="`make up` starts it"):
        client.held()


def test_a_multi_line_key_comes_back_byte_for_byte(keeper):  # noqa: F811
    key = (
        '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\u00e4\n"quoted"\\\n-----END OPENSSH PRIVATE KEY-----\n'
    )
    client.hold("site/lab", "deploy", key, seconds=60, by="anna")
    assert client.fetch("site/lab", "deploy") == key


def test_too_large_an_empty_and_an_endless_one_are_refused(keeper):  # noqa: F811
    for value, seconds in (
        ("x" * (wire.LONGEST_VALUE + 1), 60),
        ("", 60),
        ("x", 0),
        ("x", -5),
        ("x", float("inf")),
    ):
        with pytest.raises(KeeperRefused, match="A secret"):
            client.hold("site/lab", "vault", value, seconds=seconds, by="anna")
    client.hold("site/lab", "vault", "\x01" * wire.LONGEST_VALUE, seconds=60, by="anna")


def test_the_socket_and_the_lock_are_their_owners_alone(keeper, settings):  # noqa: F811
    for name in ("keeper.sock", "keeper.lock"):
        assert stat.S_IMODE((settings.DATA_DIR / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "sent", [b"nonsense\n", b"[]\n", b"{}\n", b'{"do": "held", "scope": 7}\n', b"x" * 500_000]
)
def test_nonsense_gets_an_answer_or_nothing_and_does_no_harm(keeper, settings, sent):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(settings.DATA_DIR / wire.SOCKET))
        connection.settimeout(10)
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert SECRET.encode() not in connection.recv(65536)
        except ConnectionError:
            pass  # it hung up
    assert client.fetch("site/lab", "vault") == SECRET


def test_somebody_who_is_silent_holds_nobody_up(keeper, settings):  # noqa: F811
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(settings.DATA_DIR / wire.SOCKET))
        assert client.held() is not None, "it raises where the keeper does not answer in time"


def test_a_second_keeper_is_refused_and_the_first_goes_on(keeper, settings):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    second = subprocess.run(
        [sys.executable, "manage.py", "keeper"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(settings.DATA_DIR)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 2
    assert "A keeper is already running" in second.stderr
    assert client.fetch("site/lab", "vault") == SECRET


def test_a_folder_with_a_long_name_works_as_well(settings, tmp_path):
    settings.DATA_DIR = tmp_path / ("long" * 30)
    settings.DATA_DIR.mkdir()
    found = Keeper(settings.DATA_DIR).start()
    try:
        client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
        assert client.fetch("site/lab", "vault") == SECRET
    finally:
        found.kill()


def test_the_command_holds_until_it_is_told_to_stop_and_takes_its_socket_along(settings):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "keeper"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(settings.DATA_DIR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until((settings.DATA_DIR / wire.SOCKET).exists, "the keeper listens", 60)
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    assert client.fetch("site/lab", "vault") == SECRET
    process.terminate()
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 0
    assert not (settings.DATA_DIR / wire.SOCKET).exists()


def test_it_leaves_no_core(keeper):  # noqa: F811
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    assert resource.prlimit(keeper.pid, resource.RLIMIT_CORE) == (0, 0)
    os.kill(keeper.pid, signal.SIGQUIT)
    assert keeper.process.wait(timeout=30) == -signal.SIGQUIT
    assert not list(keeper.data_dir.rglob("core*"))


# --- who may ask, and who may look ---

STRANGER = 65_534


def elsewhere(code: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def as_a_stranger(code: str) -> subprocess.CompletedProcess[str]:
    """*code* in a process of another user, which has imported everything before it became that."""
    if os.geteuid() != 0:
        unavailable("needs root, to become another user")
    become = f"import os; os.setgroups([]); os.setgid({STRANGER}); os.setuid({STRANGER})"
    return elsewhere(f"import socket\nfrom provisioning.keeper import calling\n{become}\n{code}")


@pytest.fixture
def open_to_all(keeper):  # noqa: F811
    """A keeper whose socket everybody may open: then it depends on whom it answers."""
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    folder = Path(tempfile.mkdtemp(prefix="mgmtplane-keeper-"))
    folder.chmod(0o755)
    (keeper.data_dir / wire.SOCKET).rename(folder / wire.SOCKET)
    (folder / wire.SOCKET).chmod(0o666)
    yield folder
    shutil.rmtree(folder)


def test_another_user_gets_nothing_though_the_socket_is_open_to_him(open_to_all):
    raw = f"""
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({str(open_to_all / wire.SOCKET)!r})
    try:
        connection.sendall(b'{{"do": "fetch", "scope": "site/lab", "name": "vault"}}' + bytes([10]))
        print(connection.recv(999))
    except ConnectionError:
        print(b"")
"""
    assert SECRET in elsewhere(f"import socket\n{raw}").stdout
    refused = as_a_stranger(raw)
    assert (refused.stdout, refused.stderr) == ("b''\n", "")


def test_no_secret_is_given_to_a_keeper_of_another_user(open_to_all):
    told = as_a_stranger(
        "from pathlib import Path\n"
        f"calling.hold(Path({str(open_to_all)!r}), 'site/lab', 'vault', 'not his', seconds=60, by='anna')"
    )
    assert "another user's process listens" in told.stderr
    assert calling.fetch(open_to_all, "site/lab", "vault") == SECRET


@pytest.mark.parametrize("view", ["mem", "environ", "maps"])
def test_a_process_of_the_same_user_does_not_see_into_its_memory(keeper, view):  # noqa: F811
    look = "open('/proc/{}/{}', 'rb').read(1)"
    with subprocess.Popen([*POWERLESS, "sleep", "60"]) as other:
        assert "PermissionError" not in elsewhere(look.format(other.pid, view), *POWERLESS).stderr
        other.kill()
    assert "PermissionError" in elsewhere(look.format(keeper.pid, view), *POWERLESS).stderr
