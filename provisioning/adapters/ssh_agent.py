"""An SSH agent of our own for one key, so that the key lies in no file: in memory, for as long as it is needed."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from provisioning.adapters.base import AdapterError, Unauthorized
from provisioning.adapters.commands import NotInstalled, Program, base_environment
from provisioning.unlocks import private_keys

#: seconds; a key is forgotten by then even where everything else has failed
LIFETIME = 3600
#: seconds in which it is there
STARTS = 30.0
#: lives as long as we do: when its input ends, the agent has lost its parent, and goes
_WAITS = "import os, sys; print(os.environ['SSH_AGENT_PID'], flush=True); sys.stdin.read()"


class BadKey(Unauthorized):
    way_out = (
        "Declare a reference to a private key without a passphrase, as ssh-keygen writes it: ssh-keygen -p -N '' -f COPY "
        "takes it off a copy, and unlock:NAME keeps that one in memory alone."
    )


@contextmanager
def agent_with(key: str) -> Iterator[str]:
    """The socket of an agent that holds *key*, the text of a private key. Raises BadKey, NotInstalled."""
    folder = Path(tempfile.mkdtemp(prefix="mgmtplane-agent-"))  # short: a socket's path has 107 bytes
    try:
        agent = Agent(folder / "socket", lifetime=LIFETIME, new_session=True)
        try:
            agent.add(key)
            yield str(agent.socket)
        finally:
            agent.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Agent:
    """An agent that listens at *socket*. It ends with this process at the latest, or when ``end`` is called.

    *environment* is that of what starts it, *lifetime* in seconds how long it keeps a key; None: as long as it lives.
    Raises NotInstalled, and AdapterError where it does not start.
    """

    def __init__(
        self,
        socket: Path,
        *,
        environment: Mapping[str, str] | None = None,
        lifetime: int | None = None,
        new_session: bool = False,
    ) -> None:
        self.socket, self._number = socket, 0
        limit = [] if lifetime is None else ["-t", str(lifetime)]
        try:
            self._process = subprocess.Popen(
                ["ssh-agent", "-a", str(socket), *limit, sys.executable, "-I", "-c", _WAITS],
                env=base_environment() if environment is None else environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=new_session,
                umask=0o077,
            )
        except FileNotFoundError:
            raise NotInstalled("The program ssh-agent is not installed here.", call="ssh-agent") from None
        try:
            self._number = _ready(self._process)
        except BaseException:
            self.end()
            raise

    def add(self, key: str) -> None:
        """Give it *key*, the text of a private key. Raises BadKey, NotInstalled."""
        _add(private_keys.as_agents_take_it(key), self.socket)

    def end(self) -> None:
        """By its number, and by the end of what it waits for."""
        if self._number:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._number, signal.SIGTERM)
        self._process.kill()
        self._process.communicate()


def _add(key: str, socket: Path) -> None:
    env = {"SSH_AUTH_SOCK": str(socket), "SSH_ASKPASS_REQUIRE": "never", "HOME": "/nonexistent"}
    adding = Program(env, seconds=20)
    ended = adding.run(["ssh-add", "-q", "-"], cwd=socket.parent, given=key.encode())
    if ended.code == 0:
        return
    if "passphrase" in ended.err.lower():
        raise BadKey(
            "The declared key is protected by a passphrase, and nobody is there to type it.", call="ssh-add"
        )
    if "agent" in ended.err.lower():
        raise AdapterError("The SSH agent does not answer.", call="ssh-agent", retryable=True)
    raise BadKey("What is declared as the key is no private key.", call="ssh-add")


def _ready(process: subprocess.Popen[bytes]) -> int:
    """The agent's own process number; it is told once the agent listens."""
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    with selectors.DefaultSelector() as selector:  # select() itself takes no descriptor above 1023
        selector.register(process.stdout, selectors.EVENT_READ)
        told = bool(selector.select(STARTS))
    if told and (said := process.stdout.readline().strip()).isdigit():
        return int(said)
    raise AdapterError("The SSH agent did not start.", call="ssh-agent", retryable=True)
