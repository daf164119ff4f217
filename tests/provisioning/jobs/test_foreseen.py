"""What kinds whose job looks itself say before they are asked for: from the newest survey, and without a call outside."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from inventory.changes import change
from inventory.models import Host, Segment
from provisioning import kinds, requests
from provisioning.machines.owning import parked
from provisioning.models import Job
from provisioning.plans import Plan
from tests.provisioning.jobs.conftest import VMID, do
from tests.provisioning.jobs.rebuilding import DATA, HOST, SPARE, SYSTEM, put

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]

LOOKS = "The job looks first, shows its exact plan, and does nothing until somebody confirms it."
SO_IT_WAS = "So it was at the newest survey; the job looks again, and does nothing while it is so."
LATE = {
    "adopt_vm": {},
    "delete_backups_vm": {},
    "delete_snapshot_vm": {"name": "before"},
    "destroy_vm": {"typed": HOST},
    "rebuild_vm": {},
    "restore_vm": {},
    "rollback_vm": {"name": "before"},
}


@pytest.fixture
def machine(lab, pve):
    put(pve, lab)
    return lab


def seen(site, pve, **config):
    """The survey of *site*, after the machine was changed by hand."""
    if config:
        pve.change(guests={VMID: config})
    assert do("survey", site).state == "succeeded"


def shown(site, kind, pve, **parameters) -> Plan:
    before = len(pve.requests())
    plan = requests.show_plan(kind, site=site, parameters={"host": HOST, **parameters}, by="test")
    assert len(pve.requests()) == before, "a plan makes no call"
    return plan


def said(plan: Plan) -> list[str]:
    return [*plan.problems, *plan.warnings, *map(str, plan.lines)]


def test_these_kinds_are_all_that_plan_in_the_job():
    ours = {kind.name for kind in kinds.all_kinds() if not kind.plans_on_request}
    assert {name for name in ours if not name.startswith("test_")} == set(LATE)


@pytest.mark.parametrize(
    "there", ["never surveyed", "seen", "gone", "another's", "unreadable", "a container"]
)
@pytest.mark.parametrize("kind", LATE)
def test_whatever_was_seen_it_says_what_is_done_and_that_the_job_looks(lab, pve, kind, there):
    if there not in ("never surveyed", "gone"):
        put(pve, lab)
    if there == "another's":
        pve.change(guests={VMID: {"config": {"description": "somebody's"}}})
    if there == "unreadable":
        pve.change(guests={VMID: {"config": {"net0": "nonsense"}}})
    if there == "a container":
        pve.change(guests={VMID: {"kind": "lxc"}})
    if there != "never surveyed":
        do("survey", lab)
    plan = shown(lab, kind, pve, **LATE[kind])
    assert plan.problems == () and plan.lines and LOOKS in plan.warnings
    if there == "never surveyed":
        assert any(one.startswith("hv01 was not seen yet") for one in plan.warnings)


def test_a_rebuild_names_template_backup_and_disks(machine, pve):
    seen(machine, pve)
    plan = shown(machine, "rebuild_vm", pve)
    assert [str(line) for line in plan.lines] == [
        f"~ machine {HOST}: 200 on hv01: made anew from debian-13-1.10; VMID, name, 02:de:20:00:00:c8, 192.0.2.20 stay",
        f"- disk {SYSTEM}",
        f"> clone debian-13-1.10: to {SPARE} on local-lvm, beside it",
        "> shut it down: within 180 s; if it does not, nothing is done",
        "> back it up to local: switched off, and protected: it can be put back from there",
        "> take the old disk out, put the new one in: the old one stays until the new one answers",
        "> leave the data disk data01 where it is: where there is none, an empty one of 5G is made",
        "> set it as declared: card, cores, memory, disks, cloud-init",
        "> read back, start, wait for it: 192.0.2.20",
        "> remove the old disk: and what is left of the clone",
    ]
    assert plan.warnings == (LOOKS,)
    job = do("rebuild_vm", machine, host=HOST)
    assert job.planned.lines == plan.lines, "the job, which looked, plans the same"
    without = shown(machine, "rebuild_vm", pve, backup="no", keep_data="no")
    assert f"- what is on {HOST} now: backup=no: it cannot be put back" in said(without)
    assert f"- disk {DATA}" in said(without)


#: a snapshot, as a configuration and its list name it
OLD = {"config": {"parent": "old"}, "snapshots": {"old": {"name": "old", "config": {}}}}
STOPS = {
    "snapshots": (OLD, "has snapshots (old)"),
    "protected": ({"config": {"protection": "1"}}, "Take the protection off"),
    "another card": ({"config": {"net0": "virtio=02:DE:20:00:00:FF,bridge=vmbr0,tag=99"}}, "is not what is declared"),
    "in no backup": ({"config": {"scsi0": f"{SYSTEM},size=20G,backup=0"}}, "no backup holds it"),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
def test_what_would_stop_a_rebuild_is_warned_of_and_refuses_nothing(machine, pve, name):
    config, words = STOPS[name]
    seen(machine, pve, **config)
    plan = shown(machine, "rebuild_vm", pve)
    (told,) = [one for one in plan.warnings if words in one]
    assert told.endswith(SO_IT_WAS) and plan.problems == ()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"storages": {"local-lvm": {"free": 5 << 30}}}, "needs 20 GiB on local-lvm"),
        ({"storages": {"local": {"content": "iso"}}}, "say backup=no"),
        ({"guests": {9000: None, 9001: None, 9003: None}}, "No template's name begins"),
    ],
)
def test_what_a_node_lacks_for_a_rebuild_is_warned_of(machine, pve, document, words):
    pve.change(**document)
    seen(machine, pve)
    assert any(words in one and one.endswith(SO_IT_WAS) for one in shown(machine, "rebuild_vm", pve).warnings)


def test_a_machine_to_destroy_is_not_parked_or_says_from_when_it_may_go(machine, pve, settings):
    settings.MACHINE_PARK_HOURS = 24
    seen(machine, pve)
    plan = shown(machine, "destroy_vm", pve, typed=HOST)
    assert {f"- machine {HOST}: 200 on hv01", f"- disk {SYSTEM}", f"- disk {DATA}"} <= set(said(plan))
    assert any(f"{HOST} is not parked." in one and one.endswith(SO_IT_WAS) for one in plan.warnings)
    for hours, words in ((1, "may be destroyed from"), (25, "may be destroyed since")):
        since = datetime.now(UTC) - timedelta(hours=hours)
        text = parked(pve.guest(VMID)["config"]["description"], since)
        seen(machine, pve, running=False, config={"description": text})
        plan = shown(machine, "destroy_vm", pve, typed=HOST)
        (told,) = [one for one in plan.warnings if words in one]
        assert told.endswith(SO_IT_WAS) == (hours == 1) and f"{since:%Y-%m-%d %H:%M}" in told


def test_another_name_than_that_of_the_host_destroys_nothing(machine, pve):
    plan = shown(machine, "destroy_vm", pve, typed="netctrl-vm02")
    assert plan.problems == (f"“netctrl-vm02” is not {HOST}. Type the name of the host.",)


def test_a_restore_names_its_backup_and_what_is_lost(machine, pve):
    seen(machine, pve, **OLD)
    plan = shown(machine, "restore_vm", pve)
    assert {
        f"~ machine {HOST}: 200 on hv01: what it wrote since that backup is lost",
        "- snapshot old: a restore keeps none",
        "> restore the newest backup of it: to local-lvm, MACs as they were",
    } <= set(said(plan))
    named = shown(machine, "restore_vm", pve, volume="local:backup/one.vma.zst")
    assert "> restore local:backup/one.vma.zst: to local-lvm, MACs as they were" in said(named)


@pytest.mark.parametrize("kind", ["rollback_vm", "delete_snapshot_vm"])
def test_a_snapshot_that_was_not_seen_is_named_with_those_that_were(machine, pve, kind):
    seen(machine, pve)
    assert do("snapshot_vm", machine, host=HOST, name="before").state == "succeeded"
    plan = shown(machine, kind, pve, name="before")
    assert plan.lines[0].act == ("change" if kind == "rollback_vm" else "remove")
    assert " UTC" in plan.lines[0].detail and not any(SO_IT_WAS in one for one in plan.warnings)
    other = shown(machine, kind, pve, name="after")
    assert f"{HOST} has no snapshot after; there is: before. {SO_IT_WAS}" in other.warnings


def test_old_backups_are_only_seen_by_the_job(machine, pve):
    seen(machine, pve)
    plan = shown(machine, "delete_backups_vm", pve, keep="2")
    (line,) = plan.lines
    assert str(line).startswith(f"- backups that rebuilds of {HOST} left: all but the newest 2; ")


def test_an_adoption_names_the_mac_that_was_seen(machine, pve):
    card = "virtio=BC:24:11:00:00:05,bridge=vmbr0,tag=99"
    seen(machine, pve, config={"description": "", "net0": card, "cores": "2"})
    plan = shown(machine, "adopt_vm", pve)
    assert any("→ bc:24:11:00:00:05 (observed)" in str(line) for line in plan.lines)
    assert any("cores" in one for one in plan.warnings)


def test_what_is_ours_already_is_only_looked_at(machine, pve):
    seen(machine, pve)
    plan = shown(machine, "adopt_vm", pve)
    assert [str(line) for line in plan.lines] == [f"> look whether {HOST} is ours: 200 on hv01"]
    assert f"{HOST} is ours already." in plan.warnings


def test_a_sentence_about_what_stays_ends_once(machine, pve):
    row = Host.objects.get(name=HOST)
    with change(machine, by="fixture", why="no specification"):
        row.machine.delete()
    seen(machine, pve, config={"description": ""})
    plan = shown(machine, "adopt_vm", pve)
    assert any("declare cores, memory, disks and template on its page." in one for one in plan.warnings)
    assert not any(".." in one for one in plan.warnings)


def test_without_its_reservation_only_what_no_job_would_do_is_refused(machine, pve):
    """A rebuild that is half done by now goes on whatever is declared; only the job knows."""
    with change(machine, by="fixture", why="no more reservations there"):
        segment = Segment.objects.get(name="management")
        segment.policy = "none"
        segment.save()
    rebuild, restore = (shown(machine, kind, pve) for kind in ("rebuild_vm", "restore_vm"))
    assert rebuild.problems == () and any("is in no DHCP export" in one for one in rebuild.warnings)
    (problem,) = restore.problems
    assert "is in no DHCP export" in problem


def test_a_rebuild_that_was_seen_half_done_is_gone_on_with(machine, pve):
    line = (
        f"mgmtplane-rebuild: job=7-20260101 template=debian-13-1.9 data=kept boot=scsi0 backup=- old={SYSTEM}"
    )
    text = pve.guest(VMID)["config"]["description"]
    seen(machine, pve, config={"description": f"{line}\n\n{text}"})
    plan = shown(machine, "rebuild_vm", pve)
    assert "Job 7 left it half rebuilt; this goes on with that." in plan.warnings
    assert not any(line.subject.startswith("clone") for line in plan.lines)
    assert any("keep_data=yes" in one for one in shown(machine, "rebuild_vm", pve, keep_data="no").warnings)


def test_the_shell_never_says_that_there_is_nothing_to_do(machine, pve):
    seen(machine, pve)
    for kind, parameters in LATE.items():
        out, err = io.StringIO(), io.StringIO()
        more = [f"--param={name}={value}" for name, value in parameters.items()]
        call_command("job", kind, f"--host={HOST}", *more, "--plan", stdout=out, stderr=err)
        assert "nothing to do" not in out.getvalue() and LOOKS in out.getvalue()
    assert Job.objects.exclude(kind="survey").count() == 0


def test_the_page_that_asks_shows_what_is_foreseen(machine, pve, client):
    seen(machine, pve)
    client.force_login(User.objects.create_superuser("ada", password="x"))
    address = reverse("admin:start_job_at", args=("lab", "rebuild_vm"))
    page = client.post(address, {"host": HOST}).content.decode()
    assert "As far as the newest survey knows it" in page and "clone debian-13-1.10" in page
    assert LOOKS in page and "Nothing to do" not in page
