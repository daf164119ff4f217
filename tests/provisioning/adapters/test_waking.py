"""What a login to a relay of Wake-on-LAN is held to, as the real ssh reads the file that it is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provisioning.adapters import waking
from provisioning.adapters.waking import NotSent, Relay
from tests.components import require

CONFIG = b"""Host relay01.ip
  HostName 192.0.2.10
  BatchMode no
  StrictHostKeyChecking no
  ProxyJump jump01.ip
  LocalForward 127.0.0.1:24000 192.0.2.9:443
Host jump01.ip
  HostName 192.0.2.1
  ConnectTimeout 900
  LocalForward 127.0.0.1:24001 192.0.2.9:443
"""


@pytest.mark.parametrize("hop", ["relay01.ip", "jump01.ip"])
def test_no_hop_asks_questions_or_opens_tunnels(
    hop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("ssh", package="openssh-client")
    seen: list[str] = []

    class Looked:
        """In place of the login: how ssh would go to *hop* by that file."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def run(self, command: list[str], cwd: Path) -> waking.Program:
            words = ["ssh", "-G", "-F", command[command.index("-F") + 1], hop]
            done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=True)
            seen.extend(done.stdout.splitlines())
            raise NotSent("looked")

    monkeypatch.setattr(waking, "Program", Looked)
    with pytest.raises(NotSent, match="looked"):
        waking.send_through(Relay("relay01.ip", {"ssh_config": CONFIG}), "00:00:5e:00:53:16", "192.0.2.255")
    wanted = {"batchmode yes", "connecttimeout 15", "clearallforwardings yes"}
    assert wanted <= set(seen)
    assert {"stricthostkeychecking yes", "stricthostkeychecking true"} & set(seen)
