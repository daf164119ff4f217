"""Severities are lowered in the browser, from the finding; each finding explains itself there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from inventory.changes import change
from inventory.models import Change, Interface, SeverityOverride
from inventory.rules.catalogue import CATALOGUE
from inventory.serving import judgement
from tests.admin.pages import errors_of, latest_change, send, shown, url

pytestmark = pytest.mark.django_db

FINDINGS = "/admin/findings/lab/"
SUBJECT = "interface pi01/eth0"


@pytest.fixture
def unread(site, host):
    """pi01 asks for a reservation, and nobody has read its MAC."""
    with change(site, by="fixture"):
        interface = host.interfaces.get()
        interface.mac = None
        interface.save()
    return host


def tomorrow() -> date:
    return timezone.localdate() + timedelta(days=1)


def override(site, **facts) -> SeverityOverride:
    given = {
        "finding": "reservation-unknown-mac",
        "severity": "info",
        "why": "in the post",
        "expires": tomorrow(),
    }
    return SeverityOverride(site=site, **{**given, **facts})


def told_of(browser, finding):
    (told,) = [told for told in browser.get(FINDINGS).context["rows"] if told.finding.id == finding]
    return told


def test_a_finding_leads_to_the_page_that_lowers_it(browser, site, unread):
    told = told_of(browser, "reservation-unknown-mac")
    data = shown(browser, told.lower)
    assert {key: data[key] for key in ("finding", "subject", "severity")} == {
        "finding": "reservation-unknown-mac", "subject": SUBJECT, "severity": "info",
    }  # fmt: skip
    address = told.lower.partition("?")[0]
    send(browser, address, data | {"expires": f"{tomorrow()}", "why": "the card is in the post"})
    row = SeverityOverride.objects.get()
    assert (row.subject, row.why, latest_change().why, latest_change().by_name) == (
        SUBJECT, "the card is in the post", "the card is in the post", "ada",
    )  # fmt: skip
    told = told_of(browser, "reservation-unknown-mac")
    assert (told.finding.severity, told.finding.lowered_from, told.lower) == ("info", "warning", "")
    page = browser.get(FINDINGS).content.decode()
    assert f"Lowered from warning until {tomorrow()}: the card is in the post" in page
    assert "ada" in browser.get(url("severityoverride")).content.decode()


def test_reason_and_last_day_are_asked_for(browser, site, unread):
    data = shown(browser, told_of(browser, "reservation-unknown-mac").lower)
    address = url("severityoverride", "add")
    assert set(errors_of(browser.post(address, data | {"why": ""}))) == {"why", "expires"}
    yesterday = timezone.localdate() - timedelta(days=1)
    errors = errors_of(browser.post(address, data | {"why": "so", "expires": f"{yesterday}"}))
    assert errors == {"expires": [f"{yesterday} is over; give a day from today on."]}
    assert not SeverityOverride.objects.exists()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"finding": "reservation-unknown-mc"}, "did you mean reservation-unknown-mac?"),
        ({"finding": "nonsense!"}, "There is no finding “nonsense!”; the list of findings names them all."),
        ({"finding": "override-idle"}, "is about lowering itself and cannot be lowered"),
        ({"expires": date(2020, 1, 1)}, "2020-01-01 is over"),
        ({"why": " "}, "Say why the site may live with it."),
        ({"severity": "error"}, "not a valid choice"),
    ],
)
def test_a_person_is_refused_what_lowers_nothing(site, facts, message):
    with pytest.raises(ValidationError) as refused, change(site, by="ada"):
        override(site, **facts).save()
    assert message in " ".join(refused.value.messages)


def test_one_finding_of_one_subject_is_lowered_once(site):
    with change(site, by="ada"):
        override(site).save()
    with pytest.raises(ValidationError, match="lowered already"), change(site, by="ada"):
        override(site).save()


def test_who_may_not_lower_is_offered_nothing(site, unread):
    person = User.objects.create_user("bob", password="a long password", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_site"))
    client = Client()
    client.force_login(person)
    assert told_of(client, "reservation-unknown-mac").lower == ""
    assert client.get(url("severityoverride", "add")).status_code == 403
    assert client.get("/admin/finding/pool-missing/").status_code == 200
    person.user_permissions.clear()
    assert client.get("/admin/finding/pool-missing/").status_code == 403


def test_an_override_that_is_over_leads_to_itself(browser, site, unread):
    with change(site, by="fixture", source="import"):
        row = override(site, expires=date(2020, 1, 1))
        row.save()
    told = told_of(browser, "override-expired")
    assert (told.finding.severity, told.lower) == ("warning", "")
    assert told.page == url("severityoverride", "change", row.pk)
    assert browser.get(told.page).status_code == 200
    assert "(over)" in browser.get(url("severityoverride")).content.decode()


def test_a_new_day_is_judged_anew(browser, site, unread, monkeypatch):
    with change(site, by="fixture"):
        override(site).save()
    assert told_of(browser, "reservation-unknown-mac").finding.severity == "info"
    later = timezone.localdate() + timedelta(days=2)
    monkeypatch.setattr(judgement.timezone, "localdate", lambda **_: later)
    assert told_of(browser, "reservation-unknown-mac").finding.severity == "warning"


@pytest.mark.parametrize("finding", sorted(CATALOGUE))
def test_every_finding_explains_itself(browser, site, finding):
    response = browser.get(f"/admin/finding/{finding}/")
    assert response.status_code == 200
    assert response.context["page"] is CATALOGUE[finding]
    assert f"/admin/findings/lab/?rule={finding}" in response.content.decode()


def test_an_unknown_finding_has_no_page(browser, site):
    assert browser.get("/admin/finding/nonsense/").status_code == 404
    assert "/admin/finding/reservation-unknown-mac/" not in browser.get(FINDINGS).content.decode()


def test_the_command_tells_what_was_lowered_and_why(site, unread, capsys):
    with change(site, by="fixture"):
        override(site).save()
    call_command("findings", site="lab")
    assert f"    Lowered from warning until {tomorrow()}: in the post\n" in capsys.readouterr().out
    call_command("findings", site="lab", json=True)
    assert '"lowered_because": "in the post"' in capsys.readouterr().out


def test_a_lowered_error_is_no_failure_of_the_command(site, host, capsys):
    with change(site, by="fixture", source="import"):
        interface = Interface.objects.get()
        interface.ipv4 = "192.0.2.127"
        interface.save()
    with pytest.raises(SystemExit):
        call_command("findings", site="lab")
    with change(site, by="ada", why="a test"):
        override(site, finding="reservation-unusable-address").save()
    call_command("findings", site="lab")
    assert "0 error" in capsys.readouterr().out.splitlines()[-1]
    assert Change.objects.filter(why="a test").exists()
