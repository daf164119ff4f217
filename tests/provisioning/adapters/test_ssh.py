"""Whether SSH answers: with the real server, with listeners that are none, and with nobody."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning.adapters import ssh
from provisioning.adapters.base import Refused, Strange, Unreachable
from tests.components import unavailable


@contextlib.contextmanager
def listener(act: Callable[[socket.socket], None], family: int = socket.AF_INET) -> Iterator[int]:
    """A server on this machine that does *act* with each connection; its port."""
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.create_server((host, 0), family=family) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        act(connection)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)  # closing alone leaves it listening while somebody waits in accept
        serving.join(timeout=15)


def until_closed(connection: socket.socket) -> None:
    connection.settimeout(10)
    while connection.recv(100):
        pass


@contextlib.contextmanager
def privilege_separation() -> Iterator[None]:
    """The empty directory that root's sshd wants to be shut into; the system's own service makes it otherwise."""
    folder = Path("/run/sshd")
    ours = os.geteuid() == 0 and not folder.exists()
    if ours:
        folder.mkdir(mode=0o755)
    yield
    if ours:
        folder.rmdir()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory) -> Iterator[int]:
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(program).exists():
        unavailable("needs sshd (openssh-server)")
    folder = tmp_path_factory.mktemp("sshd")
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("ListenAddress=127.0.0.1", f"Port={port}", f"PidFile={folder / 'pid'}")
    command = [program, "-D", "-e", "-f", "/dev/null", "-h", str(key)]
    command += [part for option in options for part in ("-o", option)]
    with privilege_separation(), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline()
        assert "Server listening" in said
        yield port
        process.terminate()


def test_the_real_server_says_who_it_is(sshd):
    assert ssh.banner("127.0.0.1", sshd).startswith("SSH-2.0-OpenSSH")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_lines_before_its_own_are_passed_over(family):
    def act(connection: socket.socket) -> None:
        connection.sendall(b"Authorized use only\r\nSS")
        connection.sendall(b"H-2.0-dropbear\r\n")
        until_closed(connection)

    address = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with listener(act, family) as port:
        assert ssh.banner(address, port) == "SSH-2.0-dropbear"


def test_silence_is_no_server():
    with (
        listener(until_closed) as port,
        pytest.raises(Strange, match=r"says nothing within 0 s: that is no SSH"),
    ):
        ssh.banner("127.0.0.1", port, answer=0.2)


def test_another_protocol_is_named_without_its_odd_letters():
    with (
        listener(lambda connection: connection.sendall(b"220 mail\x1b[2J ready\r\n")) as port,
        pytest.raises(Strange, match=r"says “220 mail\?\[2J ready”"),
    ):
        ssh.banner("127.0.0.1", port)


def test_endless_lines_end():
    with (
        listener(lambda connection: connection.sendall(b"x" * 100_000)) as port,
        pytest.raises(Strange),
    ):
        ssh.banner("127.0.0.1", port)


def test_a_closed_port_is_an_answer_of_the_machine():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Refused, match=f"Nothing listens at 127.0.0.1:{port}") as refused:
        ssh.banner("127.0.0.1", port)
    assert refused.value.retryable


def test_what_is_no_address_cannot_be_reached():
    with pytest.raises(Unreachable, match="cannot be reached"):
        ssh.banner("no.such.name.invalid", connect=1)


def test_a_connection_without_an_answer_ends(monkeypatch):
    def nobody(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(ssh.socket, "create_connection", nobody)
    with pytest.raises(Unreachable, match=r"192\.0\.2\.20:22 does not answer within 5 s") as lost:
        ssh.banner("192.0.2.20")
    assert lost.value.retryable
