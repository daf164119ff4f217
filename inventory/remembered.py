"""How long answers to requests with an Idempotency-Key are remembered."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from inventory.models import RememberedAnswer

KEPT = timedelta(hours=24)


def prune(now: datetime | None = None) -> int:
    """Forget what is older than a day; return how many answers that were."""
    old = RememberedAnswer.objects.filter(created__lte=(now or timezone.now()) - KEPT)
    return old.delete()[0]
