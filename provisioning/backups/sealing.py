"""What is secret, sealed with age (https://age-encryption.org/v1): ``age --decrypt`` opens it without this program. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import pyrage  # type: ignore[import-untyped]
from pyrage import passphrase as by_passphrase
from pyrage import x25519

SHORTEST = 12


class SealError(Exception):
    """Why it cannot be sealed or opened; a sentence with the way out, without the secret."""


def seal(content: bytes, *, recipients: Sequence[str] = (), passphrase: str = "") -> bytes:
    """*content* for the holders of the keys of *recipients* (``age1…``), or for who knows *passphrase*.

    age knows no file for both. Raises SealError.
    """
    if bool(recipients) == bool(passphrase):
        raise SealError("Give recipients (age1…) or a passphrase, one of the two.")
    if passphrase:
        if len(passphrase) < SHORTEST:
            raise SealError(f"The passphrase is too short; give at least {SHORTEST} characters.")
        return by_passphrase.encrypt(content, passphrase)
    return pyrage.encrypt(content, [recipient(one) for one in recipients])


def recipient(text: str) -> x25519.Recipient:
    """The public key that *text* is. Raises SealError."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except Exception:  # the library has a class for each way of being wrong
        raise SealError(
            f"“{text.strip()[:20]}…” is no age public key; it begins with age1. age-keygen makes one."
        ) from None


def unseal(content: bytes, *, identity: str = "", passphrase: str = "") -> bytes:
    """What was sealed, with a private key (``AGE-SECRET-KEY-1…``) or the passphrase. Raises SealError."""
    try:
        if passphrase:
            return by_passphrase.decrypt(content, passphrase)
        keys = [line.strip() for line in identity.splitlines() if line.strip() and not line.startswith("#")]
        return pyrage.decrypt(content, [x25519.Identity.from_str(key) for key in keys])
    except Exception:  # its words name no cause that a person could use
        what = "passphrase" if passphrase else "key"
        raise SealError(
            f"This {what} does not open what is sealed; look which one it was made with."
        ) from None
