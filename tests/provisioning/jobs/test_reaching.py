"""SSH after the start, where it may be looked for: what is certain fails the job, what cannot be seen warns."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Interface
from provisioning.adapters import ssh
from provisioning.adapters.base import Unreachable
from provisioning.steps import reaching
from tests.provisioning.adapters.test_ssh import listener, until_closed
from tests.provisioning.jobs.conftest import MAC, do
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST, HERE = "netctrl-vm01", "127.0.0.1"


@pytest.fixture
def here(lab, pve, settings):
    """The machine's address is this one, so that something real can listen there."""
    settings.SSH_WAIT_SECONDS = 1
    with change(lab, by="fixture", why="somebody listens there"):
        card = Interface.objects.get(host__name=HOST)
        card.ipv4, card.segment.network4 = HERE, "127.0.0.0/24"
        card.segment.gateway4 = "127.0.0.254"
        card.segment.save()
        card.save()
    pve.change(leases={MAC: HERE})
    return lab


def create(site):
    return do("create_vm", site, host=HOST)


def test_a_server_that_answers_is_told_of(here, monkeypatch):
    def act(connection) -> None:
        connection.sendall(b"SSH-2.0-dropbear\r\n")
        until_closed(connection)

    with listener(act) as port:
        monkeypatch.setattr(reaching, "PORT", port)
        job = create(here)
    assert job.state == "succeeded", job.message
    assert f"SSH answers at {HERE}: SSH-2.0-dropbear." in texts(job)


def test_a_machine_that_refuses_fails_the_job(here, monkeypatch):
    with listener(until_closed) as port:
        pass  # and gone: nothing listens there any more
    monkeypatch.setattr(reaching, "PORT", port)
    job = create(here)
    assert job.state == "failed" and f"SSH does not: Nothing listens at {HERE}:{port}." in job.message


def test_something_else_that_answers_fails_the_job(here, monkeypatch):
    with listener(lambda connection: connection.sendall(b"220 mail\r\n")) as port:
        monkeypatch.setattr(reaching, "PORT", port)
        job = create(here)
    assert job.state == "failed" and "says “220 mail”: that is no SSH server" in job.message


@pytest.mark.parametrize("retryable", [True, False])
def test_where_nothing_answers_it_warns(here, monkeypatch, retryable):
    looks = []

    def banner(address: str, port: int) -> str:
        looks.append(address)
        raise Unreachable(f"{address}:{port} does not answer.", retryable=retryable)

    monkeypatch.setattr(ssh, "banner", banner)
    job = create(here)
    assert job.state == "succeeded"
    assert any("Whether SSH answers was not seen" in text for text in texts(job))
    assert retryable or len(looks) == 1  # without a route nobody waits


def test_nobody_looks_unless_it_is_allowed(here, monkeypatch, settings):
    settings.SSH_WAIT_SECONDS = 0
    monkeypatch.setattr(ssh, "banner", None)
    job = create(here)
    assert job.state == "succeeded" and "Wait for SSH" not in texts(job)
