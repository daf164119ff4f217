"""Ways in for who may write something, but not this; and for pages of somebody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from inventory.admin.pages import PAGES
from inventory.models import Host, RememberedAnswer
from tests.access.test_permission_matrix import World
from tests.access.two_sites import person, signed_in
from tests.admin import every_page
from tests.admin.test_starting import confirmation, tree

pytestmark = pytest.mark.django_db


def may_only(*names: str) -> Client:
    user = person("kim")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return signed_in(user)


def test_a_tree_is_imported_by_who_may_write_what_it_holds(ours):
    files = {"hosts.yml": "all:\n  hosts:\n    pi09: {}\n"}
    sent = {"site": "ours", "archive": tree(files)}
    as_root = signed_in(person("root", is_superuser=True)).post("/admin/import/ansible/", sent)
    kim = may_only("view_site", "change_site")
    answer = kim.post("/admin/import/ansible/", {"site": "ours", "archive": tree(files)})
    assert "ask who has inventory.add_host" in answer.content.decode()
    done = {"site": "ours", "carried": as_root.context["carried"], "confirmed": confirmation(as_root)}
    assert "ask who has inventory.add_host" in kim.post("/admin/import/ansible/", done).content.decode()
    assert not Host.objects.filter(name="pi09").exists()


@pytest.mark.parametrize("known", [one for one in PAGES if "POST" in one.methods], ids=lambda one: one.name)
def test_no_page_takes_a_post_of_another_origin(ours, known):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("root", is_superuser=True))
    world = World(ours)
    parts = [match["name"] for match in every_page._PART.finditer(known.route)]
    at = reverse(f"admin:{known.name}", kwargs={name: world.sample(name, known.name) for name in parts})
    for headers in ({}, {"HX-Request": "true"}, {"Origin": "https://evil.example"}):
        assert client.post(at, {"why": "x"}, headers=headers).status_code == 403


def test_a_session_writes_through_the_api_with_its_csrf_token_alone(ours):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("root", is_superuser=True))
    at = f"/api/v1/hosts/{ours['host'].pk}"
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert client.patch(at, '{"notes": "x"}', content_type=kind).status_code in (403, 415)
        answer = client.post(f"/api/v1/segments/{ours['segment'].pk}/allocate", "{}", content_type=kind)
        assert answer.status_code in (403, 415)
    assert Host.objects.get(pk=ours["host"].pk).notes == ""


def test_another_persons_key_gives_nobody_his_answer(ours):
    body, key = '{"host": "ours-host"}', {"Idempotency-Key": "same"}
    at = f"/api/v1/segments/{ours['segment'].pk}/allocate"
    RememberedAnswer.objects.create(
        asker="user:0", key="same", request_sha256="0", status=200, body='"another"'
    )
    answer = signed_in(person("root", is_superuser=True)).post(
        at, body, content_type="application/json", headers=key
    )
    assert "another" not in answer.content.decode() and "Idempotency-Replayed" not in answer.headers
    long = signed_in(person("lee", is_superuser=True)).post(
        at, body, content_type="application/json", headers={"Idempotency-Key": "k" * 100_000}
    )
    assert long.status_code == 400
