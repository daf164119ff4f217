"""``manage.py up`` as a whole: one command from nothing to a page to sign in to."""

import contextlib
import errno
import http.cookiejar
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from mgmtplane.celery import BrokerAway
from provisioning.management.commands import up as up_command
from tests.platform.test_command_line import DOCUMENT
from tests.provisioning import brokers
from tests.provisioning.backups.test_round_trip import manage
from tests.shared_data import REPOSITORY

PASSWORD = "correct horse battery"

#: stops it once the database is there
NO_BROKER = "redis://:hunter2@127.0.0.1:6379/0?no_such=option"

#: a start makes every table, which takes a slow machine half a minute
pytestmark = pytest.mark.timeout(400)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(data_dir, **variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(data_dir), "DATA_DIR": str(data_dir), **variables}


def up(data_dir, **variables: str) -> subprocess.CompletedProcess:
    """Run it where it should refuse to start."""
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=REPOSITORY,
        env=environment(data_dir, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def wait_for(log, pattern: str, process, timeout: float = 60) -> re.Match:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text())
        if found:
            return found
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"no {pattern!r} in:\n{log.read_text()}")


@contextlib.contextmanager
def serving(log, data_dir, port: int, **variables: str):
    """``manage.py up`` with what it says in the file *log*; killed in the end, where it lives still."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=REPOSITORY,
            env=environment(data_dir, PORT=str(port), **variables),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, log
    finally:
        process.kill()
        process.wait(timeout=12)


def sign_in(base: str, name: str, password: str) -> str:
    """The page after signing in."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(f"{base}/").read()
    form = {"username": name, "password": password, "next": "/admin/"}
    form["csrfmiddlewaretoken"] = next(cookie.value for cookie in jar if cookie.name == "mgmtplane_csrf")
    request = urllib.request.Request(f"{base}/admin/login/", urllib.parse.urlencode(form).encode())
    return browser.open(request).read().decode()


@pytest.mark.slow
def test_from_nothing_to_a_signed_in_page_and_back(tmp_path):
    port, log, data = free_port(), tmp_path / "log", tmp_path / "data"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=REPOSITORY,
            env=environment(data, PORT=str(port)),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        password = wait_for(log, r"Password \(shown only now\): (\S+)", process).group(1)
        wait_for(log, rf"serving http://127\.0\.0\.1:{port} ", process)
        wait_for(log, r"worker \| .*short@\S+ ready", process)
        base = f"http://127.0.0.1:{port}"
        page = sign_in(base, "admin", password)
        assert "Log out" in page or "logout" in page
        style = re.search(r'href="(/static/[^"]+\.css)"', page).group(1)
        assert urllib.request.urlopen(base + style).headers["Cache-Control"].endswith("immutable")

        send = "from provisioning.tasks import housekeeping; housekeeping.delay()"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", send],
            cwd=REPOSITORY,
            env=environment(data),
            check=True,
        )
        wait_for(log, r"worker \| .*housekeeping: removed 0 delivered messages", process, timeout=10)

        second = up(data, PORT=str(free_port()))
        assert second.returncode == 2
        assert f"already running over the data directory {data} (process {process.pid})" in second.stderr
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=12)
    assert code == 0
    assert "Traceback" not in log.read_text()
    assert not any(path.name.startswith("gunicorn") for path in data.rglob("*"))

    again = tmp_path / "log2"
    with again.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=REPOSITORY,
            env=environment(data, PORT=str(port)),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(again, r"serving ", process)
        assert "Password" not in again.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=12) == 0


def test_a_taken_port_is_named_before_anything_is_written(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = up(tmp_path, PORT=str(port))
    assert result.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken by another program; stop it, or set PORT" in result.stderr
    assert not (tmp_path / "mgmtplane.sqlite3").exists()


def test_a_database_that_does_not_answer_is_reported_without_a_traceback_or_its_password(tmp_path):
    url = f"postgresql://lab:hunter2@127.0.0.1:{free_port()}/lab"
    result = up(tmp_path, DATABASE_URL=url, PORT=str(free_port()))
    assert result.returncode == 1
    assert "The database cannot be used: " in result.stderr
    assert "DATABASE_URL says where it is." in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_a_broker_that_cannot_be_is_reported_without_a_traceback_or_its_password(tmp_path):
    result = up(tmp_path, CELERY_BROKER_URL=NO_BROKER, PORT=str(free_port()))
    assert result.returncode == 1
    assert "CELERY_BROKER_URL cannot be used: " in result.stderr
    assert "Give redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//." in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_a_broker_that_does_not_answer_now_is_told_and_stops_nothing(monkeypatch, capsys):
    def away():
        raise BrokerAway("Connection refused.")

    monkeypatch.setattr(up_command, "declare_queues", away)
    up_command.Command().tell_broker()
    said = capsys.readouterr().out
    assert "THE BROKER CANNOT BE USED NOW: Connection refused." in said
    assert "CELERY_BROKER_URL says where it is. Pages and exports are served without it; jobs queue" in said


@pytest.mark.slow
def test_what_was_asked_for_before_the_broker_is_there_runs_once_it_is(tmp_path):
    port, at, data = free_port(), free_port(), tmp_path / "data"
    given = {
        "CELERY_BROKER_URL": f"redis://:hunter2@127.0.0.1:{at}/0",
        "BACKUP_EVERY_HOURS": "0",
        "BACKUP_DRILL_EVERY_HOURS": "0",
    }
    with serving(tmp_path / "log", data, port, **given) as (process, log):
        wait_for(log, rf"serving http://127\.0\.0\.1:{port} ", process, timeout=200)
        assert "THE BROKER CANNOT BE USED NOW: " in log.read_text()
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/").status == 200
        manage(data, "job", "backup_application", "--why", "to see", **given)
        wait_for(log, r"worker-long \| .*Cannot connect to redis://:\*\*@", process)
        (tmp_path / "redis").mkdir()
        with brokers.redis(tmp_path / "redis", at, "hunter2"):
            wait_for(log, r"worker-long \| .*run_job.* succeeded", process, timeout=120)
            wait_for(log, r"worker \| .*short@\S+ ready", process)
            assert list((data / "backups").glob("*.tar"))
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=12) == 0
    assert "hunter2" not in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_a_database_that_is_gone_is_not_begun_anew_readers_are_served_until_it_is_back(tmp_path):
    port, data = free_port(), tmp_path / "data"
    file, away = data / "mgmtplane.sqlite3", data / "unmounted"
    manage(data, "migrate", "-v0")
    (tmp_path / "lab.yml").write_text(DOCUMENT)
    manage(data, "declare", str(tmp_path / "lab.yml"), "--apply")
    token = manage(data, "token", "create", "router").strip().splitlines()[0]
    router = urllib.request.Request(
        f"http://127.0.0.1:{port}/export/lab/site", headers={"Authorization": f"Bearer {token}"}
    )
    serves = rf"serving http://127\.0\.0\.1:{port} "
    with serving(tmp_path / "log", data, port) as (process, log):
        wait_for(log, serves, process, timeout=200)
        before = urllib.request.urlopen(router).read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0
    file.rename(away)
    with serving(tmp_path / "again", data, port) as (process, log):
        wait_for(log, serves, process)
        said = log.read_text()
        assert f"THE DATABASE IS NOT THERE: {file} is gone or empty" in said
        assert "manage.py backup restore" in said and f"move {data / 'mirror'} away" in said
        answer = urllib.request.urlopen(router)
        assert (answer.headers["Mgmtplane-Degraded"], answer.read()) == ("database", before)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
        assert not file.exists()
        away.rename(file)
        wait_for(log, r"worker \| .*short@\S+ ready", process, timeout=200)
        assert f"{file} is there again: everything starts" in log.read_text()
        answer = urllib.request.urlopen(router)
        assert ("Mgmtplane-Degraded" in answer.headers, answer.read()) == (False, before)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0
    file.rename(away)
    with serving(tmp_path / "third", data, port) as (process, log):
        wait_for(log, serves, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=12) == 0, "who is asked to stop does not start everything"
        assert "Password" not in log.read_text() and not file.exists()


def test_a_full_disk_is_reported_without_a_traceback(monkeypatch, capsys):
    def full(name, **_):
        if name == "collectstatic":
            raise OSError(errno.ENOSPC, "No space left on device", "/data/static/x.css")

    command = up_command.Command()
    monkeypatch.setattr(up_command, "call_command", full)
    for step in ("check", "make_private_database", "require_restored"):
        monkeypatch.setattr(command, step, lambda: None)
    with pytest.raises(SystemExit, match="1"):
        command.prepare()
    words = "/data/static/x.css cannot be written (No space left on device); make room, or set DATA_DIR.\n"
    assert capsys.readouterr().err == words


def test_a_new_database_is_its_owners_alone_in_an_open_directory_too(tmp_path):
    tmp_path.chmod(0o755)
    up(tmp_path, CELERY_BROKER_URL=NO_BROKER, PORT=str(free_port()))
    databases = list(tmp_path.glob("mgmtplane.sqlite3*"))
    assert databases
    assert {stat.S_IMODE(path.stat().st_mode) for path in databases} == {0o600}


@pytest.mark.parametrize("address", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(tmp_path, address):
    result = up(tmp_path, BIND=address, PORT=str(free_port()))
    assert result.returncode == 2
    assert f"BIND is '{address}', no address of this machine; give one, such as 127.0.0.1" in result.stderr
