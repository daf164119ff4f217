"""Exactly one copy of the application writes a site; the others read, and say so."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from inventory import quarantine
from inventory.allocation import Wanted, allocate
from inventory.changes import change
from inventory.copying import copies, promoting
from inventory.document.declaring import declare
from inventory.models import Change, Copy, Host, OtherCopy, Site
from inventory.serving import meeting, renderings
from inventory.undoing.undo import Refused, undo
from provisioning import requests, runner, states
from provisioning.models import Job

pytestmark = pytest.mark.django_db


def promote(site: Site, **given: Any) -> promoting.Promoted:
    return promoting.promote(
        site, **{"typed": site.slug, "by": "ada", "why": "the other machine is lost", **given}
    )


def add(site: Site, name: str) -> None:
    with change(site, by="ada", why="one more"):
        Host(site=site, name=name).save()


def test_a_new_site_is_live_where_it_was_made(site):
    assert copies.is_live(site) and copies.troubles() == []
    assert Site.objects.get().live_copy == Copy.objects.get().uid
    add(site, "beta")


def test_a_restored_copy_refuses_every_write_and_says_why_and_what_to_do(restored):
    with pytest.raises(copies.ReadOnly, match="read-only") as refusal:
        add(restored, "beta")
    (sentence,) = refusal.value.messages
    assert "restored from mgmtplane-2026" in sentence and "manage.py promote lab" in sentence
    assert Host.objects.count() == 1 and Site.objects.get().revision == 1


def test_what_would_be_handed_out_next_is_told_all_the_same(restored):
    told = allocate(restored, Wanted(form="pi"), by="ada", dry_run=True)
    assert told.host == "pi01"
    assert Host.objects.count() == 1


def test_another_site_is_founded_and_written_in_a_restored_copy(restored):
    other = Site(slug="other", root_domain="example.net")
    with change(other, why="new"):
        pass
    add(other, "gamma")
    assert [one.slug for one in copies.standings(Site.objects.all()) if one.is_live] == ["other"]


def test_a_promotion_begins_an_epoch_and_is_recorded(restored):
    done = promote(restored)
    site = Site.objects.get()
    assert (done.epoch, site.epoch, site.revision, done.revision) == (2, 2, 2, 2)
    assert site.live_copy == copies.uid()
    recorded = Change.objects.get(revision=2)
    assert (recorded.source, recorded.by_name, recorded.why) == (
        "promote",
        "ada",
        "the other machine is lost",
    )
    assert site.history.first().epoch == 2
    add(site, "beta")


def test_promoting_one_site_leaves_the_others_read_only(restored):
    other = Site(slug="other", root_domain="example.net")
    with change(other, why="new"):
        pass
    copies.renew("another.tar")
    promote(restored)
    assert copies.is_live(restored) and not copies.is_live(other)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"typed": "lba"}, "Type lab"),
        ({"why": " "}, "Say why"),
        ({"shown": 7}, "would be 2 and not 7"),
        ({"above": 10**9}, "no epoch above"),
    ],
)
def test_a_promotion_is_refused_in_words(restored, given, sentence):
    with pytest.raises(promoting.NotPromoted, match=sentence):
        promote(restored, **given)
    assert Site.objects.get().epoch == 1 and not copies.is_live(restored)


def test_undo_never_lowers_an_epoch(restored):
    promote(restored)
    with pytest.raises(Refused, match="Nothing of it is left to undo"):
        undo([Change.objects.get(revision=2)], by="ada", why="by mistake")
    assert Site.objects.get().epoch == 2


def test_a_site_of_a_name_that_was_there_before_is_another_one(restored):
    promote(restored)
    before = restored.uid
    with change(restored, why="gone"):
        restored.delete()
    again = Site(slug="lab", root_domain="example.net")
    with change(again, why="anew"):
        pass
    assert (Site.objects.get().epoch, Site.objects.get().uid == before) == (1, False)


def test_a_passed_quarantine_waits_for_the_live_copy(site, restored):
    with_host = Host.objects.get()
    assert with_host and quarantine.release_expired() == 0


# --- the command ---


def test_the_command_promotes_with_the_name_typed_once_more(restored, capsys):
    with pytest.raises(CommandError, match="--typed lab"):
        call_command("promote", "lab", why="x")
    call_command("promote", "lab", typed="lab", why="the other machine is lost")
    assert "This copy is live for lab: epoch 2" in capsys.readouterr().out
    call_command("promote")
    assert "lab  live  epoch 2" in capsys.readouterr().out


def test_the_command_asks_for_the_reason_before_anything_is_typed(restored, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("it asked"))
    with pytest.raises(CommandError, match='promote lab --why "…"'):
        call_command("promote", "lab")


@pytest.mark.parametrize("given", [{"why": "x"}, {"typed": "lab"}, {"above": 4}])
def test_a_command_that_names_no_site_promotes_none_and_says_so(restored, given):
    with pytest.raises(CommandError, match=r"Nothing was promoted: no site was named.*promote SITE --why"):
        call_command("promote", **given)


def test_who_ends_the_input_promotes_nothing_and_is_told(restored, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: (_ for _ in ()).throw(EOFError))
    with pytest.raises(CommandError, match="Nothing was promoted"):
        call_command("promote", "lab", why="lost")
    assert not copies.is_live(restored)


def test_the_command_goes_above_what_a_consumer_refuses_to_go_below(restored):
    call_command("promote", "lab", typed="lab", why="lost", above=41)
    assert Site.objects.get().epoch == 42


# --- ways in ---


def test_the_api_says_409_and_goes_on_reading(restored, bearer):
    client = bearer("write")
    assert client.get("/api/v1/hosts").status_code == 200
    answer = client.post("/api/v1/hosts", {"site": "lab", "name": "beta"}, content_type="application/json")
    assert answer.status_code == 409 and "manage.py promote lab" in answer.json()["detail"]


def test_exports_go_on_and_readyz_and_metrics_say_it(restored, bearer):
    client = bearer()
    assert client.get("/inventory/lab/").status_code == 200
    assert client.get("/readyz").json()["copy"] == "read-only for 1 of 1 sites; manage.py promote says why"
    said = client.get("/metrics").content.decode()
    assert 'mgmtplane_site_live{site="lab"} 0.0' in said and 'mgmtplane_site_epoch{site="lab"} 1.0' in said


def test_no_job_is_made_and_none_is_taken_up(site):
    job = requests.request("build_kit", site=site, by="ada", why="look")
    copies.renew("an archive")
    with pytest.raises(requests.Refused, match="promote lab"):
        requests.request("build_kit", site=site, by="ada", why="look")
    runner.run(job.pk)
    assert Job.objects.get().state == states.QUEUED and Job.objects.get().attempt == 0


def test_a_job_stops_before_it_acts_once_the_site_is_read_only(site):
    from provisioning.engine.faults import JobFailed

    job = requests.request("build_kit", site=site, by="ada", why="look")
    turn = runner._turn_of(runner.claim(job.pk))
    turn.check()
    copies.renew("an archive")
    with pytest.raises(JobFailed, match="promote lab"):
        turn.check()
    with turn.tidying():
        turn.step("put right what was begun")
        turn.fence("the machine is started again")
    with pytest.raises(JobFailed, match="promote lab"):
        turn.check()


# --- copies meet ---


def seen(site: Site, epoch: int, copy: str) -> dict[str, str]:
    """What a consumer sends that met *copy*."""
    return {meeting.SEEN: meeting.signed(str(site.uid), epoch, copy)}


OTHER = "00112233445566aa"


def test_the_etag_has_the_epoch_and_a_header_the_copy(restored, bearer):
    client = bearer()
    before = client.get("/export/lab/hosts")
    assert before["ETag"].startswith('"1-e1-')
    assert before["Mgmtplane-Copy"].startswith(f"1.{restored.live_copy}.")
    promote(restored)
    after = client.get("/export/lab/hosts")
    assert after["ETag"].startswith('"2-e2-') and after["Mgmtplane-Copy"].startswith(f"2.{copies.uid()}.")
    assert client.get("/export/lab/hosts", headers={"If-None-Match": after["ETag"]}).status_code == 304


@pytest.mark.parametrize("epoch", [1, 2])
def test_who_is_told_of_another_live_copy_writes_nothing_more(site, bearer, epoch):
    client: Client = bearer()
    assert client.get("/export/lab/hosts", headers=seen(site, epoch, OTHER)).status_code == 200
    with pytest.raises(ValidationError, match=f"router-1 met another live copy, {OTHER}"):
        add(site, "beta")
    assert "another live copy was met of 1" in client.get("/readyz").json()["copy"]
    promote(site)
    assert Site.objects.get().epoch == epoch + 1
    add(site, "beta")
    assert copies.troubles() == [], "the other one is of an earlier epoch now"


def test_a_report_tells_of_it_as_well(site, bearer):
    client: Client = bearer()
    etag = client.get("/export/lab/hosts")["ETag"]
    told = client.post(
        "/export/lab/hosts/applied",
        {"etag": etag, "ok": True},
        content_type="application/json",
        headers=seen(site, 1, OTHER),
    )
    assert told.status_code == 200
    assert not copies.is_live(site)


def test_what_nobody_signed_is_told_and_stops_nothing(site, bearer):
    bearer().get("/export/lab/hosts", headers={meeting.SEEN: f"3.{OTHER}.{'0' * 20}"})
    add(site, "beta")
    (trouble,) = copies.troubles()
    assert trouble.is_live and trouble.has_met and "could not be proven" in trouble.trouble


def test_what_was_seen_of_another_site_of_that_name_is_no_news(site, bearer):
    client = bearer()
    answer = client.get("/export/lab/hosts")
    assert answer["Mgmtplane-Site"] == str(site.uid)
    client.get("/export/lab/hosts", headers={**seen(site, 1, OTHER), meeting.SITE: str(uuid.uuid4())})
    assert not OtherCopy.objects.exists()
    client.get("/export/lab/hosts", headers={**seen(site, 1, OTHER), meeting.SITE: str(site.uid)})
    assert OtherCopy.objects.exists()
    early = client.get("/export/lab/hosts", headers={"If-None-Match": answer["ETag"]})
    assert early.status_code == 304 and early["Mgmtplane-Site"] == str(site.uid)


def rumour(epoch: int, copy: str = OTHER) -> dict[str, str]:
    """What a consumer sends that met *copy*, signed by nobody."""
    return {meeting.SEEN: f"{epoch}.{copy}.{'0' * 20}"}


def test_of_one_token_one_copy_is_kept_that_nobody_proved(site, bearer):
    client = bearer()
    for number in range(1, 6):
        headers = {**rumour(number, f"{number:016x}"), "Mgmtplane-Consumer": f"router-{number}"}
        client.get("/export/lab/hosts", headers=headers)
    one = OtherCopy.objects.get()
    assert (one.epoch, one.told_by) == (1, "token router-1"), "the name that nobody chooses for himself"
    old = timezone.now() - copies.NOTE_EVERY * 2
    OtherCopy.objects.update(last_seen=old)
    client.get("/export/lab/hosts", headers=rumour(5, "5" * 16))
    assert OtherCopy.objects.get().epoch == 5
    bearer(name="router-2").get("/export/lab/hosts", headers=rumour(4, "4" * 16))
    assert OtherCopy.objects.count() == 2


def test_what_nobody_proved_is_forgotten_after_days(site, bearer):
    bearer().get("/export/lab/hosts", headers=rumour(999_999_999))
    assert copies.silence()
    OtherCopy.objects.update(last_seen=timezone.now() - copies.KEEP_RUMOURS)
    assert not copies.silence() and not copies.troubles() and copies.rumoured(site) == 0
    assert copies.forget_rumours() == 1 and not OtherCopy.objects.exists()


def test_a_promotion_settles_what_nobody_proved(site, bearer):
    bearer().get("/export/lab/hosts", headers=rumour(999_999_999))
    promote(site)
    assert Site.objects.get().epoch == 2 and not copies.silence()


def test_a_later_epoch_that_nobody_proved_is_stepped_over_by_name(site, bearer):
    bearer().get("/export/lab/hosts", headers=rumour(5))
    (trouble,) = copies.troubles()
    assert '`manage.py promote lab --above 5 --why "…"`' in trouble.trouble
    call_command("promote", "lab", typed="lab", why="the other was real", above=5)
    assert Site.objects.get().epoch == 6 and not copies.troubles()


def test_no_epoch_is_begun_that_consumers_cannot_compare(site):
    promoting.promote(site, typed="lab", by="ada", why="to the end", above=999_999_998)
    answer = meeting.signed(str(site.uid), Site.objects.get().epoch, copies.uid())
    assert [met.epoch for met in meeting.read(answer)] == [999_999_999]
    for above in (0, 999_999_999):
        with pytest.raises(promoting.NotPromoted, match="no epoch above 999999999"):
            promoting.promote(site, typed="lab", by="ada", why="further", above=above)
    assert Site.objects.get().epoch == 999_999_999


def test_an_earlier_epoch_and_this_copy_itself_are_no_news(site, bearer):
    client = bearer()
    promote(site)
    for header in (seen(site, 1, OTHER), seen(site, 2, copies.uid())):
        client.get("/export/lab/hosts", headers=header)
    client.get("/export/lab/hosts", headers={meeting.SEEN: "rubbish, 1.2.3, " + "9" * 300})
    assert not OtherCopy.objects.exists()


# --- the site document ---


def test_a_site_from_its_document_goes_on_in_its_epoch(restored):
    promote(restored)
    _, _, before = renderings.document("lab", "site")
    (text,) = before.files.values()
    assert b"\nepoch: 2\n" in text
    with change(restored, why="gone"):
        restored.delete()
    declare(text, "site.yml", apply=True)
    _, _, after = renderings.document("lab", "site")
    assert after.files == before.files
    assert copies.is_live(Site.objects.get())


def test_a_document_neither_raises_nor_lowers_the_epoch_of_a_site_that_is_there(site):
    _, _, made = renderings.document("lab", "site")
    (text,) = made.files.values()
    declare(text + b"epoch: 7\n", "site.yml", apply=True)
    assert Site.objects.get().epoch == 1
