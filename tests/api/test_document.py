"""The OpenAPI document: valid, whole, and the same tomorrow; and the page to read it."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from inventory.api.v1.nouns.views import NOUNS
from inventory.api.v1.pages import document
from tests.api.conftest import Api, problem

pytestmark = pytest.mark.docs


@pytest.fixture(scope="module")
def told():
    return json.loads(document()[0])


def operations(told):
    return [
        (method, path, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid_and_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_it_is_the_same_each_time_and_has_an_etag(reader):
    first = reader.get("schema/")
    assert (first.status_code, first["Content-Type"]) == (200, "application/json")
    assert first.json()["openapi"] == "3.1.0"
    assert reader.get("schema", if_none_match=first["ETag"]).status_code == 304


def test_strangers_do_not_get_it(db):
    problem(Api().get("schema"), 401)


def test_operations_keep_their_ids(told):
    """Clients are generated from these; a new one is added here, none is renamed."""
    verbs = {
        "get": ("list", "retrieve"),
        "post": ("create",),
        "put": ("update",),
        "patch": ("partial_update",),
    }
    kept = {"identities", "changes", "renderings", "consumers", "jobs", "drift", "runs", "observations"}
    wanted = {
        "resolve", "sites_findings_list", "sites_allocate_create", "segments_allocate_create", "hosts_retire_create",
        "hosts_reactivate_create", "identities_free_create", "jobs_create", "jobs_plan_create", "jobs_confirm_create",
        "jobs_cancel_create", "jobs_again_create", "jobs_unlock_create", "jobs_lock_create", "jobs_unlocked_list",
        "jobs_answer_create", "runs_events_list", "runs_hosts_list", "runs_relaunch_create",
    }  # fmt: skip
    for noun in NOUNS:
        names = [*verbs["get"]]
        if noun not in kept:
            names += verbs["post"]
            if noun != "authority":
                names += [*verbs["put"], *verbs["patch"], "destroy"]
        wanted |= {f"{noun}_{name}" for name in names}
    assert {operation["operationId"] for _, _, operation in operations(told)} == wanted


def test_every_operation_names_its_refusals_and_how_to_be_known(told):
    for method, path, operation in operations(told):
        statuses = set(operation["responses"])
        assert {"400", "401", "403", "406", "500", "503"} <= statuses, (method, path)
        assert ("404" in statuses) == ("{id}" in path), (method, path)
        assert ("415" in statuses) == ("requestBody" in operation), (method, path)
        assert operation["security"] == [{"token": []}, {"session": []}], (method, path)
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                response = told["components"]["responses"][response["$ref"].rpartition("/")[2]]
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)


def test_examples_are_taken(told, administrator, db):
    """Each example of creating something is sent, in an order in which the nouns can refer to each other."""
    order = [
        "sites",
        "roles",
        "segments",
        "groups",
        "hosts",
        "interfaces",
        "services",
        "aliases",
        "authority",
        "profiles",
    ]
    for noun in order:
        content = told["paths"][f"/api/v1/{noun}"]["post"]["requestBody"]["content"]["application/json"]
        body = content["examples"]["example"]["value"]
        if noun == "groups":
            body = {**body, "hosts": []}
        made = administrator.post(noun, body)
        assert made.status_code == 201, (noun, made.content)


def test_the_page_to_try_it_is_for_staff_and_asks_no_other_host(administrator):
    response = administrator.get("docs")
    assert response.status_code == 200
    assert "https://" not in response.content.decode()
    stranger = Api().get("docs")
    assert (stranger.status_code, stranger["Location"]) == (302, "/admin/login/?next=/api/v1/docs")
