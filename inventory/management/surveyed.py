"""The VMIDs that hypervisors were seen to have, as commands are told of them."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path

from inventory.allocation import Refused

NOT_ASKED = (
    "The hypervisors were not asked: a machine there that nobody declared may have this VMID. "
    "Name those that exist with --surveyed."
)


def add_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--surveyed",
        metavar="LIST",
        help="VMIDs that the hypervisors have: 100,101, or a file that lists them, or “none”",
    )


def vmids(text: str | None) -> frozenset[int] | None:
    """None when nobody looked; an empty list is a survey that failed, unless it says so."""
    if text is None:
        return None
    said = text
    path = Path(text)
    if not re.fullmatch(r"[\d,\s]+|none", text):
        try:
            said = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(
                f"--surveyed {text} is neither a list of VMIDs nor a file that can be read: {error}"
            ) from None
    if said == "none":
        return frozenset()
    if not re.fullmatch(r"\[?\s*\d+(?:[\s,]+\d+)*\s*\]?", said):
        raise Refused(
            f"--surveyed {text} lists no VMIDs; write 100,101 or one a line, or “none” when the hypervisors are empty."
        )
    return frozenset(int(number) for number in re.findall(r"\d+", said))
