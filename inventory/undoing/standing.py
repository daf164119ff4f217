"""What other rows, stored now, have to say to a plan: who stands on what it deletes, what is missing, what is taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import UniqueConstraint

from inventory.models import Declared, Nesting, Site
from inventory.undoing.gathering import called, columns_of, introduce, models, noun_of
from inventory.undoing.plan import Key, Plan, Reference, Refusal, Values, circle, doubled, standing_on

#: from here on one query for the whole site is cheaper than asking for the rows alone
MANY = 500
#: so many refusals of a kind are told one by one
MOST = 25

#: constraints that hold for some rows only
_WHERE: dict[str, Callable[[Values], bool]] = {
    "role_code": lambda values: bool(values["code"]),
    "interface_one_primary": lambda values: bool(values["primary"]),
}


def refusals(plan: Plan, site: Site) -> list[Refusal]:
    """Everything that stands in the way of *plan* at *site*."""
    found = [*_stood_on(plan), *_missing(plan), *_taken(plan, site), *_circles(plan, site)]
    return sorted(set(found), key=lambda one: one.sentence)


# --- what would lose its ground ---


def _stood_on(plan: Plan) -> Iterator[Refusal]:
    named = {row.key: row for row in plan.deleted}
    if not named:
        return
    standing = standing_on(plan, _references(set(named)))
    by_noun: dict[str, list[Reference]] = defaultdict(list)
    for one in standing:
        by_noun[one.noun.name].append(one)
    for noun, references in by_noun.items():
        model = models()[noun]
        told = references[:MOST]
        rows = model._base_manager.in_bulk([one.pk for one in told])
        introduce(model, list(rows.values()))
        newest = _newest(model, [one.pk for one in told])
        for one in told:
            entry = newest.get(one.pk)
            since = f", since revision {entry[1]} by {entry[2] or 'nobody'}" if entry else ""
            yield Refusal(
                f"{named[one.target]} is named by {one.noun.label} {called(rows[one.pk])} "
                f"({one.noun.labels.get(one.column, one.column)}){since}.",
                entry[0] if entry else None,
            )
        if len(references) > MOST:
            yield Refusal(f"{len(references) - MOST} more of the {noun} rows stand on what would be deleted.")


def _references(targets: set[Key]) -> Iterator[Reference]:
    by_noun: dict[str, set[int]] = defaultdict(set)
    for noun, pk in targets:
        by_noun[noun].add(pk)
    for model in models().values():
        for field in model._meta.concrete_fields:
            related: Any = field.related_model
            noun = str(related._meta.model_name) if field.is_relation and related else ""
            if noun not in by_noun:
                continue
            wanted = by_noun[noun]
            rows = model._base_manager.exclude(**{field.attname: None})
            if len(wanted) <= MANY:
                rows = rows.filter(**{f"{field.attname}__in": wanted})
            for pk, target in rows.order_by().values_list("pk", field.attname):
                if target in wanted:
                    yield Reference(noun_of(model), pk, field.attname, (noun, target))


def _newest(model: type[Declared], keys: list[int]) -> dict[int, tuple[int, int, str]]:
    """id → change, revision and person of the newest entry of its history."""
    rows = model.history.model.objects.filter(id__in=keys, change__isnull=False)
    found = rows.order_by("history_id").values_list("id", "change", "change__revision", "change__by_name")
    return {pk: (change, revision, by) for pk, change, revision, by in found}


# --- what would stand on nothing ---


def _missing(plan: Plan) -> Iterator[Refusal]:
    wanted: dict[Any, dict[int, str]] = defaultdict(dict)
    for label, noun, values in _restored(plan):
        for name, field in columns_of(models()[noun]).items():
            related: Any = field.related_model
            if field.is_relation and issubclass(related, Declared) and values.get(name) is not None:
                wanted[related].setdefault(values[name], label)
    final = plan.final()
    for model, rows in wanted.items():
        noun = str(model._meta.model_name)
        keys = list(rows)
        there: set[int] = set()
        for start in range(0, len(keys), MANY):
            chunk = model._base_manager.filter(pk__in=keys[start : start + MANY])
            there.update(chunk.values_list("pk", flat=True))
        for pk, label in rows.items():
            if final.get((noun, pk)) is not None or (pk in there and (noun, pk) not in final):
                continue
            if model is Site:
                continue
            gone = model.history.model.objects.filter(id=pk).select_related("change").order_by("-history_id")
            last = gone.first()
            by = (
                f" by {last.change.by_name or 'nobody'} in revision {last.change.revision}"
                if last and last.change
                else ""
            )
            name = called(last.instance) if last else f"number {pk}"
            yield Refusal(
                f"{label} needs {model._meta.verbose_name} {name}, which was deleted{by}.",
                last.change_id if last else None,
            )


def _restored(plan: Plan) -> Iterator[tuple[str, str, Values]]:
    for row in plan.created:
        yield str(row), row.noun.name, row.before or {}
    for edit in plan.edits:
        yield str(edit.row), edit.row.noun.name, {name: then for name, (_, then) in edit.columns.items()}


# --- what is taken ---


def _taken(plan: Plan, site: Site) -> Iterator[Refusal]:
    final = plan.final()
    restored: dict[str, set[int]] = defaultdict(set)
    names: dict[Key, str] = {}
    for row in [*plan.created, *(edit.row for edit in plan.edits)]:
        restored[row.noun.name].add(row.pk)
        names[row.key] = str(row)
    for noun, keys in restored.items():
        model = models()[noun]
        for fields, where, message in uniques(model):
            values = _present(model, site, fields, where)
            for pk in keys:
                then = final[noun, pk] or {}
                values[pk] = tuple(then.get(name) for name in fields) if where(then) else None
            for key, left in final.items():
                if key[0] == noun and left is None:
                    values.pop(key[1], None)
            for pair in doubled(values):
                mine = next((pk for pk in pair if pk in keys), None)
                if mine is not None:
                    yield Refusal(f"{names[noun, mine]}: {message}")


def uniques(model: Any) -> Iterable[tuple[list[str], Callable[[Values], bool], str]]:
    for one in model._meta.constraints:
        if not isinstance(one, UniqueConstraint) or not one.fields:
            continue
        if one.condition is not None and one.name not in _WHERE:
            continue  # the database has the last word
        columns = [model._meta.get_field(name).attname for name in one.fields]
        yield columns, _WHERE.get(one.name, lambda values: True), str(one.get_violation_error_message())


def _present(
    model: Any, site: Site, fields: list[str], where: Callable[[Values], bool]
) -> dict[int, tuple[Any, ...] | None]:
    asked = [name for name in ("code", "primary") if name in columns_of(model) and name not in fields]
    rows = model._base_manager.filter(**_of_site(model, site)).order_by().values("pk", *fields, *asked)
    return {row["pk"]: tuple(row[name] for name in fields) if where(row) else None for row in rows}


def _of_site(model: Any, site: Site) -> dict[str, Any]:
    """How rows of *model* are narrowed to *site*."""
    names = {field.name for field in model._meta.concrete_fields}
    if model is Site:
        return {"pk": site.pk}
    for path in ("site", "host__site", "group__site", "parent__site", "service__site"):
        if path.partition("__")[0] in names:
            return {path: site.pk}
    return {}


def _circles(plan: Plan, site: Site) -> Iterator[Refusal]:
    noun = str(Nesting._meta.model_name)
    final = {key[1]: values for key, values in plan.final().items() if key[0] == noun}
    if not any(final.values()):
        return
    stored = Nesting.objects.filter(parent__site=site).values_list("pk", "child_id", "parent_id")
    edges = {pk: (child, parent) for pk, child, parent in stored}
    for pk, values in final.items():
        if values is None:
            edges.pop(pk, None)
        else:
            edges[pk] = (values["child_id"], values["parent_id"])
    if circle(edges.values()):
        yield Refusal(
            "Groups would lie in a circle: what was nested the other way round later must go first."
        )
