"""Starting a stand-in from a test, and speaking to its door."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.adapters.proxmox import Access, Patience, Proxmox, Reader
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN

REPOSITORY = Path(__file__).resolve().parents[3]
#: Impatient enough for tests.
PATIENCE = Patience(connect=2, answer=1.0, reads=3, lock=0.3, pause=0.02, longest_pause=0.1, silence=1.0)


@dataclass
class StandIn:
    """A running stand-in. *process* None: somebody else's."""

    url: str
    ca_file: str
    fingerprint: str
    node: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, folder: Path, *options: str) -> StandIn:
        """Its certificate lies in *folder*; *options* are those of ``python -m tests.provisioning.pve``."""
        command = [sys.executable, "-m", "tests.provisioning.pve", "--folder", str(folder), *options]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        said = json.loads(process.stdout.readline())
        return cls(said["url"], said["ca_file"], said["fingerprint"], said["node"], process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    # --- ways in ---

    def access(self, token: str = WRITE_TOKEN, **changes: Any) -> Access:
        trusted = {"ca_file": self.ca_file, "fingerprint": "", "patience": PATIENCE}
        return Access(
            **{
                "url": self.url,
                "node": self.node,
                "token_id": token,
                "secret": SECRETS[token],
                **trusted,
                **changes,
            }
        )

    def proxmox(self, **changes: Any) -> Proxmox:
        return Proxmox(self.access(**changes))

    def reader(self, **changes: Any) -> Reader:
        return Reader(self.access(READ_TOKEN, **changes))

    # --- the door ---

    def reset(self) -> None:
        """The world as it began; no faults, an empty log."""
        self._door("reset")

    def forget(self) -> None:
        """No faults, an empty log, its own certificate."""
        self._door("forget")

    def fault(self, kind: str, method: str = "", path: str = "", **more: Any) -> None:
        """See ``faults``."""
        self._door("faults", [{"kind": kind, "method": method, "path": path, **more}])

    def keep(self, name: str) -> None:
        """Remember the world as it is; tasks should have ended."""
        self._door("keep", name)

    def back(self, name: str) -> None:
        """The world as it was kept; no faults, an empty log."""
        self._door("back", name)

    def impostor(self) -> None:
        """Every connection ends; from now on, until ``forget``, new ones see another certificate."""
        self._door("impostor")

    def finish(self) -> None:
        """Every task that runs ends now."""
        self._door("finish")

    def change(self, **document: Any) -> None:
        """``change(guests={100: {"running": False}}, storages={"local-lvm": {"free": 0}})``."""
        self._door("change", document)

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """What was asked, oldest first; *path* is searched in the path as text."""
        log = self._door("log")
        return [each for each in log if method in ("", each["method"]) and path in each["path"]]

    def writes(self) -> list[str]:
        return [f"{each['method']} {each['path']}" for each in self._door("log") if each["method"] != "GET"]

    def state(self) -> dict[str, Any]:
        """Guests by VMID as text, storages, volumes, tasks."""
        return self._door("state")

    def guest(self, vmid: int) -> dict[str, Any]:
        return self.state()["guests"][str(vmid)]

    def _door(self, what: str, document: Any = None) -> Any:
        context = ssl._create_unverified_context()  # the door is open to us, whatever certificate is shown
        body = json.dumps(document).encode() if document is not None else None
        request = urllib.request.Request(f"{self.url}/-/{what}", data=body, method="POST")
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return json.load(answer)["data"]


def context_for(ca_file: str) -> ssl.SSLContext:
    """Trusts *ca_file*, which has no key usage, as Proxmox's own CA has none."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
