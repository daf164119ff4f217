"""What has to be asked of, or done in, one version of the application: ``python inside.py WAY …`` with its source as cwd.

It is run with the previous version as well as with the new one, so it calls only what both have: the registry of
exports, ``renderings.document``, Django.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

DECLARED = "declared"
#: as what each export is rendered: whatever is declared, and for either one that may serve it
AUTHORITIES = {DECLARED: None, "gateway": "gateway", "bootstrap": "bootstrap"}
#: the file that stands for an export that could not be made
REFUSED = "REFUSED"


def facts(out: str) -> None:
    """Write what the database is, and whether it is exactly at this version's schema, as JSON to *out*."""
    from django.conf import settings
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    waiting = executor.migration_plan(graph.leaf_nodes())
    unknown = sorted(
        f"{app}.{name}" for app, name in set(executor.loader.applied_migrations) - set(graph.nodes)
    )
    found = {
        "vendor": connection.vendor,
        "name": str(settings.DATABASES["default"]["NAME"]),
        "waiting": [f"{migration.app_label}.{migration.name}" for migration, _ in waiting],
        "unknown": unknown,
        "others": _others(connection),
        "backs_up": _backs_up(),
    }
    Path(out).write_text(json.dumps(found), encoding="utf-8")


def _others(connection: Any) -> list[str]:
    """Who else is connected to the database, a line each. PostgreSQL alone knows."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, usename, coalesce(application_name, ''), coalesce(host(client_addr), 'this machine') "
            "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' ORDER BY pid"
        )
        return [
            f"{user} {name}".strip() + f" from {where} (process {pid})" for pid, user, name, where in cursor
        ]


def _backs_up() -> bool:
    from django.core.management import get_commands

    return "backup" in get_commands()


def backup(folder: str) -> None:
    """``backup create``, for a version as well that could not write the time zones which its clock's rows have."""
    from datetime import tzinfo

    from django.core.management import call_command
    from django.core.serializers.json import DjangoJSONEncoder

    plain = DjangoJSONEncoder.default

    def with_zones(self: Any, o: Any) -> Any:
        return str(o) if isinstance(o, tzinfo) else plain(self, o)

    DjangoJSONEncoder.default = with_zones  # type: ignore[method-assign]
    call_command("backup", "create", "--to", folder)


def render(out: str) -> None:
    """Write every export of every site, as declared and for both authorities, below *out*: site/authority/format/file."""
    from inventory.exports.registry import all_exports
    from inventory.models import Site

    for slug in Site.objects.order_by("slug").values_list("slug", flat=True):
        for authority, mode in AUTHORITIES.items():
            for export in all_exports():
                if mode and getattr(export, "is_whole", False):  # the same for whoever serves
                    continue
                _render(slug, mode, export.name, Path(out) / slug / authority / export.name)


def _render(slug: str, mode: Any, format: str, into: Path) -> None:
    from inventory.serving import renderings

    try:
        _, _, document = renderings.document(slug, format, authority=mode)
        files = {name: bytes(content) for name, content in document.files.items()}
    except renderings.NothingDeclared:
        return
    except Exception as error:  # a version may be unable to make one, and that is what is compared then
        files = {REFUSED: f"{type(error).__name__}: {error}\n".encode()}
    for name, content in files.items():
        place = into / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(content)


def restore(archive: str) -> None:
    """Bring the empty database to what *archive* has. What differs afterwards is for the caller to find."""
    from provisioning.backups import restoring

    restoring.restore(Path(archive))


def put_back(archive: str) -> None:
    """The same, in its own place: a version that tells copies apart is told that this is no other."""
    from inspect import signature

    from provisioning.backups import restoring

    known = "same_copy" in signature(restoring.restore).parameters
    more: dict[str, Any] = {"same_copy": True} if known else {}
    restoring.restore(Path(archive), **more)


def rows(out: str) -> None:
    """Write one SHA-256 over every row of every table to *out*: of a database that nobody wrote it is the same."""
    from hashlib import sha256

    from django.db import connection

    whole = sha256()
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  its own name
            found = sorted(sha256(repr(row).encode()).digest() for row in cursor)
            whole.update(f"{table} {len(found)}\n".encode() + b"".join(found))
    Path(out).write_text(whole.hexdigest(), encoding="utf-8")


def reached(out: str) -> None:
    """Write how far the database has come, as ``settling.settle`` reads it, to *out*."""
    Path(out).write_text(json.dumps(_settling().reached()), encoding="utf-8")


def settle(facts: str) -> None:
    """Print what was made of *facts*, a line each."""
    found = json.loads(Path(facts).read_text(encoding="utf-8"))
    sys.stdout.write("".join(f"{line}\n" for line in _settling().settle(found)))


def _settling() -> Any:
    """What lies beside this file, whichever version is asked."""
    sys.path.append(str(Path(__file__).parent))
    return import_module("settling")


def empty() -> None:
    """Drop every table that this version knows, in one statement."""
    from django.db import connection

    tables = [*connection.introspection.django_table_names(only_existing=True, include_views=False)]
    if "django_migrations" in connection.introspection.table_names():
        tables.append("django_migrations")
    if tables:
        with connection.cursor() as cursor:
            names = ", ".join(connection.ops.quote_name(name) for name in sorted(set(tables)))
            cursor.execute(f"DROP TABLE {names} CASCADE")


def main(words: list[str]) -> None:
    sys.path[0] = str(Path.cwd())
    os.environ["DJANGO_SETTINGS_MODULE"] = "mgmtplane.settings"
    import django

    django.setup()
    ways: dict[str, Callable[..., None]] = {
        "facts": facts,
        "backup": backup,
        "render": render,
        "restore": restore,
        "put_back": put_back,
        "empty": empty,
        "rows": rows,
        "reached": reached,
        "settle": settle,
    }
    ways[words[0]](*words[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
