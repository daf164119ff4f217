"""Any changes at random, each undone in reverse order: the site's document is what it was, step by step."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inventory.changes import change
from inventory.models import (
    Alias,
    Change,
    Group,
    Host,
    Interface,
    Membership,
    Nesting,
    Role,
    Segment,
    Service,
    Site,
)
from inventory.undoing.undo import planned, since, undo
from tests.scale import share
from tests.undoing.test_undo import document

pytestmark = pytest.mark.django_db

WORDS = ["alpha", "beta", "gamma", "delta"]


class Anybody:
    """Somebody who does anything that the door lets through."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.dice = site, random.Random(seed)

    def pick(self, model) -> Any:
        rows = list(model.objects.order_by("pk"))
        return self.dice.choice(rows) if rows else None

    def word(self) -> str:
        return f"{self.dice.choice(WORDS)}{self.dice.randrange(30)}"

    def address(self) -> str:
        return f"192.0.2.{self.dice.randrange(2, 120)}"

    def add(self) -> None:
        number: Any = {self.word(): 1}
        letters: Any = {"a": [1]}
        host, group = self.pick(Host), self.pick(Group)
        row = self.dice.choice(
            [
                lambda: Host(site=self.site, name=self.word(), role=self.pick(Role), variables=number),
                lambda: Group(site=self.site, name=self.word(), variables=letters),
                lambda: Role(site=self.site, slug=self.word()),
                lambda: Interface(
                    host=host,
                    name=self.word(),
                    segment=self.pick(Segment),
                    addressing="static",
                    ipv4=self.address(),
                ),
                lambda: Service(host=host, name=self.word()),
                lambda: Alias(service=self.pick(Service), name=self.word()),
                lambda: Membership(host=host, group=group),
                lambda: Nesting(parent=group, child=self.pick(Group)),
            ]
        )()
        row.save()

    def edit(self) -> None:
        row = self.pick(self.dice.choice([Host, Host, Group, Interface, Service, Role, Segment]))
        if isinstance(row, Host):
            old: Any = row.variables
            variables: Any = {**old, self.word(): self.dice.random()}
            row.notes, row.variables = self.word(), variables
            row.status = self.dice.choice(["active", "standby", "retired"])
            row.name = self.word() if self.dice.random() < 0.3 else row.name
        elif isinstance(row, Group):
            row.name, row.priority = self.word(), self.dice.randrange(9)
        elif isinstance(row, Interface):
            row.addressing, row.ipv4, row.switch = "static", self.address(), self.pick(Host)
        elif isinstance(row, Service):
            row.host, row.port = self.pick(Host), self.dice.randrange(1, 99)
        elif isinstance(row, Role):
            row.title = self.word()
        elif row is not None:
            row.trust = self.word()
        if row is not None:
            row.save()

    def delete(self) -> None:
        row = self.pick(self.dice.choice([Host, Group, Interface, Service, Alias, Membership, Nesting, Role]))
        if row is not None:
            row.delete()

    def act(self) -> bool:
        """One change of a few steps; False when the door refused it."""
        try:
            with change(self.site, by="anybody"):
                for _ in range(self.dice.randrange(1, 5)):
                    self.dice.choice([self.add, self.add, self.edit, self.edit, self.delete])()
        except (ValidationError, AttributeError):
            return False
        return True


def seeds(first: int, quick: int, all_of_them: int):
    """A few of them always, the others in the slow lane."""
    slow = [pytest.param(first + n, marks=pytest.mark.slow) for n in range(quick, share(all_of_them))]
    return [*range(first, first + quick), *slow]


@pytest.mark.parametrize("seed", seeds(0, 3, 30))
def test_undoing_in_reverse_order_leads_back_step_by_step(site, seed):
    somebody, documents = Anybody(site, seed), []
    for _ in range(12):
        before, newest = document(), Change.objects.latest("id").pk
        if somebody.act() and Change.objects.latest("id").pk != newest:
            documents.append((Change.objects.latest("id"), before))
    assert documents
    for record, before in reversed(documents):
        if not planned(site, [record]).is_empty:  # a change may take back itself what it did
            undo([record], by="ada", why="back")
        assert document() == before, (seed, record.revision)


@pytest.mark.parametrize("seed", seeds(100, 4, 30))
def test_undoing_everything_at_once_leads_back_and_undoing_that_forward(site, seed):
    somebody, before, revision = Anybody(site, seed), document(), Site.objects.get().revision
    for _ in range(12):
        somebody.act()
    after = document()
    (record,) = undo(since(site, revision), by="ada", why="back")
    assert document() == before
    undo([record], by="ada", why="and forward again")
    assert document() == after
