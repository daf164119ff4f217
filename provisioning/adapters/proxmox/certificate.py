"""The certificate that an address shows, before anybody decides whether to trust it. Nothing is sent."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from provisioning.adapters.base import Unreachable
from provisioning.adapters.proxmox.access import Access


@dataclass(frozen=True, slots=True)
class Certificate:
    """*fingerprint*: SHA-256 as Proxmox writes it. *expires*: with its zone, UTC."""

    fingerprint: str
    expires: datetime


def shown(access: Access) -> Certificate:
    """What the address of *access* shows to anybody. Raises Unreachable."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    who = f"Proxmox at {access.host}:{access.port}"
    try:
        with (
            socket.create_connection((access.host, access.port), timeout=access.patience.connect) as plain,
            context.wrap_socket(plain, server_hostname=access.host) as wrapped,
        ):
            certificate = wrapped.getpeercert(binary_form=True)
    except OSError as error:
        raise Unreachable(
            f"{who} cannot be reached: {error.strerror or type(error).__name__}.", call="TLS"
        ) from None
    if not certificate:
        raise Unreachable(f"{who} shows no certificate.", call="TLS")
    digest = hashlib.sha256(certificate).hexdigest().upper()
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return Certificate(fingerprint, x509.load_der_x509_certificate(certificate).not_valid_after_utc)
