"""The client of routers where no whole answer comes, or none can be kept: everything stays as it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.misbehaving import TOKEN, Says, Server, etag_of, site_of
from tests.clients.router import ONE, TWO, Router, every_shell, few_programs
from tests.clients.router import router as router
from tests.clients.router import server as server
from tests.components import require, unavailable

HEADERS = {"ETag": etag_of(2, TWO), "Mgmtplane-Revision": "2"}
PAGE = b"<html>sign in"
CANNOT = {
    "down": (None, 75, "No answer"),
    "silent": (Says(waits=60), 75, "No answer"),
    "dripping": (Says(200, TWO, HEADERS, drips=1), 75, "No answer"),
    "500": (Says(500, b'{"error": "failed inside"}'), 75, "failed inside"),
    "503": (Says(503), 75, "503"),
    "half a body": (Says(200, TWO[:5], HEADERS, announces=len(TWO)), 75, "No answer"),
    "half a body without length": (
        Says(200, TWO[:5], HEADERS, announces=-1),
        75,
        "not all of, what its ETag",
    ),
    "another body": (Says(200, TWO[::-1], HEADERS), 75, "not, or not all of"),
    "an empty body": (Says(200, b"", HEADERS), 75, "empty file"),
    "a portal": (Says(200, b"<html>sign in"), 75, "not mgmtplane"),
    "a page with headers": (Says(200, PAGE, {**HEADERS, "ETag": etag_of(2, PAGE)}), 75, "no whole dnsmasq"),
    "a redirect": (Says(302, headers={"Location": "http://203.0.113.1/"}), 75, "No answer"),
    "401": (Says(401, b'{"error": "This \\u201ctoken\\u201d is not known."}'), 1, "'token' is not known."),
    "401 with the token": (
        Says(401, f'{{"error": "no {TOKEN}"}}'.encode()),
        1,
        "words with the token in them",
    ),
    "403": (Says(403, b'{"error": "Not yours."}'), 1, "403): Not yours."),
    "404": (Says(404, b"<h1>no</h1>"), 1, "404"),
    "409": (Says(409, b'{"error": "Findings.", "findings": []}'), 1, "409): Findings."),
}


@pytest.mark.parametrize("trouble", CANNOT)
def test_without_a_whole_answer_everything_stays(server: Server, router: Router, trouble: str) -> None:
    says, status, words = CANNOT[trouble]
    router.run()
    router.configure(TIMEOUT="1")
    if says is None:
        server.server_close()
    else:
        server.answer = lambda asked: says
    ran = router.run()
    assert (ran.status, words in ran.said) == (status, True), ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    assert (router.reloads, router.leftovers()) == (1, [])


@every_shell
def test_a_full_disk_changes_nothing(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    router.run()
    large = b"# large\n" * 5000
    server.answer = site_of(large, 2)
    ran = router.run(before="ulimit -f 8; trap '' XFSZ")
    assert ran.status == 75, ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    assert (router.reloads, router.leftovers()) == (1, [])
    assert router.run().status == 0
    assert router.running.read_bytes() == large


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """64 KiB at *place*."""
    require("unshare", package="util-linux")
    if os.geteuid() != 0:
        unavailable("needs root: it mounts a disk of 64 KiB")
    place.mkdir(exist_ok=True)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "small", str(place)], check=False
    ).returncode:
        unavailable("needs permission to mount a tmpfs of 64 KiB")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_beside_the_server_changes_nothing(server: Server, router: Router) -> None:
    with small_disk(router.etc):
        assert router.run().status == 0
        server.answer = site_of(b"# large\n" * 20_000, 2)
        ran = router.run()
        assert ran.status == 75 and "is the disk full?" in ran.said
        assert router.target.read_bytes() == router.running.read_bytes() == ONE
        assert router.leftovers() == []
        server.answer = site_of(TWO, 3)
        assert router.run().status == 0


@every_shell
def test_a_state_that_cannot_be_written_changes_nothing(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    with small_disk(router.state):
        assert router.run().status == 0
        server.answer = site_of(TWO, 2)
        subprocess.run(["dd", "if=/dev/zero", f"of={router.state}/full"], check=False, capture_output=True)
        ran = router.run()
        assert ran.status == 75 and "The disk is full" in ran.said, ran.said
        subprocess.run(["mount", "-o", "remount,ro", str(router.state)], check=True)
        ran = router.run()
        assert ran.status == 75 and "lock cannot be written" in ran.said, ran.said
        assert router.target.read_bytes() == router.running.read_bytes() == ONE


def test_a_server_that_has_nothing_new_for_who_has_nothing_is_no_success(
    server: Server, router: Router
) -> None:
    server.says(304)
    ran = router.run()
    assert ran.status == 75 and "was not asked that" in ran.said
    assert not router.target.exists()


def test_what_the_server_does_not_measure_is_measured_here_or_refused(server: Server, router: Router) -> None:
    server.answer = lambda asked: Says(200, TWO, HEADERS, announces=-1)
    ran = router.run(path=few_programs(router.folder))
    assert ran.status == 75 and "did not say how much it sends" in ran.said
    assert not router.target.exists()
    assert router.run().status == 0
    assert router.target.read_bytes() == TWO
