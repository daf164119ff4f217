"""While the database is away: readers go on with what went out last, writers are refused, and it is said."""

from __future__ import annotations

import json
import stat
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.utils import timezone

from inventory.admin import overview
from inventory.changes import change
from inventory.models import Group, Host, Membership, Nesting, Site, Token
from inventory.serving import contents, database, mirror, renderings

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/export/lab/list"


@pytest.fixture
def token(site: Site) -> str:
    token = Token(name="router", site=site)
    plain = token.issue()
    token.save()
    return plain


@pytest.fixture
def router(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def away(monkeypatch):
    """Call it, and from then on no statement reaches the database."""

    def go() -> None:
        def refuse(*_args, **_kwargs):
            raise OperationalError("server closed the connection")

        from django.db.backends.base.base import BaseDatabaseWrapper

        for name in ("cursor", "chunked_cursor", "connect", "ensure_connection"):
            monkeypatch.setattr(BaseDatabaseWrapper, name, refuse)

    yield go
    monkeypatch.undo()


def test_a_known_token_gets_what_went_out_last_and_is_told(router, away):
    before = router.get(URL)
    away()
    for _ in range(2):
        after = router.get(URL)
        assert (after.status_code, after.content, after["ETag"]) == (200, before.content, before["ETag"])
        assert after["Mgmtplane-Copy"] == before["Mgmtplane-Copy"]
        assert after["Last-Modified"] == before["Last-Modified"]
        assert after["Mgmtplane-Degraded"] == "database"
        assert after["Warning"].startswith("110 mgmtplane")
    assert "Mgmtplane-Degraded" not in before


def test_who_has_it_already_gets_304(router, away):
    etag = router.get(URL)["ETag"]
    away()
    answer = router.get(URL, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["Mgmtplane-Degraded"] == "database"


def test_nobody_else_gets_anything(router, site, away):
    router.get(URL)
    away()
    assert Client().get(URL).status_code in (401, 503), (
        "a server's connection is the first thing that is asked for"
    )
    answer = Client(headers={"Authorization": "Bearer mgmt_stranger"}).get(URL)
    assert answer.status_code == 503 and "was not known before" in answer.json()["error"]
    assert router.get("/export/other/list").status_code == 403
    assert router.get("/export/lab/kea").status_code == 503, "that one never went out"


def test_a_session_is_told_why_it_does_not_work(site, away, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("ada"))
    assert client.get(URL).status_code == 200
    away()
    answer = client.get(URL)
    assert answer.status_code == 503
    assert "without it nobody is signed in" in answer.json()["error"]


def test_what_a_token_may_not_read_it_does_not_read_now_either(site, away):
    token = Token(name="dns", site=site, formats=["bind"])
    plain = token.issue()
    token.save()
    other = Token(name="all", site=site)
    everything = other.issue()
    other.save()
    Client(headers={"Authorization": f"Bearer {everything}"}).get(URL)
    mirror.keep_tokens()
    away()
    assert Client(headers={"Authorization": f"Bearer {plain}"}).get(URL).status_code == 403


def test_an_expired_and_a_revoked_token_are_not_known(site, router, token, away):
    router.get(URL)
    Token.objects.filter(name="router").update(expires=timezone.now() + timedelta(seconds=-1))
    mirror.keep_tokens()
    away()
    assert router.get(URL).status_code == 503, "the workers' next look took it out"


def test_a_revoked_token_is_forgotten_where_no_worker_shares_the_directory(
    site, router, client, away, monkeypatch
):
    router.get(URL)
    Token.objects.filter(name="router").delete()
    monkeypatch.setattr(mirror, "_kept_at", float("-inf"))
    assert client.get(URL).status_code == 200
    with mirror._keeping:  # until the thread beside it is done
        away()
    assert router.get(URL).status_code == 503
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_is_refused_once_is_forgotten_at_once(router, client, away, how):
    assert {router.get(URL).status_code, client.get(URL).status_code} == {200}
    row = Token.objects.filter(name="router")
    row.delete() if how == "revoked" else row.update(expires=timezone.now() - timedelta(seconds=1))
    assert router.get(URL).status_code == 401
    assert mirror.token(digest_of(router)) is None
    away()
    assert router.get(URL).status_code == 503
    assert client.get(URL).status_code == 200


def test_a_new_database_forgets_no_token(router, token):
    router.get(URL)
    call_command("flush", interactive=False, verbosity=0)
    assert router.get(URL).status_code == 401
    assert mirror.token(Token.digest_of(token)) is not None


def digest_of(client: Client) -> str:
    return Token.digest_of(client.defaults["HTTP_AUTHORIZATION"].split()[1])


def known() -> set[str]:
    return set(mirror._read(mirror._folder() / mirror.TOKENS))


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), OSError(5, "Input/output error")])
def test_tokens_that_cannot_be_read_for_a_moment_are_not_replaced_by_one(router, client, error, monkeypatch):
    router.get(URL)

    def fail(*_args, **_kwargs):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", fail)
        assert client.get(URL).status_code == 200
    assert digest_of(router) in known() and digest_of(client) not in known()
    client.get(URL)
    assert {digest_of(router), digest_of(client)} <= known()


def test_tokens_that_were_damaged_are_written_again_from_the_database(router, client):
    router.get(URL)
    (mirror._folder() / mirror.TOKENS).write_text("{")
    assert client.get(URL).status_code == 200
    mirror.keep_tokens()
    assert known() == {digest_of(router), digest_of(client)}


def test_tokens_that_are_met_at_once_are_all_written_down(site, monkeypatch):
    tokens = [Token(name=f"t{number}", site=site) for number in range(8)]
    for token in tokens:
        token.issue()
    read = mirror._read

    def slowly(place):
        found = read(place)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(mirror, "_read", slowly)
    threads = [threading.Thread(target=mirror.meet, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {token.digest for token in tokens} <= known()


def test_the_mirror_has_hashes_alone_and_is_its_owners(router, token, settings):
    router.get(URL)
    folder = Path(settings.DATA_DIR) / "mirror"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"tokens.json", "list.json"}
    for path in files:
        assert token not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Token.digest_of(token) in json.loads((folder / "tokens.json").read_text())


def test_a_rendering_whose_content_is_lost_is_not_made_up(router, away):
    etag = router.get(URL)["ETag"]
    (row,) = [kept for kept in renderings._remembered.values() if kept.etag == etag]
    contents.path_of(row.sha256).unlink()
    away()
    assert router.get(URL).status_code == 503


def test_it_ends_when_the_database_is_back(router, away, monkeypatch):
    router.get(URL)
    away()
    assert "Mgmtplane-Degraded" in router.get(URL)
    monkeypatch.undo()
    assert "Mgmtplane-Degraded" in router.get(URL), "for a moment nobody asks again"
    monkeypatch.setattr(mirror, "_away_until", 0.0)
    assert "Mgmtplane-Degraded" not in router.get(URL)


def test_strict_refuses_errors_as_ever(router, site, away):
    router.get(URL)
    away()
    assert router.get(f"{URL}?strict=1").status_code == 200


def test_a_full_disk_takes_nothing_away(router, settings, monkeypatch):
    first = router.get(URL)
    mirror.forget()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert router.get(URL).content == first.content
    monkeypatch.undo()
    assert mirror.newest("lab", "list", None) is not None


def test_what_is_mirrored_of_a_site_that_is_gone_goes(router):
    router.get(URL)
    assert mirror.forget_all_but(set()) >= 1
    assert mirror.newest("lab", "list", None) is None


@pytest.mark.parametrize("name", ["../lab", "a/b", "", "a\0b", ".."])
def test_no_name_leads_out_of_the_mirror(name):
    assert mirror.newest(name, "list", None) is None


def test_a_page_says_that_the_database_is_away_and_what_goes_on(site, away, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada"))
    client.raise_request_exception = False
    away()
    for address in ("/admin/", "/admin/login/", "/admin/inventory/host/"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert "The database does not answer" in answer.content.decode()
        assert answer["Retry-After"] == "5"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_another_failure_is_a_plain_page_without_its_cause(client, monkeypatch, site):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a secret in a message")

    monkeypatch.setattr(overview, "visible_sites", fail)
    client.raise_request_exception = False
    client.force_login(User.objects.create_superuser("ada"))
    answer = client.get("/admin/")
    assert answer.status_code == 500
    assert "This page failed" in answer.content.decode() and "secret" not in answer.content.decode()


def test_content_that_was_never_stored_takes_the_last_good_file_away_from_nobody(
    router, add_host, away, monkeypatch
):
    before = router.get(URL)
    add_host("gamma")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contents, "_write_durably", full)
    assert router.get(URL).content != before.content
    away()
    answer = router.get(URL)
    assert (answer.status_code, answer.content, answer["ETag"]) == (200, before.content, before["ETag"])


def test_a_mirrored_file_that_was_removed_is_written_again(router, settings):
    router.get(URL)
    (Path(settings.DATA_DIR) / "mirror" / "lab" / "list.json").unlink()
    router.get(URL)
    assert mirror.newest("lab", "list", None) is not None


PARTS = [
    "?host=alpha",
    *(f"?group={name}" for name in ("all", "ungrouped", "web", "servers")),
]


@pytest.fixture
def grouped(site: Site) -> None:
    servers, web = Group(site=site, name="servers", priority=5), Group(site=site, name="web")
    with change(site, why="made for a test"):
        servers.save()
        web.save()
        Nesting(parent=servers, child=web).save()
        Membership(group=web, host=Host.objects.get(name="alpha")).save()


@pytest.mark.parametrize("part", PARTS)
def test_one_hosts_or_groups_share_is_cut_from_the_inventory_that_went_out_last(grouped, router, away, part):
    before = router.get(f"/inventory/lab/{part}")
    assert before.status_code == 200 and "Mgmtplane-Degraded" not in before
    assert router.get("/inventory/lab/").status_code == 200
    away()
    after = router.get(f"/inventory/lab/{part}")
    assert (after.status_code, after.content) == (200, before.content)
    assert (after["Mgmtplane-Degraded"], after["Warning"][:3]) == ("database", "110")
    same = ("ETag", "Content-Type", "Mgmtplane-Revision", "Mgmtplane-Site", "Mgmtplane-Copy", "Cache-Control")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert router.get(f"/inventory/lab/{part}", headers={"If-None-Match": before["ETag"]}).status_code == 304


def test_a_share_of_what_is_not_in_the_inventory_is_refused_as_ever(router, away):
    router.get("/inventory/lab/")
    away()
    for part in ("?host=nowhere", "?group=nowhere"):
        answer = router.get(f"/inventory/lab/{part}")
        assert answer.status_code == 404 and "“nowhere” is not in the inventory" in answer.json()["error"]
    assert router.get("/inventory/lab/?host=alpha&group=all").status_code == 400
    other = Client(headers={"Authorization": "Bearer mgmt_stranger"})
    assert other.get("/inventory/lab/?host=alpha").status_code == 503


def test_a_share_says_as_well_that_no_changes_are_taken(router):
    database.note_refusal(database.ReadOnlyFile("the file of the database is read-only"))
    answer = router.get("/inventory/lab/?host=alpha")
    assert (answer.status_code, answer["Mgmtplane-Degraded"]) == (200, "read-only")


def test_a_token_that_reads_shares_alone_is_known(router, token):
    assert router.get("/inventory/lab/?host=alpha").status_code == 200
    assert Token.digest_of(token) in known()


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """How often somebody waited for the database."""
    tries: list[str] = []

    def refuse(**_options):
        tries.append("tried")
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(database, "reach", refuse)
    return tries


def test_what_the_mirror_cannot_answer_does_not_wait_again_and_again(router, counted):
    """What never went out, a report and the metrics: one waits, the others are told at once."""
    for _ in range(2):
        for address in ("/inventory/lab/?host=alpha", "/inventory/lab/?group=all", "/metrics"):
            answer = router.get(address)
            assert (answer.status_code, answer["Retry-After"]) == (503, "5"), address
            assert "away or busy" in answer.json()["error"]
        report = {"etag": '"1-e1-0123456789abcdef0123"', "ok": True}
        answer = router.post(f"{URL}/applied", report, content_type="application/json")
        assert answer.status_code == 503
    assert counted == ["tried"]


@pytest.fixture
def refused(monkeypatch):
    """Call it with an error: from then on the zones' serials cannot be published, and all else goes on."""

    def go(error: DatabaseError) -> None:
        def refuse(*_args, **_kwargs):
            raise error

        monkeypatch.setattr(renderings, "described", refuse)

    return go


def test_a_file_that_cannot_be_published_makes_nothing_else_away(router, site, refused, client):
    before = router.get(URL)
    refused(OperationalError("database is locked"))
    answer = router.get(URL)
    assert (answer.status_code, answer.content) == (200, before.content)
    assert answer["Mgmtplane-Degraded"] == "database", "clients know by it that the file may be late"
    assert "the database is busy" in answer["Warning"]
    assert not mirror.in_doubt()
    assert client.get("/admin/login/").status_code == 200
    other = router.get("/export/lab/kea")
    assert other.status_code == 503 and "away or busy" in other.json()["error"], "that one never went out"


def test_one_that_takes_no_changes_is_named(router, refused):
    router.get(URL)
    refused(database.ReadOnlyFile("the file of the database is read-only"))
    assert "takes no changes (read-only)" in router.get(URL)["Warning"]
    assert database.ailing() == database.READ_ONLY


def test_a_person_is_not_told_of_sessions_where_the_database_is_only_busy(site, refused, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("ada"))
    refused(OperationalError("database is locked"))
    answer = client.get(URL)
    assert answer.status_code == 503 and "signed in" not in answer.json()["error"]
