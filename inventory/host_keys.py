"""SSH host keys as people paste them, and as they are kept: ``ssh-ed25519 AAAA…``, a line each. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

#: kinds of plain keys, as ssh(1) names them; a certificate is no host key to record
KINDS = re.compile(
    r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)\Z"
)
PRIVATE = "PRIVATE KEY"
MOST = 20


def lines_of(text: str) -> str:
    """The keys in *text*, sorted, each once, without host names and comments; other lines stay as they are.

    Taken as well: lines of ``known_hosts`` and ``ssh-keyscan``, which begin with names. Comments are left out.
    """
    found = set()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        at = next((n for n, word in enumerate(words[:3]) if KINDS.match(word)), None)
        is_marked = words[0].startswith("@")
        found.add(line.strip() if at is None or is_marked else " ".join(words[at : at + 2]))
    return "\n".join(sorted(found))


def keys(text: str) -> tuple[str, ...]:
    """The keys of *text* that is kept: ``ssh-ed25519 AAAA…`` each. A line that is none is left out."""
    return tuple(line for line in lines_of(text).splitlines() if not _problem(line))


def problem(text: str) -> str:
    """Why *text* is no list of host keys; empty when it is. A private key is not repeated."""
    if PRIVATE in text.upper():
        return "This has a private key in it, which belongs nowhere but on its host; paste what ends in .pub."
    lines = lines_of(text).splitlines()
    if len(lines) > MOST:
        return f"{len(lines)} keys are more than a host has; give {MOST} at most."
    return next((told for line in lines if (told := _problem(line))), "")


def fingerprint(key: str) -> str:
    """As ssh shows it: ``SHA256:…``."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _parts(raw: bytes) -> list[bytes]:
    """The strings that a key is made of (RFC 4253, 6.6); none where they do not end with it."""
    found = []
    while raw:
        size = int.from_bytes(raw[:4], "big")
        if len(raw) < 4 + size or not size:
            return []
        found.append(raw[4 : 4 + size])
        raw = raw[4 + size :]
    return found


def _problem(line: str) -> str:
    kind, _, blob = line.partition(" ")
    shown = f"“{line[:40]}{'…' if len(line) > 40 else ''}”"
    if not KINDS.match(kind):
        return f"{shown} is no SSH host key; a line is its kind and the key, such as ssh-ed25519 AAAA…"
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    parts = _parts(raw)
    if len(parts) < 2 or parts[0] != kind.encode():
        return f"{shown} is cut off or damaged; copy the whole line of the file that ends in .pub."
    return ""
