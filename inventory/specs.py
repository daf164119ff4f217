"""What the specification of a machine may say, in sentences for people. Pure."""

from __future__ import annotations

import base64
import binascii
import re

from inventory.machine_facts import MachineFacts

#: QEMU cuts a serial off behind this.
LONGEST_SERIAL = 20
#: Text that must never be stored: whoever has it gets in.
PRIVATE = "PRIVATE KEY"

_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
_SERIAL = re.compile(r"[A-Za-z0-9_-]{1,20}\Z")
_TEMPLATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")


def said(machine: MachineFacts) -> str:
    """``2 cores, 2048 MiB, 32 GiB, from debian-13-``"""
    disks = f"{machine.os_disk} GiB" + (f" and {machine.data_disk} GiB of data" if machine.data_disk else "")
    if machine.boot == "pxe":
        origin = "from the network"
    else:
        origin = f"from {machine.template}" if machine.template else "no template yet"
    return f"{machine.cores} cores, {machine.memory} MiB, {disks}, {origin}"


def lines_of(text: str) -> str:
    """*text* without empty lines, blanks at the ends of lines and carriage returns."""
    return "\n".join(line for part in text.splitlines() if (line := part.strip()))


def keys_problem(text: str) -> str:
    """Why *text* is no list of SSH public keys, a line each; empty when it is. A private key is not repeated."""
    if PRIVATE in text.upper():
        return (
            "This is a private key, which must never be stored here; write the public one, the line in the file that "
            "ends in .pub. Whoever saw the private key knows it: make a new one."
        )
    for number, line in enumerate(lines_of(text).split("\n"), 1):
        if line and (problem := _key_problem(line)):
            return f"Line {number} {problem}"
    return ""


def _key_problem(line: str) -> str:
    words = line.split(None, 2)
    if words[0] not in _KEY_TYPES:
        return (
            "does not begin with the type of an SSH public key, such as ssh-ed25519; write one key a line, without "
            "options before it."
        )
    if len(words) < 2 or _type_within(words[1]) != words[0]:
        return f"is no whole {words[0]} key; copy the line of the .pub file once more."
    return ""


def _type_within(encoded: str) -> str:
    """The type that a key itself names: its first string (RFC 4253, section 6.6)."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ""
    length = int.from_bytes(blob[:4], "big")
    name, key = blob[4 : 4 + length], blob[4 + length :]
    return name.decode("ascii", "replace") if len(name) == length and len(key) > 4 else ""


def serial_problem(serial: str) -> str:
    if _SERIAL.match(serial):
        return ""
    return (
        f"“{serial}” is no serial of a disk; use 1 to {LONGEST_SERIAL} letters, digits, hyphens and underscores, "
        "such as data01."
    )


def template_problem(prefix: str) -> str:
    if _TEMPLATE.match(prefix):
        return ""
    return (
        f"“{prefix}” begins no name of a template; use letters, digits, dots and hyphens, such as debian-13-."
    )


def user_problem(user: str) -> str:
    if _USER.match(user):
        return ""
    return f"“{user}” is no name of a user; use lower-case letters, digits, hyphens and underscores, such as ops."


def data_disk_problem(data_disk: int | None, serial: str) -> str:
    """What is wrong with a data disk and its serial together: guests find the disk by nothing else."""
    if data_disk is not None and not serial:
        return "A data disk carries a serial, since /dev/sdX changes from boot to boot; write one such as data01."
    if data_disk is None and serial:
        return "There is no data disk that could carry this serial; give its size, or take the serial away."
    return ""
