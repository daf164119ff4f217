"""What a signed kit says of its key: OpenSSH's formats (PROTOCOL.sshsig, ``allowed_signers`` of ssh-keygen(1)). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

NAMESPACE = IDENTITY = "mgmtplane-kit"
KIND = "ssh-ed25519"
#: beside the sums in a kit
ALLOWED, SIGNATURE = "allowed_signers", "SHA256SUMS.sig"
_BLOB = re.compile(r"AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}\Z")
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}\Z")


def is_public(key: str) -> bool:
    """Whether *key* is ``ssh-ed25519 AAAA…``, and nothing more."""
    kind, _, blob = key.partition(" ")
    return kind == KIND and bool(_BLOB.match(blob))


def fingerprint(key: str) -> str:
    """``SHA256:…`` of ``ssh-ed25519 AAAA…``. Raises ValueError where it is none."""
    try:
        blob = base64.b64decode(key.split(" ")[1], validate=True)
    except (IndexError, binascii.Error):
        raise ValueError("no public key of OpenSSH") from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def allowed_signers(key: str) -> bytes:
    """The one line that ``ssh-keygen -Y verify`` needs."""
    return f'{IDENTITY} namespaces="{NAMESPACE}" {key}\n'.encode()
