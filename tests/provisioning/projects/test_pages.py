"""The page of a project: its commit, what was new, its playbooks, the last error, and a way to update it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.models import Grant, Project, Site
from provisioning import runner
from provisioning.models import Job
from tests.provisioning.projects.conftest import PLAYBOOK
from tests.provisioning.projects.declared import declare, update

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(settings, data_dir: Path) -> None:
    settings.DATA_DIR = data_dir


def come(name: str, site: Site, level: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    Grant.objects.create(user=user, site=site, level=level)
    client = Client()
    client.force_login(user)
    return client


def seen(browser: Client, project: Project) -> str:
    found = browser.get(f"/admin/inventory/project/{project.pk}/change/")
    assert found.status_code == 200
    html = re.search(r'aria-labelledby="project-code".*?</section>', found.content.decode(), re.S)
    assert html is not None
    return re.sub(r"\s+", " ", html[0])


def test_it_says_that_nothing_was_taken_yet(site, repository):
    said = seen(come("kim", site, "operator"), declare(site, str(repository.path)))
    assert "It was not taken yet" in said and "Update…" in said


def test_it_shows_commit_playbooks_and_what_was_new(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    commit = repository.commit("Open <the> port", site_yml=PLAYBOOK + "# 1\n")
    update(site)
    said = seen(come("kim", site, "operator"), row)
    assert commit in said and "<code>site.yml</code>" in said
    assert "Open &lt;the&gt; port" in said
    assert said.count("Update project lab of lab") == 2
    form = come("ada", site, "administrator").get("/admin/inventory/jobtemplate/add/").content.decode()
    assert '<datalist id="mp-playbooks"><option value="site.yml" label="lab"></option>' in form
    assert re.search(r'<input[^>]* list="mp-playbooks"[^>]* id="id_playbook"', form)


def test_it_shows_since_when_it_fails_and_why(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    shutil.rmtree(repository.path)
    update(site)
    said = seen(come("kim", site, "operator"), row)
    assert re.search(r'role="alert">Since \d{4}-\d\d-\d\d \d\d:\d\d: There is no repository at', said)
    assert "<dt>Commit</dt>" in said


def test_the_button_leads_to_a_plan_and_the_plan_to_a_job(site, repository):
    row = declare(site, str(repository.path))
    browser = come("kim", site, "operator")
    address = re.search(r'href="([^"]*update_project[^"]*)"', seen(browser, row))[1]
    page = browser.get(address).content.decode()
    assert 'value="lab"' in page
    shown = browser.post(address, {"project": "lab"}).content.decode()
    assert f"fetch {repository.path}" in shown
    fingerprint = re.search(r'name="fingerprint" value="([^"]+)"', shown)[1]
    browser.post(address, {"project": "lab", "fingerprint": fingerprint, "why": "to see"})
    job = Job.objects.get(kind="update_project")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded" and job.by_name == "kim"


def test_a_viewer_sees_it_without_the_button(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    said = seen(come("vera", site, "viewer"), row)
    assert "Update…" not in said and repository.git("rev-parse", "HEAD") in said


def test_a_long_history_and_many_playbooks_cost_no_more_queries(site, repository):
    row = declare(site, str(repository.path))
    update(site)
    browser = come("kim", site, "operator")
    seen(browser, row)
    with CaptureQueriesContext(connection) as few:
        seen(browser, row)
    for number in range(60):
        (repository.path / f"play{number}.yml").write_text(PLAYBOOK)
    repository.commit()
    for number in range(60):
        repository.commit(f"Number {number}")
    update(site)
    with CaptureQueriesContext(connection) as many:
        said = seen(browser, row)
    assert "and 11 more" in said
    assert len(many) == len(few)
