"""What git and ssh mean by their words, in English: faults of ours, with the way out. Pure."""

from __future__ import annotations

import re

from provisioning.adapters.base import (
    AdapterError,
    NotFound,
    Refused,
    Strange,
    Unauthorized,
    Unreachable,
    Untrusted,
)
from provisioning.redaction import redact


class NotOurs(Refused):
    """A repository by path that belongs to another user: git looks into none such."""

    way_out = "Give it to the user that this application runs as (chown -R), or have it served by ssh, then run this again."


class UnknownHost(Untrusted):
    """Nobody accepted this server's key."""

    way_out = "Compare the fingerprint and accept it: manage.py project trust."


class OtherHost(Untrusted):
    """The server shows another key than the one that was accepted."""

    way_out = (
        "Ask whoever runs the server whether its key was renewed. If so, accept the new one: manage.py project trust; "
        "if not, somebody is in between."
    )


class NoRepository(NotFound):
    way_out = "See that the location is right and the repository was not moved, then run this again."


class NoRef(NotFound):
    way_out = "See which branches and tags there are, and declare one of them."


class KeyRefused(Unauthorized):
    way_out = "Give the key access to the repository, or declare another, then run this again."


class DiskFull(AdapterError):
    retryable = True
    way_out = "Make room in the data directory, then run this again."


class Unreadable(Refused):
    way_out = "Give the user that this application runs as the right to read it, then run this again."


class Unsound(Refused):
    way_out = "Look at the repository with git fsck, then run this again."


class Elsewhere(Refused):
    way_out = "Declare its new address."


#: words → what they mean; the first that is found counts
_WORDS: tuple[tuple[tuple[str, ...], type[AdapterError], str], ...] = (
    (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", "host key .*(?:differs|revoked)"),
        OtherHost,
        "{where} shows another SSH host key than the one that was accepted; nothing was sent",
    ),
    (
        ("Host key verification failed", r"No \S+ host key is known"),
        UnknownHost,
        "Nobody has accepted the SSH host key of {where} yet; nothing was sent",
    ),
    (("dubious ownership",), NotOurs, "{where} belongs to another user of this machine"),
    (
        (
            r"Permission denied \(",
            "Too many authentication failures",
            "terminal prompts disabled",
            "could not read (?:User|Pass)",
            "Authentication failed",
            "error: 40[13]",
        ),
        KeyRefused,
        "{where} does not accept the declared key",
    ),
    (("No space left on device", "Disk quota exceeded"), DiskFull, "The disk of the data directory is full"),
    (
        ("couldn't find remote ref", "not our ref", "unadvertised object", "no such remote ref"),
        NoRef,
        "{where} does not have what was asked for",
    ),
    (
        ("Could not resolve", "Name or service not known", "Temporary failure in name resolution"),
        Unreachable,
        "The name of {where} cannot be resolved",
    ),
    (
        (
            "Connection (?:refused|timed out|reset|closed by)",
            "Operation (?:timed out|too slow)",
            "No route to host",
            "Network is unreachable",
            "Failed to connect",
            "kex_exchange",
            "[Bb]roken pipe",
        ),
        Unreachable,
        "{where} cannot be reached",
    ),
    (("certificate", "SSL"), Untrusted, "The certificate of {where} is not trusted here; nothing was sent"),
    (("redirect", r"error: 30\d"), Elsewhere, "{where} has moved"),
    (
        (
            "does not appear to be a git repository",
            "not a git repository",
            "[Rr]epository .*not found",
            "No such file or directory",
            "does not exist",
            "error: 404",
        ),
        NoRepository,
        "There is no repository at {where}",
    ),
    (("Permission denied",), Unreadable, "{where} may not be read"),
    (
        ("fsck", "in tree object", "bad object", "missing blob", "did not send all necessary objects"),
        Unsound,
        "{where} sends objects that git finds unsound",
    ),
    (
        ("object format", "mismatched algorithms"),
        Refused,
        "{where} names its commits by SHA-256; only SHA-1 is understood",
    ),
    (("transport '.*' not allowed",), Refused, "{where} is reached by a protocol that is not allowed"),
)


def fault(words: str, call: str, where: str) -> AdapterError:
    """What the other side, or git itself, meant by *words*; with the telling line of them, without secrets."""
    for patterns, meaning, sentence in _WORDS:
        if any(re.search(pattern, words) for pattern in patterns):
            return meaning(f"{sentence.format(where=where)}{_telling(words)}.", call=call)
    return Strange(f"{call} failed for {where}{_telling(words)}.", call=call)


def _telling(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines
    if not telling:
        return ""
    said = "".join(letter if letter.isprintable() else "?" for letter in telling[0])[:200]
    return f" (“{redact(said).rstrip('.')}”)"
