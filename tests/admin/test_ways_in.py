"""Pages of the ways in: plans of shutting down, uses of the emergency access, host keys that a person records."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from inventory import reading
from inventory.changes import change
from inventory.models import EmergencyUse, Host, Service, Site
from inventory.rules import judge
from provisioning.models import Observation
from tests.access.two_sites import person, signed_in
from tests.admin.pages import url
from tests.exports.jump_site import host_key

pytestmark = pytest.mark.django_db


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def observed(host: Host, *keys: str) -> None:
    value = dict(key.split(" ", 1) for key in keys)
    Observation.objects.update_or_create(
        site=host.site, host_name=host.name, kind="host_keys", defaults={"value": value, "at": timezone.now()}
    )


def page_of(host: Host) -> str:
    return reverse("admin:record_host_keys", args=(host.site.slug, host.pk))


def test_gathered_keys_are_shown_by_fingerprint_and_recorded_as_shown(browser, host):
    observed(host, host_key(1))
    shown = browser.get(page_of(host))
    assert "SHA256:" in text(shown)
    given = {"fingerprint": shown.context["plan"].fingerprint, "why": "compared on the console"}
    assert browser.post(page_of(host), given).status_code == 302
    host.refresh_from_db()
    assert host.host_keys == host_key(1)
    assert "recorded already" in text(browser.get(page_of(host), follow=True))


def test_keys_that_changed_meanwhile_are_not_recorded(browser, host):
    observed(host, host_key(1))
    given = {"fingerprint": browser.get(page_of(host)).context["plan"].fingerprint, "why": "compared"}
    observed(host, host_key(2))
    assert "has changed meanwhile" in text(browser.post(page_of(host), given, follow=True))
    host.refresh_from_db()
    assert host.host_keys == ""


def test_without_gathered_keys_or_a_reason_nothing_is_recorded(browser, host):
    assert "No run gathered host keys" in text(browser.get(page_of(host), follow=True))
    observed(host, host_key(1))
    given = {"fingerprint": browser.get(page_of(host)).context["plan"].fingerprint, "why": " "}
    assert "Say why" in text(browser.post(page_of(host), given, follow=True))
    host.refresh_from_db()
    assert host.host_keys == ""


def test_who_only_looks_records_nothing(host):
    viewer = signed_in(person("grace", (host.site, "viewer")))
    assert viewer.get(page_of(host)).status_code == 403
    assert viewer.post(page_of(host)).status_code == 403


def test_the_plans_are_shown_with_the_way_to_the_scripts(browser, host):
    said = text(browser.get(reverse("admin:power_order", args=(host.site.slug,))))
    assert "Shutting down" in said and "Powering up" in said and host.name in said
    assert f"/export/{host.site.slug}/power-scripts" in said


def test_a_use_is_a_finding_until_it_is_tidied_up_after(browser, host):
    given = {"site": host.site.pk, "who": "ada", "why": "The router was gone.", "done_by": ""}
    now = timezone.now()
    moment = {"at_0": f"{now:%Y-%m-%d}", "at_1": f"{now:%H:%M:%S}", "done_at_0": "", "done_at_1": ""}
    answer = browser.post(url("emergencyuse", "add"), {**given, **moment})
    assert answer.status_code == 302, answer.context["errors"]
    assert [f.subject[:24] for f in judge(reading.load(host.site.slug)) if f.id == "emergency-use-open"] == [
        "emergency access by ada "
    ]
    assert "open" in text(browser.get(url("emergencyuse")))
    use = EmergencyUse.objects.get()
    with change(Site.objects.get(pk=host.site_id), by="bob"):
        use.done_at, use.done_by = timezone.now(), "bob"
        use.save()
    assert not [f for f in judge(reading.load(host.site.slug)) if f.id == "emergency-use-open"]


def test_a_web_page_shows_where_its_tunnel_ends(browser, host):
    with change(host.site, by="ada"):
        Service(host=host, name="wiki", web_scheme="https").save()
    assert "https://127.0.0.1:24000/" in text(browser.get(url("service")))
