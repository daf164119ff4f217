"""A hypervisor whose API token a person has to unlock: jobs wait for it, and go on."""

from __future__ import annotations

import pytest

from inventory import vault
from inventory.changes import change
from inventory.models import Hypervisor
from provisioning import requests, runner
from provisioning.engine.faults import JobFailed
from provisioning.keeper import client
from provisioning.observed import hypervisors
from provisioning.rehearsing.stage import Stage
from provisioning.rehearsing.transcript import Transcript
from tests.provisioning.jobs.conftest import do
from tests.provisioning.keeping import keeper  # noqa: F401
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN
from tests.provisioning.support import texts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keeper")]

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _nothing_held(keeper):  # noqa: F811
    for one in client.held():
        client.drop(one.scope)


def declare(lab, **fields):
    hypervisor = Hypervisor.objects.get()
    with change(lab, by="fixture", why="another declaration"):
        for name, value in fields.items():
            setattr(hypervisor, name, value)
        hypervisor.save()


def goes_on(job):
    runner.run(job.pk, "here")
    job.refresh_from_db()
    return job


def test_a_survey_waits_for_the_token_and_looks_once_it_is_unlocked(lab, pve):
    declare(lab, read_secret="unlock:pve")
    job = do("survey", lab)
    assert (job.state, job.waiting_for) == ("waiting", "unlock")
    assert texts(job)[-1] == "Needs unlock: API token of hv01."
    assert pve.requests() == []
    requests.unlock(lab, "pve", SECRETS[READ_TOKEN], minutes=5, by="anna")
    assert goes_on(job).state == "succeeded"
    assert not any(SECRETS[READ_TOKEN] in text for text in texts(job))


def test_a_token_in_a_vault_is_opened_with_the_unlocked_password(lab, pve):
    """As an import declares it: a variable of the hypervisor itself."""
    sealed = {"__ansible_vault": vault.encrypt(SECRETS[WRITE_TOKEN].encode(), PASSWORD.encode())}
    declare(lab, secret="vault:vault_pve")
    host = Hypervisor.objects.get().host
    with change(lab, by="fixture", why="a sealed value"):
        host.variables = {"vault_pve": sealed}
        host.save()
    job = do("create_vm", lab, host="netctrl-vm01")
    assert [(need.name, need.label) for need in job.needed] == [("vault", "vault password")]
    assert pve.writes() == []
    requests.unlock(lab, "vault", PASSWORD, minutes=5, by="anna")
    goes_on(job)
    assert (job.state, job.waiting_for) != ("waiting", "unlock")
    assert pve.writes() != []


def test_what_is_locked_meanwhile_stops_no_job_that_has_it(lab, pve, guest_answers, monkeypatch):
    declare(lab, secret="unlock:pve")
    requests.unlock(lab, "pve", SECRETS[WRITE_TOKEN], minutes=5, by="anna")
    asked = hypervisors.resolver
    monkeypatch.setattr(hypervisors, "resolver", lambda *args, **kwargs: _once(asked(*args, **kwargs), lab))
    job = do("create_vm", lab, host="netctrl-vm01")
    assert client.held() == []
    assert (job.state, job.attempt) == ("succeeded", 1), texts(job)


def _once(resolve, lab):
    """Whatever a person unlocked is locked as soon as it was used."""

    def resolved(reference, *args):
        found = resolve(reference, *args)
        if reference.startswith("unlock:"):
            requests.lock(lab, by="ben")
        return found

    return resolved


def test_a_rehearsal_says_what_to_unlock_before(lab, pve):
    from inventory import reading

    declare(lab, secret="unlock:pve")
    stage = Stage(lab, Transcript(lambda _: None), lambda level, text: None)
    with pytest.raises(JobFailed, match=r"API token of hv01 is locked.*manage\.py unlock pve --site lab"):
        hypervisors.writer(reading.load("lab"), "hv01", stage)
