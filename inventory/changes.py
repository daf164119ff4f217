"""The one door: `with change(site, by=…, why=…, source=…) as the_change:` is the only way rows change.

It takes the site's lock, raises its revision once if anything was written, ties every history row to one
``Change`` with person, reason and source, and settles the ledger of identities before it commits.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.dispatch import receiver
from django.utils import timezone
from simple_history.signals import pre_create_historical_record
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from inventory import ledger, web_pages
from inventory.automating import code_declared
from inventory.copying import copies
from inventory.door import OutsideChange, bulk_allowed, open_change, opened
from inventory.models import Change, Declared, Host, HostPart, Identity, Interface, Segment, Service, Site
from inventory.verdicts import verdicts

#: Sources whose rows come from a living site: kept and reported, even where a person's input would be refused.
#: What is put back was stored before; ``inventory.undoing`` refuses what somebody else has by now.
LENIENT_SOURCES = frozenset({"import", "declare", "undo"})


class SiteChange:
    """One passage through the door. Saving and deleting rows works as ever; bulk writes go through this object."""

    def __init__(
        self, sites: Sequence[Site], by: Any, why: str, source: str, batch: uuid.UUID | None = None
    ) -> None:
        self.batch = batch or uuid.uuid4()
        self.sites = {site.pk: site for site in sites}
        self.by: User | None = by if isinstance(by, User) else None
        self.by_name = by.get_username() if isinstance(by, AbstractBaseUser) else str(by or "")
        self.why, self.source = why, source
        self.strict = source not in LENIENT_SOURCES
        self.reidentified: set[int] = set()
        self._coders: dict[int, bool] = {}
        #: site → (kind, value) of the quarantines that a site document brought back
        self.remembered: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.records: dict[int, Change] = {}
        self.touched_hosts: dict[int, set[int]] = defaultdict(set)
        #: site → services with a web page that has no local port yet
        self.new_web_pages: dict[int, dict[int, Service]] = defaultdict(dict)

    # --- what rows ask ---

    def covers(self, site_id: int | None) -> bool:
        return site_id in self.sites

    def refuse_code(self, row: Any) -> None:
        """Raise ValidationError where *row* declares code, and whoever writes it may not."""
        if not self._may_declare_code(row.owner_site_id):
            code_declared.refuse(row)

    def _refuse_code_of(self, rows: Sequence[Any]) -> None:
        judged = [row for row in rows if not self._may_declare_code(row.owner_site_id)]
        told = [
            f"{row}: {sentence}"
            for row in judged
            for sentences in code_declared.problems(row).values()
            for sentence in sentences
        ]
        if told:
            raise ValidationError(told)

    def _may_declare_code(self, site_id: int) -> bool:
        """A person by permission, a token never; the shell may what it likes, since it is the machine's."""
        if self.by is None:
            return self.source != "api"
        if site_id not in self._coders:
            self._coders[site_id] = self.by.has_perm(code_declared.PERMISSION, self.sites[site_id])
        return self._coders[site_id]

    def touch(self, row: Any) -> None:
        """Remember that *row* was written, and which hosts' identities may have changed by it."""
        site_id = row.owner_site_id
        if site_id is None or site_id not in self.sites:
            return
        self.record_for(site_id)
        if isinstance(row, Service) and row.web_scheme and row.local_port is None:
            self.new_web_pages[site_id][row.pk] = row
        if isinstance(row, Host) and row.pk:
            self.touched_hosts[site_id].add(row.pk)
        elif isinstance(row, HostPart) and row.host_id:  # type: ignore[attr-defined]
            self.touched_hosts[site_id].update({row.host_id, row.host_before} - {None})  # type: ignore[attr-defined]
        elif isinstance(row, Segment) and row.pk:  # its suffix names interfaces
            self.touched_hosts[site_id].update(
                Interface.objects.filter(segment=row.pk).values_list("host_id", flat=True)
            )

    def record_for(self, site_id: int | None) -> Change | None:
        """The Change that history rows of this site belong to; made on the first write."""
        if site_id is None or site_id not in self.sites:
            return None
        if site_id not in self.records:
            site = self.sites[site_id]
            with bulk_allowed():
                Site.objects.filter(pk=site_id).update(revision=models.F("revision") + 1)
            site.revision = Site.objects.values_list("revision", flat=True).get(pk=site_id)
            self.records[site_id] = Change.objects.create(
                site=site,
                site_slug=site.slug,
                revision=site.revision,
                by=self.by,
                by_name=self.by_name,
                why=self.why,
                source=self.source,
                batch=self.batch,
            )
        return self.records[site_id]

    # --- bulk writes that remember ---

    def create(self, rows: Sequence[Any], *, batch_size: int = 500) -> list[Any]:
        """Insert *rows* of one model with their history; judged when a person is the source."""
        if not rows:
            return []
        self._check(rows)
        with bulk_allowed():
            made = bulk_create_with_history(
                list(rows), type(rows[0]), batch_size=batch_size, **self._history_arguments(rows)
            )
        for row in made:
            self.touch(row)
        return list(made)

    def update(self, rows: Sequence[Any], fields: Iterable[str], *, batch_size: int = 500) -> int:
        """Write *fields* of *rows* of one model with their history."""
        if not rows:
            return 0
        self._check(rows)
        with bulk_allowed():
            bulk_update_with_history(
                list(rows),
                type(rows[0]),
                list(fields),
                batch_size=batch_size,
                **self._history_arguments(rows),
            )
        for row in rows:
            self.touch(row)
        return len(rows)

    def delete(self, rows: models.QuerySet[Any] | Sequence[Any]) -> int:
        """Delete *rows* one by one, so that history has each of them."""
        count = 0
        for row in list(rows):
            row.delete()
            count += 1
        return count

    def take_away(self, rows: Sequence[Any], *, batch_size: int = 500) -> int:
        """Delete *rows* of one model on which nothing stands any more, in bulk; history has each of them.

        Nothing follows: the caller takes the parts of a host away first.
        """
        if not rows:
            return 0
        self._check(rows, judges_code=False)
        model = type(rows[0])
        said = self._history_arguments(rows)
        with bulk_allowed():
            history = model.history.model
            history.objects.bulk_create(
                [
                    history(
                        **{field.attname: getattr(row, field.attname) for field in history.tracked_fields},
                        history_type="-",
                        history_date=timezone.now(),
                        history_user=self.by,
                        history_change_reason=said["default_change_reason"],
                        **said["custom_historical_attrs"],
                    )
                    for row in rows
                ],
                batch_size=batch_size,
            )
            for row in rows:
                self.touch(row)
            for start in range(0, len(rows), batch_size):
                keys = [row.pk for row in rows[start : start + batch_size]]
                if model is Host:  # the ledger outlives the host
                    Identity.objects.filter(host__in=keys).update(host=None)
                found = model._base_manager.filter(pk__in=keys)
                found._raw_delete(found.db)
        return len(rows)

    def set_aside(self, model: type[Declared], pk: int, column: str) -> None:
        """Take a value that must be unique off a row that this change gives another one before it ends.

        Two rows can swap their names so. History never sees the moment between.
        """
        field: Any = model._meta.get_field(column)
        short = (field.max_length or 0) < 20
        nothing: Any = False if isinstance(field, models.BooleanField) else "" if short else f"set aside {pk}"
        if isinstance(field, models.IntegerField) and field.null:
            nothing = None
        with bulk_allowed():
            model._base_manager.filter(pk=pk).update(**{column: nothing})

    def set_links(
        self, through: type[Declared], fixed: dict[str, Any], field: str, wanted: Iterable[Any]
    ) -> bool:
        """Bring a many-to-many to *wanted*: *fixed* names the one side, *field* the other. True if it moved."""
        present = {getattr(row, f"{field}_id"): row for row in through._default_manager.filter(**fixed)}
        wanted_by_id = {row.pk: row for row in wanted}
        gone = [row for pk, row in present.items() if pk not in wanted_by_id]
        new = [through(**fixed, **{field: row}) for pk, row in wanted_by_id.items() if pk not in present]
        for row in gone:
            row.delete()
        for row in new:
            row.save()
        return bool(gone or new)

    def _check(self, rows: Sequence[Any], *, judges_code: bool = True) -> None:
        for row in rows:
            if not self.covers(row.owner_site_id):
                raise OutsideChange(
                    f"{row._meta.verbose_name} “{row}” belongs to a site that the change does not name."
                )
        if judges_code:
            self._refuse_code_of(rows)
        if not self.strict:
            return
        problems = [f"{row}: {message}" for row, _, message in verdicts(rows)]
        if problems:
            raise ValidationError(problems)

    def _history_arguments(self, rows: Sequence[Any]) -> dict[str, Any]:
        sites = {row.owner_site_id for row in rows}
        if len(sites) != 1:
            raise OutsideChange("One bulk write serves one site; call it once for each.")
        return {
            "default_user": self.by,
            "default_change_reason": self.why[:100],
            "custom_historical_attrs": {"change": self.record_for(sites.pop())},
        }

    def settle(self) -> None:
        for site_id, pages in list(self.new_web_pages.items()):
            there = set(Service.objects.filter(pk__in=pages, local_port=None).values_list("pk", flat=True))
            rows = [row for pk, row in pages.items() if pk in there]
            self.update(web_pages.give(self.sites[site_id], rows) if rows else [], ["local_port"])
        for site_id, hosts in self.touched_hosts.items():
            if site_id in self.records and Site.objects.filter(pk=site_id).exists():
                remembered = self.remembered[site_id]
                ledger.settle(self.sites[site_id], hosts, strict=self.strict, remembered=remembered)


@contextmanager
def refusals_in_words() -> Iterator[None]:
    """The database has the last word; people get it as a sentence."""
    try:
        yield
    except IntegrityError as error:
        raise ValidationError(sentence_of(error)) from error


@contextmanager
def change(
    *sites: Site,
    by: Any = None,
    why: str = "",
    source: str = "code",
    batch: uuid.UUID | None = None,
    trial: bool = False,
) -> Iterator[SiteChange]:
    """Open the door for *sites*; a Site that is not yet stored is stored first. Raises ReadOnly for one that another copy
    of the application writes.

    ``by`` is a user, or a name where there is none (``"import_ansible"``). Passages of one request that belong together
    name the same *batch*. Inside, rows save and delete as ever, or in
    bulk through the yielded object. A *trial* is thrown away by its caller, so a copy that is read-only may have
    one. Leaving normally commits, an exception undoes everything. A change inside a
    change of the same sites is part of the outer one.
    """
    outer = open_change()
    if outer is not None:
        if all(outer.covers(site.pk) for site in sites):
            yield cast(SiteChange, outer)
            return
        raise OutsideChange("A change is open for another site; finish it first, or name both sites at once.")
    the_change = SiteChange([site for site in sites if site.pk], by, why, source, batch)
    with refusals_in_words(), transaction.atomic(), opened(the_change):
        # In one order, so that two changes of the same two sites cannot wait for each other. Not the keys: a
        # reader may meanwhile note its Rendering, which refers to the site.
        locked = Site.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=the_change.sites)
        rows = copies.with_standing(locked).order_by("pk").values_list("pk", "here", "met")
        for pk, here, met in rows:
            if not trial and (not here or met):
                copies.require_live(pk)
        for site in sites:
            if not site.pk:
                _found(site, the_change)
        yield the_change
        the_change.settle()


def sentence_of(error: IntegrityError) -> str:
    """What the constraint that refused has to say to people.

    PostgreSQL and SQLite's partial indexes and checks name the constraint; SQLite's plain ones name the columns.
    """
    if isinstance(error, models.RestrictedError):
        users = ", ".join(sorted(f"{row._meta.verbose_name} {row}" for row in error.restricted_objects))
        return f"This is still used by {users}; change or delete that first."
    text = str(error)
    for model in apps.get_app_config("inventory").get_models():
        for constraint in model._meta.constraints:
            columns = ", ".join(
                f"{model._meta.db_table}.{getattr(model._meta.get_field(name), 'attname', name)}"
                for name in getattr(constraint, "fields", ())
            )
            if constraint.name in text or (columns and text.endswith(f": {columns}")):
                return str(constraint.get_violation_error_message())
    return "The database refused this: somebody else changed the same thing at the same moment. Try again."


def _found(site: Site, the_change: SiteChange) -> None:
    """Store a new site: the first write of its own first revision."""
    if the_change.strict:
        site.full_clean()
    site.live_copy = copies.uid()
    site.save_base(force_insert=True, raw=True)  # no history yet: its Change needs the site's row
    the_change.sites[site.pk] = site
    record = the_change.record_for(site.pk)
    history = site.history.model
    fields = {field.attname: getattr(site, field.attname) for field in history.tracked_fields}
    history.objects.create(
        **fields,
        history_date=record.at if record else None,
        history_type="+",
        history_user=the_change.by,
        history_change_reason=the_change.why[:100],
        change=record,
    )


@receiver(pre_create_historical_record)
def tie_history_to_change(instance: Any, history_instance: Any, **_: Any) -> None:
    """Every history row belongs to the open change."""
    current = open_change()
    if current is None or not isinstance(instance, Declared):
        return
    record = current.record_for(instance.owner_site_id)
    history_instance.change = record
    history_instance.history_user = getattr(current, "by", None)
    history_instance.history_change_reason = (record.why[:100] if record else "") or None
