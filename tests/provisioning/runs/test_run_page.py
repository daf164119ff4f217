"""The page of a run: its hosts, tasks and output, and who may read them."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from provisioning.adapters.ansible.events import Telling
from provisioning.admin.runs.output import PIECE
from provisioning.admin.runs.tables import HOSTS_A_PAGE
from provisioning.masking import Mask
from provisioning.models import PlaybookRun
from tests.provisioning.runs.factories import HostFactory, RunFactory, events
from tests.provisioning.test_admin import come

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(db) -> Client:
    return come("ada")


def said(host: str, task: str, outcome: str, text: str, **more: object) -> dict[str, object]:
    return {"host": host, "task": task, "play": "all", "outcome": outcome, "text": text, **more}


@pytest.fixture
def run(site) -> PlaybookRun:
    """Three hosts, one of which failed and one of which could not be reached."""
    run: Any = RunFactory(job__site=site, hosts_ok=1, hosts_failed=1, hosts_unreachable=1)
    HostFactory(run=run, host="web01", ok=3, changed=1)
    HostFactory(run=run, host="web02", ok=1, failed=1)
    HostFactory(run=run, host="web03", unreachable=1)
    events(
        run,
        [
            {"text": "PLAY [all] ***"},
            {"text": "TASK [install] ***", "play": "all", "task": "install"},
            said("web01", "install", "changed", "\x1b[33mchanged: [web01]\x1b[0m"),
            said("web02", "install", "failed", "\x1b[31mfatal: [web02]: FAILED!\n<b>why</b>\x1b[0m"),
            said("web03", "install", "unreachable", "fatal: [web03]: UNREACHABLE!"),
            said("web01", "start", "ok", "ok: [web01]"),
        ],
    )
    return run


def part(run: PlaybookRun, name: str) -> str:
    return reverse(f"admin:run_{name}", args=(run.site.slug, run.pk))


def page(run: PlaybookRun) -> str:
    return reverse("admin:provisioning_job_change", args=(run.pk,))


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="line-(\d+)"', html)]


def fragment(browser: Client, address: str, **given: str) -> str:
    answer = browser.get(address, given, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_the_page_shows_hosts_and_what_was_said(browser, run):
    html = browser.get(page(run)).content.decode()
    assert numbers(html) == [1, 2, 3, 4, 5, 6, 7]
    assert 'aria-label="1 failed on web02"' in html
    assert '<span class="ansi-red">&lt;b&gt;why&lt;/b&gt;</span>' in html
    assert "First failure, line 4" in html


def test_each_fact_stands_once_under_a_plain_label(browser, run):
    run.job.outcome = {"rc": 0, "status": "successful", "hosts": 3, "ok": 1}
    run.job.save()
    html = browser.get(page(run)).content.decode()
    labels = re.findall(r"<dt>(.*?)</dt>", html)
    assert len(labels) == len(set(labels)) and "Exit code" in labels
    assert not {"Rc", "rc", "Status", "status"} & set(labels)


def test_lines_come_by_pieces_without_gap_and_twice(browser, site):
    run = RunFactory(job__site=site)
    events(run, [{"text": "\n".join(f"line {n}" for n in range(150))} for _ in range(5)])
    found = [numbers(fragment(browser, part(run, "lines"), piece=str(number))) for number in range(5)]
    assert [len(one) for one in found] == [PIECE, PIECE, PIECE, 150, 0]
    assert list(chain(*found)) == list(range(1, 751))
    assert numbers(fragment(browser, part(run, "lines"), piece="3", **{"from": "148"})) == [749, 750]


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({"host": "web01"}, [3, 7]),
        ({"outcome": "failed"}, [4, 5]),
        ({"task": "install", "play": "all"}, [2, 3, 4, 5, 6]),
        ({"host": "web02", "outcome": "ok"}, []),
        ({"outcome": "nonsense"}, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_filter_keeps_the_numbers_of_the_lines(browser, run, wanted, lines):
    assert numbers(fragment(browser, part(run, "output"), **wanted)) == lines


def test_a_filter_over_many_events_comes_by_pieces_as_well(browser, site):
    run = RunFactory(job__site=site)
    events(run, [said(f"web{n % 2}", "t", "ok", f"first {n}\nsecond {n}") for n in range(500)])
    found = [
        numbers(fragment(browser, part(run, "lines"), host="web1", piece=str(number))) for number in range(4)
    ]
    assert [len(one) for one in found] == [PIECE, PIECE, 100, 0]
    assert list(chain(*found)) == [n for n in range(1, 1001) if (n - 1) // 2 % 2 == 1]


def test_an_event_has_as_many_lines_as_it_counts_wherever_they_break(browser, site):
    run = RunFactory(job__site=site)
    said = ["one\u2028still one\x85still one\n\n", "\n", "ok\n", "last"]
    made = events(run, [{"text": text} for text in said])
    telling = Telling(Mask(()))
    told = [telling.event({"counter": n, "stdout": text}, {}) for n, text in enumerate(said, 1)]
    assert [len(event.lines) for event in told] == [event.lines for event in made]
    shown = numbers(fragment(browser, part(run, "lines"), piece="0"))
    assert shown == list(range(1, sum(event.lines for event in made) + 1))
    assert "#line-8" in fragment(browser, part(run, "found"), q="last")
    text = b"".join(browser.get(part(run, "text")).streaming_content).decode()
    assert text.count("\n") == run.lines


def test_an_event_that_was_kept_short_still_fills_the_lines_that_were_counted(browser, site):
    run = RunFactory(job__site=site)
    events(run, [{"text": "only this was kept", "lines": 3}])
    assert numbers(fragment(browser, part(run, "lines"), piece="0")) == [1, 2, 3]


def test_a_search_looks_through_colours_and_names_the_lines(browser, run):
    html = fragment(browser, part(run, "found"), q="failed!")
    assert "1 line with “failed!”" in html and "#line-4" in html
    assert "No line has “nowhere”" in fragment(browser, part(run, "found"), q="nowhere")


def test_a_filter_that_keeps_nothing_says_what_to_do(browser, run):
    assert "Show everything, or filter otherwise" in fragment(browser, part(run, "output"), host="nobody")


def test_the_text_is_everything_without_colours(browser, run):
    answer = browser.get(part(run, "text"))
    text = b"".join(answer.streaming_content).decode()
    assert "attachment" in answer["Content-Disposition"]
    assert text.splitlines()[2:4] == ["changed: [web01]", "fatal: [web02]: FAILED!"]
    assert "\x1b" not in text


def test_the_matrix_is_sorted_filtered_and_paged(browser, site):
    run = RunFactory(job__site=site)
    for number in range(HOSTS_A_PAGE + 10):
        HostFactory(run=run, host=f"web{number:03}", ok=number, failed=number == 7)
    at = part(run, "hosts")

    def hosts(**given: str) -> list[str]:
        return re.findall(r'id="host-(\w+)"', fragment(browser, at, **given))

    assert hosts() == [f"web{number:03}" for number in range(HOSTS_A_PAGE)]
    assert hosts(hosts="2") == [f"web{number:03}" for number in range(HOSTS_A_PAGE, HOSTS_A_PAGE + 10)]
    assert hosts(sort="-ok")[0] == f"web{HOSTS_A_PAGE + 9:03}"
    assert hosts(fared="failed") == ["web007"]
    assert hosts(named="WEB01") == [f"web01{number}" for number in range(10)]
    assert hosts(hosts="99") == hosts(hosts="2")


def test_a_host_of_a_strange_name_breaks_nothing(browser, site):
    run = RunFactory(job__site=site)
    HostFactory(run=run, host='"><script>&', ok=1)
    html = browser.get(page(run)).content.decode()
    assert "<script>&" not in html
    assert "host=%22%3E%3Cscript%3E%26" in html


def test_tasks_are_listed_as_they_began_with_how_they_ended(browser, run):
    html = fragment(browser, part(run, "tasks"))
    assert html.index("install") < html.index("start")
    for said in ("1 failed", "1 unreachable", "1 changed", "1 ok"):
        assert said in html


def test_following_tells_how_many_lines_there_are_and_the_matrix_where_it_moved(browser, run):
    run.job.state = "running"
    run.job.finished = None
    run.job.save()
    html = browser.get(page(run)).content.decode()
    mark = re.search(r'name="matrix" value="(\w+)"', html)[1]
    still = browser.get(page(run), {"after": 0, "matrix": mark, "host": "web01"}).content.decode()
    assert 'data-lines="2" data-query="host=web01"' in still
    assert "mp-matrix" not in still
    HostFactory(run=run, host="web04", ok=1)
    moved = browser.get(page(run), {"after": 0, "matrix": mark}).content.decode()
    assert 'id="mp-matrix"' in moved and "web04" in moved
    assert 'data-lines="7" data-query=""' in moved


def test_who_may_see_jobs_and_not_read_them_gets_counts_and_no_line(site, run):
    looking = User.objects.create_user("vera", is_staff=True)
    for name in ("view_job",):
        looking.user_permissions.add(
            Permission.objects.get(codename=name, content_type__app_label="provisioning")
        )
    looking.user_permissions.add(
        Permission.objects.get(codename="view_site", content_type__app_label="inventory")
    )
    client = Client()
    client.force_login(looking)
    html = client.get(page(run)).content.decode()
    assert "web02" in html and "changed: [web01]" not in html and "provisioning.view_run" in html
    for name in ("output", "lines", "found", "text"):
        assert client.get(part(run, name)).status_code == 403, name
    assert client.get(part(run, "hosts"), headers={"HX-Request": "true"}).status_code == 200


def test_a_run_of_another_site_is_not_there(browser, run):
    from inventory.changes import change
    from inventory.models import Site

    other = Site(slug="other")
    with change(other, by="fixture"):
        pass
    for name in ("output", "lines", "found", "text", "hosts", "tasks"):
        assert browser.get(reverse(f"admin:run_{name}", args=("other", run.pk))).status_code == 404


def asked(browser: Client, address: str, **given: str) -> int:
    browser.get(address, given, headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as queries:
        answer: Any = browser.get(address, given, headers={"HX-Request": "true"})
        if answer.streaming:
            b"".join(answer.streaming_content)
    return len(queries)


def test_as_many_queries_for_many_hosts_and_lines_as_for_few(browser, run):
    addresses = [
        (page(run), {}),
        (page(run), {"after": "0"}),
        (page(run), {"after": "0", "host": "web01"}),
        (part(run, "output"), {"host": "web01"}),
        *((part(run, name), {}) for name in ("output", "lines", "hosts", "tasks", "text")),
        (part(run, "found"), {"q": "web"}),
    ]
    few = [asked(browser, address, **given) for address, given in addresses]
    events(run, [said(f"h{n % 60}", f"t{n % 50}", "ok", f"ok {n}\nweb") for n in range(600)])
    for number in range(60):
        HostFactory(run=run, host=f"h{number}", ok=10)
    assert [asked(browser, address, **given) for address, given in addresses] == few
    assert max(few) < 40


def test_without_a_script_every_line_is_reached_by_links(browser, site):
    run = RunFactory(job__site=site)
    events(run, [said(f"web{n % 2}", "t", "ok", f"line {n}") for n in range(PIECE * 4 + 1)])
    for query, count in (("", PIECE * 4 + 1), ("host=web1", PIECE * 2)):
        found, address = [], f"{page(run)}?{query}"
        while address:
            html = browser.get(address).content.decode()
            found += numbers(html)
            later = re.search(r'<a href="([^"]+)">Later lines', html)
            address = f"{page(run)}{later[1].replace('&amp;', '&')}" if later else ""
        assert len(found) == len(set(found)) == count
