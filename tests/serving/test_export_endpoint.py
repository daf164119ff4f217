"""GET /export/<site>/<format>: what a client gets, and when it gets nothing anew."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date, parse_http_date

from inventory import reading
from inventory.changes import change
from inventory.models import Authority, Host, Rendering, Site, Token
from inventory.serving import renderings
from tests.serving.conftest import AddHost, client_of

pytestmark = pytest.mark.django_db

URL = "/export/lab/list"


def test_an_export_is_the_file_it_is(client: Client, site: Site) -> None:
    response = client.get(URL)
    assert response.status_code == 200
    assert response.content == b"alpha\nbeta\n"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'inline; filename="list.txt"'
    assert response["Mgmtplane-Revision"] == "1"
    assert response["Mgmtplane-Findings"] == "0"
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))
    assert not response.cookies


def test_the_etag_lives_as_long_as_the_revision(client: Client, site: Site, add_host: AddHost) -> None:
    first = client.get(URL)["ETag"]
    assert client.get(URL)["ETag"] == first
    gamma = add_host("gamma")
    second = client.get(URL)["ETag"]
    with change(site, why="gone"):
        gamma.delete()
    third = client.get(URL)
    assert len({first, second, third["ETag"]}) == 3
    assert third.content == b"alpha\nbeta\n", "a delete is seen although no row that is left is new"
    assert third["ETag"].startswith('"3-')


def test_who_has_the_newest_gets_304_without_a_body(client: Client, site: Site, add_host: AddHost) -> None:
    first = client.get(URL)
    for sent in (first["ETag"], f'"other", W/{first["ETag"]}', "*"):
        response = client.get(URL, headers={"If-None-Match": sent})
        assert (response.status_code, response.content) == (304, b""), sent
        assert "Content-Length" not in response.headers, "it would claim that the file is empty"
        for header in ("ETag", "Last-Modified", "Vary", "Cache-Control", "Mgmtplane-Findings"):
            assert response[header] == first[header]
    assert client.get(URL, headers={"If-None-Match": '"other"'}).status_code == 200
    add_host("gamma")
    assert client.get(URL, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_if_modified_since_counts_only_without_if_none_match(client: Client, site: Site) -> None:
    first = client.get(URL)
    since = first["Last-Modified"]
    assert client.get(URL, headers={"If-Modified-Since": since}).status_code == 304
    both = {"If-Modified-Since": since, "If-None-Match": '"other"'}
    assert client.get(URL, headers=both).status_code == 200
    earlier = http_date(parse_http_date(since) - 1)
    assert client.get(URL, headers={"If-Modified-Since": earlier}).status_code == 200


def test_last_modified_is_when_the_content_last_moved(client: Client, site: Site, add_host: AddHost) -> None:
    first = client.get(URL)
    before = timezone.now() - timedelta(days=3)
    Rendering.objects.update(created=before)
    retired = add_host("gone", status="retired")
    same = client.get(URL)
    assert same["ETag"] != first["ETag"], "the revision moved"
    assert parse_http_date(same["Last-Modified"]) == int(before.timestamp()), "the content did not"
    with change(site, why="back"):
        retired.status = "active"
        retired.save()
    assert parse_http_date(client.get(URL)["Last-Modified"]) > before.timestamp() + 60


def test_last_modified_never_repeats_for_other_content(client: Client, site: Site, add_host: AddHost) -> None:
    """Two contents within a second, A → B → A: nobody who asks by date is told that nothing moved."""
    seen = [client.get(URL)["Last-Modified"]]
    gamma = add_host("gamma")
    seen.append(client.get(URL)["Last-Modified"])
    with change(site, why="gone"):
        gamma.delete()
    seen.append(client.get(URL)["Last-Modified"])
    dates = [parse_http_date(date) for date in seen]
    assert dates == sorted(set(dates))


def test_head_says_what_get_would(client: Client, site: Site) -> None:
    got, head = client.get(URL), client.head(URL)
    assert (head.status_code, head.content) == (200, b"")
    for header in ("ETag", "Content-Type", "Last-Modified", "Content-Disposition"):
        assert head[header] == got[header]
    assert head["Content-Length"] == str(len(got.content))
    assert client.head(URL, headers={"If-None-Match": got["ETag"]}).status_code == 304


def test_several_files_are_a_tar_that_is_always_the_same(client: Client, site: Site) -> None:
    response = client.get("/export/lab/pages")
    assert response["Content-Type"] == "application/gzip"
    assert response["Content-Disposition"] == 'inline; filename="lab-pages.tar.gz"'
    with tarfile.open(fileobj=io.BytesIO(response.content)) as archive:
        entries = archive.getmembers()
        assert [entry.name for entry in entries] == ["hosts/alpha.txt", "hosts/beta.txt", "index.txt"]
        assert {(e.mtime, e.uid, e.gid, e.uname, e.gname, e.mode) for e in entries} == {
            (0, 0, 0, "", "", 0o644)
        }
        index = archive.extractfile("index.txt")
        assert index is not None
        assert index.read() == b"alpha\nbeta\n"
    Rendering.objects.all().delete()
    assert client.get("/export/lab/pages").content == response.content


def test_the_other_authority_is_said_to_be_inactive(client: Client, site: Site) -> None:
    assert "Mgmtplane-Authority" not in client.get(URL)
    assert client.get(f"{URL}?authority=bootstrap")["Mgmtplane-Authority"] == "bootstrap"
    with change(site, why="first") as the_change:
        the_change.create([Authority(site=site, mode="gateway", why="first")])
    other = client.get(f"{URL}?authority=bootstrap")
    assert other["Mgmtplane-Authority"] == "bootstrap; inactive, gateway is declared"
    assert client.get(f"{URL}?authority=gateway")["Mgmtplane-Authority"] == "gateway"


def test_the_other_authority_renders_beside_the_plain_one(client: Client, site: Site) -> None:
    plain = client.get(URL)
    gateway = client.get(f"{URL}?authority=gateway")
    assert gateway.content == b"# for gateway\nalpha\nbeta\n"
    assert gateway["ETag"] != plain["ETag"]
    assert client.get(URL).content == plain.content
    wrong = client.get(f"{URL}?authority=mine")
    assert wrong.status_code == 400
    assert "neither gateway nor bootstrap" in wrong.json()["error"]


def test_errors_are_counted_and_strict_refuses_them(client: Client, site: Site, add_host: AddHost) -> None:
    assert client.get(f"{URL}?strict=1").status_code == 200
    add_host("odd")
    assert client.get(f"{URL}?strict=1").status_code == 200, "a warning is no error"
    add_host("bad")
    plain = client.get(URL)
    assert (plain.status_code, plain["Mgmtplane-Findings"]) == (200, "1")
    refused = client.get(f"{URL}?strict=1", headers={"If-None-Match": plain["ETag"]})
    assert refused.status_code == 409
    assert [f["id"] for f in refused.json()["findings"]] == ["identity-disputed"]
    assert set(refused.json()["findings"][0]) == {"id", "severity", "subject", "message", "hint"}
    assert refused["Mgmtplane-Findings"] == "1"
    assert client.get(f"{URL}?strict=0").status_code == 200
    assert client.get(f"{URL}?strict=perhaps").status_code == 400


def test_a_site_that_declares_nothing_is_no_empty_200(client: Client) -> None:
    empty = Site(slug="empty")
    with change(empty, why="made for a test"):
        pass
    response = client.get("/export/empty/list")
    assert response.status_code == 404
    assert "declares nothing yet" in response.json()["error"]
    assert not Rendering.objects.exists()


def test_an_exporter_that_fails_tells_nobody_a_secret(
    client: Client, site: Site, add_host: AddHost, caplog: pytest.LogCaptureFixture
) -> None:
    add_host("s3cret")
    caplog.clear()
    response = client.get(URL)
    assert response.status_code == 500
    assert set(response.json()) == {"error"}
    assert "s3cret" not in response.content.decode() + caplog.text
    assert "ValueError while answering" in caplog.text
    assert "Traceback" not in response.content.decode()


def test_tokens_never_reach_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for formats in ([], ["pages"]):
        bearer = client_of(Token(name=f"for {formats}"), formats=formats)
        plain = bearer.defaults["HTTP_AUTHORIZATION"].partition(" ")[2]
        bearer.get(URL)
        bearer.post(URL)
        assert plain not in caplog.text
    Client(headers={"Authorization": "Bearer s3cret-and-unknown"}).get(URL)
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_told_which_there_are(client: Client, site: Site, method: str) -> None:
    response = getattr(client, method)(URL)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert "use GET, HEAD" in response.json()["error"]


@pytest.mark.django_db(transaction=True)
def test_304_costs_two_queries(client: Client, site: Site) -> None:
    etag = client.get(URL)["ETag"]
    with CaptureQueriesContext(connection) as queries:
        response = client.get(URL, headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert len(queries) == 2, [query["sql"] for query in queries]


@pytest.mark.django_db(transaction=True)
def test_what_is_known_costs_no_more_than_304(client: Client, site: Site) -> None:
    client.get(URL)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(URL).status_code == 200
    assert len(queries) == 2, [query["sql"] for query in queries]


@pytest.mark.django_db(transaction=True)
def test_the_cold_inventory_costs_thirteen_queries(client: Client, site: Site) -> None:
    reading.forget()
    renderings.forget()
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/inventory/lab/").status_code == 200
    asked = [q["sql"] for q in queries if not q["sql"].startswith(("BEGIN", "SET", "COMMIT", "ROLLBACK"))]
    assert len(asked) <= 13, asked  # the last one notes who fetched


def test_use_of_a_token_is_noted_when_it_gets_something_new_or_once_a_minute(
    site: Site, add_host: AddHost
) -> None:
    token = Token(name="kea-01")
    bearer = client_of(token)

    def used() -> tuple[object, str]:
        token.refresh_from_db()
        return token.last_used, token.last_etag

    bearer.get(URL)
    first = used()
    assert first[0] is not None
    bearer.get(URL)
    assert used() == first
    Token.objects.update(last_used=timezone.now() - timedelta(seconds=61))
    bearer.get(URL, headers={"If-None-Match": first[1]})
    assert used()[0] > first[0]  # type: ignore[operator]
    add_host("gamma")
    bearer.get(URL)
    assert used()[1] != first[1]


def test_one_host_and_one_group_can_be_asked_for(client: Client, site: Site) -> None:
    whole = client.get("/inventory/lab/")
    assert whole["Content-Type"].startswith("application/json")
    host = client.get("/inventory/lab/?host=alpha")
    assert host.json() == whole.json()["_meta"]["hostvars"]["alpha"]
    assert (
        client.get("/inventory/lab/?host=alpha", headers={"If-None-Match": host["ETag"]}).status_code == 304
    )
    assert client.get("/inventory/lab/?host=beta")["ETag"] != host["ETag"]
    group = client.get("/inventory/lab/?group=ungrouped")
    assert set(group.json()["_meta"]["hostvars"]) == {"alpha", "beta"}
    for query, status in (("host=nobody", 404), ("group=nothing", 404), ("host=alpha&group=all", 400)):
        response = client.get(f"/inventory/lab/?{query}")
        assert (response.status_code, set(response.json())) == (status, {"error"}), query


def test_a_retired_host_leaves_the_inventory(client: Client, site: Site) -> None:
    client.get("/inventory/lab/")
    with change(site, why="retired"):
        alpha = Host.objects.get(name="alpha")
        alpha.status = "retired"
        alpha.save()
    assert set(client.get("/inventory/lab/").json()["_meta"]["hostvars"]) == {"beta"}
    assert client.get("/inventory/lab/?host=alpha").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_long_change_keeps_no_reader_waiting(client: Client, site: Site) -> None:
    """An import holds the site for a minute: until it commits, readers get what was before it, at once."""
    inside, done = threading.Event(), threading.Event()

    def write_long() -> None:
        try:
            with change(Site.objects.get(slug="lab"), why="a long import", source="import"):
                Host(site=Site.objects.get(slug="lab"), name="gamma").save()
                inside.set()
                done.wait(30)
        finally:
            connection.close()

    writer = threading.Thread(target=write_long)
    writer.start()
    try:
        assert inside.wait(10)
        begun = time.monotonic()
        first = client.get(URL)
        again = client.get(URL, headers={"If-None-Match": first["ETag"]})
        took = time.monotonic() - begun
    finally:
        done.set()
        writer.join()
    assert (first.status_code, first.content, again.status_code) == (200, b"alpha\nbeta\n", 304)
    assert took < 5, "SQLite's own patience is 20 s"
    assert client.get(URL).content == b"alpha\nbeta\ngamma\n"
