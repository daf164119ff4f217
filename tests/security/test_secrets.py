"""A plain secret and ciphertext, planted where people put them: which pages, files and answers repeat them."""

from __future__ import annotations

import logging

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from inventory import vault
from inventory.changes import change
from inventory.models import Change, Consumer, Group, Host, RememberedAnswer, Site
from provisioning import requests
from tests.access.test_permission_matrix import World
from tests.access.two_sites import person, signed_in
from tests.admin import every_page
from tests.provisioning.keeping import keeper  # noqa: F401
from tests.security.planted import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

SECRET = "hunter2-Z9x"
SEALED = vault.encrypt(b"x", b"a vault password", "default")
CIPHER = SEALED.split("\n")[1][:40]

#: Pages on which somebody edits the very value, or sees what the host's exports say.
#: record_host_keys: nothing was gathered, so it leads back to the host
SHOWN_ON = ("site-change", "host-change", "group-change", "go", "host_contribution", "record_host_keys")
SEALED_SHOWN_ON = ("host_contribution",)


@pytest.fixture
def secretive(ours):
    """ours-host with secrets in its variables and notes, which were others before."""
    host = Host.objects.get(pk=ours["host"].pk)
    for number in (1, 2):
        with change(ours.site, by="fixture", why="planting"):
            host.variables = {
                "bmc_password": f"{SECRET}{number}",
                "nested": {"api_key": SECRET, "rack": number},
                "sealed_one": {"__ansible_vault": SEALED},
            }
            host.notes = f"password: {SECRET}{number}"
            host.save()
            group = Group.objects.get(pk=ours["group"].pk)
            group.variables = {"db_password": f"{SECRET}{number}"}
            group.save()
            site = Site.objects.get(pk=ours.site.pk)
            site.variables = {"db_token": f"{SECRET}{number}"}
            site.save()
    return ours


@pytest.fixture
def browser(secretive):
    return signed_in(person("root", is_superuser=True))


def test_pages_that_are_not_its_own_do_not_repeat_a_secret(secretive, browser):
    wrong = []
    for name, address in every_page.every_page(World(secretive)):
        said = text_of(browser.get(address, follow=True))
        wrong += [f"{name}: the secret"] if SECRET in said and name not in SHOWN_ON else []
        wrong += [f"{name}: ciphertext"] if CIPHER in said and name not in SEALED_SHOWN_ON else []
    assert wrong == []


def test_no_page_repeats_what_is_unlocked(secretive, browser, keeper):  # noqa: F811
    """Names and times are on every page of who may lock it; the value is asked for by none."""
    unlocked = f"{SECRET}-unlocked"
    requests.unlock(secretive.site, "pve", unlocked, minutes=5, by="ada")
    try:
        wrong, named = [], 0
        for name, address in every_page.every_page(World(secretive)):
            said = text_of(browser.get(address, follow=True))
            wrong += [name] if unlocked in said else []
            named += f"Unlocked at {secretive.site}" in said
        assert wrong == []
        assert named > 20
    finally:
        requests.lock(secretive.site, by="ada")


def test_history_differences_and_undo_do_not(secretive, browser):
    changes = list(Change.objects.filter(site=secretive.site).order_by("revision"))
    slug = secretive.site.slug
    asked = [f"/admin/changed/{slug}/?since=1", f"/admin/undo/{slug}/?since=1"]
    for one in changes:
        asked += [
            f"/admin/undo/{slug}/?revision={one.revision}",
            reverse("admin:inventory_change_change", args=(one.pk,)),
            f"/api/v1/changes/{one.pk}",
        ]
    for noun in ("host", "group", "site"):
        for version in secretive[noun].history.all():
            asked.append(
                reverse(
                    f"admin:inventory_{noun}_simple_history", args=(secretive[noun].pk, version.history_id)
                )
            )
    for address in asked:
        answer = browser.get(address)
        said = text_of(answer)
        assert answer.status_code == 200, address
        assert SECRET not in said, address
        # lines of exports hold ciphertext as the exports do
        assert CIPHER not in said or "/undo/" in address, address
    assert "looks like a secret: not shown" in text_of(browser.get(asked[0]))


@pytest.mark.parametrize(
    "part",
    ["hunter2", "Z9x", "password", "bmc_password", "ours-host", CIPHER[:12]],
    ids=["begin", "end", "word", "key", "host", "ciphertext"],
)
def test_finding_does_not_quote_it(secretive, browser, part):
    for address in ("/admin/find/", "/admin/find/live/", "/admin/resolve/", "/api/v1/resolve"):
        said = text_of(browser.get(address, {"q": part}))
        assert SECRET not in said and CIPHER not in said, address


def test_lists_as_csv_and_lists_do_not(secretive, browser):
    for noun in ("host", "group", "site", "change", "identity"):
        for page in ("csv", "changelist"):
            said = text_of(browser.get(reverse(f"admin:inventory_{noun}_{page}")))
            assert SECRET not in said and CIPHER not in said, noun


def test_a_save_repeats_it_in_no_message_no_log_and_no_remembered_answer(secretive, browser, caplog):
    """Nor does a refused one: what is wrong is named, not quoted."""
    caplog.set_level(logging.DEBUG)
    group = secretive["group"]
    at = reverse("admin:inventory_group_change", args=(group.pk,))
    given = {"name": group.name, "priority": "1", "why": "x", "variables": f"api_key: {SECRET}new"}
    for text in (given["variables"], f"api_key: {SECRET}new\n\tbroken: ]"):
        answer = browser.post(at, {**given, "variables": text})
        assert SECRET not in " ".join(str(one) for one in get_messages(answer.wsgi_request))
        errors = answer.context["adminform"].form.errors if answer.context else ""
        assert SECRET not in str(errors)
    api = browser.patch(
        f"/api/v1/groups/{group.pk}",
        f'{{"variables": {{"api_key": "{SECRET}", "a": 1}}, "pririty": 1}}',
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert api.status_code == 400 and SECRET not in text_of(api)
    assert SECRET not in caplog.text
    for rows in (RememberedAnswer.objects.values_list("body"), Change.objects.values_list("why")):
        assert SECRET not in str(list(rows))
    assert SECRET not in str(list(Consumer.objects.values_list("message")))
