"""Handing out over HTTP: the lowest free, once for each key, and an exhausted range by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory import remembered
from inventory.changes import change
from inventory.models import Change, Host, Interface, RememberedAnswer
from tests.api.conftest import bearer, problem, wrong


@pytest.fixture
def bare(site, segment) -> Host:
    row = Host(site=site, name="pi02", form="vm")
    with change(site, by="fixture"):
        row.save()
    return row


def test_a_host_gets_the_lowest_free_address_of_a_segment(writer, bare, segment):
    answered = writer.post(f"segments/{segment.pk}/allocate", {"host": "pi02", "why": "a test"})
    assert answered.status_code == 200, answered.content
    told = answered.json()
    row = Interface.objects.get()
    assert (told["ipv4"], told["interface"], told["given"]) == ("192.0.2.2", "eth0", ["segment", "ipv4"])
    assert (told["host_id"], told["interface_id"]) == (bare.pk, row.pk)
    newest = Change.objects.first()
    assert (newest.source, newest.why, newest.by_name) == ("api", "a test", "token write all")


def test_what_a_host_has_already_stays(writer, bare, segment):
    first = writer.post(f"segments/{segment.pk}/allocate", {"host": "pi02"}).json()
    again = writer.post(f"segments/{segment.pk}/allocate", {"host": "pi02"}).json()
    assert (again["ipv4"], again["given"]) == (first["ipv4"], [])


def test_the_next_host_of_a_role_is_made_with_all_it_needs(writer, segment, role):
    body = {"role": "dns", "form": "vm", "vmid": True, "mac": True, "address": True, "segment": "management"}
    told = writer.post(f"sites/{segment.site_id}/allocate", body).json()
    assert (told["host"], told["vmid"], told["mac"], told["ipv4"]) == (
        "dns-vm01",
        200,
        "02:de:20:01:00:01",
        "192.0.2.2",
    )
    assert "not asked" in told["warning"]
    surveyed = writer.post(f"sites/{segment.site_id}/allocate", {**body, "surveyed": [201, 202]}).json()
    assert (surveyed["host"], surveyed["vmid"], surveyed["warning"]) == ("dns-vm02", 203, "")


def test_a_dry_run_tells_and_hands_out_nothing(writer, segment, role):
    body = {"role": "dns", "form": "vm"}
    address = f"segments/{segment.pk}/allocate?dry_run=1"
    told = writer.post(address, body, idempotency_key="dry").json()
    assert (told["host"], told["ipv4"], told["dry_run"], told["host_id"]) == (
        "dns-vm01",
        "192.0.2.2",
        True,
        None,
    )
    assert not Host.objects.exists()
    assert not RememberedAnswer.objects.exists()
    assert "dry_run" in wrong(writer.post(f"segments/{segment.pk}/allocate?dry_run=maybe", body))


def test_an_exhausted_range_is_named(writer, bare, segment):
    told = problem(
        writer.post(f"segments/{segment.pk}/allocate", {"host": "pi02", "range": "192.0.2.1-192.0.2.1"}), 409
    )
    assert told["detail"].startswith("192.0.2.1-192.0.2.1 has no free address")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "host"),
        ({"host": "nobody"}, "host"),
        ({"host": "pi02", "role": "dns"}, "role"),
        ({"host": "pi02", "range": "many"}, "range"),
        ({"host": "pi02", "range": 7}, "range"),
        ({"host": "pi02", "mac": "yes"}, "mac"),
        ({"host": "pi02", "family": "5"}, "family"),
        ({"host": "pi02", "segment": "management"}, "segment"),
        ({"host": "pi02", "surveyed": ["x"]}, "surveyed.0"),
        ({"role": "nothing"}, "role"),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused(writer, bare, segment, role, body, field):
    assert field in wrong(writer.post(f"segments/{segment.pk}/allocate", body))


def test_at_a_site_one_says_what_is_handed_out(writer, bare):
    address = f"sites/{bare.site_id}/allocate"
    assert "mac, address, vmid" in wrong(writer.post(address, {"host": "pi02"}))[""]
    assert "range" in wrong(
        writer.post(address, {"host": "pi02", "mac": True, "range": "192.0.2.2-192.0.2.3"})
    )
    problem(writer.post(address, {"host": "pi02", "mac": True}), 409)  # it has no role


def test_who_reads_is_handed_out_nothing(reader, bare, segment, site):
    problem(reader.post(f"segments/{segment.pk}/allocate", {"host": "pi02"}), 403)
    assert (
        bearer("provision", site).post(f"segments/{segment.pk}/allocate", {"host": "pi02"}).status_code == 200
    )


# --- once for each key ---


def test_a_request_that_is_sent_again_is_answered_again(writer, segment, role):
    body = {"role": "dns", "form": "vm", "why": "again"}
    first = writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1")
    again = writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1")
    assert again.status_code == first.status_code == 200
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    assert Host.objects.count() == 1
    other = writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k2")
    assert other.json()["host"] == "dns-vm02"


def test_a_key_belongs_to_one_request(writer, segment, role):
    writer.post(f"segments/{segment.pk}/allocate", {"role": "dns", "form": "vm"}, idempotency_key="k1")
    told = problem(writer.post(f"segments/{segment.pk}/allocate", {"role": "dns"}, idempotency_key="k1"), 422)
    assert "another request" in told["detail"]


def test_keys_of_two_callers_do_not_meet(writer, administrator, segment, role):
    body = {"role": "dns", "form": "vm"}
    for api in (writer, administrator):
        assert api.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1").status_code == 200
    assert Host.objects.count() == 2


def test_what_was_refused_may_be_asked_again_with_the_same_key(writer, bare, segment, site):
    body = {"host": "pi02", "range": "192.0.2.1-192.0.2.1"}
    problem(writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1"), 409)
    with change(site, by="fixture"):
        segment.gateway4 = None
        segment.save()
    answered = writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1")
    assert answered.json()["ipv4"] == "192.0.2.1"


def test_who_dies_before_the_answer_is_remembered_has_handed_out_nothing(writer, segment, role, monkeypatch):
    def dead(*_, **__):
        raise SystemError("killed")

    body = {"role": "dns", "form": "vm"}
    with monkeypatch.context() as patched:
        patched.setattr(
            RememberedAnswer, "save", lambda self, **more: dead() if "update_fields" in more else None
        )
        patched.setattr(RememberedAnswer.objects, "create", lambda **given: RememberedAnswer(**given))
        problem(writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1"), 500)
    assert not Host.objects.exists()
    assert (
        writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1").json()["host"]
        == "dns-vm01"
    )


@pytest.mark.parametrize("key", ["", " ", "two words", "ü", "x" * 256])
def test_a_key_that_cannot_be_kept_is_refused(writer, bare, segment, key):
    problem(writer.post(f"segments/{segment.pk}/allocate", {"host": "pi02"}, idempotency_key=key), 400)


def test_answers_are_forgotten_after_a_day(writer, segment, role):
    body = {"role": "dns", "form": "vm"}
    writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1")
    assert remembered.prune() == 0
    assert remembered.prune(timezone.now() + timedelta(hours=25)) == 1
    assert (
        writer.post(f"segments/{segment.pk}/allocate", body, idempotency_key="k1").json()["host"]
        == "dns-vm02"
    )
