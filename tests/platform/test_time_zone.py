"""Times in the person's zone, as the browser told it by a cookie."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client):
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("America%2FArgentina%2FBuenos_Aires", "America/Argentina/Buenos_Aires"),
        ("", "UTC"),
        ("Mars/Olympus", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("/etc/localtime", "UTC"),
        ("x" * 4000, "UTC"),
    ],
)
def test_a_page_names_the_zone_of_its_times(browser, cookie, zone):
    browser.cookies["mgmtplane_timezone"] = cookie
    assert f"Times are in the zone {zone}." in browser.get("/admin/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"  # the next request starts anew


def test_a_time_is_told_in_it(browser):
    from datetime import UTC, datetime

    from inventory.changes import change
    from inventory.models import Change, Site

    with change(Site(slug="lab"), by="fixture"):
        pass
    Change.objects.update(at=datetime(2026, 1, 2, 20, 30, tzinfo=UTC))
    assert "2026-01-02 20:30" in browser.get("/admin/inventory/change/").content.decode()
    browser.cookies["mgmtplane_timezone"] = "Asia/Tokyo"
    assert "2026-01-03 05:30" in browser.get("/admin/inventory/change/").content.decode()
