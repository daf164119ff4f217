"""Two people on one page: neither loses a change silently.

A change page carries the version of what it showed. When it comes back, the site is locked and the version compared with
what is stored. If that moved, nothing is written: the page returns with both people's edits, what the other one changed
taken over where this one had left it alone, and a choice where both changed the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import CASCADE
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from inventory import versions
from inventory.admin.shown import Shown, now_shown, shown, typed, written
from inventory.models import Change, Declared, Site
from inventory.permissions import may
from inventory.versions import ROW, Merge, Value

CHOICE, UNDECIDED, WAS = "_choice-", "_undecided", "_was-"
MOVED = "Somebody changed this while you did. Nothing was saved yet: look at it above, then save again."
CHOOSE = "Choose, wherever both of you changed the same; nothing was saved yet."
REASONS_READ, REASONS_OFFERED = 40, 8
PART_REASON = "Say why; what is deleted is asked about later more than anything else."
#: so many rows of history say who it was
MOST_ROWS = 200


@dataclass(frozen=True)
class Difference:
    """One field, or one part, of which the panel speaks."""

    label: str
    theirs: str
    mine: str = ""
    #: name of the choice; empty where there is nothing to choose
    choice: str = ""
    chosen: str = ""
    take_theirs: str = "Take theirs"
    keep_mine: str = "Keep mine"


@dataclass
class Panel:
    """What the page says of the other person's edits."""

    changes: list[Change]
    conflicts: list[Difference] = field(default_factory=list)
    adopted: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)


def revisions(request: HttpRequest) -> dict[int, int]:
    """The sites' revisions before the page was read: what is newer than these was not shown."""
    return dict(Site.objects.order_by().values_list("pk", "revision"))


def mark(request: Any, context: dict[str, Any], row: Any) -> None:
    """Put the version of what is shown into the page's form, unless the form was sent and brings its own."""
    form = context["adminform"].form
    if row is None or "version" not in form.fields or form.is_bound:
        return
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    form.recent_reasons = recent_reasons(request.user)
    seen = getattr(request, "revisions_seen", {}).get(row.owner_site_id, 0)
    form.initial["version"] = str(versions.version_of(shown(form, formsets, row).page(), seen))


def recent_reasons(user: Any) -> list[str]:
    """What this person said lately, newest first: work comes in series."""
    said = Change.objects.filter(by=user.pk).exclude(why="").order_by("-at").values_list("why", flat=True)
    return list(dict.fromkeys(said[:REASONS_READ]))[:REASONS_OFFERED]


def looked_at(page: Any, request: Any, object_id: str) -> HttpResponse | None:
    """Compare what was shown with what is stored; the caller has a transaction open, which this gives the site's lock.

    Puts the person's input, brought together with what changed meanwhile, into the request. Returns a page only when
    the row is gone.
    """
    row = page.get_object(request, unquote(object_id))
    if row is None:
        return _gone(page, request, unquote(object_id))
    if not page.has_change_permission(request, row):
        return None
    list(Site.objects.select_for_update(no_key=True).filter(pk=row.owner_site_id).values_list("pk"))
    row = page.get_object(request, unquote(object_id))
    if row is None:
        return _gone(page, request, unquote(object_id))
    stored = now_shown(page, request, row)
    seen = versions.read(request.POST.get("version", ""))
    undecided = _chosen(request, stored)
    now = stored.page()
    if seen is None or not seen.shows(now):
        _bring_together(page, request, stored, seen)
    elif typed(stored, request.POST).deleted and not request.POST.get("why", "").strip():
        request.door_refusal = ValidationError({"why": [PART_REASON]})
    elif undecided:
        found = Merge(conflicts=[_split(key) for key in undecided])
        request.door_refusal = ValidationError(CHOOSE)
        request.meanwhile = _panel(request, stored, found, seen, typed(stored, request.POST).page, {})
    return None


def _split(key: str) -> tuple[str, str]:
    part, _, name = key.rpartition(".") if "." in key else (key, "", "")
    return part, name


def _bring_together(page: Any, request: Any, stored: Shown, seen: versions.Version | None) -> None:
    mine = typed(stored, request.POST)
    found = versions.merge(seen, stored.page(), mine.page, mine.deleted)
    request.POST, numbers = written(stored, request.POST, mine, found.page, anew=found.gone_but_edited)
    revision = Site.objects.values_list("revision", flat=True).get(pk=stored.row.owner_site_id)  # type: ignore[attr-defined]
    request.POST["version"] = str(versions.version_of(stored.page(), revision))
    request.door_refusal = ValidationError(MOVED)
    request.meanwhile = _panel(request, stored, found, seen, mine.page, numbers)


def decided_on(row: Any) -> str:
    """A short name of what a page that deletes *row* speaks of: its columns, and which parts go with it."""
    if row is None:
        return "gone"
    values = {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}
    for related in row._meta.related_objects:
        part = related.related_model
        if not isinstance(row, Site) and issubclass(part, Declared) and related.on_delete is CASCADE:
            rows = part._base_manager.filter(**{related.field.attname: row.pk}).order_by("pk")
            values[str(related.name)] = list(rows.values_list("pk", flat=True))
    return versions.digest_of(values)


# --- what was chosen ---


def _chosen(request: Any, stored: Shown) -> list[str]:
    """Apply the choices that came with the form; return the keys of those that are still open."""
    asked = request.POST.getlist(UNDECIDED)
    if not asked:
        return []
    data, now = request.POST.copy(), stored.page()
    index = typed(stored, data).index
    still = []
    for key in dict.fromkeys(asked):
        choice = data.get(f"{CHOICE}{key}", "")
        part, name = _split(key)
        if choice not in ("theirs", "mine"):
            still.append(key)
        elif choice == "theirs":
            _take_theirs(data, now, index, part, name)
    request.POST = data
    return still


def _take_theirs(data: QueryDict, now: versions.Page, index: dict[str, int], part: str, name: str) -> None:
    prefix, _, _pk = part.partition(" ")
    if name and name in now.get(part, {}) and (part == ROW or part in index):
        key = f"{prefix}-{index[part]}-{name}" if part else name
        value = now[part][name]
        data.setlist(key, sorted(value) if isinstance(value, frozenset) else [value])
    elif part in index:  # they changed what I delete: it stays
        data.pop(f"{prefix}-{index[part]}-DELETE", None)
    elif data.get(f"{WAS}{part}", "").isdecimal():  # they deleted what I changed: it goes
        data[f"{prefix}-{data[f'{WAS}{part}']}-DELETE"] = "on"  # a new part that is deleted is none


# --- what is said ---


def _panel(
    request: Any,
    stored: Shown,
    found: Merge,
    seen: versions.Version | None,
    mine: versions.Page,
    numbers: dict[str, int],
) -> Panel:
    panel = Panel(changes_since(stored, seen.revision if seen else -1))
    now = stored.page()
    for part, name in found.conflicts:
        panel.conflicts.append(_conflict(request, stored, part, name, now, mine))
    for part, name in found.adopted:
        panel.adopted.append(
            Difference(_label(stored, part, name), _told(stored, part, name, found.page[part][name]))
        )
    for part in found.gone_but_edited:
        panel.conflicts.append(
            Difference(
                _name(stored, part, mine),
                "deleted",
                "changed; it stands below as a new one",
                part,
                take_theirs="Leave it deleted",
                keep_mine="Declare it anew",
            )
        )
    for part in found.edited_but_deleted:
        panel.conflicts.append(
            Difference(
                _name(stored, part, now), "changed", "deleted", part,
                take_theirs="Keep it", keep_mine="Delete it",
            )
        )  # fmt: skip
    panel.notes += [f"{_name(stored, part, now)} was added." for part in found.added]
    panel.notes += [f"{_name(stored, part, mine)} was deleted." for part in found.gone]
    if "status" in now[ROW] and (ROW, "status") in found.adopted and now[ROW]["status"] == "retired":
        panel.notes.insert(0, f"{stored.row} was retired; what you save now is saved on a retired host.")
    panel.hidden = [(UNDECIDED, one.choice) for one in panel.conflicts if one.choice]
    panel.hidden += [(f"{WAS}{part}", str(number)) for part, number in numbers.items()]
    return panel


def _conflict(
    request: Any, stored: Shown, part: str, name: str, now: versions.Page, mine: versions.Page
) -> Difference:
    if not name:  # a part, asked for once more
        return Difference(_name(stored, part, now), "changed or deleted", "the other way round", part)
    key = f"{part}.{name}"
    return Difference(
        _label(stored, part, name),
        _told(stored, part, name, now.get(part, {}).get(name, "")),
        _told(stored, part, name, mine.get(part, {}).get(name, "")),
        key,
        request.POST.get(f"{CHOICE}{key}", ""),
    )


def _label(stored: Shown, part: str, name: str) -> str:
    like = stored.like(part)
    label = capfirst(str(like.form.fields[name].label or name)) if like and name in like.form.fields else name
    return f"{_name(stored, part, stored.page())}: {label}" if part else label


def _name(stored: Shown, part: str, values: versions.Page) -> str:
    prefix, _, pk = part.partition(" ")
    if part in stored.parts and part:
        return str(stored.parts[part].form.instance)
    formset = next((one for one in stored.formsets if one.prefix == prefix), None)
    noun = capfirst(str(formset.model._meta.verbose_name)) if formset is not None else prefix
    named = values.get(part, {}).get("name", "")
    return f"{noun} {named or pk}"


def _told(stored: Shown, part: str, name: str, value: Value) -> str:
    """*value* in words: the name of the row that a number means, the label of a choice."""
    like = stored.like(part)
    one = like.form.fields.get(name) if like else None
    if isinstance(one, forms.ModelChoiceField):
        wanted = value if isinstance(value, frozenset) else {value} - {""}
        numbers = [int(pk) for pk in wanted if pk.isascii() and pk.isdecimal()]
        model: Any = one.queryset.model  # type: ignore[union-attr]
        found = model._base_manager.filter(pk__in=numbers)
        return ", ".join(sorted(str(row) for row in found)) or "none"
    if isinstance(one, forms.BooleanField):
        return "yes" if value else "no"
    if isinstance(one, forms.ChoiceField):
        return str(dict(one.choices).get(value, value)) or "empty"  # type: ignore[arg-type]
    return str(value) or "empty"


# --- who it was ---


def changes_since(stored: Shown, revision: int) -> list[Change]:
    """The changes after *revision* that wrote the page's row, its parts or its links, newest first."""
    row: Any = stored.row
    return _changes(_histories(stored, row.pk), row.owner_site_id, revision)


def _histories(stored: Shown, pk: Any) -> Iterable[Any]:
    row: Any = stored.row
    yield row.history.model.objects.filter(id=pk)
    for formset in stored.formsets:
        yield formset.model.history.model.objects.filter(**{formset.fk.attname: pk})
    seen = set()
    for one in stored.parts[ROW].form.fields.values():
        through = getattr(one, "through_field", None)
        if through is None or through in seen:
            continue
        seen.add(through)
        for other in through.model._meta.concrete_fields:
            if other.is_relation and other != through and issubclass(type(row), other.related_model):
                yield through.model.history.model.objects.filter(**{other.attname: pk})


def _changes(histories: Iterable[Any], site_id: int, revision: int) -> list[Change]:
    ids: set[int] = set()
    for rows in histories:
        newer = rows.filter(change__site=site_id, change__revision__gt=revision)
        ids.update(newer.order_by("-history_id").values_list("change_id", flat=True)[:MOST_ROWS])
    return list(Change.objects.filter(pk__in=ids).order_by("-revision")[:20])


def _gone(page: Any, request: HttpRequest, object_id: str) -> HttpResponse | None:
    """The page for somebody whose row was deleted meanwhile: by whom, why, and what was typed."""
    history = page.model.history.model.objects
    if not (object_id.isascii() and object_id.isdecimal() and len(object_id) < 19):
        return None
    last = (
        history.filter(id=object_id, history_type="-").select_related("change").order_by("history_id").last()
    )
    change = last.change if last else None
    if change is None or not may(request.user, f"inventory.view_{page.opts.model_name}", change.site_id):
        return None
    context = {
        **page.admin_site.each_context(request),
        "title": f"This {page.opts.verbose_name} is gone",
        "opts": page.opts,
        "change": change,
        "typed": list(_input(request.POST)),
    }
    return TemplateResponse(request, "admin/inventory/gone_meanwhile.html", context, status=409)


def _input(data: QueryDict) -> Sequence[tuple[str, str]]:
    left_out = ("csrfmiddlewaretoken", "version")
    return [
        (key, ", ".join(value for value in data.getlist(key)))
        for key in data
        if not key.startswith("_") and key not in left_out and "-__prefix__-" not in key
        and not key.endswith(("_FORMS", "-id")) and any(data.getlist(key))
    ]  # fmt: skip
