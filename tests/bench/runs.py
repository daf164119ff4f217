"""The page of a run with 50,000 lines and 500 hosts, followed in a real browser. Writes its part of docs/benchmarks.md.

python -m tests.bench.runs [--output FILE]
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.run import PASSWORD, ROOT, Figure, Server, machine, manage, milliseconds, running

HEADING = "## Runs"
LINES, HOSTS, MORE, SECONDS = 50_000, 500, 500, 20

#: a run that goes on, with all its lines but those that come while it is followed
MADE = """
from django.utils import timezone
from inventory.changes import change
from inventory.models import Site
from provisioning import states
from tests.browser.test_runs import going_on, talk
site = Site(slug="bench", root_domain="example.net")
with change(site, by="bench", why="a run"):
    pass
run = going_on(site, %d)
talk(run, %d, %d)
print(run.pk)
"""

#: lines as they come: so many each second
SPOKEN = """
import time
from provisioning.models import PlaybookRun
from tests.browser.test_runs import talk
run = PlaybookRun.objects.get(pk=%d)
for _ in range(%d):
    began = time.monotonic()
    talk(run, %d, %d)
    time.sleep(max(0, 1 - (time.monotonic() - began)))
"""

WATCH = """
window.spent = [];
new PerformanceObserver(list => window.spent.push(...list.getEntries().map(e => e.duration))).observe({type: "longtask"});
performance.setResourceTimingBufferSize(5000);
"""
POLLS = """
performance.getEntriesByType("resource").filter(e => e.name.includes("after=")).map(e => e.duration)
"""


def measure(work: Path) -> list[Figure]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(work), "DATA_DIR": str(work / "data"), "PORT": str(port),
        "ADMIN_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    manage(environment, "migrate", "-v0")
    manage(environment, "collectstatic", "--noinput", "-v0")
    manage(environment, "ensure_admin")
    run = int(
        manage(environment, "shell", "-v0", "-c", MADE % (HOSTS, LINES - MORE * SECONDS, HOSTS)).split()[-1]
    )
    with running(environment, port):
        server = Server(environment, port)
        followed = follow(server, run)
        return [*answers(server, run), *followed]


def answers(server: Server, run: int) -> list[Figure]:
    """What each part of the page takes over loopback, and its bytes."""
    cookie, part = server.session(), f"/admin/run/bench/{run}"
    page = f"/admin/provisioning/job/{run}/change/"
    asked = {
        "the page": page,
        "a poll with everything anew": f"{page}?after=9999&mark=x&matrix=x",
        "a piece of 200 lines": f"{part}/lines/?piece=120",
        "a piece of the lines of one host": f"{part}/lines/?piece=0&host=node123",
        "a piece of what changed, in the middle": f"{part}/lines/?piece=40&outcome=changed",
        "the matrix, sorted": f"{part}/hosts/?sort=-failed",
        "the tasks": f"{part}/tasks/",
        "a search that finds nothing": f"{part}/found/?q=nowhere",
        "the text of all": f"{part}/text/",
    }
    found = []
    for what, address in asked.items():
        headers = {"Cookie": cookie, "Authorization": "", "HX-Request": "true"}
        status, _, body, _ = server.get(address, **headers)
        if status != 200:
            raise SystemExit(f"{address} answered {status}.")
        spent = server.typical(address, times=5, **headers)
        found.append(Figure(what, f"{milliseconds(spent)}, {len(body) / 1000:.0f} kB"))
    return found


def follow(server: Server, run: int) -> list[Figure]:
    """The same page in Chromium for some seconds, while lines come."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}")
        name, _, value = server.session().partition("=")
        context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{server.port}"}])
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"/admin/provisioning/job/{run}/change/")
        code = SPOKEN % (run, SECONDS, MORE, HOSTS)
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "-v0", "-c", code]
        speaker = subprocess.Popen(command, env=server.environment)
        elements: list[int] = []
        try:
            while speaker.poll() is None:
                elements.append(_elements(page))
                time.sleep(0.5)
            page.locator(f"#line-{LINES}").wait_for(timeout=60_000)
        finally:
            speaker.kill()
        found = _told(page, elements)
        browser.close()
    return found


def _told(page: Any, elements: list[int]) -> list[Figure]:
    polls = page.evaluate(POLLS)
    tasks = page.evaluate("window.spent")
    began = time.perf_counter()
    page.get_by_label("Line", exact=True).fill("25000")
    page.get_by_role("button", name="Go", exact=True).click()
    page.locator("#line-25000.mp-marked").wait_for()
    spent = [duration / 1000 for duration in polls]
    typical, longest = milliseconds(statistics.median(spent)), max(tasks, default=0)
    return [
        Figure(f"elements of the page while {MORE} lines a second come", f"{min(elements)} to {max(elements)}"),
        Figure(f"a poll in the browser, {len(polls)} of them", f"{typical}, slowest {milliseconds(max(spent))}"),
        Figure("long tasks (over 50 ms) of its thread", f"{len(tasks)} in {SECONDS} s, longest {longest:.0f} ms"),
        Figure("to a line in the middle, shown", milliseconds(time.perf_counter() - began)),
    ]  # fmt: skip


def _elements(page: Any) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        raise SystemExit("This needs Chromium: apt install chromium.")
    return found


def section(figures: list[Figure]) -> str:
    head = [
        HEADING,
        "",
        f"A run of {HOSTS} hosts with {LINES} lines; SQLite, `make up`, Chromium on the same machine,",
        f"measured on {datetime.datetime.now(datetime.UTC).date()} on {machine()}, whose load was {os.getloadavg()[0]:.0f}.",
        "",
        "| what | measured |",
        "|---|---|",
    ]
    return "\n".join([*head, *(f"| {figure.what} | {figure.value} |" for figure in figures)]) + "\n"


def put(page: Path, text: str) -> None:
    """Replace the section, or append it."""
    before, _, rest = page.read_text().partition(f"\n{HEADING}\n")
    after = re.search(r"^## ", rest, re.M)
    kept = f"\n{rest[after.start() :]}" if after else ""
    page.write_text(f"{before.rstrip()}\n\n{text}{kept}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        text = section(measure(Path(work)))
    put(options.output, text)
    print(text)


if __name__ == "__main__":
    main()
