"""What tells a secret from other text: the name of its key, its shape, or that it is random. Pure.

A value is none when it is empty, a boolean, Jinja, Vault ciphertext, a reference (``env:``, ``file:``, ``vault:``,
``unlock:``), a path, an address of a page without a password in it, or a password's hash.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

Sure = bool


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Every expression below looks at each character a bounded number of times: what is searched is as long as people like.

#: Last words of keys that hold secrets: ``bmc_password``, ``apiKey``, ``ansible_become_pass``.
SECRET_WORDS = _set_of(
    "password passwd passphrase pass pwd pw rootpw userpass dbpass secret token psk apikey privatekey secretkey credentials"
)
#: Endings of words that people write together: ``dbpassword``, ``PGPASSWORD``.
ENDINGS = ("password", "passwd", "passphrase")
#: Words that take the secret back: ``sudo_nopasswd``.
WITHOUT = _set_of("nopasswd nopassword")
#: A secret only when it is a number: the ``pin`` of a board is ``GPIO17``, that of a version ``1.2.3``.
NUMERIC = re.compile(r"[0-9]{4,12}\Z")
#: ``key`` is a secret behind one of these only.
KEYS = _set_of(
    "api private secret access auth authentication encryption preshared shared wireguard wg wpa session signing "
    "luks tsig rndc hmac aes master"
)
#: Words behind a secret's name that change nothing: ``password_value``, ``token2``.
TRAILING = _set_of("value plain text default current old new string data prod production staging dev test")
#: Keys below ``secrets:`` that describe one.
DESCRIBING = _set_of(
    "id name user username file path url uri type owner mode ttl length policy comment description expires"
)
#: Keys whose values are long and random, and public.
PUBLIC = _set_of(
    "hash hashes checksum checksums sha md digest fingerprint fingerprints pub public cert certificate ca "
    "gpgkey uuid guid serial mac image url uri sum etag pubkey"
)

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
WITH_PASSWORD = re.compile(
    r"(?<![a-z])[a-z][a-z0-9+.-]{0,31}://[^\s/:@{]{0,255}:(?!\{\{)[^\s/@{]{1,255}@", re.I
)
#: Tokens that their issuers made to be recognised: GitHub, GitLab, Slack, AWS, Stripe, HashiCorp Vault, Proxmox, JWT.
BRANDED = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{30}|\bgithub_pat_\w{30}|\bglpat-[\w-]{20}|\bxox[abprs]-[\w-]{10}|\bAKIA[A-Z0-9]{16}\b"
    r"|\bsk_live_\w{16}|\bhvs\.[\w-]{20}|PVEAPIToken=[^\s=!]{1,128}![^\s=!]{1,128}=[0-9a-f-]{36}"
    r"|\beyJ[\w-]{10,500}\.eyJ[\w-]{10,4000}\.[\w-]{10}"
)
#: In prose, and on command lines.
SAID = re.compile(
    r"(?i)\b(?:(?:password|passwd|passphrase|secret|token|api[ _-]?key)\s*[:=]|authorization:\s*(?:basic|bearer))"
    r"\s*(?P<value>[^\s,;]{4,})"
)
REFERENCE = re.compile(r"(?:env:[A-Za-z_]|file:/|vault:[A-Za-z_]|unlock:[A-Za-z0-9_])")
#: an extra variable whose whole value is one of these is resolved when the run begins
WHOLE_REFERENCE = re.compile(
    r"(?:env:[A-Za-z_]\w*|file:/(?!/)\S+|vault:[A-Za-z_]\w*|unlock:[A-Za-z0-9_][A-Za-z0-9_.-]*)\Z"
)
CRYPTED = re.compile(r"\$(?:[156y]|2[abxy]|argon2(?:id|i|d)|scrypt|gy|7)\$|\{[A-Z0-9-]+\}")
NOTHING = _set_of(
    "yes no true false on off none null ~ unknown prompt required optional present absent ask disabled enabled"
)
#: (looks ahead so far and no farther, or a long text without blanks is read once for each of its words)
RANDOM = re.compile(
    r"(?<![\w+/=.-])(?=[^\s]{0,200}?[A-Z])(?=[^\s]{0,200}?[a-z])(?=[^\s]{0,200}?[0-9])[A-Za-z0-9+_]{24,}={0,2}(?![\w+/.-])"
)
#: Bits a character: words of people stay below, random letters and digits lie above.
RANDOM_BITS = 4.0
#: Identifiers of people hold words, and few digits: ``thisIsALongVariable2``.
WORD = re.compile(r"[a-z]{6}|[A-Z]{6}")

#: Text without any of these, and without a long run of letters and digits, holds no secret. Plain searches are fast.
_TRACES = _set_of(
    "pass pwd pw authorization secret token psk key credential community pin hvs. xox sk_live akia eyj ://"
)
_LONG = re.compile(r"(?<![A-Za-z0-9+_])[A-Za-z0-9+_]{24}")


@lru_cache(maxsize=65_536)
def first_look(text: str) -> bool:
    """False when nothing in the JSON *text* can be a secret."""
    lowered = text.lower()
    return any(trace in lowered for trace in _TRACES) or bool(_LONG.search(text))


def secrets_in(
    path: str, value: Any, *, named_so: bool = False, public: bool = False
) -> Iterator[tuple[str, Sure]]:
    """Yield (path, whether there is no doubt) of each secret in *value*; *named_so* when the key above says so."""
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            return
        for key, below in value.items():
            words = _words(str(key))
            inherited = named_so and isinstance(below, str) and not _is_harmless(words)
            yield from secrets_in(
                f"{path}.{key}",
                below,
                named_so=_names_a_secret(words) or inherited or _is_pin(words, below),
                public=bool(PUBLIC & set(words)),
            )
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from secrets_in(f"{path}[{number}]", below, named_so=named_so, public=public)
    elif isinstance(value, str) and not _is_no_value(value):
        sure = _is_plain(value, named_so)
        if sure or (not public and _is_random(value)):
            yield path, sure
    elif named_so and isinstance(value, int) and not isinstance(value, bool) and value > 999:
        yield path, True


def _words(key: str) -> list[str]:
    words = [word.lower() for word in WORDS.findall(key)]
    while len(words) > 1 and (words[-1] in TRAILING or words[-1].isdigit()):
        words.pop()
    return words


def _names_a_secret(words: list[str]) -> bool:
    if not words:
        return False
    last = words[-1]
    if last in WITHOUT:
        return False
    if words[-2:] == ["snmp", "community"]:
        return True
    if last in ("key", "keys"):
        return len(words) > 1 and words[-2] in KEYS
    one = last.removesuffix("s")
    return last in SECRET_WORDS or one.endswith(ENDINGS) or (one in SECRET_WORDS and one != "pas")


def _is_pin(words: list[str], value: Any) -> bool:
    return words[-1:] == ["pin"] and bool(NUMERIC.match(str(value)))


def _is_harmless(words: list[str]) -> bool:
    return bool(words) and words[-1] in DESCRIBING


def _is_no_value(text: str) -> bool:
    stripped = text.strip()
    return (
        len(stripped) < 3
        or stripped.lower() in NOTHING
        or stripped.startswith(("$ANSIBLE_VAULT", "<", "AAAA", "ssh-", "ecdsa-", "SHA256:"))
        or bool(REFERENCE.match(stripped) or CRYPTED.match(stripped))
    )


def _is_plain(text: str, named_so: bool) -> bool:
    if PRIVATE_KEY.search(text) or BRANDED.search(text) or WITH_PASSWORD.search(text):
        return True
    if "{{" in text or "{%" in text:
        return False
    if named_so:
        return not text.startswith(("/", "~/", "./")) and "://" not in text
    return any(not _is_no_value(found["value"]) for found in SAID.finditer(text))


def _is_random(text: str) -> bool:
    if "{{" in text or "{%" in text or "\n" in text:
        return False
    return any(
        _bits(run) >= RANDOM_BITS and not WORD.search(run) and sum(map(str.isdigit, run)) > 1
        for run in (found.group().rstrip("=") for found in RANDOM.finditer(text))
    )


def _bits(text: str) -> float:
    """Shannon's entropy of one character of *text*."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
