"""Exports, inventory and metrics with a session: of the sites where the person may see hosts."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.access.two_sites import person, signed_in

PATHS = ["/inventory/{}/", "/export/{}/hosts", "/inventory/{}/?host={}-host"]


@pytest.mark.parametrize("path", PATHS)
def test_a_person_reads_the_sites_where_he_may_see_hosts(ours, theirs, path):
    browser = signed_in(person("kim", (ours.site, "viewer")))
    assert browser.get(path.format("ours", "ours")).status_code == 200
    for slug in ("theirs", "nowhere"):
        refused = browser.get(path.format(slug, slug))
        assert refused.status_code == 403
        assert refused.json()["error"] == f"kim may see hosts at ours, not at “{slug}”."
    assert Client().get(path.format("ours", "ours")).status_code == 401


def test_who_reads_every_site_is_told_which_are_unknown(ours, theirs):
    browser = signed_in(person("lee", (None, "viewer")))
    for slug in ("ours", "theirs"):
        assert browser.get(f"/inventory/{slug}/").status_code == 200
    assert browser.get("/inventory/nowhere/").status_code == 404


def test_metrics_are_of_the_sites_that_one_may_see(ours, theirs):
    kim = signed_in(person("kim", (ours.site, "viewer")))
    numbers = kim.get("/metrics", REMOTE_ADDR="192.0.2.9").content.decode()
    assert 'site="ours"' in numbers and "theirs" not in numbers
    assert signed_in(person("nobody")).get("/metrics", REMOTE_ADDR="192.0.2.9").status_code == 403
    assert Client().get("/metrics", REMOTE_ADDR="192.0.2.9").status_code == 401
    lee = signed_in(person("lee", (None, "viewer")))
    assert 'site="theirs"' in lee.get("/metrics", REMOTE_ADDR="192.0.2.9").content.decode()
