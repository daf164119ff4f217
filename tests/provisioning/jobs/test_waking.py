"""A host is woken by a job, and where it is offered: the packet arrives, and what stands in its way is said before."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from inventory.changes import change
from inventory.models import Host, Interface, Segment, Site
from provisioning import requests, runner
from provisioning.adapters import waking
from provisioning.models import Job
from tests.admin.pages import url

pytestmark = pytest.mark.django_db

MAC = "00:00:5e:00:53:16"


@pytest.fixture
def nas(site: Site) -> Host:
    """A machine in a segment that is this machine's own, as far as its loopback is."""
    segment = Segment(site=site, name="near", vlan=9, network4="127.0.0.0/24")
    row = Host(site=site, name="nas-ph01", form="ph")
    with change(site, by="fixture"):
        segment.save()
        row.save()
        where = {"segment": segment, "addressing": "static", "ipv4": "127.0.0.5"}
        Interface(host=row, name="eth0", mac=MAC, primary=True, wake_on_lan=True, **where).save()
    return row


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Hears what is sent to any address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("0.0.0.0", 0))
        found.settimeout(10)
        monkeypatch.setattr(waking, "PORT", found.getsockname()[1])
        yield found


def wake(host: Host) -> Job:
    job = requests.request(
        "wake_host", site=host.site, parameters={"host": host.name}, by="ada", why="needed"
    )
    runner.run(job.pk, "here")
    job.refresh_from_db()
    return job


def test_the_packet_arrives(nas, listener):
    job = wake(nas)
    assert (job.state, job.outcome) == ("succeeded", {"mac": MAC, "sent_from": "here"}), job.message
    assert listener.recv(200) == b"\xff" * 6 + bytes.fromhex("00005e005316") * 16


def test_what_cannot_be_woken_is_said_before_anything_is_asked_for(nas):
    with change(nas.site, by="fixture"):
        card = nas.interfaces.get()
        card.wake_on_lan = False
        card.save()
    with pytest.raises(requests.Refused, match="has no interface with Wake-on-LAN and a known MAC"):
        wake(nas)
    assert not Job.objects.exists()


def test_its_page_offers_it_where_a_card_answers(admin_client, nas):
    page = url("host", "change", nas.pk)
    assert f"wake_host/?host={nas.name}" in admin_client.get(page).content.decode()
    with change(nas.site, by="fixture"):
        nas.interfaces.get().delete()
    assert "wake_host" not in admin_client.get(page).content.decode()
