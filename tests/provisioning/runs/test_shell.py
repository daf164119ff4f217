"""``manage.py job run``: live output, and ansible-playbook's own exit code."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from provisioning import runner
from provisioning.management.commands import job as command
from provisioning.models import Job, PlaybookRun
from tests.provisioning.runs.conftest import HOSTS

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
        call_command("job", "run", "--by", "kim", *args, stdout=out, stderr=err)
    except SystemExit as leaving:
        return int(leaving.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


def test_the_plan_names_every_host_and_does_nothing(playground):
    code, out, err = run("--site", "lab", "--template", "base", "--limit", "web01,web02", "--plan")
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()[2:]] == ["  > web01", "  > web02"]
    assert "> web01: Say" in out
    assert not Job.objects.exists() and playground.marked() == {}


def test_a_run_is_followed_and_ends_with_ansibles_exit_code(playground, worker):
    playground.template("breaks", extra_vars={"failing": ["web02"]})
    given = ("--site", "lab", "--template", "breaks", "--why", "to see", "--wait")
    code, out, err = run(*given)
    assert code == 2
    assert "→ Run site.yml on 3 hosts" in out
    assert "TASK [Say who it is]" in out
    assert '"msg": "this is web03, release none"' in out
    assert "\x1b" not in out, "colours are for terminals"
    assert "PLAY RECAP" in out
    assert "failed. 3 hosts: 2 changed, 1 failed (web02)." in err
    first = PlaybookRun.objects.get()
    code, out, _ = run("--relaunch", str(first.pk), "--on", "failed", "--why", "again", "--wait")
    assert code == 2
    assert "this is web02" in out and "this is web01" not in out
    assert [one.host for one in PlaybookRun.objects.exclude(pk=first.pk).get().hosts.all()] == ["web02"]


def test_a_check_is_applied_from_the_shell(playground, worker):
    code, _, err = run("--site", "lab", "--template", "base", "--check-first", "--why", "to see", "--wait")
    assert (code, playground.marked()) == (0, {}), err
    check = PlaybookRun.objects.get()
    code, _, err = run("--apply", str(check.pk), "--why", "looks good", "--wait")
    assert (code, playground.marked()) == (0, dict.fromkeys(HOSTS, "plain")), err


def test_answers_are_set_one_by_one_and_judged(playground, worker):
    playground.template("asks", prompts=[{"name": "release", "kind": "number", "minimum": 2}])
    given = ("--site", "lab", "--template", "asks", "--limit", "web01", "--why", "to see", "--wait", "--set")
    code, _, err = run(*given, "release=1")
    assert code == 2 and "release is 2 or more" in err and not Job.objects.exists()
    code, _, err = run(*given, "release")
    assert code == 2 and "--set release: write it as NAME=VALUE" in err
    code, out, _ = run(*given, "release=3")
    assert code == 0 and "this is web01, release 3" in out


def test_what_is_not_there_is_refused_in_words(playground):
    code, _, err = run("--site", "lab", "--template", "bose")
    assert code == 2 and "declares no job template “bose”; there are: base." in err
    code, _, err = run("--site", "lab", "--relaunch", "4711")
    assert code == 2 and "The site has no run 4711." in err
    code, _, err = run("--site", "lab", "--on", "failed")
    assert code == 2 and "name the job" in err


def test_json_is_the_job_alone(playground, worker):
    given = ("--site", "lab", "--template", "base", "--limit", "web01", "--why", "to see", "--wait", "--json")
    code, out, _ = run(*given)
    told = json.loads(out)
    assert code == 0 and told["outcome"]["changed"] == 1 and told["parameters"]["limit"] == "web01"
