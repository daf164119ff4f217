"""POST /export/<site>/<format>/applied, and who is behind."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.middleware.csrf import get_token
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Consumer, Rendering, Site, Token
from inventory.serving import consumers, renderings
from tests.serving.conftest import AddHost, client_of
from tests.serving.conftest import add_host as add_host
from tests.serving.conftest import client as client
from tests.serving.conftest import formats as formats
from tests.serving.conftest import renderings_dir as renderings_dir
from tests.serving.conftest import site as site

pytestmark = pytest.mark.django_db

URL = "/export/lab/list"
OTHER = '"7-00000000000000000000"'


def report(client: Client, url: str = f"{URL}/applied", name: str = "kea-01", **body: Any) -> Any:
    headers = {"Mgmtplane-Consumer": name} if name else {}
    return client.post(url, json.dumps(body), content_type="application/json", headers=headers)


def fetch(client: Client, name: str = "kea-01") -> str:
    etag: str = client.get(URL, headers={"Mgmtplane-Consumer": name} if name else {})["ETag"]
    return etag


def state_of(name: str = "kea-01") -> str:
    state: str = consumers.judged().get(name=name).state
    return state


def test_a_consumer_is_known_by_what_it_fetched_and_applied(client: Client, site: Site) -> None:
    etag = fetch(client)
    row = Consumer.objects.get()
    assert (row.name, row.format, row.fetched_etag, row.fetched_revision) == ("kea-01", "list", etag, 1)
    assert str(row.token) == "everything"
    assert (row.ok, row.applied_at) == (None, None)
    answer = report(client, etag=etag, ok=True, message="loaded")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"consumer": "kea-01", "site": "lab", "format": "list", "etag": etag, "ok": True}
    row.refresh_from_db()
    assert (row.ok, row.message, row.applied_etag, row.applied_revision) == (True, "loaded", etag, 1)
    assert Rendering.objects.get().applied is not None


def test_a_refusal_keeps_what_was_applied_before(client: Client, site: Site, add_host: AddHost) -> None:
    first = fetch(client)
    report(client, etag=first, ok=True)
    add_host("gamma")
    second = fetch(client)
    report(client, etag=second, ok=False, message="kea-dhcp4 -t:\x00\n\tunknown   keyword\ud800")
    row = Consumer.objects.get()
    assert (row.applied_etag, row.fetched_etag, row.ok) == (first, second, False)
    assert row.message == "kea-dhcp4 -t: unknown keyword?"
    assert state_of() == "failed"
    assert Rendering.objects.get(revision=2).applied is None


def test_behind_is_told_by_content(client: Client, site: Site, add_host: AddHost) -> None:
    report(client, etag=fetch(client), ok=True)
    fetch(client, "reads-only")
    assert (state_of(), state_of("reads-only")) == ("current", "current")
    add_host("gone", status="retired")
    newest = client.head(URL)["ETag"]
    assert newest.startswith('"2-')
    assert (state_of(), state_of("reads-only")) == ("current", "current"), "the file is the same"
    add_host("gamma")
    newest = fetch(client)
    assert (state_of(), state_of("reads-only")) == ("behind", "behind"), "fetched is not applied"
    report(client, etag=newest, ok=True)
    assert state_of() == "current"
    long_ago = timezone.now() - timedelta(days=2)
    Consumer.objects.update(first_seen=long_ago, fetched_at=long_ago, applied_at=None)
    assert (state_of(), state_of("reads-only")) == ("silent", "behind")
    assert consumers.counted() == [("lab", "list", "behind", 1), ("lab", "list", "silent", 1)]
    assert consumers.counted("nowhere") == []


def test_each_authority_is_a_file_of_its_own(client: Client, site: Site) -> None:
    plain, other = fetch(client), client.get(f"{URL}?authority=bootstrap")["ETag"]
    report(client, f"{URL}/applied?authority=bootstrap", etag=other, ok=True)
    report(client, etag=plain, ok=True)
    variants = Consumer.objects.filter(name="kea-01").values_list("variant", "applied_etag")
    assert sorted(variants) == [("", plain), ("authority=bootstrap", other)]


def test_who_says_no_name_has_that_of_its_token_or_user(site: Site) -> None:
    bearer = client_of(Token(name="kea 02"))
    fetch(bearer, name="")
    fetch(bearer, name="<b>\x7f rt01/dnsmasq")
    assert sorted(Consumer.objects.values_list("name", flat=True)) == ["b-rt01-dnsmasq", "kea-02"]
    user = User.objects.create_superuser("ada")
    browser = Client()
    browser.force_login(user)
    assert browser.get(URL).status_code == 200
    assert Consumer.objects.count() == 2, "who looks at a file in a browser does not run it"
    assert report(browser, name="", etag=OTHER, ok=True).json()["consumer"] == "ada"


def test_a_report_needs_what_reading_needs(client: Client, site: Site) -> None:
    body: Any = {"etag": OTHER, "ok": True}
    assert report(Client(), **body).status_code == 401
    assert report(Client(headers={"Authorization": "Bearer no"}), **body).status_code == 401
    assert report(client_of(Token(name="pages"), formats=["pages"]), **body).status_code == 403
    assert report(client, "/export/nowhere/list/applied", **body).status_code == 404
    assert report(client, "/export/lab/nonsense/applied", **body).status_code == 404
    assert report(client, "/export/l%00ab/list/applied", **body).status_code == 404
    user = User.objects.create_user("ada", is_staff=True)
    browser = Client()
    browser.force_login(user)
    assert report(browser, **body).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_host"))
    assert report(browser, **body).status_code == 200
    wrong = client.get(f"{URL}/applied")
    assert (wrong.status_code, wrong["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 9000, "no JSON"),
        (b"[1]", "no JSON object"),
        (b"{}", "etag is not one"),
        (b'{"etag": 3, "ok": true}', "etag is not one"),
        (b'{"etag": "nonsense", "ok": true}', "etag is not one"),
        (f'{{"etag": {json.dumps(OTHER)}, "ok": 1, "message": []}}'.encode(), "ok is neither"),
        (f'{{"etag": {json.dumps(OTHER)}, "ok": true, "message": []}}'.encode(), "message is no text"),
        (
            '{"etag": "\N{ARABIC-INDIC DIGIT ONE}-0123456789abcdef0123", "ok": true}'.encode(),
            "etag is not one",
        ),
    ],
)
def test_a_report_that_cannot_be_read_is_refused_in_words(
    client: Client, site: Site, body: bytes, words: str
) -> None:
    answer = client.post(f"{URL}/applied", body, content_type="application/json")
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not Consumer.objects.exists()


def test_a_large_report_is_refused_before_it_is_read(client: Client, site: Site) -> None:
    for size in (16_385, 200_000_000):
        answer = client.generic("POST", f"{URL}/applied", b" " * 16_385, CONTENT_LENGTH=str(size))
        assert answer.status_code == 413
        assert "larger than 16384 bytes" in answer.json()["error"]


def test_no_page_elsewhere_reports_with_somebodys_session(site: Site) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("ada"))
    body: Any = {"etag": OTHER, "ok": True}
    refused = report(browser, **body)
    assert refused.status_code == 403 and "X-CSRFToken" in refused.json()["error"]
    assert not Consumer.objects.exists()
    browser.get("/admin/")
    secret = get_token(browser.get("/admin/password_change/").wsgi_request)
    assert report(Client(), **body).status_code == 401
    browser.defaults["HTTP_X_CSRFTOKEN"] = secret
    assert report(browser, **body).status_code == 200


def test_long_words_are_cut_and_spellings_of_the_etag_agree(client: Client, site: Site) -> None:
    etag = fetch(client)
    for spelling in (etag.strip('"'), f"W/{etag}", etag):
        assert report(client, etag=spelling, ok=True, message="x" * 5000).json()["etag"] == etag
    assert len(Consumer.objects.get().message) == 1000
    report(client, etag=etag, ok=False, message="a\x1b[31m\n\u202eb\u2066 c")
    assert Consumer.objects.get().message == "a [31m b c", "no word turns a terminal or a line around"


def test_what_was_applied_is_not_tidied_away(client: Client, site: Site, add_host: AddHost) -> None:
    report(client, etag=fetch(client), ok=True)
    add_host("gamma")
    fetch(client)
    add_host("delta")
    fetch(client)
    Rendering.objects.update(created=timezone.now() - timedelta(days=400), fetched=None)
    renderings.prune()
    assert sorted(Rendering.objects.values_list("revision", flat=True)) == [1, 3]


@pytest.mark.django_db(transaction=True)
def test_a_fetch_is_written_when_it_brings_something_new_or_once_a_minute(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = fetch(client)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            again = client.get(URL, headers={"Mgmtplane-Consumer": "kea-01", "If-None-Match": etag})
        assert again.status_code == 304
        return [q["sql"] for q in seen if not q["sql"].startswith(("BEGIN", "COMMIT"))]

    assert len(queries()) == 2
    monkeypatch.setattr(consumers, "NOTE_EVERY", timedelta(0))
    before = Consumer.objects.get().fetched_at
    written = queries()
    assert len(written) == 3 and written[-1].startswith("INSERT"), written
    assert Consumer.objects.get().fetched_at > before


def test_metrics_count_consumers_by_state(client: Client, site: Site) -> None:
    fetch(client)
    text = client.get("/metrics").content.decode()
    assert 'mgmtplane_consumers{format="list",site="lab",state="current"} 1.0' in text
    assert 'mgmtplane_consumers{format="list",site="lab",state="failed"} 0.0' in text
