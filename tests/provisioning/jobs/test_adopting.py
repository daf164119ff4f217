"""A machine that somebody else made becomes ours: its MAC is recorded, it is marked, and nothing else is changed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from inventory.changes import change
from inventory.models import Host, Identity, Interface, Site
from provisioning import requests, runner
from provisioning.machines.owning import Owner, owner_of
from provisioning.models import Job
from tests.provisioning.jobs.conftest import MAC, VMID, declare_lab, do
from tests.provisioning.jobs.test_keeping import confirmed
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST, FOUND = "netctrl-vm01", "bc:24:11:aa:bb:cc"
CONFIG = {
    "name": "by-hand",
    "description": "made on a Sunday",
    "tags": "prod",
    "net0": f"virtio={FOUND.upper()},bridge=vmbr0,firewall=1,tag=99",
    "cores": "2",
    "memory": "2048",
    "ostype": "l26",
}


def there(pve, **config) -> None:
    pve.change(guests={VMID: {"config": {**CONFIG, **config}}})


@pytest.fixture
def found(lab, pve) -> Site:
    there(pve)
    return lab


def adopt(site) -> Job:
    return do("adopt_vm", site, host=HOST)


def card() -> Interface:
    return Interface.objects.get(host__name=HOST, name="eth0")


def test_of_one_that_runs_the_mac_that_it_has_is_recorded_and_not_the_one_that_waits(lab, pve):
    there(pve)
    waits = CONFIG["net0"].replace(FOUND.upper(), "BC:24:11:00:00:99")
    pve.change(guests={VMID: {"running": True, "pending": {"net0": waits}}})
    job = adopt(lab)
    assert any("bc:24:11:00:00:99" in warning for warning in job.planned.warnings), job.planned.warnings
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert card().mac == job.outcome["mac"] == FOUND


def test_it_becomes_ours_under_the_mac_that_it_has(db, each_version):
    pve, lab = each_version, declare_lab(each_version)
    there(pve)
    job = adopt(lab)
    assert job.state == "waiting" and pve.writes() == [] and card().mac == MAC
    assert [str(line) for line in job.planned.lines] == [
        f"~ MAC {MAC}: given up, into quarantine",
        f"~ MAC of {HOST}/eth0: {MAC} (assigned) → {FOUND} (observed)",
        f"> mark {HOST} as ours: description, tags: 200 on hv01, called by-hand",
    ]
    assert "Stays as it is: cores is 2 instead of 4." in job.planned.warnings
    before, revision = pve.guest(VMID)["config"], Site.objects.get(pk=lab.pk).revision
    job = confirmed(job)
    assert job.state == "succeeded", job.message
    assert job.outcome == {"vmid": VMID, "mac": FOUND, "was": MAC}
    assert (card().mac, card().mac_kind) == (FOUND, "observed")
    assert Identity.objects.get(kind="mac", value=MAC).state == "quarantined"
    after = pve.guest(VMID)["config"]
    assert owner_of(after["description"]) == Owner("lab", str(lab.uid), HOST)
    assert after["description"].startswith("made on a Sunday") and after["tags"] == "mgmtplane;prod"
    own = ("description", "tags")
    assert {key: text for key, text in after.items() if key not in own} == {
        key: text for key, text in before.items() if key not in own
    }
    (written,) = pve.requests("PUT")
    assert set(written["params"]) == {*own, "digest"} and pve.writes() == [f"PUT {written['path']}"]
    site = Site.objects.get(pk=lab.pk)
    assert site.revision == revision + 1
    made = site.changes.order_by("-revision").first()
    assert (made.why, made.source, made.by_name) == ("to see", "job", "test")


def test_who_is_gone_by_now_records_no_mac(found, pve):
    kim = User.objects.create_superuser("kim")
    job = requests.request("adopt_vm", site=found, parameters={"host": HOST}, by=kim, why="ours")
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "waiting", job.message
    kim.delete()
    job = confirmed(job)
    assert job.state == "failed" and "is no user here any more" in job.message
    assert card().mac == MAC and pve.writes() == []


def test_adopted_again_it_is_left_alone(found, pve):
    confirmed(adopt(found))
    pve.forget()
    job = adopt(found)
    assert job.state == "succeeded" and pve.writes() == []


def test_one_with_the_declared_mac_is_marked_and_nothing_is_declared(lab, pve):
    there(pve, net0=f"virtio={MAC.upper()},bridge=vmbr0,tag=99")
    revision = Site.objects.get(pk=lab.pk).revision
    assert confirmed(adopt(lab)).state == "succeeded"
    assert Site.objects.get(pk=lab.pk).revision == revision and card().mac_kind == "assigned"
    assert owner_of(pve.guest(VMID)["config"]["description"]) is not None


def test_a_mac_that_was_unknown_is_recorded_without_a_quarantine(found, pve):
    host = Host.objects.get(name=HOST)
    with change(found, by="fixture", why="not read yet"):
        host.interfaces.get().delete()
        Interface(host=host, name="eth0", mac_kind="observed", addressing="dhcp", primary=True).save()
    job = adopt(found)
    assert f"MAC of {HOST}/eth0: unknown → {FOUND} (observed)" in str(job.planned.lines[0])
    assert any("is in no segment" in one for one in job.planned.warnings)
    assert confirmed(job).state == "succeeded" and card().mac == FOUND


def test_what_moved_between_the_plan_and_the_confirmation_is_shown_anew(found, pve):
    job = adopt(found)
    other = "bc:24:11:dd:ee:ff"
    there(pve, net0=f"virtio={other.upper()},bridge=vmbr0,tag=99")
    requests.confirm(job, job.fingerprint, by="test")
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "waiting" and card().mac == MAC and pve.writes() == []
    assert confirmed(job).state == "succeeded" and card().mac == other


def refused(job: Job, said: str, pve) -> None:
    assert job.state == "failed" and said in job.message, job.message
    assert pve.writes() == [] and card().mac == MAC


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"template": "1"}, "by-hand is a template"),
        ({"description": "mgmtplane: site=far uid=1 host=x-vm01"}, "belongs to x-vm01 of far"),
        (
            {"description": "mgmtplane: site=a uid=1 host=b\nmgmtplane: site=c uid=1 host=d"},
            "more than one marker",
        ),
        ({"net0": None}, "no card net0 with a MAC"),
    ],
)
def test_what_is_no_machine_of_nobody_is_refused(lab, pve, config, said):
    there(pve, **config)
    refused(adopt(lab), said, pve)


def test_a_mac_that_another_host_holds_is_refused(found, pve):
    host = Host(site=found, name="pi01", form="pi")
    with change(found, by="fixture", why="it has that MAC"):
        host.save()
        Interface(host=host, name="eth0", mac=FOUND, mac_kind="observed", addressing="dhcp").save()
    refused(adopt(found), f"{FOUND} belongs to pi01", pve)


def test_a_mac_that_another_guest_has_as_well_is_refused(found, pve):
    pve.change(guests={300: {"config": {"name": "twin", "net0": CONFIG["net0"]}}})
    refused(adopt(found), "is on twin (300) on hv01 as well", pve)


def test_a_machine_that_is_not_there_and_a_container_are_refused(lab, pve):
    refused(adopt(lab), "There is no virtual machine 200 on hv01", pve)
    host = Host.objects.get(name=HOST)
    with change(lab, by="fixture", why="the VMID of a container"):
        host.vmid = 101
        host.save()
    refused(adopt(lab), "There is no virtual machine 101 on hv01", pve)


def test_what_must_be_declared_is_told(found, pve):
    host = Host.objects.get(name=HOST)
    with change(found, by="fixture", why="no VMID"):
        host.vmid = None
        host.save()
    said = f"{HOST} has no VMID; declare the one that the machine has."
    plan = requests.show_plan("adopt_vm", site=found, parameters={"host": HOST}, by="test")
    assert plan.problems == (said,) and adopt(found).message == said
    assert pve.requests() == []


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"kind": "lost", "method": "PUT", "path": "/config"}, "succeeded"),
        ({"kind": "drop", "method": "PUT", "path": "/config", "keys": ["description"], "times": 0}, "failed"),
        (
            {
                "kind": "status",
                "method": "PUT",
                "path": "/config",
                "status": 500,
                "reason": "checksum missmatch",
            },
            "succeeded",
        ),
    ],
)
def test_a_fault_ends_well_or_in_words_and_the_next_time_converges(found, pve, fault, state):
    job = adopt(found)
    pve.fault(**fault)
    job = confirmed(job)
    assert job.state == state, texts(job)
    pve.forget()
    job = adopt(found)
    if state == "failed":
        job = confirmed(job)
    assert job.state == "succeeded" and owner_of(pve.guest(VMID)["config"]["description"]) is not None
    assert Identity.objects.filter(kind="mac", value=FOUND, state="held").count() == 1


def test_an_adopted_machine_is_one_of_ours(found, pve):
    assert "carries no marker" in do("power", found, host=HOST, action="start").message
    confirmed(adopt(found))
    job = do("power", found, host=HOST, action="start")
    assert job.state == "succeeded" and pve.guest(VMID)["running"], job.message
