"""A real Prometheus discovers its targets from the exported document, over HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from inventory.exports import get_export
from tests.components import require
from tests.exports.client_site import CLIENTS

EXPORT = get_export("prometheus")


class Discovery(BaseHTTPRequestHandler):
    """The document as ``/export/<site>/prometheus`` serves it."""

    def do_GET(self) -> None:
        body = EXPORT.render(CLIENTS, None).files[EXPORT.filename]
        self.send_response(200)
        self.send_header("Content-Type", EXPORT.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def targets_of(port: int) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{port}/api/v1/targets"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)["data"]["activeTargets"]


def test_prometheus_discovers_every_target_with_its_labels(tmp_path: Path) -> None:
    require("prometheus", package="prometheus")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discovery)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: site\n  scrape_interval: 1h\n  http_sd_configs:\n"
        f"  - url: http://127.0.0.1:{server.server_address[1]}/\n"
    )
    port = free_port()
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=(tmp_path / "log").open("w"),
    )
    try:
        found = _eventually(port, 6, tmp_path / "log")
    finally:
        process.terminate()
        process.wait(20)
        server.shutdown()
    by_url = {target["scrapeUrl"]: target["labels"] for target in found}
    assert by_url["http://pi01.lab.example.net:9100/metrics"] == {
        "host": "pi01",
        "instance": "pi01.lab.example.net:9100",
        "job": "site",
        "plane": "management",
        "rack": "a",
        "site": "lab",
    }
    assert set(by_url) == {
        "http://artifacts.lab.example.net:9090/metrics",
        "http://hv01.lab.example.net:9221/pve?module=default",
        "http://pi01.lab.example.net:9100/metrics",
        "http://pi02.lab.example.net:9100/metrics",
        "http://pve.lab.example.net:9090/metrics",
        "http://web.tenant-a.lab.example.net:9090/metrics",
    }


def _eventually(port: int, wanted: int, log: Path) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 60
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline and len(found) < wanted:
        time.sleep(0.3)
        try:
            found = targets_of(port)
        except OSError:
            continue
    assert len(found) == wanted, log.read_text()
    return found
