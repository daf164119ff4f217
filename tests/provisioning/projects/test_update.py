"""The job that takes the newest commit of a project: what is new, what it needs, and how it failed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.utils import timezone

from provisioning import updating
from provisioning.models import ProjectState
from provisioning.requests import Refused, request
from tests.provisioning.projects.conftest import PLAYBOOK
from tests.provisioning.projects.declared import declare, redeclare, update
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(settings, data_dir: Path) -> None:
    settings.DATA_DIR = data_dir


def test_the_first_update_says_which_commit_it_is_and_which_playbooks_there_are(site, repository):
    row = declare(site, str(repository.path))
    job = update(site)
    commit = repository.git("rev-parse", "HEAD")
    assert job.state == "succeeded", job.message
    assert job.message == f"lab is at {commit[:12]}, which was not seen before."
    assert job.outcome == {"commit": commit, "before": "", "commits": 0, "playbooks": 1}
    state = updating.current(row)
    assert (state.commit, state.playbooks, state.fault) == (commit, ["site.yml"], "")
    assert (timezone.now() - state.fetched).total_seconds() < 60


def test_the_next_one_says_each_commit_between(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    old = repository.git("rev-parse", "HEAD")
    repository.commit("Open the port", site_yml=PLAYBOOK + "# 1\n")
    new = repository.commit("Close it again", site_yml=PLAYBOOK)
    job = update(site)
    assert job.message == f"lab is at {new[:12]}, 2 commits after {old[:12]}."
    said = [text for text in texts(job) if "Ada: " in text]
    assert [text.partition("Ada: ")[2] for text in said] == ["Close it again", "Open the port"]
    assert [one["subject"] for one in updating.current(row).commits] == ["Close it again", "Open the port"]
    assert update(site).message == f"lab is at {new[:12]}, as before."


def test_a_rewritten_branch_is_said_to_be_one(site, repository):
    declare(site, str(repository.path), ref="main")
    repository.commit("Wrong")
    update(site)
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    repository.commit("Right")
    job = update(site)
    assert job.state == "succeeded"
    assert "was rewritten: what was taken before is no part of it any more" in job.message


def test_a_failed_one_keeps_the_commit_of_before_and_says_since_when(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    commit = repository.git("rev-parse", "HEAD")
    shutil.rmtree(repository.path)
    job = update(site)
    assert job.state == "failed"
    assert f"There is no repository at {repository.path}" in job.message
    state = updating.current(row)
    assert state.commit == commit and state.fault in job.message
    first = state.failed
    update(site)
    assert updating.current(row).failed == first


def test_a_success_ends_the_failure(site, repository, tmp_path):
    row = declare(site, str(tmp_path / "moved"))
    assert update(site).state == "failed"
    repository.path.rename(tmp_path / "moved")
    assert update(site).state == "succeeded"
    state = updating.current(row)
    assert (state.fault, state.failed) == ("", None)


def test_what_was_taken_from_elsewhere_does_not_count(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    redeclare(row, ref="main")
    assert updating.current(row) is None
    assert ProjectState.objects.get().commit
    assert update(site).outcome["before"] == ""


def test_collections_that_are_missing_fail_it_by_name(site, repository, tmp_path):
    (tmp_path / "offline").mkdir()
    repository.commit("Needs more", requirements_yml="collections: [community.general]\n")
    row = declare(site, str(repository.path), collections=str(tmp_path / "offline"))
    job = update(site)
    assert job.state == "failed"
    assert "The project needs collection community.general, and" in job.message
    state = updating.current(row)
    assert state.commit == repository.git("rev-parse", "HEAD")
    assert "community.general" in state.fault


def test_a_link_that_leads_out_fails_it_by_name(site, repository):
    (repository.path / "passwd.yml").symlink_to("/etc/passwd")
    repository.commit()
    declare(site, str(repository.path))
    job = update(site)
    assert job.state == "failed" and "links that lead out of it: passwd.yml" in job.message


def test_submodules_are_named_as_not_fetched(site, repository):
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},roles/x")
    repository.git("commit", "--quiet", "-m", "with a submodule")
    row = declare(site, str(repository.path))
    assert update(site).state == "succeeded"
    assert "Submodules are not fetched, their folders are empty: roles/x." in updating.current(row).note


def test_a_directory_is_updated_too(site, code):
    row = declare(site, str(code), source="directory")
    job = update(site)
    assert job.state == "succeeded" and job.outcome["commit"].startswith("tree:")
    assert updating.current(row).playbooks == ["site.yml"]


def test_nothing_of_it_is_left_lying_about(site, repository, data_dir):
    declare(site, str(repository.path))
    update(site)
    assert list((data_dir / "projects" / ".work").iterdir()) == []


def test_a_project_that_is_not_declared_is_refused(site):
    with pytest.raises(Refused, match="has no project nothing"):
        request("update_project", site=site, parameters={"project": "nothing"}, by="ada", why="x")


def test_a_key_that_is_not_to_be_had_fails_it_by_its_reference(site):
    row = declare(site, "ssh://git@127.0.0.1:9/lab.git", key="env:NO_SUCH_KEY")
    job = update(site)
    assert job.state == "failed"
    assert "The key of project lab: The environment variable NO_SUCH_KEY is not set" in job.message
    assert "NO_SUCH_KEY" in updating.current(row).fault
