"""The protected backups of rebuilds are named in a plan and removed once that is confirmed; no other backup is."""

from __future__ import annotations

import pytest

from provisioning.requests import confirm
from tests.provisioning.jobs.conftest import VMID, do, made
from tests.provisioning.jobs.rebuilding import HOST, carried_on, confirmed

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

OTHERS = {
    "notes of another machine": {"notes": "mgmtplane: site=lab uid=0 host=other job=1 before its rebuild"},
    "notes by hand": {"notes": "before its rebuild"},
    "a backup that was asked for": {"notes": "{marker} job=3, asked 2026-11-01 00:00:00"},
}


def volume(number: int) -> str:
    return f"local:backup/vzdump-qemu-{VMID}-2026_01_0{number}-00_00_00.vma.zst"


@pytest.fixture
def machine(lab, pve):
    """Three rebuilds were made of it, each with its backup; beside them lie others' and another one of ours."""
    made(pve, lab)
    marker = f"mgmtplane: site=lab uid={lab.uid} host={HOST}"
    notes = [f"{marker} job={job} before its rebuild, asked 2026-01-0{job} 00:00:00" for job in (1, 2, 3)]
    notes += [one["notes"].replace("{marker}", marker) for one in OTHERS.values()]
    pve.change(volumes={volume(n): {"size": n << 30, "vmid": VMID} for n in range(1, len(notes) + 1)})
    pve.change(
        volumes={
            volume(n): {"content": "backup", "notes": said, "protected": True, "made": 1_700_000_000.0 + n}
            for n, said in enumerate(notes, 1)
        }
    )
    return lab


def left(pve) -> list[int]:
    known = pve.state()["volumes"]
    return [number for number in range(1, 7) if volume(number) in known]


def test_its_plan_names_each_and_nothing_goes_before_it_is_confirmed(machine, pve):
    job = do("delete_backups_vm", machine, host=HOST)
    assert job.state == "waiting", job.message
    assert [line.subject for line in job.planned.lines] == [f"backup {volume(1)}", f"backup {volume(2)}"]
    assert "1 GiB" in job.planned.lines[0].detail
    assert any(volume(3) in said for said in job.planned.warnings)
    assert left(pve) == [1, 2, 3, 4, 5, 6] and pve.writes() == []


def test_confirmed_they_are_gone_and_no_other_is_touched(machine, pve):
    job = confirmed(do("delete_backups_vm", machine, host=HOST))
    assert job.state == "succeeded", job.message
    assert left(pve) == [3, 4, 5, 6]
    assert job.outcome == {"removed": [volume(1), volume(2)], "bytes": 3 << 30}
    assert all(pve.state()["volumes"][volume(number)]["protected"] for number in (3, 4, 5, 6))


def test_how_many_stay_is_asked_and_where_there_are_no_more_that_is_said(machine, pve):
    job = confirmed(do("delete_backups_vm", machine, host=HOST, keep=0))
    assert job.state == "succeeded" and left(pve) == [4, 5, 6], job.message
    again = do("delete_backups_vm", machine, host=HOST)
    assert again.state == "failed" and "There is nothing to remove" in again.message


def test_one_that_a_half_done_rebuild_needs_stays(machine, pve):
    config = pve.guest(VMID)["config"]
    line = f"mgmtplane-rebuild: job=1-1 template=x data=kept boot=scsi0 backup={volume(1)} old=a:b\n\n"
    pve.change(guests={VMID: {"config": {"description": line + config["description"]}}})
    job = confirmed(do("delete_backups_vm", machine, host=HOST, keep=0))
    assert job.state == "succeeded" and left(pve) == [1, 4, 5, 6], job.message


@pytest.mark.parametrize(("kind", "method"), [("lost", "DELETE"), ("reset", "DELETE"), ("lost", "PUT")])
def test_a_lost_answer_is_resolved_by_looking(machine, pve, kind, method):
    pve.fault(kind, method, "/content/")
    job = do("delete_backups_vm", machine, host=HOST)
    confirm(job, job.fingerprint, by="test")
    assert carried_on(job).state == "succeeded"
    assert left(pve) == [3, 4, 5, 6]


def test_the_plan_of_a_rebuild_says_what_lies_there(machine, pve):
    pve.change(storages={"local": {"max_protected_backups": -1}})
    job = do("rebuild_vm", machine, host=HOST)
    assert any("3 backups of earlier rebuilds (6 GiB) lie on local" in said for said in job.planned.warnings)
