"""``resolve``: what is known about a value, at the sites that the caller may see."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.api.conftest import bearer, problem, signed_in, wrong


@pytest.mark.parametrize("value", ["pi01", "192.0.2.10", "BC-24-11-CE-51-EC", "artifacts.lab.example.net"])
def test_a_value_in_any_spelling_is_resolved(reader, host, elsewhere, value):
    told = reader.get(f"resolve?q={value}").json()["results"]
    assert [(one["site"], one["is_known"]) for one in told] == [("lab", True), ("home", False)]
    assert told[0]["hosts"] == ["pi01"]
    assert told[0]["claims"][0]["state"] == "held"


def test_sites_that_may_not_be_seen_are_not_asked(host, site, elsewhere):
    api = bearer("read", site)
    assert [one["site"] for one in api.get("resolve?q=hidden").json()["results"]] == ["lab"]
    assert "may not see it" in wrong(api.get("resolve?q=hidden&site=home"))["site"]


def test_who_may_see_no_host_resolves_nothing(host):
    problem(signed_in(User.objects.create_user("kim", is_staff=True)).get("resolve?q=pi01"), 403)


@pytest.mark.parametrize("query", ["", "q=", "q=%00", f"q={'x' * 301}"])
def test_one_says_what_to_look_for(reader, host, query):
    assert "q" in wrong(reader.get(f"resolve?{query}"))
