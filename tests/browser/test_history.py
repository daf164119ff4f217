"""Two people on one page, undo, and “what changed since yesterday, undo it”, in a real browser."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory.changes import change
from inventory.models import Change, Consumer, Host, Rendering, Site
from tests.browser.counting import Counted
from tests.shared_data import require_sample

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture
def sample(administrator):
    call_command("import_ansible", str(require_sample()), "--site", "dvntm", "--apply", verbosity=0)
    return Site.objects.get(slug="dvntm")


def edit(name: str, by: str = "bob", why: str = "", **values) -> Change:
    site = Site.objects.get()
    with change(site, by=by, why=why, source="admin"):
        row = Host.objects.get(name=name)
        for field, value in values.items():
            setattr(row, field, value)
        row.save()
    return Change.objects.latest("id")


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (360, False)], ids=["light", "dark", "narrow"]
)
def test_the_second_of_two_people_chooses(visit, administrator, sample, width, dark, request):
    ada = visit(width=width, dark=dark)
    ada.sign_in("ada")
    host = Host.objects.get(name="pi02")
    ada.open(f"/admin/inventory/host/{host.pk}/change/")
    ada.page.locator("#id_notes").fill("the screen flickers")
    ada.page.locator("#id_platform").fill("Pi 5")
    edit("pi02", why="moved to the other rack", notes="a new power supply", location="rack 2")
    ada.page.get_by_role("button", name="Save", exact=True).click()
    panel = ada.page.locator("#meanwhile")
    expect(panel.get_by_text("moved to the other rack")).to_be_visible()
    assert ada.too_wide() <= 0
    ada.photograph(f"conflict-{request.node.callspec.id}")
    panel.get_by_text("Keep mine").click()
    ada.page.locator("#id_why").fill("it does")
    ada.page.get_by_role("button", name="Save", exact=True).click()
    ada.page.wait_for_url("**/admin/inventory/host/")
    host.refresh_from_db()
    assert (host.notes, host.location, host.platform) == ("the screen flickers", "rack 2", "Pi 5")
    assert ada.complaints == []


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (360, False)], ids=["light", "dark", "narrow"]
)
def test_a_change_is_undone_or_refused(visit, administrator, sample, width, dark, request):
    one = edit("pi02", why="tidied up", notes="x", variables={"wol": False, "routes": ["a", "b"]})
    site = Site.objects.get()
    for revision, sha in ((one.revision - 1, "a" * 64), (one.revision, "b" * 64)):
        Rendering.objects.create(site=site, format="ansible", revision=revision, sha256=sha, size=1)
    etag = f'"{one.revision}-{"b" * 20}"'
    Consumer.objects.create(
        site=site, format="ansible", name="builder", ok=True, applied_at=one.at,
        fetched_etag=etag, fetched_revision=one.revision, applied_etag=etag, applied_revision=one.revision,
    )  # fmt: skip
    ada = visit(width=width, dark=dark)
    ada.sign_in("ada")
    ada.open(f"/admin/inventory/change/{one.pk}/change/")
    assert ada.too_wide() <= 0
    ada.photograph(f"change-{request.node.callspec.id}")
    ada.open(f"/admin/undo/dvntm/?revision={one.revision}")
    expect(ada.page.get_by_text("ansible on builder applied revision")).to_be_visible()
    assert ada.too_wide() <= 0
    ada.photograph(f"undo-preview-{request.node.callspec.id}")
    later = edit("pi02", by="eve", why="better words", notes="y")
    ada.page.reload()
    expect(ada.page.get_by_text(f"was changed later by eve in revision {later.revision}")).to_be_visible()
    ada.photograph(f"undo-refused-{request.node.callspec.id}")
    ada.page.get_by_role("link", name=f"Undo revision {later.revision} first").click()
    ada.page.get_by_label("Reason for this change").fill("one by one")
    ada.page.get_by_role("button", name="Undo", exact=True).click()
    expect(ada.page.get_by_text("Undone: revision")).to_be_visible()
    assert Host.objects.get(name="pi02").notes == "x"
    ada.open("/admin/inventory/change/?q=pi02")
    assert ada.too_wide() <= 0
    ada.photograph(f"changes-{request.node.callspec.id}")
    assert ada.complaints == []


def test_what_changed_since_yesterday_is_undone(visit, administrator, sample):
    """The operator's path, in clicks and seconds."""
    from datetime import timedelta

    from django.utils import timezone

    Change.objects.update(at=timezone.now() - timedelta(days=5))
    before = {row.name: (row.notes, row.status) for row in Host.objects.all()}
    edit("pi02", why="tired of it", notes="gone?", status="maintenance")
    edit("pi02", by="eve", why="tired of it too", notes="gone!")
    edit("hv01", by="eve", why="a new shelf", location="shelf 3")
    ada = visit()
    ada.sign_in("ada")
    counted = Counted(ada.page)
    counted.click(ada.page.get_by_role("link", name="Changes").first)
    counted.click(ada.page.get_by_role("link", name="What changed since yesterday").first)
    expect(ada.page.get_by_role("heading", name="The difference, all in all")).to_be_visible()
    ada.photograph("changed-since-yesterday")
    counted.click(ada.page.get_by_role("link", name="Undo all of it"))
    ada.photograph("undo-since-yesterday")
    counted.fill("Reason for this change", "a bad day")
    counted.click(ada.page.get_by_role("button", name="Undo", exact=True))
    expect(ada.page.get_by_text("Undone: revision")).to_be_visible()
    assert counted.tell("What changed since yesterday, undo it") <= 5
    assert {row.name: (row.notes, row.status) for row in Host.objects.all()} == before
    assert ada.complaints == []
