"""A Redis and a RabbitMQ of a test's own: on a free port, in a directory that goes away, and nobody else's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.components import find_program, require


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def redis(directory: Path, port: int = 0, password: str = "") -> Iterator[str]:
    """Yield the URL of a Redis that forgets everything."""
    require("redis-server", package="redis-server")
    port = port or free_port()
    command = [
        find_program("redis-server"),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(directory),
        *(["--requirepass", password] if password else []),
    ]
    with _running(command, directory, port, {}):
        yield f"redis://{f':{password}@' if password else ''}127.0.0.1:{port}/0"


@contextlib.contextmanager
def rabbitmq(directory: Path) -> Iterator[str]:
    """Yield the URL of a RabbitMQ with its database in *directory*."""
    require("rabbitmq-server", package="rabbitmq-server")
    port, distribution = free_port(), free_port()
    home = directory / "home"
    home.mkdir(mode=0o700)
    directory.chmod(0o711)
    (directory / "plugins").write_text("[].\n")
    (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    (directory / "env").touch()
    epmd = free_port()
    binary = _server(find_program("rabbitmq-server"))
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_CONF_ENV_FILE": str(directory / "env"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd),
    }
    try:
        with _running([binary], directory, port, environment):
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:  # it left our process group; by its port it is ours alone
        subprocess.run(["epmd", "-port", str(epmd), "-kill"], check=False, capture_output=True, timeout=20)


def _server(found: str | None) -> str:
    """The program itself: Debian's command is a wrapper that insists on the system's user and configuration."""
    own = sorted(Path("/usr/lib/rabbitmq").glob("lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    return str(own[-1]) if own else str(found)


@contextlib.contextmanager
def _running(command: list, directory: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    log = directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment or None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(timeout=20)


def _wait(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        if _answers(port):
            return
        time.sleep(0.2)
    raise AssertionError(f"no server on port {port}:\n{log.read_text()[-3000:]}")


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True
