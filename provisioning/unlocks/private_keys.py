"""SSH private keys as people paste them: whether an agent takes them as they are. Pure."""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----")
_OPENSSH = "OPENSSH "


def looks_like_one(text: str) -> bool:
    return bool(_BEGIN.search(text))


def as_agents_take_it(text: str) -> str:
    """*text* without what a browser or an editor did to its line breaks."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def problem(text: str) -> str:
    """Why an agent does not take this key: a sentence with the way out, or nothing. It says nothing of the key."""
    found = _BEGIN.match(text)
    if found is None:
        return (
            "This is no SSH private key: it begins with “-----BEGIN … PRIVATE KEY-----”. Paste the whole file, not the "
            "one whose name ends in .pub."
        )
    load = load_ssh_private_key if found[1] == _OPENSSH else load_pem_private_key
    try:
        load(text.encode(), None)
    except TypeError:
        return (
            "This key is protected by a passphrase, which nobody could type when it is used. Enter a copy without one, "
            "which then lies in memory alone: cp KEY /dev/shm/k; ssh-keygen -p -N '' -f /dev/shm/k; and remove /dev/shm/k "
            "afterwards."
        )
    except UnsupportedAlgorithm:
        return ""  # of a kind that agents may know and this library does not
    except ValueError:
        return "This SSH private key is damaged or cut; paste the whole file, from BEGIN to END."
    return ""
