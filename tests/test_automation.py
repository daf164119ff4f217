"""What projects and job templates may hold: judged for people, and by the database when nobody was asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory import reading
from inventory.automating import automation, playbook_paths
from inventory.automating.prompts import Prompt
from inventory.changes import change
from inventory.models import Group, JobTemplate, Project, Role, Site, WorkloadProfile
from inventory.snapshot import JobTemplateFacts, ProfileFacts, ProjectFacts, RoleFacts
from provisioning.projects import ProjectError, locations

SAID: dict[str, Any] = {
    "playbook": "playbooks/site.yml", "limit": "web*,!web03", "limit_required": True, "tags": "packages",
    "skip_tags": "slow,never", "check_mode": True, "diff": True, "forks": 20, "verbosity": 2,
    "extra_vars": {"z": 1, "a": {"deep": [1, 2]}}, "prompts": [{"name": "release", "label": "Release"}],
    "vault_secrets": {"prod": "file:/etc/vault", "default": "unlock:vault"}, "ssh_key": "unlock:ssh",
    "remote_user": "ops", "time_limit_minutes": 15,
}  # fmt: skip


@pytest.fixture
def site(db) -> Site:
    """Site lab with the project lab of a directory, and the template base of it."""
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, by="fixture"):
        project = Project(site=lab, name="lab", location="/srv/playbooks")
        project.save()
        JobTemplate(site=lab, name="base", project=project, playbook="base.yml").save()
    return lab


def _refused(site: Site, row: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised, change(site, by="ada"):
        row.save()
    return raised.value.message_dict


def _project(site: Site, **given: Any) -> Project:
    return Project(**{"site": site, "name": "other", "location": "/srv/other", **given})


def _template(site: Site, **given: Any) -> JobTemplate:
    fine = {"site": site, "name": "other", "project": site.projects.get(), "playbook": "other.yml"}
    return JobTemplate(**{**fine, **given})


# --- rows → Snapshot ---


def test_the_defaults_are_those_of_the_facts(site):
    snapshot = reading.load("lab")
    assert snapshot.projects == (ProjectFacts("lab", location="/srv/playbooks"),)
    assert snapshot.templates == (JobTemplateFacts("base", "lab", "base.yml"),)


def test_every_field_of_a_template_is_in_the_snapshot(site):
    with change(site, by="ada"):
        _template(site, **SAID).save()
    found = reading.load("lab").template_by_name["other"]
    assert found == JobTemplateFacts(
        "other",
        "lab",
        **{
            key: value for key, value in SAID.items() if key not in ("check_mode", "prompts", "vault_secrets")
        },
        check=True,
        prompts=(Prompt("release", label="Release"),),
        vault_secrets=(("default", "unlock:vault"), ("prod", "file:/etc/vault")),
    )
    assert list(found.extra_vars) == ["z", "a"]


def test_every_field_of_a_project_is_in_the_snapshot(site):
    said = {
        "source": "git", "location": "git@git.example.net:lab/playbooks.git", "ref": "v1.4", "key": "unlock:deploy",
        "collections": "/srv/collections", "image": "quay.io/lab/ee:1.2",
    }  # fmt: skip
    with change(site, by="ada"):
        _project(site, **said).save()
    assert reading.load("lab").project_by_name["other"] == ProjectFacts("other", **said)


def test_roles_and_profiles_name_templates(site):
    base = JobTemplate.objects.get()
    with change(site, by="ada"):
        Role(site=site, slug="web", configure_template=base).save()
        WorkloadProfile(site=site, name="web", retire_template=base).save()
        Group(site=site, name="plain").save()
    snapshot = reading.load("lab")
    assert snapshot.roles == (RoleFacts("web", configure_template="base"),)
    assert snapshot.profiles == (ProfileFacts("web", retire_template="base"),)


def test_projects_and_templates_cost_no_query_more(site):
    def queries() -> int:
        reading.forget()
        with CaptureQueriesContext(connection) as seen:
            reading.load("lab")
        return len(seen)

    before = queries()
    with change(site, by="ada"):
        for number in range(5):
            _template(site, name=f"t{number}").save()
    assert queries() == before


# --- what a person may say ---


@pytest.mark.parametrize(
    "location",
    [
        "/srv/playbooks.git",
        "file:///srv/playbooks.git",
        "https://git.example.net/lab/playbooks.git",
        "https://git.example.net:8443/lab",
        "ssh://git@git.example.net:2222/lab/playbooks.git",
        "ssh://[2001:db8::1]/lab.git",
        "git@git.example.net:lab/playbooks.git",
        "git.example.net:/srv/git/playbooks.git",
        "git@[2001:db8::1]:lab.git",
        "[::1]:lab.git",
    ],
)
def test_a_repository_is_named_as_git_understands_it(location):
    assert automation.location_problem("git", location) == ""
    assert locations.parse(location)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", "Say where the playbooks are"),
        ("ext::sh -c touch% /tmp/pwned", "asks git to run a helper program"),
        ("--upload-pack=touch /tmp/pwned", "begins with a dash"),
        ("-oProxyCommand=x", "begins with a dash"),
        ("ssh://-oProxyCommand=x/lab", "has no name of a server"),
        ("ssh://-x@git.example.net/lab", "a user of an odd name"),
        ("-x@git.example.net:lab", "begins with a dash"),
        ("git@-oProxyCommand=x:lab", "has no name of a server"),
        ("http://git.example.net/lab", "anybody on the way can change"),
        ("git://git.example.net/lab", "anybody on the way can change"),
        ("https://ada:secret@git.example.net/lab", "has no place in an address"),
        ("https://token@git.example.net/lab", "has no place in an address"),
        ("ssh://git:secret@git.example.net/lab", "has no place in an address"),
        ("https://git.example.net:port/lab", "is no location"),
        ("file://other.example.net/lab", "is reached by file"),
        ("/srv/../etc", "has .. in it"),
        ("srv/playbooks", "is no location"),
        ("ssh://git.example.net/lab?x=y", "names no repository"),
        ("file:///srv/a%2f..%2fetc", "has .. in it once its escapes are read"),
        ("https://ada:secret@git.example.net:port/lab", "has no place in an address"),
        ("https://git.example.net/lab\nx", "one line of text"),
    ],
)
def test_a_repository_that_git_would_misread_is_refused(location, said):
    assert said in automation.location_problem("git", location)
    assert "secret" not in automation.location_problem("git", location)
    with pytest.raises(ProjectError) as refused:  # by whoever fetches it, too
        locations.parse(location)
    assert "secret" not in str(refused.value)


def test_a_directory_is_an_absolute_path():
    assert automation.location_problem("directory", "/srv/playbooks") == ""
    assert "no absolute path" in automation.location_problem("directory", "playbooks")
    assert "no absolute path" in automation.location_problem("directory", "https://git.example.net/lab")


@pytest.mark.parametrize(
    "ref", ["-q", "--all", "a..b", "a b", "main@{1}", "x.lock", "a/", "a^", "a:b", "a~1"]
)
def test_a_ref_that_git_would_misread_is_refused(ref):
    assert "is no branch, tag or commit" in automation.ref_problem("git", ref)
    assert automation.ref_problem("git", "feature/a-1.2_x+b") == ""


@pytest.mark.parametrize(
    "playbook",
    ["/etc/site.yml", "../site.yml", "a/../../site.yml", "a//b.yml", "./a.yml", "~/a.yml", "-e.yml", "a\\b.yml", "a\nb.yml"],
)  # fmt: skip
def test_a_playbook_never_leaves_the_project(playbook):
    assert playbook_paths.playbook_problem(playbook)
    assert playbook_paths.playbook_problem("playbooks/web/site.yaml") == ""


def test_what_is_no_playbook_is_told_by_its_name():
    assert "ends in .yml or .yaml" in playbook_paths.playbook_problem("README.md")
    assert "Name the playbook" in playbook_paths.playbook_problem("")


@pytest.mark.parametrize(
    "limit",
    ["web01", "web*,&debian,!web03", "web:db", "web[0:2]", "~web[0-9]+\\.example\\.net", "2001:db8::1", "web01 web?"],
)  # fmt: skip
def test_a_limit_is_what_ansible_understands(limit):
    assert automation.limit_problem(limit) == ""


@pytest.mark.parametrize(
    "limit", ["   ", "@retry", "web01,@/etc/passwd", "--list", "$(id)", "web01;id", "a\nb"]
)
def test_a_limit_that_limits_something_else_is_refused(limit):
    assert automation.limit_problem(limit)


@pytest.mark.parametrize("deep", [{"token": "unlock:api"}, ["env:API"], {"a": [{"b": "file:/etc/api"}]}])
def test_a_reference_below_the_top_of_extra_variables_is_refused(site, deep):
    (told,) = _refused(site, _template(site, extra_vars={"api": deep}))["extra_vars"]
    assert told.startswith("api.") and "would be handed on as text" in told
    with change(site, by="ada"):
        _template(site, extra_vars={"api": "unlock:api", "deep": {"of": "file://no/reference"}}).save()


def test_everything_that_is_wrong_with_a_template_is_told_at_once(site):
    told = _refused(
        site,
        _template(
            site,
            playbook="../site.yml", limit="@x", tags="a b", skip_tags="-x", forks=501, verbosity=6,
            extra_vars={"db_password": "hunter2hunter2"}, prompts=[{"name": "1"}], vault_secrets={"a b": "clear"},
            ssh_key="PRIVATE", remote_user="a b", time_limit_minutes=0,
        ),
    )  # fmt: skip
    assert sorted(told) == [
        "extra_vars", "forks", "limit", "playbook", "prompts", "remote_user", "skip_tags", "ssh_key", "tags",
        "time_limit_minutes", "vault_secrets", "verbosity",
    ]  # fmt: skip
    assert "hunter2" not in str(told)
    assert len(told["vault_secrets"]) == 2


@pytest.mark.parametrize("forks", [0, 501])
def test_the_database_has_the_last_word_on_numbers(site, forks):
    with (
        pytest.raises((DatabaseError, ValidationError)),
        transaction.atomic(),
        change(site, by="import", source="declare") as the_change,
    ):
        the_change.create([_template(site, forks=forks)])


def test_a_template_takes_the_project_of_its_own_site(site):
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture"):
        foreign = _project(other, name="foreign")
        foreign.save()
    assert "another site" in _refused(site, _template(site, project=foreign))["project"][0]


def test_a_role_takes_the_template_of_its_own_site(site):
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture"):
        Project(site=other, name="p", location="/srv/p").save()
        foreign = JobTemplate(site=other, name="f", project=Project.objects.get(name="p"), playbook="f.yml")
        foreign.save()
    role = Role(site=site, slug="web", configure_template=foreign)
    profile = WorkloadProfile(site=site, name="web", retire_template=foreign)
    assert "another site" in _refused(site, role)["configure_template"][0]
    assert "another site" in _refused(site, profile)["retire_template"][0]


def test_a_name_is_there_once(site):
    assert "has a project of this name" in str(_refused(site, _project(site, name="lab")))
    assert "has a job template of this name" in str(_refused(site, _template(site, name="base")))


def test_a_reference_leads_to_no_secret_of_this_application(site):
    told = _refused(
        site, _project(site, source="git", location="ssh://git.example.net/x", key="env:SECRET_KEY")
    )
    assert "is a setting of this application itself" in told["key"][0]
    told = _refused(site, _template(site, vault_secrets={"default": "file:/proc/self/environ"}))
    assert "is no file of its own" in told["vault_secrets"][0]


def test_a_key_that_nothing_would_use_is_refused(site):
    told = _refused(site, _project(site, source="git", location="https://git.example.net/x", key="unlock:k"))
    assert "A key is used over SSH only" in told["key"][0]


def test_a_project_that_a_template_uses_stays(site):
    with pytest.raises(ValidationError, match="still used by job template base"), change(site, by="ada"):
        Project.objects.get().delete()
