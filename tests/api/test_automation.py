"""Projects and job templates through the API."""

from __future__ import annotations

import pytest

from tests.api.conftest import bearer, problem, wrong

PROJECT = {"site": "lab", "name": "lab", "location": "/srv/playbooks"}
TEMPLATE = {
    "site": "lab", "name": "base", "project": "lab", "playbook": "base.yml", "limit_required": True, "check_mode": True,
    "extra_vars": {"z": 1, "a": 2}, "prompts": [{"name": "release", "kind": "string"}],
    "vault_secrets": {"default": "unlock:vault"},
}  # fmt: skip


@pytest.fixture
def project(administrator, site):
    made = administrator.post("projects", PROJECT)
    assert made.status_code == 201, made.content
    return made.json()


def test_a_template_is_created_read_changed_and_deleted(administrator, project):
    made = administrator.post("templates", TEMPLATE)
    assert made.status_code == 201, made.content
    assert made.json().items() >= TEMPLATE.items()
    assert made.json()["project_id"] == project["id"]
    address = f"templates/{made.json()['id']}"
    assert administrator.patch(address, {"forks": 20}).json()["forks"] == 20
    put = administrator.put(address, administrator.get(address).json())
    assert put.status_code == 200, put.content
    assert administrator.get("templates?project=lab").json()["results"][0]["name"] == "base"
    assert administrator.delete(address, mgmtplane_reason="a test").status_code == 204


def test_everything_wrong_with_a_template_is_told_beside_its_field(administrator, project):
    bad = {
        "playbook": "/etc/x.yml",
        "prompts": [{"name": "1"}],
        "forks": 0,
        "vault_secrets": {"default": "clear"},
    }
    told = wrong(administrator.post("templates", TEMPLATE | bad))
    assert sorted(told) == ["forks", "playbook", "prompts", "vault_secrets"]


def test_a_prompt_and_an_extra_variable_do_not_share_a_name(administrator, project):
    told = wrong(administrator.post("templates", TEMPLATE | {"extra_vars": {"release": "1.4"}}))
    assert "“release” is an extra variable" in told["prompts"]


def test_prompts_are_a_list_of_objects(administrator, project):
    assert "list of objects" in wrong(administrator.post("templates", TEMPLATE | {"prompts": {}}))["prompts"]


def test_a_role_names_a_template(administrator, project):
    administrator.post("templates", TEMPLATE)
    made = administrator.post("roles", {"site": "lab", "slug": "web", "configure_template": "base"})
    assert made.json()["configure_template"] == "base"
    address = f"roles/{made.json()['id']}"
    assert (
        "no job template “gone”"
        in wrong(administrator.patch(address, {"retire_template": "gone"}))["retire_template"]
    )
    assert administrator.patch(address, {"configure_template": None}).json()["configure_template"] is None


def test_a_project_in_use_is_not_deleted(administrator, project):
    administrator.post("templates", TEMPLATE)
    told = problem(administrator.delete(f"projects/{project['id']}", mgmtplane_reason="x"), 409)
    assert "job template base" in told["detail"]


@pytest.mark.parametrize("scope", ["write", "provision"])
def test_which_code_runs_is_for_administrators(project, scope):
    caller = bearer(scope)
    problem(caller.post("templates", TEMPLATE), 403)
    problem(caller.patch(f"projects/{project['id']}", {"location": "/tmp/mine"}), 403)
    assert caller.get(f"projects/{project['id']}").json()["location"] == "/srv/playbooks"
