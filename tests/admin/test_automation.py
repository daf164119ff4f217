"""Projects and job templates in the browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Grant, JobTemplate, Project, Role, Site, WorkloadProfile
from tests.admin.pages import errors_of, latest_change, send, shown, url

pytestmark = pytest.mark.django_db

PROMPTS = "- name: release\n  label: Release\n- name: ring\n  kind: choice\n  choices: [canary, all]\n"


@pytest.fixture
def project(site) -> Project:
    row = Project(site=site, name="lab", location="/srv/playbooks")
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def template(site, project) -> JobTemplate:
    row = JobTemplate(site=site, name="base", project=project, playbook="base.yml")
    with change(site, by="fixture"):
        row.save()
    return row


def _operator(site: Site) -> Client:
    grace = User.objects.create_user("grace", password="a long password", is_staff=True)
    Grant.objects.create(user=grace, site=site, level="operator")
    client = Client()
    client.force_login(grace)
    return client


def test_a_project_is_declared(browser, site):
    given = {
        "name": "lab",
        "source": "git",
        "location": "ssh://git@git.example.net/lab",
        "key": "unlock:deploy",
    }
    send(browser, url("project", "add"), shown(browser, url("project", "add")) | given | {"why": "to run"})
    row = Project.objects.get()
    assert {name: getattr(row, name) for name in given} == given
    assert (latest_change().by_name, latest_change().why) == ("ada", "to run")


def test_what_is_wrong_with_a_project_stands_beside_its_field(browser, site):
    given = {"name": "A b", "source": "git", "location": "ext::sh -c id", "ref": "-x", "key": "hunter2"}
    answer = browser.post(url("project", "add"), shown(browser, url("project", "add")) | given)
    assert set(errors_of(answer)) == {"name", "location", "ref", "key"}
    assert not Project.objects.exists()


def test_a_template_is_declared_with_variables_and_prompts_as_yaml(browser, site, project):
    given = {
        "name": "base", "project": project.pk, "playbook": "base.yml", "extra_vars": "z: 1\na: [2]\n",
        "prompts": PROMPTS, "vault_secrets": "default: unlock:vault\n", "check_mode": "on",
    }  # fmt: skip
    send(browser, url("jobtemplate", "add"), shown(browser, url("jobtemplate", "add")) | given)
    row = JobTemplate.objects.get()
    assert (row.extra_vars, list(row.extra_vars)) == ({"z": 1, "a": [2]}, ["z", "a"])
    assert row.prompts == [
        {"name": "release", "label": "Release"},
        {"name": "ring", "kind": "choice", "choices": ["canary", "all"]},
    ]
    assert (row.vault_secrets, row.check_mode) == ({"default": "unlock:vault"}, True)


def test_an_untouched_page_saves_without_a_change(browser, site, project, template):
    with change(site, by="fixture"):
        template.prompts = [{"name": "release", "label": "Release"}]
        template.extra_vars = {"z": 1}
        template.save()
    before = Site.objects.get().revision
    for noun, row in (("project", project), ("jobtemplate", template)):
        address = url(noun, "change", row.pk)
        send(browser, address, shown(browser, address) | {"why": "no reason"})
    assert Site.objects.get().revision == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- name: 1", "its name must be one of a variable"),
        ("name: a", "Prompts are a list"),
        ("- name: [", "Line"),
    ],
)
def test_prompts_that_cannot_be_asked_say_why(browser, site, template, text, said):
    address = url("jobtemplate", "change", template.pk)
    told = errors_of(browser.post(address, shown(browser, address) | {"prompts": text}))
    assert said in told["prompts"][0]


def test_what_is_wrong_with_prompts_is_said_while_somebody_types(browser, site):
    check = f"{reverse('admin:check_yaml')}?of=prompts"
    answer = browser.post(check, {"text": "- name: ok\n- name: no-hyphens\n"}).content.decode()
    assert "its name must be one of a variable" in answer and 'data-line="2"' in answer
    assert "mp-problem" not in browser.post(check, {"text": PROMPTS}).content.decode()


def test_a_page_asks_for_its_prompts_to_be_looked_at_as_such(browser, site, template):
    page = browser.get(url("jobtemplate", "change", template.pk)).content.decode()
    assert f'data-check="{reverse("admin:check_yaml")}?of=prompts"' in page


def test_a_secret_in_extra_variables_is_refused_and_not_repeated(browser, site, template):
    address = url("jobtemplate", "change", template.pk)
    answer = browser.post(address, shown(browser, address) | {"extra_vars": "db_password: hunter2hunter2\n"})
    (told,) = errors_of(answer)["extra_vars"]
    assert "db_password: this looks like a secret" in told
    assert "hunter2" not in told


def test_roles_and_profiles_are_given_templates_of_their_site_alone(browser, site, template):
    other = Site(slug="other", root_domain="example.net")
    with change(other, site, by="fixture"):
        project = Project(site=other, name="p", location="/srv/p")
        project.save()
        JobTemplate(site=other, name="foreign", project=project, playbook="f.yml").save()
        rows = [Role(site=site, slug="web"), WorkloadProfile(site=site, name="web")]
        for row in rows:
            row.save()
    for noun, row in zip(("role", "workloadprofile"), rows, strict=True):
        address = url(noun, "change", row.pk)
        assert "foreign" not in browser.get(address).content.decode()
        send(browser, address, shown(browser, address) | {"configure_template": template.pk})
    assert {one.configure_template for one in (Role.objects.get(), WorkloadProfile.objects.get())} == {
        template
    }


def test_an_operator_looks_and_declares_nothing(site, project, template):
    grace = _operator(site)
    for noun, row in (("project", project), ("jobtemplate", template)):
        assert grace.get(url(noun)).status_code == 200
        assert grace.get(url(noun, "change", row.pk)).status_code == 200
        assert grace.get(url(noun, "add")).status_code == 403
        assert grace.post(url(noun, "change", row.pk), {"name": "mine"}).status_code == 403
        assert grace.post(url(noun, "delete", row.pk), {"post": "yes", "why": "x"}).status_code == 403


def test_a_project_in_use_is_not_deleted(browser, site, project, template):
    browser.post(url("project", "delete", project.pk), {"post": "yes", "why": "x"})
    assert Project.objects.filter(pk=project.pk).exists()
