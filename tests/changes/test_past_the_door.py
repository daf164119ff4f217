"""Nothing is written past the door, and the database has the last word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from inventory.changes import change
from inventory.door import OutsideChange
from inventory.models import (
    Host,
    Identity,
    Interface,
    Membership,
    Role,
    Segment,
    Site,
)
from tests.changes.declared import DECLARED, host

pytestmark = pytest.mark.django_db


def test_nothing_is_saved_or_deleted_outside_a_change(site: Site) -> None:
    alpha = host("alpha")
    for attempt in (
        alpha.save,
        alpha.delete,
        Host(site=site, name="gamma").save,
        Interface.objects.get().delete,
        Membership.objects.get().delete,
        site.save,
        site.delete,
    ):
        with pytest.raises(OutsideChange, match="only be written inside `with change"):
            attempt()
    assert Host.objects.count() == 2


@pytest.mark.parametrize("model", DECLARED)
def test_nothing_is_written_in_bulk_past_the_change(site: Site, model: Any) -> None:
    rows = model.objects.all()
    attempts: list[Callable[[], Any]] = [
        lambda: rows.update(pk=1),
        lambda: model.objects.bulk_create([]),
        lambda: model.objects.bulk_update([], ["id"]),
        rows.delete,
    ]
    for attempt in attempts:
        with pytest.raises(OutsideChange, match="use the bulk operations"):
            attempt()
    with change(site, why="even inside"):
        for attempt in attempts[:3]:
            with pytest.raises(OutsideChange):
                attempt()


def test_a_change_writes_its_own_sites_alone(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        pass
    with change(site, why="not that one") as the_change:
        with pytest.raises(OutsideChange, match="belongs to a site"):
            Host(site=other, name="gamma").save()
        with pytest.raises(OutsideChange, match="belongs to a site"):
            the_change.create([Host(site=other, name="gamma")])
        with pytest.raises(OutsideChange, match="another site"), change(other, why="second"):
            pass


def test_a_queryset_deletes_what_its_change_may_and_tells_the_ledger(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        Host(site=other, name="gamma").save()
    with pytest.raises(OutsideChange, match="belongs to a site"), change(site, why="not that one"):
        Host.objects.filter(site=other).delete()
    with change(site, why="gone"):
        assert Host.objects.filter(site=site, name="alpha").delete()[1]["inventory.Host"] == 1
    assert Identity.objects.get(kind="name", value="alpha").state == "quarantined"


def test_ports_of_a_switch_that_goes_are_in_history(site: Site) -> None:
    with change(site, why="a switch"):
        switch = Host(site=site, name="sw01")
        switch.save()
        port = Interface.objects.get()
        port.switch = switch
        port.save()
    with change(site, why="broken"):
        switch.delete()
    newest = port.history.latest()
    assert (newest.history_type, newest.switch_id, newest.change.why) == ("~", None, "broken")


def test_a_person_is_refused_with_every_problem_an_import_is_not(site: Site) -> None:
    wrong = [Host(site=site, name="Not A Name"), Host(site=site, name="gamma", form="xx")]
    with pytest.raises(ValidationError) as caught, change(site, why="typed") as the_change:
        the_change.create(wrong)
    assert len(caught.value.messages) == 2
    assert Host.objects.count() == 2
    with change(site, why="as it lives", source="import") as the_change:
        the_change.create([Host(site=site, name="Not A Name"), Host(site=site, name="gamma", form="xx")])
    assert Host.objects.count() == 4


def test_the_database_has_the_last_word_in_words(site: Site) -> None:
    with pytest.raises(ValidationError, match="has a host of this name"), change(site, source="import"):
        Host(site=site, name="alpha").save()
    assert Site.objects.get().revision == 1


def test_what_is_in_use_does_not_go(site: Site) -> None:
    for row, user in ((Segment.objects.get(), "interface alpha/eth0"), (Role.objects.get(), "host alpha")):
        words = f"still used by {user}; change or delete that"
        with pytest.raises(ValidationError, match=words), change(site, why="tidy"):
            row.delete()
    assert Site.objects.get().revision == 1


@pytest.mark.postgresql
def test_the_lock_is_one_that_readers_can_pass(site: Site) -> None:
    """PostgreSQL: a Rendering refers to its site; noting one must not wait for a long import."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has no row locks")
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries, transaction.atomic(), change(site, why="x"):
        pass
    assert any("FOR NO KEY UPDATE" in query["sql"] for query in queries)
