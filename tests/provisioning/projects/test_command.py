"""manage.py project."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.provisioning.projects.declared import declare, update

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(settings, data_dir: Path) -> None:
    settings.DATA_DIR = data_dir


def project(*arguments: str) -> str:
    out = io.StringIO()
    call_command("project", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_list_says_of_each_which_commit_was_taken(site, repository):
    declare(site, str(repository.path))
    declare(site, "/nowhere", name="other")
    update(site)
    update(site, "other")
    said = project("list", "--site", "lab")
    commit = repository.git("rev-parse", "HEAD")
    assert f"git {repository.path}: {commit[:17]} of " in said
    assert "git /nowhere: not taken yet" in said
    assert "There is no repository at /nowhere" in said
    told = json.loads(project("list", "--site", "lab", "--json"))
    assert [(one["name"], one["commit"]) for one in told] == [("lab", commit), ("other", "")]


def test_playbooks_lists_them_now_or_as_they_were_fetched_last(site, repository):
    declare(site, str(repository.path))
    assert project("playbooks", "lab", "--site", "lab") == "site.yml\n"
    shutil.rmtree(repository.path)
    with pytest.raises(CommandError, match="There is no repository at"):
        project("playbooks", "lab", "--site", "lab")
    assert project("playbooks", "lab", "--site", "lab", "--last-fetched") == "site.yml\n"


def test_what_is_not_declared_is_named_beside_what_is(site, repository):
    declare(site, str(repository.path))
    with pytest.raises(CommandError, match="has no project nothing; there are: lab") as caught:
        project("playbooks", "nothing", "--site", "lab")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="no site"):
        project("list", "--site", "nowhere")


def test_trust_is_for_what_is_reached_by_ssh(site, repository):
    declare(site, str(repository.path))
    with pytest.raises(CommandError, match="Project lab is not reached by ssh"):
        project("trust", "lab", "--site", "lab", "--yes")
