"""Without name resolution, network time, router or another machine the embedded shape starts and answers by address."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.components import require_namespaces
from tests.serving.load import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: nothing but a loopback; no names, not even that of this machine or of localhost
NOTHING = """
mount --make-rprivate / && ip link set lo up && hostname nobody-knows-this-name
for file in /etc/hosts /etc/resolv.conf; do [ ! -e "$file" ] || mount --bind /dev/null "$file"; done
exec "$@"
"""
ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
sys.stdout.buffer.write(urllib.request.urlopen(request, timeout=20).read())
"""


def test_it_starts_and_serves_where_there_is_nothing_else(tmp_path):
    require_namespaces()
    server = Server(tmp_path / "data", port=8123)
    server.manage("migrate", "-v0")
    server.manage("demo")
    token = server.token("router", "read")
    log = tmp_path / "log"
    words = ["unshare", "-n", "-m", "-u", "sh", "-c", NOTHING, "sh", sys.executable, "manage.py", "up"]
    with log.open("wb") as output:
        process = server.start(words, output)

        def ask(path: str) -> bytes:
            inside = ["nsenter", "-t", str(process.pid), "-n", sys.executable, "-c", ASK]
            done = subprocess.run(
                [*inside, f"http://127.0.0.1:8123{path}", token], check=False, capture_output=True
            )
            return done.stdout

        try:
            deadline = time.monotonic() + 120
            while b'"workers": "ok"' not in (said := ask("/readyz")):
                assert process.poll() is None and time.monotonic() < deadline, (said, log.read_text())
                time.sleep(0.5)
            assert json.loads(said)["ready"] is True
            assert b"address" in ask("/export/lab/kea")
            assert "Traceback" not in log.read_text()
        finally:
            process.terminate()
            process.wait(timeout=20)
