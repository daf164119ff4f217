"""What a host needs, in its body: all of it, in order."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Change, Host, HostNeed
from tests.api.conftest import problem, wrong


@pytest.fixture
def others(site) -> None:
    with change(site, by="fixture"):
        for name in ("lic01", "nas01"):
            Host(site=site, name=name, form="ph").save()


def test_a_list_of_needs_is_the_whole_list_in_order(writer, host, others):
    address = f"hosts/{host.pk}"
    assert writer.get(address).json()["needs"] == []
    given = writer.patch(address, {"needs": ["nas01", "lic01"]})
    assert given.status_code == 200, given.content
    assert given.json()["needs"] == ["nas01", "lic01"]
    assert writer.patch(address, {"notes": "x"}).json()["needs"] == ["nas01", "lic01"], "left out, they stay"
    rows = set(HostNeed.objects.values_list("pk", flat=True))
    assert writer.patch(address, {"needs": ["lic01", "nas01"]}).json()["needs"] == ["lic01", "nas01"]
    assert set(HostNeed.objects.values_list("pk", flat=True)) == rows
    before = Change.objects.count()
    assert writer.put(address, writer.get(address).json()).json()["needs"] == ["lic01", "nas01"]
    assert Change.objects.count() == before, "nothing to do spends no revision"
    assert writer.patch(address, {"needs": ["nas01"]}).json()["needs"] == ["nas01"]


def test_a_new_host_comes_with_its_needs(writer, site, others):
    made = writer.post("hosts", {"site": "lab", "name": "web01", "needs": ["nas01"]})
    assert made.status_code == 201, made.content
    assert made.json()["needs"] == ["nas01"]
    assert writer.get("hosts?needs=nas01").json()["count"] == 1
    assert writer.get("hosts?needs=lic01").json()["count"] == 0


def test_what_is_wrong_is_told_at_its_place(writer, host, others, elsewhere):
    address = f"hosts/{host.pk}"
    for given, said in (
        (["nas01", "pi01"], {"needs.1": "A host cannot need itself."}),
        (["nas01", "hidden"], {"needs.1": "Site lab has no host “hidden”."}),
        (["nas01", "nas01"], {"needs.1": "“nas01” stands twice; once is enough."}),
        ("nas01", {"needs": "Write a list of the names of hosts."}),
    ):
        assert wrong(writer.patch(address, {"needs": given})) == said
    assert not HostNeed.objects.exists()


def test_a_host_that_others_need_is_not_deleted(administrator, host, others):
    assert administrator.patch(f"hosts/{host.pk}", {"needs": ["nas01"]}).status_code == 200
    needed = Host.objects.get(name="nas01").pk
    told = problem(administrator.delete(f"hosts/{needed}", mgmtplane_reason="gone"), 409)
    assert "still used by need nas01 of pi01" in told["detail"]
