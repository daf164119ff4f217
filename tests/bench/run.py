"""`make bench`: measures a large site on this machine and writes docs/benchmarks.md.

python tests/bench/run.py [--hosts N] [--database URL] [--output FILE]
"""

from __future__ import annotations

import argparse
import datetime
import http.client
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import pages  # noqa: E402
from tests.bench.tree import mac, name, write_tree  # noqa: E402

DHCP_AND_DNS = ("kea", "dnsmasq", "isc-dhcp", "bind", "unbound")
OTHERS = ("opnsense", "vyos", "hosts", "pxe", "ssh-config", "prometheus", "csv")
PASSWORD = "bench-password-1"


@dataclass
class Figure:
    what: str
    value: str
    aim: str = ""


class Server:
    """`manage.py up` over a data directory of its own, and a client for it."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.environment, self.port = environment, port
        self.token = manage(environment, "token", "create", "bench").strip().splitlines()[-1]

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes, float]:
        """Status, headers, body and seconds of one GET over a fresh connection."""
        headers.setdefault("Authorization", f"Bearer {self.token}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        spent = time.perf_counter() - began
        connection.close()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, body, spent

    def typical(self, path: str, times: int = 15, **headers: str) -> float:
        return statistics.median(self.get(path, **headers)[3] for _ in range(times))

    def session(self) -> str:
        """Sign in to the admin as a browser does; return the Cookie header."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/admin/login/")
        page = connection.getresponse()
        page.read()
        csrf = cookie(page, "mgmtplane_csrf")
        form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": csrf, "next": "/admin/"}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"mgmtplane_csrf={csrf}",
            "Referer": f"http://127.0.0.1:{self.port}/admin/login/",
        }
        connection.request("POST", "/admin/login/", urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 302:
            raise SystemExit(f"Signing in answered {answer.status}.")
        return f"mgmtplane_session={cookie(answer, 'mgmtplane_session')}"


def cookie(answer: http.client.HTTPResponse, wanted: str) -> str:
    found = re.search(rf"{wanted}=([^;]+)", "; ".join(answer.headers.get_all("Set-Cookie") or []))
    if not found:
        raise SystemExit(f"The server sets no cookie {wanted}.")
    return found[1]


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment, check=False, text=True, capture_output=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def running(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def memory(root: int) -> float:
    """Proportional set size in MB of a process and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, todo = 0.0, [root]
    while todo:
        pid = todo.pop()
        todo += children.get(pid, [])
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) / 1024
    return total


IN_PROCESS = """
import json, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from inventory import reading
from inventory.exports import get_export
out = {}
def timed(action):
    began = time.perf_counter(); result = action(); return time.perf_counter() - began, result
with CaptureQueriesContext(connection) as queries:
    out["load"], snapshot = timed(lambda: reading.load("bench"))
out["load queries"] = len(queries)
for name in %r:
    out[name], document = timed(lambda: get_export(name).render(snapshot, None))
    out[name + " size"] = sum(map(len, document.files.values()))
from inventory.rules import judge
out["judge"], _ = timed(lambda: list(judge(snapshot)))
print(json.dumps(out))
"""


def measure(hosts: int, database: str, work: Path) -> tuple[list[Figure], list[str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(work), "DATA_DIR": str(work / "data"), "PORT": str(port),
        "ADMIN_PASSWORD": PASSWORD, **({"DATABASE_URL": database} if database else {}),
    }  # fmt: skip
    write_tree(work / "tree", hosts)
    manage(environment, "migrate", "-v0")
    manage(environment, "collectstatic", "--noinput", "-v0")
    manage(environment, "ensure_admin")
    figures: list[Figure] = []
    arguments = ("import_ansible", str(work / "tree"), "--site", "bench", "--apply")
    figures.append(Figure("import, all new", seconds(timed(lambda: manage(environment, *arguments))), "60 s"))
    figures.append(
        Figure("import again, nothing changed", seconds(timed(lambda: manage(environment, *arguments))))
    )
    inside = json.loads(
        manage(
            environment,
            "shell",
            "-v0",
            "-c",
            IN_PROCESS % (("ansible", "ansible-tree", *DHCP_AND_DNS, *OTHERS),),
        )
    )
    figures.append(
        Figure("Snapshot from the database", f"{seconds(inside['load'])}, {inside['load queries']} queries")
    )
    figures.append(Figure("render `ansible`", seconds(inside["ansible"])))
    figures.append(
        Figure("size of `ansible` a host", f"{inside['ansible size'] / hosts / 1000:.2f} kB", "1.5 kB")
    )
    figures.append(Figure("render `ansible-tree`", seconds(inside["ansible-tree"])))
    for format_name in (*DHCP_AND_DNS, *OTHERS):
        size = inside[f"{format_name} size"] / 1e6
        figures.append(
            Figure(
                f"render `{format_name}` ({size:.1f} MB)",
                seconds(inside[format_name]),
                "0.3 s" if format_name in DHCP_AND_DNS else "",
            )
        )
    figures.append(Figure("all findings", seconds(inside["judge"])))
    figures += as_document(environment, work)
    with running(environment, port) as process:
        server = Server(environment, port)
        figures += over_http(server, hosts)
        figures.append(
            Figure("memory of all processes after this (PSS)", f"{memory(process.pid):.0f} MB", "250 MB")
        )
        listed = manage(environment, "shell", "-v0", "-c", pages.ADDRESSES)
        of_pages = pages.table(pages.measured(server, listed, server.session()))
    return figures, of_pages


def as_document(environment: dict[str, str], work: Path) -> list[Figure]:
    """The site as text, and from text into an empty database."""
    document = work / "site.yml"
    export = ("export", "site", "--site", "bench", "--output")
    figures = [Figure("`export site`", seconds(timed(lambda: manage(environment, *export, str(document)))))]
    figures[0].what += f" ({document.stat().st_size / 1e6:.1f} MB)"
    elsewhere = {**environment, "DATA_DIR": str(work / "elsewhere"), "DATABASE_URL": ""}
    manage(elsewhere, "migrate", "-v0")
    declare = ("declare", str(document))
    for what, arguments in (
        ("plan of `declare` on an empty database (SQLite)", declare),
        ("`declare --apply` on an empty database (SQLite)", (*declare, "--apply")),
        ("plan of `declare`, nothing changed (SQLite)", declare),
    ):
        figures.append(Figure(what, seconds(timed(partial(manage, elsewhere, *arguments)))))
    again = work / "again.yml"
    manage(elsewhere, *export, str(again))
    if again.read_bytes() != document.read_bytes():
        raise SystemExit("The site declared from its document exports another document.")
    return figures


def over_http(server: Server, hosts: int) -> list[Figure]:
    status, headers, body, cold = server.get("/inventory/bench/")
    if status != 200 or len(json.loads(body)["_meta"]["hostvars"]) != hosts:
        raise SystemExit(f"The inventory answered {status} with {len(body)} bytes.")
    cached = server.typical("/inventory/bench/")
    unchanged = server.typical("/inventory/bench/", times=101, **{"If-None-Match": headers["etag"]})
    figures = [
        Figure("inventory over HTTP, cold", seconds(cold), "1.5 s"),
        Figure("inventory over HTTP, cached", milliseconds(cached)),
        Figure("inventory over HTTP, 304", milliseconds(unchanged), "5 ms"),
    ]
    for format_name in DHCP_AND_DNS:
        figures.append(
            Figure(f"`{format_name}` over HTTP, cold", seconds(server.get(f"/export/bench/{format_name}")[3]))
        )
    browser = {"Cookie": server.session(), "Authorization": ""}
    lists = {
        "first page": "/admin/",
        "host list": "/admin/inventory/host/",
        "host list, searched by a MAC with dashes": f"/admin/inventory/host/?q={mac(hosts // 2, 0).replace(':', '-')}",
        "interface list": "/admin/inventory/interface/",
    }
    for what, path in lists.items():
        status, _, body, _ = server.get(path, **browser)
        if status != 200:
            raise SystemExit(f"{path} answered {status}.")
        if "searched" in what and name(hosts // 2).encode() not in body:
            raise SystemExit("The search did not find the host.")
        figures.append(
            Figure(
                what,
                milliseconds(server.typical(path, times=7, **browser)),
                "300 ms" if "list" in what else "",
            )
        )
    return figures


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def milliseconds(value: float) -> str:
    return f"{value * 1000:.1f} ms"


def machine() -> str:
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores, {cpu[1] if cpu else platform.machine()}, {platform.system()}"


def report(tables: list[tuple[str, int, list[Figure], list[str]]]) -> str:
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; run it on your machine to compare. Nothing here is asserted by a test.",
        "",
        f"- Date: {datetime.datetime.now(datetime.UTC).date()}",
        f"- Machine: {machine()}",
        f"- Python {platform.python_version()}",
        "- HTTP figures are medians over loopback with a new connection each, the client's time included; “cold” is the",
        "  first request of the process after the import: Snapshot, rendering, compressing and storing.",
    ]
    for title, hosts, figures, of_pages in tables:
        lines += [
            "",
            f"## {title}: {hosts:,} hosts, {2 * hosts:,} interfaces",
            "",
            "| what | measured | aim |",
            "|---|---|---|",
        ]
        lines += [f"| {figure.what} | {figure.value} | {figure.aim} |" for figure in figures]
        lines += of_pages
    return "\n".join(lines) + "\n"


#: Begins the part of the page that other commands measure; it stays as it is.
KEPT = "## Allocation"


def kept(page: Path) -> str:
    """What stands on *page* from KEPT on."""
    _, heading, rest = page.read_text().partition(f"\n{KEPT}") if page.exists() else ("", "", "")
    return heading + rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument(
        "--database", default=os.environ.get("BENCH_DATABASE_URL", ""), help="an empty PostgreSQL database"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    tables = []
    for title, database in (("SQLite", ""), ("PostgreSQL", options.database)):
        if title == "SQLite" or database:
            with tempfile.TemporaryDirectory() as work:
                tables.append((title, options.hosts, *measure(options.hosts, database, Path(work))))
    text = report(tables) + kept(options.output)
    options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
