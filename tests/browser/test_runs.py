"""Runs in a real browser: launched, followed line by line, looked into host by host, and repeated on what failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from inventory.changes import change
from inventory.models import Host, Site
from provisioning import runner, states
from provisioning.models import Job, PlaybookRun
from tests.browser.axe import violations
from tests.browser.counting import Counted
from tests.provisioning.keeping import keeper  # noqa: F401
from tests.provisioning.runs.conftest import Playground
from tests.provisioning.runs.factories import HostFactory, RunFactory, events

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-runs"), pytest.mark.timeout(600)]

HOSTS, LINES = 500, 50_000
#: elements of the whole page, however long the output is
MOST_ELEMENTS = 6_000
#: bytes of any answer while it is followed
MOST_BYTES = 150_000
COLOURS = {"ok": 32, "changed": 33, "failed": 31, "unreachable": 31}


@pytest.fixture
def lab(administrator):
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        pass
    return site


def going_on(site: Site, hosts: int) -> PlaybookRun:
    """A run that a worker is at, with a lease that lasts."""
    run: Any = RunFactory(
        job__site=site, job__state=states.RUNNING, job__finished=None, job__why="the new release", rc=None
    )
    for number in range(hosts):
        HostFactory(run=run, host=f"node{number:03}", ok=1)
    return run


def talk(run: PlaybookRun, lines: int, hosts: int, *, task: str = "install packages") -> None:
    """So many lines more, two of three green, one red now and then."""
    wanted: list[dict[str, object]] = []
    for number in range(run.lines, run.lines + lines):
        outcome = "failed" if number % 997 == 500 else "changed" if number % 3 == 0 else "ok"
        host = f"node{number % hosts:03}"
        text = f"\x1b[0;{COLOURS[outcome]}m{outcome}: [{host}] => (item=package-{number})\x1b[0m"
        wanted.append({"host": host, "play": "all", "task": task, "outcome": outcome, "text": text})
    events(run, wanted)


def finish(run: PlaybookRun) -> None:
    Job.objects.filter(pk=run.pk).update(state=states.SUCCEEDED, finished=timezone.now())


BIGGEST = """performance.getEntriesByType('resource').filter(e => /after=|\\/run\\//.test(e.name))
  .reduce((most, e) => e.decodedBodySize > most[0] ? [e.decodedBodySize, e.name] : most, [0, ''])"""


def elements(page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_fifty_thousand_lines_of_five_hundred_hosts_stay_fluid(visit, lab, width, dark):
    run = going_on(lab, HOSTS)
    talk(run, LINES - 1000, HOSTS)
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page = visitor.page
    page.goto(f"/admin/provisioning/job/{run.pk}/change/")
    seen = [elements(page)]
    page.locator(f"#line-{run.lines}").wait_for()
    for _ in range(4):  # it goes on, and the page follows
        talk(run, 250, HOSTS)
        page.locator(f"#line-{run.lines}").wait_for()
        seen.append(elements(page))
    visitor.photograph(f"runs-full-{'dark' if dark else 'light'}-{width}")
    assert run.lines == LINES
    page.reload()
    page.locator(f"#line-{LINES}").wait_for()
    for line in (1, 25_000, 137, 49_999):  # anywhere, at once
        page.get_by_label("Line", exact=True).fill(str(line))
        page.get_by_role("button", name="Go", exact=True).click()
        page.locator(f"#line-{line}.mp-marked").wait_for()
        seen.append(elements(page))
    assert not page.get_by_label("Follow").is_checked()
    page.get_by_label("Follow").check()
    page.locator(f"#line-{LINES}").wait_for()
    finish(run)
    page.get_by_text("done, and looked at afterwards").wait_for()
    assert page.locator("#mp-more").count() == 0
    found = violations(page)
    if visitor.too_wide() > 0:
        found.append(f"too wide: {visitor.what_is_too_wide()}")
    assert [*found, *visitor.complaints] == []
    assert max(seen) < MOST_ELEMENTS, seen
    size, address = page.evaluate(BIGGEST)
    assert 0 < size < MOST_BYTES, (size, address)


PLAYBOOK = """
- name: Deploy
  hosts: web
  gather_facts: false
  tasks:
    - name: Say the release
      ansible.builtin.debug:
        msg: "release {{ release }} on {{ inventory_hostname }}"
    - name: Take a moment
      ansible.builtin.pause:
        seconds: 4
    - name: Write the page
      ansible.builtin.copy:
        dest: "{{ marks }}/{{ inventory_hostname }}"
        content: "{{ release }}\\n"
        mode: "0600"
    - name: Start it
      ansible.builtin.command: "false"
      when: inventory_hostname == "web02"
"""
AWAY: Any = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
PROMPTS = [
    {"name": "release", "label": "Release", "help": "Such as 1.4."},
    {
        "name": "channel",
        "label": "Channel",
        "kind": "choice",
        "choices": ["stable", "testing"],
        "default": "stable",
    },
    {"name": "token", "label": "Token", "kind": "secret"},
]


@pytest.fixture
def playground(lab, keeper, tmp_path):  # noqa: F811
    found = Playground(lab, tmp_path)
    found.write("deploy.yml", PLAYBOOK)
    found.host_variables("web03", **AWAY)
    found.template("deploy", playbook="deploy.yml", prompts=PROMPTS, diff=True)
    return found


@contextmanager
def worked_at(job: Job) -> Iterator[None]:
    """A worker carries the job out meanwhile."""

    def work() -> None:
        try:
            runner.run(job.pk, "a worker")
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(240)
    assert not thread.is_alive()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_from_the_questions_to_what_failed(visit, playground, width, dark):
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page, problems = visitor.page, []
    page.set_default_timeout(90_000)

    def looked_at(name: str) -> None:
        visitor.photograph(f"runs-{name}-{'dark' if dark else 'light'}-{width}")
        problems.extend(f"{name}: {one}" for one in violations(page))
        if visitor.too_wide() > 0:
            problems.append(f"{name}: too wide: {visitor.what_is_too_wide()}")

    visitor.open("/admin/provisioning/playbookrun/")
    looked_at("list-empty")
    counted = Counted(page)
    counted.click(page.get_by_role("link", name="lab", exact=True))
    looked_at("choose")
    counted.click(page.get_by_role("link", name="deploy"))
    page.get_by_text("Release must be given").wait_for()
    page.get_by_label("Limit").fill("nobody")
    counted.fill("Release *", "1.4")
    page.get_by_text("No host is touched by deploy.yml with the limit “nobody”").wait_for()
    looked_at("nobody")
    page.get_by_label("Limit").fill("")
    page.get_by_text("3 hosts", exact=True).first.wait_for()
    page.get_by_role("link", name="web03").click()
    page.get_by_role("heading", name="Variables of web03").wait_for()
    counted.fill("Token *", "hunter2")
    counted.fill("Reason", "the new release")
    looked_at("launch")
    counted.click(page.get_by_role("button", name="Run", exact=True))
    page.get_by_text("to be taken up by a worker").wait_for()
    assert counted.tell("Run a job template") <= 6
    looked_at("queued")
    job = Job.objects.get()
    with worked_at(job):
        page.get_by_text("release 1.4 on web01").wait_for()
        page.reload()  # in the middle
        page.get_by_text("release 1.4 on web01").wait_for()
        looked_at("running")
        page.get_by_role("link", name="1 failed on web02").wait_for()
    page.get_by_text("stopped by a fault").wait_for()
    page.get_by_role("link", name="1 unreachable on web03").wait_for()
    page.locator("#mp-tasks summary").click()
    page.get_by_role("link", name="Write the page").wait_for()
    looked_at("failed")
    assert "+1.4" in page.locator(".mp-term .ansi-green").all_inner_texts()
    page.get_by_role("link", name="1 failed on web02").click()
    page.get_by_text("Only lines that ended “failed” of web02").wait_for()
    assert all("web01" not in line for line in page.locator(".mp-line").all_inner_texts())
    page.get_by_role("link", name="Show everything").click()
    page.get_by_text("Only lines that ended").wait_for(state="hidden")
    page.get_by_label("Search").fill("fatal")
    page.get_by_role("button", name="Search").click()
    page.locator(".mp-run-found a").first.click()
    page.locator(".mp-line.mp-marked").wait_for()
    looked_at("found")
    counted = Counted(page)
    counted.click(page.get_by_role("button", name="On 1 failed"))
    page.get_by_text("to be taken up by a worker").wait_for()
    assert counted.tell("Run once more on what failed") <= 1
    again = Job.objects.latest("pk")
    assert PlaybookRun.objects.get(pk=again.pk).arguments["limit"] == "web02"
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled by ada").first.wait_for()
    looked_at("cancelled")
    visitor.open("/admin/provisioning/playbookrun/")
    looked_at("list")
    visitor.open(f"/admin/inventory/host/{Host.objects.get(name='web02').pk}/change/")
    page.get_by_role("link", name="deploy").first.wait_for()
    assert [*problems, *visitor.complaints] == []


def test_check_first_then_apply_with_one_click(visit, playground):
    visitor = visit()
    visitor.sign_in("ada")
    page = visitor.page
    page.set_default_timeout(90_000)
    page.goto("/admin/launch/lab/base/?limit=web01")
    page.get_by_text("1 host", exact=True).first.wait_for()
    counted = Counted(page)
    counted.fill("Reason", "to see first")
    counted.click(page.get_by_role("button", name="Check first"))
    page.get_by_text("to be taken up by a worker").wait_for()
    runner.run(Job.objects.get().pk, "a worker")
    page.get_by_role("button", name="Apply").wait_for()
    visitor.photograph("runs-checked")
    assert playground.marked() == {}
    counted.click(page.get_by_role("button", name="Apply"))
    page.get_by_text("Applies what was checked by").wait_for()
    assert counted.tell("Check a run and apply it") <= 3
    runner.run(Job.objects.latest("pk").pk, "a worker")
    page.get_by_text("done, and looked at afterwards").wait_for()
    assert playground.marked() == {"web01": "plain"}
    assert visitor.complaints == []
