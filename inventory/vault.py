"""Ansible Vault, formats 1.1 and 1.2: AES-256 in CTR mode, HMAC-SHA256, keys from PBKDF2.

Source: ansible-core 2.19, ``ansible.parsing.vault`` (class VaultAES256 and the envelope functions), and
"Ansible Vault payload format" in Ansible's documentation. No message here ever holds plaintext or a password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from binascii import Error as NotHex
from binascii import hexlify, unhexlify

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HEADER = "$ANSIBLE_VAULT"
ITERATIONS = 10_000
WIDTH = 80


class VaultError(Exception):
    """Something sealed that cannot be opened; the message says the way out."""


class WrongPassword(VaultError):
    """The ciphertext is whole, and this password does not open it."""


class MalformedVault(VaultError):
    """The ciphertext is damaged or cut."""


class UnknownCipher(VaultError):
    """A version or cipher other than 1.1/1.2 and AES256."""


def is_vaulted(text: str | bytes) -> bool:
    """Whether *text* is Vault ciphertext as Ansible sees it: all ASCII, the header at its very beginning."""
    header = HEADER.encode() if isinstance(text, bytes) else HEADER
    return text.isascii() and text.startswith(header)  # type: ignore[arg-type]


def check(text: str) -> None:
    """Raise VaultError unless *text* is well-formed; needs no password."""
    _parts(text)


def decrypt(text: str, password: bytes) -> bytes:
    """The plaintext of *text*. Raises WrongPassword, MalformedVault or UnknownCipher."""
    salt, digest, ciphertext = _parts(text)
    key, signing, nonce = _keys(password, salt)
    if not hmac.compare_digest(hmac.digest(signing, ciphertext, "sha256"), digest):
        raise WrongPassword("The vault password does not open this; pass the one it was sealed with.")
    decryptor = Cipher(algorithms.AES(key), modes.CTR(nonce)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise MalformedVault("The sealed text has a wrong padding; seal it again.") from None


def encrypt(plain: bytes, password: bytes, vault_id: str | None = None) -> str:
    """*plain* sealed under a fresh salt, with a final newline; format 1.2 where a vault id is named."""
    if not password:
        raise VaultError("The vault password is empty; give one.")
    if vault_id and (";" in vault_id or len(vault_id.split()) != 1 or not vault_id.isascii()):
        raise VaultError("A vault id is ASCII text without spaces and semicolons.")
    salt = secrets.token_bytes(32)
    key, signing, nonce = _keys(password, salt)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
    ciphertext = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    inner = b"\n".join(map(hexlify, (salt, hmac.digest(signing, ciphertext, "sha256"), ciphertext)))
    body = hexlify(inner).decode()
    named = vault_id and vault_id != "default"
    header = f"{HEADER};1.2;AES256;{vault_id}" if named else f"{HEADER};1.1;AES256"
    return "\n".join([header, *(body[at : at + WIDTH] for at in range(0, len(body), WIDTH)), ""])


def _keys(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Cipher key, signing key and counter."""
    derived = hashlib.pbkdf2_hmac("sha256", password, salt, ITERATIONS, dklen=80)
    return derived[:32], derived[32:64], derived[64:]


def _parts(text: str) -> tuple[bytes, bytes, bytes]:
    """Salt, HMAC and ciphertext."""
    if not is_vaulted(text):
        raise MalformedVault(f"Sealed text begins with {HEADER} and is all ASCII; this does not and is not.")
    header, *lines = text.splitlines()
    fields = [field.strip() for field in header.strip().split(";")]
    if len(fields) not in (3, 4):
        raise MalformedVault(f"The header should read {HEADER};1.1;AES256; copy the sealed text again.")
    if fields[1] not in ("1.1", "1.2") or fields[2] != "AES256":
        raise UnknownCipher(
            "Only Ansible Vault 1.1 and 1.2 with AES256 can be opened; rekey it with a current ansible-vault."
        )
    try:
        salt, digest, ciphertext = map(unhexlify, unhexlify("".join(lines).strip()).split(b"\n", 2))
    except (NotHex, ValueError):
        raise MalformedVault("The sealed text is damaged or cut; copy it again, whole.") from None
    if not salt or len(digest) != 32 or not ciphertext or len(ciphertext) % 16:
        raise MalformedVault("The sealed text is damaged or cut; copy it again, whole.")
    return salt, digest, ciphertext
