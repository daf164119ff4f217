"""Rows as lines of JSON, and back: any table, from either database into either.

One file a table, named after its model; the first line has the columns, each further one a row. Values are written as
Django's serializer writes them (times in UTC, bytes in base64), so that the model's own fields read them again.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import gzip
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import QuerySet

from provisioning.backups.archive import CannotBackUp

FOLDER = "tables"
#: of no use elsewhere or later: who is signed in, who mistyped a password, which worker lives
LEFT_OUT = ("sessions.session", "axes.", "provisioning.worker")
AT_ONCE = 2000
#: what the encoder writes; of anything else, such as a time zone, its field knows what a database keeps
WRITTEN = (
    NoneType, bool, int, float, str, list, dict,
    datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID,
)  # fmt: skip

Model = type[models.Model]


def kept(registry: Apps = installed) -> list[Model]:
    """Every model whose rows are backed up, in a fixed order; links between rows are models too."""
    found = {
        model._meta.label_lower: model
        for model in registry.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    return [found[label] for label in sorted(found) if not label.startswith(LEFT_OUT)]


def dump(folder: Path) -> dict[str, int]:
    """Write every table below *folder*, over what was dumped there before; how many rows each has.

    The caller holds one moment (``reading.one_moment``).
    """
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    return {model._meta.label_lower: _dump(model, folder / FOLDER) for model in kept()}


def _dump(model: Model, folder: Path) -> int:
    columns = _columns(model)
    names = [column.attname for column in columns]
    rows = QuerySet(model).order_by("pk").values_list(*names).iterator(AT_ONCE)
    number = 0
    with _written(folder / f"{model._meta.label_lower}.jsonl.gz") as file:
        file.write(_line(names))
        for row in rows:
            file.write(_line([_plain(column, value) for column, value in zip(columns, row, strict=True)]))
            number += 1
    return number


def _written(path: Path) -> gzip.GzipFile:
    return gzip.GzipFile(path, "wb", compresslevel=6, mtime=0)


def _columns(model: Model) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _plain(column: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value if isinstance(value, WRITTEN) else column.get_prep_value(value)


class _Encoder(DjangoJSONEncoder):
    """Times to the microsecond: Django's own encoder cuts them to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def _line(values: Sequence[Any]) -> bytes:
    return json.dumps(values, cls=_Encoder, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# --- back into a database ---


def load(folder: Path, registry: Apps, *, database: str = DEFAULT_DB_ALIAS) -> dict[str, int]:
    """Replace what is in every table by what was dumped; how many rows each has now.

    *registry* has the models as they were when it was dumped. In one transaction of the caller's, in which constraints
    between tables are looked at last. Raises CannotBackUp for a table or a column that the models do not know.
    """
    found = {model._meta.label_lower: model for model in kept(registry)}
    files = {path.name.removesuffix(".jsonl.gz"): path for path in (folder / FOLDER).glob("*.jsonl.gz")}
    if strange := sorted(set(files) - set(found)):
        raise CannotBackUp(
            f"This version knows no {', '.join(strange)}. Restore with the version that made the archive."
        )
    for model in found.values():
        _empty(model, database)
    for label, path in sorted(files.items()):
        _load(found[label], path, database)
    _restart_sequences(list(found.values()), database)
    return {label: QuerySet(found[label], using=database).count() for label in sorted(files)}


def _empty(model: Model, database: str) -> None:
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  a table of ours


def _load(model: Model, path: Path, database: str) -> None:
    with gzip.open(path, "rb") as file:
        names = json.loads(file.readline())
        columns = {column.attname: column for column in _columns(model)}
        if strange := sorted(set(names) - set(columns)):
            raise CannotBackUp(f"This version's {model._meta.label_lower} has no {', '.join(strange)}.")
        fields = [columns[name] for name in names]
        for batch in _batches(file):
            rows = [_row(model, fields, values) for values in batch]
            # As a fixture is loaded: past the model's save, and past whatever would set a time or a user of its own.
            QuerySet(model, using=database)._insert(rows, fields=fields, using=database, raw=True)  # type: ignore[attr-defined]


def _batches(file: Iterable[bytes]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for line in file:
        batch.append(json.loads(line))
        if len(batch) == 200:  # SQLite takes a limited number of values in one statement
            yield batch
            batch = []
    if batch:
        yield batch


def _row(model: Model, fields: Sequence[models.Field[Any, Any]], values: Sequence[Any]) -> models.Model:
    row = model()
    for field, value in zip(fields, values, strict=True):
        setattr(row, field.attname, value if isinstance(field, models.JSONField) else field.to_python(value))
    return row


def _restart_sequences(found: list[Model], database: str) -> None:
    connection = connections[database]
    statements = connection.ops.sequence_reset_sql(no_style(), found)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
