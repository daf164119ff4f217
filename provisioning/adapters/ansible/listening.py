"""The socket of a run: what Ansible's processes tell and ask. Only this user's processes are heard."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioning.adapters.ansible.vaulted import secrets_of
from provisioning.masking import Mask

#: seconds for what was announced on the terminal to come over the socket; it was sent before
PATIENCE = 10.0


class Listener:
    """Keeps what events hold until somebody takes it, learns secrets, and tells passwords until the playbook begins."""

    def __init__(self, path: Path, mask: Mask, passwords: Mapping[str, str], own: str) -> None:
        self._mask, self._passwords, self._own = mask, dict(passwords), own
        self._told: dict[str, dict[str, Any]] = {}
        self._news = threading.Condition()
        self._begun = False
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        path.chmod(0o600)
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self, uuid: str) -> dict[str, Any]:
        """What was told of the event with *uuid*; waits for it, and gives nothing where it never comes."""
        with self._news:
            self._news.wait_for(lambda: uuid in self._told, PATIENCE)
            return self._told.pop(uuid, {})

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            if struct.unpack("3i", credentials)[1] != os.getuid():
                connection.close()
                continue
            threading.Thread(target=self._follow, args=(connection,), daemon=True).start()

    def _follow(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as said:
            for line in said:
                try:
                    answer = self._answer(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError):
                    return
                said.write(json.dumps(answer).encode() + b"\n")
                said.flush()

    def _answer(self, said: Mapping[str, Any]) -> str | None:
        if "password" in said:
            return self._password(str(said["password"]))
        if "secret" in said:
            self._mask.add(secrets_of(str(said["secret"])))
        if "event" in said:
            with self._news:
                self._begun = True
                self._told[str(said["event"])] = dict(said["data"])
                self._news.notify_all()
        return ""

    def _password(self, vault_id: str) -> str | None:
        """Ansible asks once, at its beginning; a task that asks later is told nothing.

        What belongs to no vault id is sealed with nothing of ours: Ansible asks for a default all the same.
        """
        return None if self._begun else self._passwords.get(vault_id, self._own)
