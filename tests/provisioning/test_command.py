"""``manage.py job``: the same door, with an exit code."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from inventory.models import Authority
from provisioning import runner
from provisioning.clockwork import chores
from provisioning.management.commands import job as command
from provisioning.models import Job
from tests.provisioning.kinds import WORLD

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(monkeypatch):
    """While the command waits, its job is carried out in this process."""

    def work(_seconds: float) -> None:
        for job in Job.objects.filter(state="queued"):
            runner.run(job.pk, "here")

    monkeypatch.setattr(command.time, "sleep", work)


def run(*args: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)"""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("job", *args, stdout=out, stderr=err)
    except SystemExit as leaving:
        return int(leaving.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


def test_without_a_kind_it_lists_them():
    code, out, _ = run()
    assert code == 0
    assert "switch_authority" in out
    assert "housekeeping" in out
    assert "create_vm (create) " in out and "rebuild_vm (rebuild) " in out


def test_a_kind_may_be_named_by_its_first_word():
    code, _, err = run("rebuild", "--plan")
    assert code == 2 and "A job of the kind rebuild_vm belongs to a site" in err
    code, _, err = run("test", "--plan")  # begins many kinds: it is none of them
    assert code == 2 and "no jobs of the kind “test”" in err


@pytest.mark.parametrize("way", ["--host=nope-vm01", "--param=host=nope-vm01"])
def test_a_host_that_no_site_has_is_said_to_be_no_sites(way):
    code, _, err = run("create_vm", way, "--plan")
    assert (code, "No site has a host nope-vm01." in err, "name one" in err) == (2, True, False), err


def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(site):
    code, _, err = run("power", "--site=lab", "--host=vm01", "--param=action=explode", "--plan")
    assert code == 2 and "action: “explode” is none of: start, shutdown, stop, reset." in err, err
    code, _, err = run("rebuild", "--site=lab", "--host=vm01", "--param=backup=perhaps", "--plan")
    assert code == 2 and "backup: “perhaps” is none of: yes, no." in err, err


def test_asking_says_so_and_that_nobody_is_there():
    code, _, err = run("test_steps", "--param", "name=vm01", "--why", "to see", "--by", "kim")
    job = Job.objects.get()
    assert code == 0
    assert (job.parameters["name"], job.by_name, job.why) == ("vm01", "kim", "to see")
    assert "No worker for short jobs has been heard for a minute" in err
    assert f"Job {job.pk} is queued." in err


def test_waiting_follows_it_to_its_end(worker):
    code, out, err = run("test_steps", "--wait")
    assert code == 0
    assert [line[9:] for line in out.splitlines()][1:] == [
        "  Taken up by here.",
        "→ first",
        "→ second",
        "  Two steps.",
    ]
    assert "succeeded. Two steps." in err


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("test_fails", "--wait"), 1, "failed. There is no template. Make one."),
        (("test_removes", "--wait"), 3, "waits for confirmation"),
        (("nonsense",), 2, "There are no jobs of the kind “nonsense”"),
        (("test_steps", "--param", "name"), 2, "--param name: write it as NAME=VALUE."),
        (("test_steps", "--param", "seconds=soon"), 2, "seconds: Enter a number."),
        (("test_adds", "--site", "nowhere"), 2, "nowhere"),
        (("test_adds",), 2, "belongs to a site; name one."),
    ],
)
def test_the_exit_code_says_how_it_went(worker, args, code, words):
    found, _, err = run(*args)
    assert (found, words in err) == (code, True), err


def test_a_cancelled_job_has_a_code_of_its_own(monkeypatch):
    from provisioning import requests

    monkeypatch.setattr(command.time, "sleep", lambda _: requests.cancel(Job.objects.get(), by="kim"))
    assert run("test_steps", "--wait")[0] == 4


def test_a_lost_job_counts_as_failed(monkeypatch):
    def lose(_seconds):
        Job.objects.filter(pk=runner.claim(Job.objects.get().pk).pk).update(state="lost")

    monkeypatch.setattr(command.time, "sleep", lose)
    assert run("test_once", "--wait")[0] == 1


def test_the_plan_is_shown_and_nothing_is_done():
    code, out, err = run("test_removes", "--plan")
    assert (code, out.splitlines()) == (
        0,
        ["Plan: 2 to remove, 1 to run.", "  - thing one", "  - thing two", "  > sweep up"],
    )
    assert "Nothing was done." in err
    assert not Job.objects.exists()
    assert json.loads(run("test_removes", "--plan", "--json")[1])["lines"][0] == ["remove", "thing one", ""]


@pytest.mark.parametrize("kind", ["test_removes", "test_removes_later"])
def test_yes_confirms_the_plan_that_it_shows(worker, kind):
    code, out, _ = run(kind, "--wait", "--yes")
    assert (code, WORLD["things"]) == (0, [])
    assert "- thing one" in out


def test_what_cannot_be_done_is_said_once(site):
    code, out, err = run(
        "declare_lost", "--site=lab", "--host=hv0", "--param=typed=hv0", "--why=it burnt", "--yes", "--wait"
    )
    assert code == 2 and (out + err).count("has no hypervisor hv0") == 1, out + err
    assert "Plan:" not in out + err


def test_yes_does_not_confirm_what_nobody_saw(worker, monkeypatch):
    real = command.requests.request

    def slowly(*args, **options):
        job = real(*args, **options)
        WORLD["things"].append("three")
        return job

    monkeypatch.setattr(command.requests, "request", slowly)
    assert run("test_removes", "--wait", "--yes")[0] == 3
    assert WORLD["things"] == ["one", "two", "three"]


def test_json_is_one_document(worker):
    code, out, _ = run("test_steps", "--wait", "--json")
    found = json.loads(out)
    assert (code, found["state"], found["outcome"], found["attempt"]) == (0, "succeeded", {"steps": 2}, 1)


# --- the kinds that are shipped ---


def test_housekeeping_does_its_chores(worker):
    code, out, _ = run("housekeeping", "--wait")
    assert code == 0
    assert "removed expired sessions" in out
    assert Job.objects.get().outcome == {"chores": len(chores.CHORES), "failed": 0}


def test_a_chore_that_fails_is_named_and_stops_no_other(worker, monkeypatch):
    def clear_sessions() -> str:
        raise OSError("no")

    monkeypatch.setattr(chores, "CHORES", (clear_sessions, *chores.CHORES[1:]))
    code, _, err = run("housekeeping", "--wait")
    assert code == 1
    assert f"1 of {len(chores.CHORES)} chores failed: clear sessions." in err
    assert Job.objects.get().outcome["failed"] == 1


def test_the_authority_is_switched_after_its_plan_was_shown(worker, site):
    args = (
        "switch_authority",
        "--site",
        "lab",
        "--to",
        "gateway",
        "--why",
        "the router is back",
        "--by",
        "kim",
    )
    code, out, _ = run(*args, "--wait")
    assert code == 3
    assert "~ authority of lab: none declared → gateway" in out
    assert not Authority.objects.exists()
    Job.objects.get().events.all()
    from provisioning import requests

    requests.cancel(Job.objects.get(), by="kim")
    code, _, err = run(*args, "--wait", "--yes")
    assert (code, "The authority of lab is gateway." in err) == (0, True)
    declared = Authority.objects.get()
    assert (declared.mode, declared.by_name, declared.why) == ("gateway", "kim", "the router is back")
    code, _, err = run(*args, "--wait", "--yes")
    assert (code, "There is nothing to do. The authority of lab is gateway already." in err) == (2, True)


def test_bootstrap_mode_needs_a_node(worker, site):
    code, _, err = run("switch_authority", "--site", "lab", "--to", "bootstrap", "--yes", "--wait")
    assert code == 2
    assert "knows no bootstrap node" in err
