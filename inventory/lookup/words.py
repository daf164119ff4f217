"""What a person typed into the find field, as tests on texts. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from inventory.addressing import Network
from inventory.identity import canonical_mac

#: Fewer hex digits than this are found everywhere.
FEWEST_DIGITS = 4
_SEPARATORS = str.maketrans("", "", ":-. ")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: all of them must be found in one thing. *text* is lower case."""

    text: str
    #: hex digits, when the word may be a MAC or a part of one
    digits: str = ""
    #: when the word is a network or a range of addresses
    span: tuple[int, int, int] | None = None

    def in_text(self, lowered: str) -> bool:
        return self.text in lowered

    def is_in_digits(self, digits: str) -> bool:
        return bool(self.digits) and self.digits in digits

    def spans(self, numbers: tuple[tuple[int, int], ...]) -> bool:
        if self.span is None:
            return False
        version, first, last = self.span
        return any(is_of == version and first <= number <= last for is_of, number in numbers)

    @property
    def has_marks(self) -> bool:
        """Whether JSON's own marks are in it, which stand in every text of variables."""
        return any(mark in self.text for mark in '":,{}[]\\')

    def in_mac(self, mac: str) -> bool:
        return bool(self.digits) and self.digits in mac.replace(":", "")

    def in_address(self, address: str) -> bool:
        if self.span is None:
            return self.text in address
        value = ipaddress.ip_address(address)
        version, first, last = self.span
        return value.version == version and first <= int(value) <= last


def words_of(text: str) -> list[Word]:
    """The words of *text*; a MAC with blanks between its octets is one."""
    stripped = text.strip().lower()
    try:
        return [_word(canonical_mac(stripped.replace(" ", "")))]
    except ValueError:
        return [_word(word) for word in stripped.split()]


def _word(text: str) -> Word:
    digits = text.translate(_SEPARATORS)
    is_hex = len(digits) >= FEWEST_DIGITS and all(c in "0123456789abcdef" for c in digits)
    # 10.20.30.11 is hex as well, and no MAC
    looks_like_address = text.count(".") == 3 and "." in text and not any(c in "abcdef:-" for c in text)
    try:
        return Word(canonical_address(text), "" if looks_like_address or not is_hex else digits)
    except ValueError:
        return Word(text, digits if is_hex and not looks_like_address else "", _span(text))


def canonical_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _span(text: str) -> tuple[int, int, int] | None:
    """``10.20.30.0/28`` or ``10.20.30.2-10.20.30.49`` as (version, first, last)."""
    try:
        if "/" in text:
            network: Network = ipaddress.ip_network(text, strict=False)
            return network.version, int(network[0]), int(network[-1])
        first, dash, last = text.partition("-")
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        return (low.version, int(low), int(high)) if dash and low.version == high.version else None
    except ValueError:
        return None


def pieces(text: str, words: Sequence[Word]) -> tuple[tuple[str, bool], ...]:
    """*text* in pieces, with whether each is what one of *words* found."""
    wanted = [re.escape(word.text) for word in words if word.text]
    wanted += ["[:. -]?".join(word.digits) for word in words if word.digits]
    if not wanted:
        return ((text, False),)
    parts = re.split(f"({'|'.join(sorted(wanted, key=len, reverse=True))})", text, flags=re.IGNORECASE)
    return tuple((part, bool(at % 2)) for at, part in enumerate(parts) if part)
