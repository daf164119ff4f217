"""The real ``ansible-inventory``, to compare with: imported once, forked for every question.

Run as a script it is that server (one JSON list of arguments per line in, one JSON answer per line out).
Imported, it offers ask(). Everything happens with an empty home and an empty ansible.cfg. Keys stand in the order
that Jinja would see, which ``ansible-inventory`` itself sorts away.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What ``ansible-inventory`` printed as JSON (None where that is none), exit code and complaints."""

    output: Any
    code: int
    errors: str

    @property
    def clean(self) -> bool:
        """Whether it read everything."""
        return (
            self.code == 0 and "Failed to parse" not in self.errors and "Unable to parse" not in self.errors
        )


_server: list[subprocess.Popen[str]] = []


def ask(hosts: Path, *arguments: str, password: str | None = None) -> Answer:
    """``ansible-inventory -i hosts --list``, with more *arguments*."""
    command = ["ansible-inventory", "-i", str(hosts), "--list", *arguments]
    if password is not None:
        command += ["--vault-password-file", _password_file(password)]
    server = _start()
    assert server.stdin and server.stdout
    server.stdin.write(json.dumps(command) + "\n")
    server.stdin.flush()
    reply = json.loads(server.stdout.readline())
    try:
        output = json.loads(reply["output"], parse_constant=float)
    except ValueError:
        output = None
    return Answer(output, reply["code"], reply["errors"])


def _start() -> subprocess.Popen[str]:
    if importlib.util.find_spec("ansible") is None:
        from tests.components import unavailable  # not importable where this file is the server

        unavailable("needs ansible-core: pip install -r requirements-dev.txt")
    if not _server:
        home = tempfile.TemporaryDirectory(prefix="ansible-home-")
        config = Path(home.name) / "ansible.cfg"
        config.touch()
        (Path(home.name) / "empty").mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home.name,
            "ANSIBLE_CONFIG": str(config),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(home.name) / "empty",
        )
        _server.append(process)
        atexit.register(_stop, process, home)
    return _server[0]


def _stop(process: subprocess.Popen[str], home: tempfile.TemporaryDirectory[str]) -> None:
    if process.stdin:
        process.stdin.close()
    process.wait(10)
    home.cleanup()


def _password_file(password: str) -> str:
    handle, path = tempfile.mkstemp(prefix="vault-")
    os.write(handle, password.encode())
    os.close(handle)
    atexit.register(Path(path).unlink, missing_ok=True)
    return path


def _serve() -> None:
    import ansible.cli.inventory as cli
    from ansible._internal._json._profiles import _inventory_legacy

    def dump(stuff: Any) -> str:
        return json.dumps(stuff, cls=_inventory_legacy.Encoder)

    cli.InventoryCLI.dump = staticmethod(dump)
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            child = os.fork()
            if not child:
                os.dup2(output.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                sys.stdout = os.fdopen(1, "w")
                sys.stderr = os.fdopen(2, "w")
                code = 1
                try:
                    cli.main(json.loads(line))
                except SystemExit as end:
                    code = int(end.code or 0)
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            output.seek(0)
            errors.seek(0)
            reply = {
                "output": output.read(),
                "errors": errors.read(),
                "code": os.waitstatus_to_exitcode(status),
            }
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    _serve()
