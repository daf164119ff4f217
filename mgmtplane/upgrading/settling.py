"""A database that was put back goes on from where the newer one had come to: in SQL alone, for whichever version.

Consumers take no lower revision and no earlier epoch than they saw, so the old state gets a number above. What the newer
version did is not done again: jobs that have gone on since are over, due times that were handled stay handled.
"""

from __future__ import annotations

import contextlib
from typing import Any

ACTIVE = ("queued", "running", "waiting")
GONE_BACK = (
    "The database was put back by make upgrade-back, and the newer version had gone on with this job. Look at what there "
    "is, then ask anew."
)


def reached() -> dict[str, dict[str, Any]]:
    """Of each site ``[revision, epoch, uid]``, of each job ``state attempt``, of each schedule what it is done with."""
    known = _columns("inventory_site")
    epoch, uid = (name if name in known else instead for name, instead in (("epoch", "0"), ("uid", "''")))
    return {
        "sites": {
            slug: [number, at, _plain(uid)]
            for slug, number, at, uid in _all(f"SELECT slug, revision, {epoch}, {uid} FROM inventory_site")  # noqa: S608
        },
        "jobs": {str(pk): f"{state} {attempt}" for pk, state, attempt in _jobs()},
        "schedules": {str(pk): str(handled) for pk, handled in _schedules()},
    }


def settle(facts: dict[str, dict[str, Any]]) -> list[str]:
    """Go on from *facts*, of sites without a uid too; what was done, in words. Done again it does nothing."""
    from django.db import transaction

    with transaction.atomic():
        said = [_numbered(slug, *found) for slug, found in sorted(facts["sites"].items())]
        said.append(_ended(facts["jobs"]))
        _handled(facts["schedules"])
    return [line for line in said if line]


def _numbered(slug: str, revision: int, epoch: int, uid: str = "") -> str:
    """The site may have been renamed meanwhile; its *uid* stays, where both versions have one."""
    known = _columns("inventory_site")
    if uid and "uid" in known:
        sites = _all("SELECT id, slug, revision, uid FROM inventory_site")
        found = [site[:3] for site in sites if _plain(site[3]) == uid]
    else:
        found = _all("SELECT id, slug, revision FROM inventory_site WHERE slug = %s", slug)
    if not found:
        return ""
    ((pk, slug, was),) = found
    if epoch and "epoch" in known:
        _run("UPDATE inventory_site SET epoch = %s WHERE id = %s AND epoch < %s", epoch, pk, epoch)
    if was >= revision:
        return ""
    _run("UPDATE inventory_site SET revision = %s WHERE id = %s", revision + 1, pk)
    _record(pk, slug, revision + 1, f"Gone back by make upgrade-back: this is revision {was} again.")
    return f"{slug}: what was revision {was} is revision {revision + 1} now, so that consumers take it."


def _plain(uid: Any) -> str:
    """As SQLite has it; PostgreSQL writes dashes."""
    return str(uid).replace("-", "")


def _record(pk: int, slug: str, revision: int, why: str) -> None:
    """For people who read the history; a version that keeps it otherwise does without."""
    from django.db import transaction

    with contextlib.suppress(Exception), transaction.atomic():
        from inventory.models import Change

        Change.objects.create(
            site_id=pk,
            site_slug=slug,
            revision=revision,
            by_name="make upgrade-back",
            why=why,
            source="upgrade",
        )


def _ended(jobs: dict[str, str]) -> str:
    """End what was active when the database was kept, and is not as it was then."""
    moved = [
        (pk, state)
        for pk, state, attempt in _jobs()
        if state in ACTIVE and jobs.get(str(pk)) != f"{state} {attempt}"
    ]
    more = {"waiting_for": "''", "lease_until": "NULL", "finished": "CURRENT_TIMESTAMP"}
    known = _columns("provisioning_job")
    columns = "".join(f", {name} = {value}" for name, value in more.items() if name in known)
    for pk, state in moved:
        after = "lost" if state == "running" else "cancelled"
        _run(
            f"UPDATE provisioning_job SET state = %s, message = %s{columns} WHERE id = %s",  # noqa: S608
            after,
            GONE_BACK,
            pk,
        )
    if not moved:
        return ""
    names = ", ".join(str(pk) for pk, _ in moved[:10])
    return f"{len(moved)} jobs that the newer version went on with are over: {names}."


def _handled(schedules: dict[str, str]) -> None:
    for pk, until in schedules.items():
        if "handled" in _columns("provisioning_schedulestate"):
            _run(
                "UPDATE provisioning_schedulestate SET handled = %s WHERE schedule_id = %s AND handled < %s",
                until,
                int(pk),
                until,
            )


def _jobs() -> list[tuple[Any, ...]]:
    known = _columns("provisioning_job") >= {"id", "state", "attempt", "message"}
    return _all("SELECT id, state, attempt FROM provisioning_job ORDER BY id") if known else []


def _schedules() -> list[tuple[Any, ...]]:
    known = "handled" in _columns("provisioning_schedulestate")
    return _all("SELECT schedule_id, handled FROM provisioning_schedulestate") if known else []


def _columns(table: str) -> set[str]:
    """Of a table; none where there is no such."""
    from django.db import connection

    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return set()
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def _all(sql: str, *given: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())


def _run(sql: str, *given: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, given)
