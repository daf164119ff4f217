"""/api/v1/: every noun and act by every level, site and token scope; expected from the table of levels alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from inventory.api.v1.nouns.views import NOUNS
from inventory.api.v1.urls import urlpatterns
from inventory.levels import ONLY_EVERYWHERE, permissions_of_scope
from inventory.models import Token
from tests.access.test_permission_matrix import differences

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

#: what each act beside reading and writing a noun needs: action → permission
ACTS = {
    "retire": "change_host", "reactivate": "change_host", "free": "change_identity", "findings": "view_site",
    "allocate": "change_host", "plan": "provisioning.run_job", "confirm": "provisioning.confirm_job",
    "cancel": "provisioning.cancel_job", "again": "provisioning.run_job",
    "unlock": "provisioning.unlock", "lock": "provisioning.unlock", "unlocked": "provisioning.unlock",
    "answer": "provisioning.unlock",
    "events": "provisioning.view_run", "hosts": "provisioning.view_run", "relaunch": "provisioning.run_job",
}  # fmt: skip
#: what it is sent; for a host that exists, allocating is a change of that host
BODIES = {"allocate": {"host": "ours-host", "mac": True}, "plan": {"kind": "survey", "site": "ours"},
    "unlock": {"site": "ours", "name": "vault", "value": "x", "minutes": 1}, "lock": {"site": "ours"},
    "answer": {"secrets": {"vault": "x"}}, "relaunch": {"on": "all"},
}  # fmt: skip
#: what stands behind its address
QUERIES = {"unlocked": "?site=ours"}
#: addresses that belong to no noun: who may sign in, or any caller
PAGES = {
    "api-root",
    "api-schema",
    "api-docs",
    "api-resolve",
}  # the last shows the sites one may see


@pytest.fixture
def ours(matrix):
    return matrix.ours


@pytest.fixture
def theirs(matrix):
    return matrix.theirs


@pytest.fixture
def visits(matrix):
    return matrix.visits()


class Told:
    """An answer of the API; a site that the caller may not see counts as a refusal, whatever its status."""

    def __init__(self, response: Any) -> None:
        hidden = response.status_code == 400 and b"you may not see it" in response.content
        self.status_code = 404 if hidden else response.status_code
        self.headers = response.headers


def sent(browser: Client, method: str, at: str, body: Any = None) -> Told:
    return Told(browser.generic(method, at, json.dumps(body or {}), content_type="application/json"))


def may(view: Any, verb: str, at: str | None) -> Any:
    return lambda kind: kind.may(view.needed(verb), at)


def asks(name: str, ours: Any) -> list[tuple[str, str, Any, str, str | None]]:
    """(method, address, body, verb, site) of what a noun answers to."""
    view = NOUNS[name]
    many, one = f"/api/v1/{name}", f"/api/v1/{name}/{ours[view.noun].pk}"
    found: list[tuple[str, str, Any, str, str | None]] = [
        ("GET", many, None, "view", None),
        ("GET", one, None, "view", "ours"),
    ]
    if "post" in view.http_method_names and hasattr(view, "create"):
        found.append(("POST", many, {"site": "ours"}, "add", None if view.noun == "site" else "ours"))
    if "patch" in view.http_method_names and hasattr(view, "partial_update"):
        found.append(("PATCH", one, {}, "change", "ours"))
    if "delete" in view.http_method_names and hasattr(view, "destroy"):
        found.append(("DELETE", one, None, "delete", "ours"))
    return found


@pytest.mark.parametrize("name", NOUNS)
def test_who_reads_and_writes_a_noun_with_a_session(ours, visits, name):
    for method, at, body, verb, where in asks(name, ours):
        expected = may(NOUNS[name], verb, where)
        wrong = differences(visits, lambda b, m=method, a=at, d=body: sent(b, m, a, d), expected)
        assert wrong == [], (method, at)


@pytest.mark.parametrize("name", NOUNS)
@pytest.mark.parametrize("scope", Token.SCOPES)
@pytest.mark.parametrize("of", ["ours", "theirs", None])
def test_what_a_token_reads_and_writes(ours, theirs, name, scope, of):
    token = Token(name="t", scope=scope, site={"ours": ours.site, "theirs": theirs.site}.get(of or ""))
    plain = token.issue()
    token.save()
    bearer = Client(headers={"Authorization": f"Bearer {plain}"})
    granted = permissions_of_scope(scope) - (ONLY_EVERYWHERE if of else frozenset())
    for method, at, body, verb, where in asks(name, ours):
        expected = NOUNS[name].needed(verb) in granted and (where is None or of in (None, where))
        answer = sent(bearer, method, at, body)
        assert (answer.status_code not in (401, 403, 404)) == expected, (method, at, answer.status_code)


def test_every_act_and_address_is_known_here():
    acts = {act.url_name.replace("-", "_") for view in NOUNS.values() for act in view.get_extra_actions()}
    assert acts - set(ACTS) == set(), "say in ACTS what it needs"
    plain = {pattern.name for pattern in urlpatterns if pattern.name}
    nouns = {name for name in plain if any(name.startswith(f"api-{noun}-") for noun in NOUNS)}
    assert plain - nouns - PAGES == set(), "say in PAGES that anybody who may sign in opens it"


def _acts() -> list[tuple[str, str, str, str]]:
    """(noun, act, path, method); the path of an act on one row begins with a slash."""
    views: dict[str, Any] = dict(NOUNS)
    return [
        (name, act.url_name.replace("-", "_"), f"{'/' if act.detail else ''}{act.url_path}", method)
        for name, view in views.items()
        for act in view.get_extra_actions()
        for method in act.mapping
    ]


@pytest.mark.parametrize(("name", "act", "path", "method"), _acts())
def test_who_acts(ours, visits, name, act, path, method):
    needed = ACTS[act]
    row = ours[NOUNS[name].noun].pk if path.startswith("/") else ""
    at = f"/api/v1/{name}/{row}{path}{QUERIES.get(act, '')}"
    permission = needed if "." in needed else f"inventory.{needed}"
    expected = lambda kind: kind.may(permission, "ours")  # noqa: E731
    assert differences(visits, lambda b: sent(b, method.upper(), at, BODIES.get(act)), expected) == []


@pytest.mark.parametrize("page", ["", "schema", "docs"])
def test_who_opens_the_pages_about_it(visits, page):
    wrong = differences(visits, lambda b: b.get(f"/api/v1/{page}"), lambda kind: kind.name != "anonymous")
    assert wrong == []
