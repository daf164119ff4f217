"""How one Proxmox API is entered, and how patient we are with it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inventory.snapshot import HostFacts
from provisioning.adapters.base import Refused

_TOKEN_ID = re.compile(r"(?P<user>[^\s:/!@]+@[^\s:/!@]+)!(?P<name>[A-Za-z][A-Za-z0-9._-]*)\Z")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}\Z")
DEFAULT_PORT = 8006


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, but for ``reads``: how often a reading is tried."""

    connect: float = 5.0
    #: a lock inside Proxmox alone waits 10 s, and a busy node takes its time
    answer: float = 90.0
    reads: int = 3
    #: how long a lock that somebody else holds is waited for
    lock: float = 60.0
    #: the first pause between two tries; each next one is twice as long, up to ``longest_pause``
    pause: float = 0.5
    longest_pause: float = 10.0
    #: how long a task whose node does not answer is believed to run on
    silence: float = 300.0


@dataclass(frozen=True, slots=True)
class Access:
    """Address and credential of one node's API. ``repr`` does not show the secret.

    Raises Refused, with a sentence, for anything that would be sent without encryption or to nobody.
    """

    url: str
    node: str
    token_id: str
    secret: str = field(repr=False)
    ca_file: str = ""
    fingerprint: str = ""
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
            raise Refused(
                f"“{self.url}” is no https:// address of a Proxmox API; nothing is sent in the clear."
            )
        if not _TOKEN_ID.match(self.token_id):
            raise Refused(
                f"“{self.token_id}” is no API token id; write user@realm!name, such as mgmtplane@pve!write."
            )
        if not self.secret or any(not 33 <= ord(letter) <= 126 for letter in self.secret):
            raise Refused(
                f"The secret of {self.token_id} is empty or holds characters that no token secret has; "
                "check what its reference points at."
            )
        if self.fingerprint and not _FINGERPRINT.match(self.fingerprint):
            raise Refused(
                "The certificate's fingerprint is no SHA-256: 32 octets in hex, as Proxmox shows it."
            )
        if not self.node:
            raise Refused(f"No node is named for {self.url}; declare the hypervisor's node.")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or DEFAULT_PORT

    @property
    def path_prefix(self) -> str | None:
        """What stands before ``/api2/json`` where a proxy is in between."""
        return urlsplit(self.url).path.strip("/") or None

    @property
    def user(self) -> str:
        return self.token_id.partition("!")[0]

    @property
    def token_name(self) -> str:
        return self.token_id.partition("!")[2]

    @property
    def verify(self) -> str | bool:
        """What proxmoxer calls ``verify_ssl``: a CA file, the system's CAs, or only the fingerprint."""
        return self.ca_file or not self.fingerprint


def access_for(
    host: HostFacts, secret: str, *, token_id: str = "", patience: Patience | None = None
) -> Access:
    """The way into the hypervisor that *host* is declared to be. Raises Refused where it is none, or has no address.

    *token_id* is whose *secret* it is; empty: the one that writes. Without a declared URL it is the primary address at
    port 8006, without a declared node the host's name.
    """
    declared = host.proxmox
    if declared is None:
        raise Refused(
            f"{host.name} is declared as no hypervisor; set its form to hv and say where its API is."
        )
    return Access(
        url=declared.api_url or _default_url(host),
        node=declared.node or host.name,
        token_id=token_id or declared.token_id,
        secret=secret,
        ca_file=declared.ca_file,
        fingerprint=declared.fingerprint,
        patience=patience or Patience(),
    )


def _default_url(host: HostFacts) -> str:
    addresses = host.primary.addresses if host.primary else ()
    if not addresses:
        raise Refused(f"{host.name} has neither an API address nor an address of its own; declare one.")
    address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    return f"https://{address}:{DEFAULT_PORT}"
