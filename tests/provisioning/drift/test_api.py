"""Drift over the API: read as the pages show it, by who sees the site, and never written."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.changes import change
from inventory.models import Site
from provisioning import drift
from tests.api.conftest import Api, bearer, problem, wrong
from tests.provisioning.drift.conftest import HOST, PIHOLE, declare_machine, only_of

pytestmark = pytest.mark.django_db


def told(api: Api, question: str = "") -> list[tuple[str, str, str]]:
    answer = api.get(f"drift{question}")
    assert answer.status_code == 200, answer.content
    return [(row["kind"], row["field"], row["state"]) for row in answer.json()["results"]]


def test_it_is_told_as_the_pages_show_it(lab):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    drift.accept([only_of("undeclared")], by="ada", why="the old DNS")
    api = bearer("read", lab.site)
    assert told(api) == [("undeclared", "machine", "accepted"), ("size", "memory", "open")]
    row = api.get(f"drift/{only_of('size').pk}").json()
    assert row == {
        "id": only_of("size").pk,
        "site": "lab",
        "site_id": lab.site.pk,
        "kind": "size",
        "state": "open",
        "hypervisor": "hv01",
        "host": HOST,
        "vmid": 200,
        "field": "memory",
        "declared": "2048",
        "found": "512",
        "elsewhere": "",
        "opened": "2026-01-02T03:05:05Z",
        "last_seen": "2026-01-02T03:05:05Z",
        "closed": None,
        "revision": lab.site.revision,
        "decision": "",
        "ignored_until": None,
        "decided": None,
        "decided_by": "",
        "decided_why": "",
    }


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("?kind=size", {"size"}),
        ("?state=open", {"size"}),
        ("?state=closed", {"onboot"}),
        (f"?host={HOST}", {"size"}),
        ("?hypervisor=hv02", set()),
        ("?site=lab&search=pihole", {"undeclared"}),
    ],
)
def test_it_is_narrowed(lab, question, kinds):
    lab.survey(lab.machine(onboot="0"))
    lab.survey(lab.machine(memory="512"), PIHOLE)
    drift.accept([only_of("undeclared")], by="ada", why="the old DNS")
    assert {kind for kind, *_ in told(bearer("read"), question)} == kinds


def test_a_state_that_there_is_not_is_refused(lab):
    assert "state" in wrong(bearer("read").get("drift?state=bad"))


def test_another_sites_is_not_there_and_nothing_is_written(lab):
    lab.survey(lab.machine(memory="512"))
    other = Site(slug="other", root_domain="example.org")
    with change(other, by="fixture", why="another site"):
        pass
    row = only_of("size").pk
    assert told(bearer("read", other)) == []
    problem(bearer("write", other).get(f"drift/{row}"), 404)
    everything = bearer("provision", lab.site)
    problem(everything.patch(f"drift/{row}", {"decision": "accepted"}), 405)
    problem(everything.post("drift", {}), 405)
    problem(Api().get("drift"), 401)


def test_many_are_told_in_as_many_queries_as_few(lab):
    api = bearer("read", lab.site)

    def counted() -> int:
        told(api)
        with CaptureQueriesContext(connection) as seen:
            told(api)
        return len(seen)

    lab.survey(lab.machine(memory="512"))
    few = counted()
    names = [f"m{number}" for number in range(12)]
    with change(lab.site, by="ada", why="growth"):
        for number, name in enumerate(names):
            declare_machine(
                lab.site, name, 300 + number, f"02:de:20:00:01:{number:02x}", f"192.0.2.{100 + number}"
            )
    lab.survey(lab.machine(memory="512"), *[lab.machine(name, memory="512") for name in names])
    assert len(told(api)) == 13 and counted() == few
