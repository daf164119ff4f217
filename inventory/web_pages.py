"""Local ports for web pages that have none yet. Called by the door before it commits; by nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import connection

from inventory.local_ports import FIRST, LAST, next_port
from inventory.models import Service, Site

#: of PostgreSQL, held until the change commits
TURN = 0x6C6F63616C  # "local"


def give(site: Site, rows: Sequence[Service]) -> list[Service]:
    """Set the next free port on each of *rows*, by name; return those that got one. The site is locked.

    Two sites take turns, or both would get the same. Raises ValidationError when none is left.
    """
    if connection.vendor == "postgresql":  # SQLite has one writer
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
    ports = dict(Service.objects.exclude(local_port=None).values_list("pk", "local_port"))
    mine = dict(Service.objects.filter(site=site).exclude(local_port=None).values_list("pk", "local_port"))
    own = {port for port in mine.values() if port is not None}
    elsewhere = {port for pk, port in ports.items() if port is not None and pk not in mine}
    ever = set(
        Service.history.exclude(local_port=None).order_by().values_list("local_port", flat=True).distinct()
    )
    given = []
    for row in sorted(rows, key=lambda row: (row.name, row.tenant, row.pk)):
        port = next_port(own, elsewhere, ever)
        if port is None:
            raise ValidationError(
                f"Every local port from {FIRST} to {LAST} is some web page's; remove a service that is not used."
            )
        row.local_port = port
        own.add(port)
        given.append(row)
    return given
