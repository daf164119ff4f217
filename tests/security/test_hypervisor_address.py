"""Where the token of a hypervisor is sent: an operator can move it on no way, an administrator of the site can."""

from __future__ import annotations

import pytest
from django.urls import reverse

from inventory.changes import change
from inventory.models import Hypervisor
from inventory.undoing import undo
from tests.access.two_sites import person, signed_in
from tests.admin.pages import new_inline, send, shown, url

pytestmark = pytest.mark.django_db

HIS = "https://198.51.100.66:8006"


@pytest.fixture
def api(ours):
    row = ours["hypervisor"]
    with change(ours.site, by="fixture"):
        row.host.form = "hv"
        row.host.save()
    return row


def address_of(api):
    return Hypervisor.objects.get(pk=api.pk).api_url


@pytest.mark.parametrize(("level", "moves"), [("operator", False), ("administrator", True)])
def test_by_the_page_of_its_host(api, grant_of, level, moves):
    page, as_root = url("host", "change", api.host_id), signed_in(person("root", is_superuser=True))
    form = shown(as_root, page) | {"proxmox-0-api_url": HIS, "notes": "noisy", "why": "a test"}
    send(grant_of(level), page, form)
    assert (address_of(api) == HIS) is moves
    assert Hypervisor.objects.get(pk=api.pk).host.notes == "noisy", "his own part is stored"


def test_by_one_more_on_the_page_of_its_host(ours, api, grant_of):
    with change(ours.site, by="fixture"):
        api.delete()
    page = url("host", "change", api.host_id)
    as_root = signed_in(person("root", is_superuser=True))
    form = shown(as_root, page) | new_inline(
        "proxmox", 0, host=api.host_id, api_url=HIS, secret="env:PVE_WRITE_TOKEN"
    )
    send(grant_of("operator"), page, form | {"notes": "noisy", "why": "a test"})
    assert not Hypervisor.objects.filter(host=api.host_id).exists()


@pytest.mark.parametrize(("level", "moves"), [("operator", False), ("administrator", True)])
def test_by_an_import(api, grant_of, level, moves):
    at, browser = reverse("admin:import_into", args=("ours",)), grant_of(level)
    text = f"hypervisor,api_url\n{api.host.name},{HIS}\n"
    page = browser.post(at, {"text": text})
    assert [str(entry) for entry, _ in page.context["plan"].rows], "there is something to refuse"
    done = {
        "text": page.context["offered_text"],
        "kind": page.context["form"].cleaned_data["kind"],
        "confirmed": page.context["outcome"].fingerprint,
        "why": "a test",
    }
    answer = browser.post(at, done)
    assert (address_of(api) == HIS) is moves
    assert moves or "You may not change a hypervisor at ours" in answer.content.decode()


def test_by_undoing_what_an_administrator_did(ours, api):
    with change(ours.site, by="fixture") as moved:
        api.api_url = "https://moved.example.net:8006"
        api.save()
    kim = person("kim", (ours.site, "operator"))
    with pytest.raises(undo.Refused, match="change_hypervisor"):
        undo.undo([moved.records[ours.site.pk]], by=kim, why="a test", user=kim)
    assert address_of(api) == "https://moved.example.net:8006"
