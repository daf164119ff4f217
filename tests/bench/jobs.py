"""Jobs: from a click to the first step, lines a second, hypervisors surveyed. Writes its part of docs/benchmarks.md.

python -m tests.bench.jobs [--output FILE]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import tempfile
import time
import urllib.parse
from datetime import datetime
from pathlib import Path

from tests.bench.run import PASSWORD, ROOT, Figure, Server, manage, milliseconds, running, seconds
from tests.provisioning.pve.standin import StandIn
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN

HEADING = "## Jobs"
CLICKS, LINES, GUESTS, HYPERVISORS = 15, 2000, 200, 20
CSRF = "a" * 32

LINES_STORED = """
import time
from provisioning.models import Job
from provisioning.engine.moves import note
job = Job.objects.latest("pk")
began = time.perf_counter()
for number in range(%d):
    note(job.pk, f"line {number}: transferred {number} MiB of 10240 MiB")
print(job.pk, time.perf_counter() - began)
"""

FIRST_STEP = """
from provisioning.models import Job
job = Job.objects.latest("pk")
print(job.pk, job.events.filter(level="step").order_by("number").first().at.isoformat())
"""

SURVEY = """
import json, sys, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from inventory.changes import change
from inventory.models import Host, Hypervisor, Site
from provisioning import requests, runner
from provisioning.models import Job
from tests.provisioning.jobs.conftest import declare_lab
from tests.provisioning.pve.standin import StandIn
where, count = json.loads(%r), %d
site = Site.objects.filter(slug="lab").first() or declare_lab(StandIn(**where, process=None))
with change(site, by="bench", why="more of them"):
    first = Hypervisor.objects.get(host__name="hv01")
    for number in range(Hypervisor.objects.count() + 1, count + 1):
        host = Host(site=site, name=f"hv{number:02}", form="hv")
        host.save()
        values = {f.name: getattr(first, f.name) for f in Hypervisor._meta.fields if f.name not in ("id", "host")}
        Hypervisor(host=host, **values).save()
job = Job.objects.create(kind="survey", site=site, site_slug="lab", parameters={"host": ""}, queue="nobody")
began = time.perf_counter()
with CaptureQueriesContext(connection) as queries:
    runner.run(job.pk, "bench")
spent = time.perf_counter() - began
job.refresh_from_db()
print(json.dumps([job.state, job.message[:300], job.outcome, spent, len(queries)]))
"""


def measure(work: Path) -> list[Figure]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(work), "DATA_DIR": str(work / "data"), "PORT": str(port),
        "ADMIN_PASSWORD": PASSWORD, "PVE_TOKEN": SECRETS[WRITE_TOKEN], "PVE_READ_TOKEN": SECRETS[READ_TOKEN],
    }  # fmt: skip
    manage(environment, "migrate", "-v0")
    manage(environment, "collectstatic", "--noinput", "-v0")
    manage(environment, "ensure_admin")
    with running(environment, port):
        server = Server(environment, port)
        figures = [*clicks(server), *lines(server)]
    return [*figures, *surveys(environment, work)]


def clicks(server: Server) -> list[Figure]:
    """From the browser's POST that starts a job to the first line of its first step, on the embedded default."""
    cookie = server.session()
    spent = [click(server, cookie) for _ in range(CLICKS)]
    said = f"{milliseconds(statistics.median(spent))}, slowest {milliseconds(max(spent))}"
    return [Figure(f"click to first step, {CLICKS} times", said, "1 s")]


def click(server: Server, cookie: str) -> float:
    path = "/admin/start/job/housekeeping/"
    shown = post(server, path, cookie, {})[1]
    found = re.search(r'name="fingerprint" value="([^"]+)"', shown)
    if not found:
        raise SystemExit("The page of a job shows no plan.")
    began = time.time()
    status, _ = post(server, path, cookie, {"fingerprint": found[1], "why": "measured", "key": str(began)})
    if status != 302:
        raise SystemExit(f"Starting a job answered {status}.")
    said = manage(server.environment, "shell", "-v0", "-c", FIRST_STEP)
    return datetime.fromisoformat(said.split()[-1]).timestamp() - began


def post(server: Server, path: str, cookie: str, form: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{cookie}; mgmtplane_csrf={CSRF}",
        "Referer": f"http://127.0.0.1:{server.port}{path}",
    }
    connection.request("POST", path, urllib.parse.urlencode({**form, "csrfmiddlewaretoken": CSRF}), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def lines(server: Server) -> list[Figure]:
    """What a job says, one transaction a line as in a job, and the same read again as the job's page follows it."""
    said = manage(server.environment, "shell", "-v0", "-c", LINES_STORED % LINES).split()
    job, spent = said[-2], float(said[-1])
    address = f"/admin/provisioning/job/{job}/change/?after=0"
    cookie = server.session()
    shown = server.typical(address, times=7, Cookie=cookie, Authorization="")
    _, _, body, _ = server.get(address, Cookie=cookie, Authorization="")
    here = body.count(b"MiB of 10240")
    if not here:
        raise SystemExit("The page of the job does not show its lines.")
    return [
        Figure("lines stored, one after another", f"{LINES / spent:.0f} a second"),
        Figure(f"lines shown, {here} in one answer", f"{here / shown:.0f} a second ({milliseconds(shown)})"),
    ]


def surveys(environment: dict[str, str], work: Path) -> list[Figure]:
    (work / "standin").mkdir()
    node = StandIn.start(work / "standin", "--guests", str(GUESTS))
    figures = []
    try:
        where = {"url": node.url, "ca_file": node.ca_file, "fingerprint": "", "node": node.node}
        elsewhere = {**environment, "DATA_DIR": str(work / "surveys"), "PYTHONPATH": str(ROOT)}
        manage(elsewhere, "migrate", "-v0")
        for count in (1, HYPERVISORS):
            node.forget()
            code = SURVEY % (json.dumps(where), count)
            said = json.loads(manage(elsewhere, "shell", "-v0", "-c", code).strip().splitlines()[-1])
            state, message, outcome, spent, queries = said
            if (state, outcome["surveyed"]) != ("succeeded", count):
                raise SystemExit(f"The survey {state}: {message}")
            many = f"{count} hypervisor{'s' if count > 1 else ''} with {outcome['guests'] // count} guests"
            calls = len(node.requests())
            figures.append(Figure(f"survey of {many}", f"{seconds(spent)}, {calls} calls, {queries} queries"))
    finally:
        node.stop()
    return figures


def section(figures: list[Figure]) -> str:
    head = [
        HEADING,
        "",
        "From a click to the first step: the POST of the page, the message, a worker of `make up` that takes",
    ]
    head += [
        "it up; SQLite and the embedded broker. The hypervisors are one stand-in process on the same machine.",
        "",
    ]
    rows = [f"| {figure.what} | {figure.value} | {figure.aim} |" for figure in figures]
    return "\n".join([*head, "| what | measured | aim |", "|---|---|---|", *rows]) + "\n"


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
