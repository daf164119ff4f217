"""Host patterns of a hosts file: ranges such as ``web[01:10]``, and ports.

Rules: ansible-core 2.19, ``ansible.plugins.inventory.expand_hostname_range`` and ``_expand_hostpattern``,
``ansible.parsing.utils.addresses.parse_address``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

MAX_HOSTS = 100_000
LONGEST = 1_000

_DECIMAL = r"\[[0-9]+:[0-9]+(?::[0-9]+)?\]"
_HEXADECIMAL = r"\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]"
_RANGE = r"\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]"
_OCTET = re.compile(rf"[01]?[0-9]{{1,2}}|2[0-4][0-9]|25[0-5]|{_DECIMAL}")
_HEXTET = re.compile(rf"[0-9a-f]{{1,4}}|{_HEXADECIMAL}", re.IGNORECASE)
_LABEL = rf"(?:\w|{_RANGE})(?:[\w-]|{_RANGE})*(?<![_-])"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(.+)\]:([0-9]+)")
_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)")
_COLONS_OUTSIDE = re.compile(r":(?![^\[]*\])")


class BadPattern(ValueError):
    """A host pattern that Ansible refuses; the message says why."""


def expand(pattern: str) -> tuple[list[str], int | None]:
    """The host names that *pattern* stands for, and the port it names for all of them."""
    if len(pattern) > LONGEST:
        raise BadPattern(
            f"The host pattern {pattern[:40]!r}… has {len(pattern):,} characters; {LONGEST:,} are the most."
        )
    name, port = split_port(pattern)
    return (expand_range(name) if "[" in name else [name]), port


def split_port(pattern: str) -> tuple[str, int | None]:
    """``host:22`` → host and 22. What is no address with a port is returned whole, brackets and all."""
    address, port = pattern, None
    for form in (_BRACKETED, _WITH_PORT):  # Ansible applies both, one after the other
        if match := form.fullmatch(address):
            address, port = match[1], int(match[2])
    if port is not None and (_is_ipv4(address) or _is_ipv6(address) or _NAME.fullmatch(address)):
        return address, port
    return pattern, None


def _is_ipv4(address: str) -> bool:
    parts = address.split(".")
    return len(parts) == 4 and all(_OCTET.fullmatch(part) for part in parts)


def _is_ipv6(address: str) -> bool:
    """Whether Ansible takes *address* for IPv6, a range in place of any part."""
    if "." in address:
        return _is_ipv4_in_ipv6(address.lower())
    head, double, tail = address.partition("::")
    before, after = _hextets(head), _hextets(tail)
    if before is None or after is None:
        return False
    if not double:
        return len(before) == 8
    if not before or not after:
        return len(before) + len(after) <= 6
    return len(before) + len(after) <= 7


def _is_ipv4_in_ipv6(address: str) -> bool:
    *heads, tail = _COLONS_OUTSIDE.split(address)
    head = ":".join(heads)
    octets = tail.split(".")
    known = head in ("0:0:0:0:0:0", "0:0:0:0:0:ffff", ":", "::ffff")
    return known and len(octets) == 4 and all(_HEXTET.fullmatch(octet) for octet in octets)


def _hextets(text: str) -> list[str] | None:
    parts = _COLONS_OUTSIDE.split(text) if text else []
    return parts if all(_HEXTET.fullmatch(part) for part in parts) else None


def expand_range(pattern: str, limit: int = MAX_HOSTS) -> list[str]:
    """Every name of ``head[first:last:step]tail``, any number of ranges, in Ansible's order."""
    names = [pattern]
    while any("[" in name for name in names):
        expanded: list[str] = []
        for name in names:
            if "[" not in name:
                expanded.append(name)
                continue
            head, numbers, tail = _first_range(name, pattern)
            if len(expanded) + len(numbers) > limit:
                raise BadPattern(f"The range {pattern!r} stands for more than {limit:,} hosts.")
            expanded.extend(f"{head}{number}{tail}" for number in numbers)
        names = expanded
    return names


def _first_range(name: str, pattern: str) -> tuple[str, Sequence[str], str]:
    parts = name.replace("[", "|", 1).replace("]", "|", 1).split("|")
    if len(parts) != 3:
        raise BadPattern(f"The range in {pattern!r} is not closed, or beside a `|`.")
    head, bounds, tail = parts
    numbers = bounds.split(":")
    if len(numbers) not in (2, 3):
        raise BadPattern(f"A range is [first:last] or [first:last:step]; {pattern!r} is not.")
    first, last = numbers[0] or "0", numbers[1]
    if not last:
        raise BadPattern(f"The range in {pattern!r} has no end.")
    width = len(first) if first[0] == "0" and len(first) > 1 else 0
    if width and width != len(last):
        raise BadPattern(f"In {pattern!r} begin and end need the same number of digits.")
    try:
        step = int(numbers[2]) if len(numbers) == 3 else 1
        return head, _numbers(first, last, step, width, pattern), tail
    except BadPattern:
        raise
    except OverflowError:  # beyond what Python counts
        raise BadPattern(f"The range {pattern!r} stands for more than {MAX_HOSTS:,} hosts.") from None
    except ValueError:
        raise BadPattern(f"The range in {pattern!r} is neither of numbers nor of single letters.") from None


def _numbers(first: str, last: str, step: int, width: int, pattern: str) -> Sequence[str]:
    letters = string.ascii_letters
    if first in letters and last in letters:
        start, stop = letters.index(first), letters.index(last)
        if start > stop:
            raise BadPattern(f"In {pattern!r} the range ends before it begins.")
        return letters[start : stop + 1 : step]
    numbers = range(int(first), int(last) + 1, step)
    if len(numbers) > MAX_HOSTS:
        raise BadPattern(f"The range {pattern!r} stands for more than {MAX_HOSTS:,} hosts.")
    return [str(number).zfill(width) for number in numbers]
