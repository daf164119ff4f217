"""The client of routers with the real application: what it fetches, reports and is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from inventory.changes import change
from inventory.models import Consumer, Host, Interface, Segment, Site, Token
from inventory.serving import consumers
from tests.clients.router import Router
from tests.components import require

CHECKERS = {
    "kea": ("kea-dhcp4", "kea-dhcp4-server"),
    "dnsmasq": ("dnsmasq", "dnsmasq-base"),
    "isc-dhcp": ("dhcpd", "isc-dhcp-server"),
    "bind": ("named-checkconf", "bind9-utils"),
    "unbound": ("unbound-checkconf", "unbound"),
}


@pytest.fixture
def site(transactional_db: None) -> Site:
    lab = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(lab, why="made for a test"):
        segment = Segment(site=lab, name="management", vlan=99, network4="192.0.2.0/24", gateway4="192.0.2.1")
        segment.save()
        add(lab, segment, 20)
    return lab


def add(site: Site, segment: Segment, number: int) -> None:
    host = Host(site=site, name=f"pi{number}", form="pi")
    host.save()
    Interface(
        host=host,
        name="eth0",
        mac=f"02:00:00:00:00:{number}",
        segment=segment,
        addressing="static",
        ipv4=f"192.0.2.{number}",
        a_record=True,
        reservation=True,
    ).save()


@pytest.fixture
def routers(site: Site, live_server: LiveServer, tmp_path: Path, settings: Any) -> Any:
    settings.RENDERINGS_DIR = tmp_path / "renderings"
    token = Token(name="routers", site=site)
    plain = token.issue()
    token.save()

    def make(format: str) -> Router:
        folder = tmp_path / format
        folder.mkdir()
        router = Router(folder, live_server.url, FORMAT=format, RELOAD="none", CHECK="")
        router.token.write_text(plain)
        return router

    return make


def test_each_servers_own_checker_passes_and_the_application_hears_of_it(site: Site, routers: Any) -> None:
    segment = Segment.objects.get()
    taken = {}
    for format, (program, package) in CHECKERS.items():
        require(program, package=package)
        taken[format] = routers(format)
        ran = taken[format].run()
        assert ran.status == 0, (format, ran.said)
        row = Consumer.objects.get(format=format)
        assert (row.name, row.ok, row.message) == ("router-1", True, "applied")
        assert row.applied_etag == row.fetched_etag
        assert taken[format].run().status == 0
    assert b"192.0.2.20" in taken["kea"].target.read_bytes()
    assert {state for _, _, state, _ in consumers.counted("lab")} == {"current"}
    with change(site, why="one more"):
        add(site, segment, 21)
    taken["kea"].configure(CHECK="echo no such keyword; exit 1")
    ran = taken["kea"].run()
    assert ran.status == 1 and "no such keyword" in ran.said
    row = Consumer.objects.get(format="kea")
    assert (row.ok, row.message) == (False, "The checker refuses it: no such keyword")
    assert ("lab", "kea", "failed", 1) in consumers.counted("lab")
    assert taken["dnsmasq"].run().status == 0
    assert taken["dnsmasq"].run("--rollback").status == 0
    assert consumers.judged().get(format="dnsmasq").state == "behind"
    assert b"192.0.2.21" not in taken["dnsmasq"].target.read_bytes()


def test_the_applications_own_words_reach_the_router(site: Site, routers: Any) -> None:
    router = routers("kea")
    assert router.run().status == 0
    good = router.target.read_bytes()
    Token.objects.update(formats=["ansible"])
    ran = router.run()
    assert ran.status == 1 and "(403): Token 'routers' reads ansible, not 'kea'." in ran.said
    Token.objects.all().delete()
    ran = router.run()
    assert ran.status == 1 and "(401): This token is not known, or was revoked" in ran.said
    assert router.target.read_bytes() == good
