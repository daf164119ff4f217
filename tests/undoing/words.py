"""What tests of undo say again and again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory import reading
from inventory.exports.registry import get_export
from inventory.models import (
    Change,
    Host,
)
from inventory.undoing.undo import Refused, undo
from tests.undoing.conftest import latest


def document(slug: str = "lab") -> bytes:
    """The site as its document says it, without the bookkeeping of identities."""
    snapshot = replace(reading.load(slug), identities=())
    (content,) = get_export("site").render(snapshot, None).files.values()
    return content


def refused(*changes: Change) -> list[str]:
    with pytest.raises(Refused) as refusal:
        undo(list(changes) or [latest()], by="ada", why="a mistake")
    return [one.sentence for one in refusal.value.refusals]


def pi01() -> Host:
    return Host.objects.get(name="pi01")
