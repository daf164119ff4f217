"""Lowered severities that are over, or lower nothing."""

from __future__ import annotations

from dataclasses import replace

from inventory.snapshot import OverrideFacts
from tests.rules.cases.making import Pair, with_card

UNTIL = OverrideFacts("reservation-unknown-mac", "info", "the card is in the post", "2030-06-15")


def lowered(override: OverrideFacts, **facts):
    return replace(with_card(**facts), overrides=(override,))


CASES = {
    "override-expired": Pair(
        lowered(replace(UNTIL, expires="2030-06-14"), mac=None), lowered(UNTIL, mac=None)
    ),
    "override-idle": Pair(lowered(UNTIL), lowered(UNTIL, mac=None)),
}
