"""Secrets that people enter: held for a site or for one job, and jobs that wait for them and go on."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from inventory import vault
from inventory.changes import change
from inventory.models import Grant, Site
from provisioning import requests, runner, states
from provisioning.engine import sweeping
from provisioning.engine.asking import Refused
from provisioning.keeper import client
from provisioning.models import Job, Unlocking
from tests.provisioning.keeping import keeper  # noqa: F401
from tests.provisioning.kinds import marks
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

SECRET = "correct horse battery staple"


@pytest.fixture
def held(keeper):  # noqa: F811
    """A keeper that is there, and empty."""
    for one in client.held():
        client.drop(one.scope)
    return keeper


@pytest.fixture
def used(tmp_path):
    return tmp_path / "used"


@pytest.fixture
def ask(site, used):
    def asked(references: str = "unlock:vault") -> Job:
        given = {"name": references, "file": str(used)}
        return requests.request("test_locked", site=site, parameters=given, by="test", why="to see")

    return asked


def run(job: Job) -> Job:
    runner.run(job.pk)
    return now(job)


def now(job: Job) -> Job:
    job.refresh_from_db()
    return job


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# --- a job that waits ---


def test_a_job_whose_secret_nobody_entered_waits_and_says_for_what(held, ask):
    job = run(ask("unlock:vault unlock:deploy"))
    assert (job.state, job.waiting_for) == (states.WAITING, states.UNLOCK)
    assert [need.name for need in job.needed] == ["vault", "deploy"]
    assert texts(job)[-1] == "Needs unlock: vault, deploy."
    assert job.as_dict()["needs"][0] == {"scope": "site/lab", "name": "vault", "label": "", "key": False}


def test_without_a_keeper_it_waits_as_well(ask, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    job = run(ask())
    assert (job.state, job.waiting_for) == (states.WAITING, states.UNLOCK)
    assert sweeping.unlocking.go_on() == []
    with pytest.raises(Refused, match=r"manage\.py keeper"):
        requests.unlock(job.site, "vault", SECRET, minutes=5, by="anna")
    assert not Unlocking.objects.exists()


def test_it_goes_on_at_once_when_somebody_enters_it(held, ask, site, used):
    job = run(ask())
    unlocked = requests.unlock(site, "vault", SECRET, minutes=5, by="anna")
    assert unlocked.jobs == (job.pk,)
    assert (now(job).state, job.needs, job.tries) == (states.QUEUED, [], 0)
    assert run(job).state == states.SUCCEEDED
    assert marks(used) == [f"{job.pk} 2 unlock:vault {digest(SECRET)}"]


def test_it_goes_on_only_when_all_is_there(held, ask, site):
    job = run(ask("unlock:vault unlock:other"))
    assert requests.unlock(site, "vault", SECRET, minutes=5, by="anna").jobs == ()
    assert now(job).state == states.WAITING
    assert requests.unlock(site, "other", "another", minutes=5, by="anna").jobs == (job.pk,)


def test_the_sweep_finds_what_was_entered_past_the_door(held, ask):
    job = run(ask())
    sweeping.unlocking.go_on()
    assert now(job).state == states.WAITING
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    sweeping.sweep()
    assert now(job).state == states.QUEUED


def test_a_job_of_another_site_waits_on(held, ask):
    job = run(ask())
    other = Site(slug="other", root_domain="example.net", block="198.51.100.0/24")
    with change(other, by="fixture", why="another site"):
        pass
    assert requests.unlock(other, "vault", SECRET, minutes=5, by="anna").jobs == ()
    sweeping.unlocking.go_on()
    assert now(job).state == states.WAITING


def test_what_comes_back_for_the_same_secret_again_and_again_fails_in_the_end(held, ask, site):
    job = run(ask())
    Job.objects.filter(pk=job.pk).update(state=states.QUEUED, waiting_for="", tries=9)
    assert run(job).state == states.FAILED
    assert job.message.startswith("It wanted vault 10 times.")


def test_a_waiting_job_can_be_cancelled_and_needs_nothing_any_more(held, ask):
    job = run(ask())
    requests.cancel(job, by="anna")
    assert (now(job).state, job.needs) == (states.CANCELLED, [])


# --- for one job ---


def test_what_is_given_to_one_job_is_no_other_jobs(held, ask, used):
    job, other = run(ask()), run(ask())
    requests.answer(job, {"vault": SECRET}, by="anna")
    assert now(job).state == states.QUEUED
    sweeping.unlocking.go_on()
    assert now(other).state == states.WAITING
    assert client.held("site/lab") == []
    assert run(job).state == states.SUCCEEDED
    assert marks(used) == [f"{job.pk} 2 unlock:vault {digest(SECRET)}"]


@pytest.mark.django_db(transaction=True)
def test_it_is_forgotten_when_the_job_ends_and_kept_while_it_waits(held, ask):
    job = run(ask("unlock:vault unlock:deploy"))
    requests.answer(job, {"vault": SECRET}, by="anna")
    assert [one.name for one in client.held(f"job/{job.pk}")] == ["vault"]
    assert now(job).state == states.WAITING
    requests.answer(job, {"deploy": "another"}, by="anna")
    assert run(job).state == states.SUCCEEDED
    assert client.held() == []


@pytest.mark.django_db(transaction=True)
def test_it_is_forgotten_when_the_job_is_cancelled(held, ask):
    job = run(ask("unlock:vault unlock:deploy"))
    requests.answer(job, {"vault": SECRET}, by="anna")
    requests.cancel(job, by="anna")
    assert client.held() == []


def test_a_job_takes_what_it_needs_and_only_while_it_waits(held, ask):
    job = run(ask())
    with pytest.raises(Refused, match="does not need other; it needs vault"):
        requests.answer(job, {"other": SECRET}, by="anna")
    with pytest.raises(Refused, match="Nothing was entered"):
        requests.answer(job, {}, by="anna")
    with pytest.raises(Refused) as raised:
        requests.answer(job, {"vault": " "}, by="anna")
    assert raised.value.fields == {"vault": ["Nothing was entered."]}
    requests.answer(job, {"vault": SECRET}, by="anna")
    with pytest.raises(Refused, match="it is queued"):
        requests.answer(job, {"vault": SECRET}, by="anna")


# --- what is refused, and what is written down ---


@pytest.mark.parametrize(
    ("name", "value", "minutes", "field", "said"),
    [
        ("no blanks", SECRET, 5, "name", "letters, digits"),
        ("", SECRET, 5, "name", "letters, digits"),
        ("vault", "", 5, "value", "Nothing was entered"),
        ("vault", " \n", 5, "value", "Nothing was entered"),
        ("vault", "x" * 70_000, 5, "value", "at most 64 KiB"),
        ("vault", "a\0b", 5, "value", "zero bytes"),
        ("vault", SECRET, 0, "minutes", r"1 to 480 minutes \(UNLOCK_MINUTES_MOST\)"),
        ("vault", SECRET, 481, "minutes", "1 to 480 minutes"),
    ],
)
def test_what_cannot_be_held_is_refused_by_its_field(held, site, name, value, minutes, field, said):
    with pytest.raises(Refused, match=said) as raised:
        requests.unlock(site, name, value, minutes=minutes, by="anna")
    assert list(raised.value.fields) == [field]
    assert client.held() == []
    assert not Unlocking.objects.exists()


def test_each_act_is_written_down_with_who_and_until_when(held, ask, site):
    job = run(ask())
    requests.unlock(site, "other", SECRET, minutes=5, by="anna")
    requests.answer(job, {"vault": SECRET}, by="ben")
    assert requests.lock(site, "other", by="carla") == ["other"]
    found = [
        (one.verb, one.name, one.by_name, one.job_id, bool(one.until))
        for one in Unlocking.objects.order_by("pk")
    ]
    assert found == [
        ("unlocked", "other", "anna", None, True),
        ("given", "vault", "ben", job.pk, True),
        ("locked", "other", "carla", None, False),
    ]
    left = Unlocking.objects.get(verb="unlocked").until - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def test_all_of_a_site_is_locked_and_nothing_of_another(held, site):
    for name in ("one", "two"):
        requests.unlock(site, name, SECRET, minutes=5, by="anna")
    client.hold("site/lab2", "one", SECRET, seconds=60, by="ben")
    assert requests.lock(site, by="anna") == ["one", "two"]
    assert [one.scope for one in client.held()] == ["site/lab2"]
    assert requests.lock(site, by="anna") == []


@pytest.mark.parametrize(
    ("level", "allowed"), [("viewer", False), ("operator", True), ("administrator", True)]
)
def test_operators_and_administrators_of_the_site_may(held, ask, site, level, allowed):
    job = run(ask())
    person = User.objects.create_user("person", is_staff=True)
    Grant.objects.create(user=person, site=site, level=level)
    acts = (
        lambda: requests.answer(job, {"vault": SECRET}, by=person),
        lambda: requests.unlock(site, "vault", SECRET, minutes=5, by=person),
        lambda: requests.lock(site, by=person),
    )
    for act in acts:
        if allowed:
            act()
        else:
            with pytest.raises(PermissionDenied, match=r"provisioning\.unlock at site lab"):
                act()


# --- a wrong vault password, a wrong key ---


@pytest.fixture
def sealed(site):
    """A site with one sealed value, and one under another vault id."""
    ours = {"__ansible_vault": vault.encrypt(b"hidden", SECRET.encode())}
    prod = {"__ansible_vault": vault.encrypt(b"deeper", b"prod password", "prod")}
    with change(site, by="fixture", why="sealed values"):
        site.variables = {
            "vault_token": ours,
            "token": "{{ vault_token }}",
            "deep": {"er": [prod]},
            "plain": "x",
        }
        site.save()
    return site


def test_a_wrong_vault_password_is_noticed_when_it_is_entered(held, sealed, ask):
    with pytest.raises(Refused, match="does not open what is sealed at site lab, vault_token") as raised:
        requests.unlock(sealed, "vault", "wrong horse", minutes=5, by="anna")
    assert "wrong horse" not in str(raised.value)
    job = run(ask("vault:vault_token"))
    with pytest.raises(Refused, match=r"vault password: This is not the vault password"):
        requests.answer(job, {"vault": "wrong horse"}, by="anna")
    assert client.held() == []
    requests.unlock(sealed, "vault", SECRET, minutes=5, by="anna")
    assert run(job).state == states.SUCCEEDED


def test_a_name_that_is_no_vault_password_is_not_tried_on_sealed_values(held, sealed):
    requests.unlock(sealed, "pve", "wrong horse", minutes=5, by="anna")


def test_a_vaulted_variable_is_opened_with_what_was_unlocked(held, sealed, ask, used):
    job = run(ask("vault:vault_token vault:token"))
    assert [(need.name, need.label) for need in job.needed] == [("vault", "vault password")] * 2
    requests.unlock(sealed, "vault", SECRET, minutes=5, by="anna")
    run(job)
    assert marks(used) == [f"{job.pk} 2 vault:{name} {digest('hidden')}" for name in ("vault_token", "token")]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("vault:nothing", "site lab has no variable nothing"),
        ("vault:plain", "plain of site lab is not sealed"),
    ],
)
def test_a_variable_that_cannot_be_opened_fails_the_job_by_name(held, sealed, ask, reference, said):
    job = run(ask(reference))
    assert job.state == states.FAILED
    assert said in job.message


@pytest.fixture
def key(tmp_path):
    def made(*options: str) -> str:
        path = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-f", path, *options], check=True)
        return path.read_text()

    return made


@pytest.mark.parametrize(
    "kind", [("-t", "ed25519"), ("-t", "rsa", "-m", "PEM"), ("-t", "ecdsa", "-m", "PKCS8")]
)
def test_a_private_key_is_held_as_an_agent_takes_it_whatever_a_browser_did_to_it(held, site, key, kind):
    text = key(*kind, "-N", "")
    requests.unlock(site, "deploy", "\r\n" + text.replace("\n", "\r\n").rstrip(), minutes=5, by="anna")
    kept = client.fetch("site/lab", "deploy")
    assert kept == text
    agent = (
        "eval $(ssh-agent) >/dev/null; ssh-add -q - && ssh-add -l; code=$?; kill $SSH_AGENT_PID; exit $code"
    )
    told = subprocess.run(["sh", "-c", agent], input=kept, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_a_key_that_no_agent_takes_is_refused_with_a_way_out(held, site, key):
    protected = key("-t", "ed25519", "-N", "passphrase")
    for text, said in (
        (protected, "protected by a passphrase.*ssh-keygen -p"),
        (protected[:200], "damaged or cut"),
    ):
        with pytest.raises(Refused, match=said):
            requests.unlock(site, "deploy", text, minutes=5, by="anna")
    assert client.held() == []
