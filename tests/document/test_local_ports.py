"""Local ports in site documents: kept where none is said, swapped where two are, and never two pages' at once."""

from __future__ import annotations

import pytest

from inventory.document.declaring import Refused
from inventory.local_ports import FIRST
from inventory.models import Service, Site
from tests.document.support import apply, lines, plan

pytestmark = pytest.mark.django_db

HEAD = "mgmtplane: 1\nsite: {site}\nfacts: {{name: Lab, root_domain: example.net}}\nhosts:\n  alpha:\n    services:\n"


def document(*pages: tuple[str, int | None], site: str = "lab") -> str:
    rows = [f"{{name: {name}, web_scheme: https{f', local_port: {at}' if at else ''}}}" for name, at in pages]
    return HEAD.format(site=site) + "".join(f"      - {row}\n" for row in rows)


def ports() -> dict[str, int | None]:
    return dict(Service.objects.values_list("name", "local_port"))


def test_a_document_without_ports_comes_to_rest_and_moves_nobody():
    text = document(("one", None), ("two", None))
    apply(text)
    assert ports() == {"one": FIRST, "two": FIRST + 1}
    revision = Site.objects.get().revision
    assert lines(text) == []
    apply(text)
    assert Site.objects.get().revision == revision
    apply(document(("one", None), ("oneb", None), ("two", None)))
    assert ports() == {"one": FIRST, "two": FIRST + 1, "oneb": FIRST + 2}


def test_two_pages_swap_their_ports():
    apply(document(("one", FIRST), ("two", FIRST + 1)))
    apply(document(("one", FIRST + 1), ("two", FIRST)))
    assert ports() == {"one": FIRST + 1, "two": FIRST}
    assert not Service.history.filter(local_port=None).exists(), "history never sees the moment between"


def test_a_page_takes_the_port_of_one_that_leaves():
    apply(document(("one", FIRST), ("two", FIRST + 1)))
    apply(document(("two", FIRST), ("three", FIRST + 1)))
    assert ports() == {"two": FIRST, "three": FIRST + 1}


def test_a_port_that_another_page_keeps_is_refused_by_name():
    apply(document(("one", None), ("two", None)))
    with pytest.raises(Refused) as refused:
        apply(document(("one", None), ("two", FIRST)))
    (told,) = refused.value.complaints
    assert f"two on alpha has local port {FIRST}, which one on alpha has and keeps" in str(told)
    assert "site.yml:4" in str(told)


def test_a_port_of_another_site_is_said():
    apply(document(("one", FIRST)))
    (other,) = plan(document(("shop", FIRST), site="other"))
    (told,) = other.plan.notes
    assert told.startswith(
        f"shop on alpha has local port {FIRST}, which one on alpha of site lab has as well: "
    )
    assert plan(document(("shop", FIRST + 1), site="other"))[0].plan.notes == []
