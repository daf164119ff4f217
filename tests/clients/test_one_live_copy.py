"""A consumer that saw a copy of the application takes nothing of an older one, and says when two are live."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.misbehaving import Asked, Says, Server, document, serving
from tests.clients.router import ONE, SHELLS, TWO, Router, every_shell
from tests.clients.script import Script

A, B = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
HOSTS = document("alpha", "beta", "gamma", "delta")


def copy_of(
    body: bytes,
    *,
    epoch: int | None = 1,
    revision: int = 1,
    copy: str = A,
    site: str = "",
    degraded: bool = False,
    without: str = "",
    suffix: str = "",
) -> Callable[[Asked], Says]:
    """What a copy of the application answers; without *epoch* one of before there were any.

    *without* names a header that a proxy drops, *suffix* is what it adds to the ETag.
    """
    content = hashlib.sha256(body).hexdigest()[:20]
    middle = f"e{epoch}-" if epoch else ""
    headers = {"ETag": f'"{revision}-{middle}{content}"', "Mgmtplane-Revision": str(revision)}
    if epoch:
        headers["Mgmtplane-Copy"] = header(epoch, copy)

    if site:
        headers["Mgmtplane-Site"] = site
    if degraded:
        headers["Mgmtplane-Degraded"] = "database"
    etag = headers["ETag"]
    headers["ETag"] = etag[:-1] + suffix + '"'
    headers = {name: value for name, value in headers.items() if name not in without.split()}

    def answer(asked: Asked) -> Says:
        if asked.method == "POST":
            return Says(200, b"{}")
        if etag in asked.headers.get("If-None-Match", ""):
            return Says(304, headers=headers)
        return Says(200, body, headers)

    return answer


def header(epoch: int, copy: str) -> str:
    return f"{epoch}.{copy}.{'0123456789' * 2}"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.answer = copy_of(ONE, epoch=2, revision=7)
        yield running


def told(server: Server) -> str:
    return next(a.headers.get("Mgmtplane-Seen", "") for a in reversed(server.asked) if a.method == "GET")


# --- routers ---

OLDER = {
    "an earlier epoch": (copy_of(TWO, epoch=1, revision=99, copy=B), "was promoted to epoch 2"),
    "a server of before there were epochs": (copy_of(TWO, epoch=None, revision=99), "of epoch 1"),
    "an earlier revision": (copy_of(TWO, epoch=2, revision=6), "has revision 6, and 7 was seen"),
    "another copy": (copy_of(TWO, epoch=2, revision=8, copy=B), "Two copies of the application are live"),
    "another copy, with the same file": (copy_of(ONE, epoch=2, revision=7, copy=B), "Two copies"),
}


@pytest.mark.parametrize("what", OLDER)
def test_a_router_keeps_its_file_and_says_which_copy_it_refuses(
    server: Server, tmp_path: Path, what: str
) -> None:
    router = Router(tmp_path, server.url)
    assert router.run().status == 0
    server.answer, words = OLDER[what]
    for _ in range(2):
        ran = router.run()
        assert ran.status == 3 and words in ran.said and "--forget" in ran.said, ran.said
    assert router.running.read_bytes() == ONE and router.reloads == 1
    report = next(a for a in reversed(server.asked) if a.method == "POST")
    assert b'"ok": false' in report.body and header(2, A) in report.headers["Mgmtplane-Seen"]
    server.answer = copy_of(TWO, epoch=3, revision=1, copy=B)
    assert router.run().status == 0, "a promotion ends it, whatever its revision"
    assert router.running.read_bytes() == TWO


@every_shell
def test_in_every_shell(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell=shell)
    assert router.run().status == 0
    assert f"epoch 2, revision 7, copy {A}" in router.run("--status").said
    server.answer = copy_of(TWO, epoch=1, revision=9, copy=B)
    assert router.run().status == 3
    assert router.run("--forget").status == 0
    assert router.running.read_bytes() == TWO
    server.answer = copy_of(ONE, epoch=1, revision=8, copy=B)
    assert router.run().status == 3, "what it forgot to go to is what it remembers now"


def test_a_router_tells_each_copy_of_the_other(server: Server, tmp_path: Path) -> None:
    router = Router(tmp_path, server.url)
    router.run()
    server.answer = copy_of(TWO, epoch=2, revision=8, copy=B)
    router.run()
    assert told(server) == header(2, A), "the second copy hears of the first"
    server.answer = copy_of(ONE, epoch=2, revision=7, copy=A)
    assert router.run().status == 0
    assert told(server) == f"{header(2, A)}, {header(2, B)}", "and the first of the second"


def test_a_router_of_before_there_were_epochs_goes_on(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(ONE, epoch=None, revision=7)
    router = Router(tmp_path, server.url)
    router.run()
    (router.state / "seen").unlink()  # as the client before this one left it
    server.answer = copy_of(ONE, epoch=1, revision=7)
    ran = router.run()
    assert ran.status == 0 and router.reloads == 1, "the same file is not taken up again"
    assert router.run().status == 0


def test_every_shell_is_among_those_that_are_tested() -> None:
    assert {"dash", "busybox"} <= set(SHELLS)


# --- Ansible ---

OLDER_HOSTS = {
    "an earlier epoch": (copy_of(HOSTS, epoch=1, revision=99, copy=B), "was promoted to epoch 2", "1-99"),
    "an earlier revision": (copy_of(HOSTS, epoch=2, revision=6), "has revision 6, and 7 was seen", "2-6"),
    "another copy": (
        copy_of(HOSTS, epoch=2, revision=7, copy=B),
        "Two copies of the application are live",
        "2-7",
    ),
}


@pytest.mark.parametrize("what", OLDER_HOSTS)
def test_the_inventory_of_an_older_copy_is_not_handed_on(server: Server, tmp_path: Path, what: str) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    server.answer, words, accept = OLDER_HOSTS[what]
    for _ in range(2):
        ran = script.run()
        assert (ran.status, ran.out) == (3, "") and words in ran.err, ran.err
        assert f"--accept-copy {accept}" in ran.err
    assert header(2, A) in told(server)
    script.fresh("--list", "--accept-copy", accept)
    script.fresh()


def test_the_inventory_moves_to_another_address_with_what_was_seen(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    with serving() as other:
        other.answer = copy_of(HOSTS, epoch=1, revision=9, copy=B)
        script.environment["MGMTPLANE_URL"] = other.url
        assert script.run().status == 3 and told(other) == header(2, A)
        other.answer = copy_of(HOSTS, epoch=3, revision=1, copy=B)
        script.fresh()


def test_an_inventory_that_was_kept_before_there_were_epochs_is_gone_on_from(
    server: Server, tmp_path: Path
) -> None:
    server.answer = copy_of(HOSTS, epoch=None, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    (seen,) = script.cache.glob("*.seen")
    seen.unlink()
    server.answer = copy_of(HOSTS, epoch=1, revision=7)
    script.fresh()
    script.fresh()
    server.answer = copy_of(HOSTS, epoch=1, revision=6)
    assert script.run().status == 3


def test_while_an_older_copy_answers_the_last_good_copy_stays(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    server.answer = copy_of(document("alpha"), epoch=1, revision=9, copy=B)
    script.run()
    server.says(503)
    script.stale("503")


# --- what comes late, changed on the way, or from elsewhere ---

SITE, ELSEWHERE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@every_shell
def test_a_mirror_that_is_late_moves_no_router(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell=shell)
    router.run()
    server.answer = copy_of(TWO, epoch=2, revision=6, degraded=True)
    ran = router.run()
    assert ran.status == 75 and "while its database is away" in ran.said and "romote" not in ran.said, (
        ran.said
    )
    assert router.running.read_bytes() == ONE
    server.answer = copy_of(TWO, epoch=2, revision=8, degraded=True)
    assert router.run().status == 0, "a newer one is news"
    server.answer = copy_of(ONE, epoch=2, revision=7, copy=B, degraded=True)
    assert router.run().status == 3, "another copy is another copy"


def test_a_mirror_that_is_late_leaves_ansible_the_last_good_copy(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=8)
    script = Script(tmp_path, server.url)
    script.fresh()
    server.answer = copy_of(document("alpha"), epoch=2, revision=7, degraded=True)
    assert "romote" not in script.stale("its database is away").err
    server.answer = copy_of(HOSTS, epoch=2, revision=8, degraded=True)
    script.fresh()


@every_shell
def test_a_router_takes_a_304_without_an_etag_and_an_etag_with_a_suffix(
    server: Server, tmp_path: Path, shell: str
) -> None:
    router = Router(tmp_path, server.url, shell=shell)
    router.run()
    server.answer = copy_of(ONE, epoch=2, revision=7, without="ETag")
    assert router.run().status == 0, "it confirms what was asked"
    server.answer = copy_of(TWO, epoch=2, revision=8, suffix="-gzip")
    ran = router.run()
    assert ran.status == 0 and router.running.read_bytes() == TWO, ran.said
    for _ in range(2):
        assert router.run().status == 0
    assert router.reloads == 2, "its own ETag is what it asks with"
    server.answer = copy_of(ONE, epoch=2, revision=9, without="ETag")
    assert router.run().status == 75 and router.running.read_bytes() == TWO


def test_what_a_proxy_does_to_the_etag_makes_no_other_copy_for_ansible(
    server: Server, tmp_path: Path
) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    for what in ({"suffix": "-gzip"}, {"without": "ETag"}, {"without": "ETag Mgmtplane-Revision"}):
        server.answer = copy_of(HOSTS, epoch=2, revision=7, **what)  # type: ignore[arg-type]
        script.fresh()
    for revision, what in ((8, {"suffix": "-gzip"}), (9, {"without": "ETag"})):
        server.answer = copy_of(HOSTS, epoch=2, revision=revision, **what)  # type: ignore[arg-type]
        script.fresh()
    server.answer = copy_of(HOSTS, epoch=2, revision=8, without="ETag")
    assert script.run().status == 3, "the revision has a header of its own"
    server.answer = copy_of(HOSTS, epoch=2, revision=10, without="ETag Mgmtplane-Revision")
    assert "epoch -1" not in script.stale("not mgmtplane's").err


@every_shell
def test_to_forget_is_of_one_run(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell=shell)
    router.run()
    server.says(502)
    assert router.run("--forget").status == 75
    server.answer = copy_of(TWO, epoch=2, revision=2)
    assert router.run().status == 3, "nobody asked this run to"
    assert router.run("--forget").status == 0 and router.running.read_bytes() == TWO


def test_two_installations_with_a_site_of_one_name_are_told_apart(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(HOSTS, epoch=1, revision=7, site=SITE)
    script = Script(tmp_path, server.url)
    script.fresh()
    with serving() as other:
        other.answer = copy_of(HOSTS, epoch=1, revision=3, copy=B, site=ELSEWHERE)
        here = script.environment["MGMTPLANE_URL"]
        script.environment["MGMTPLANE_URL"] = other.url
        ran = script.run()
        assert (ran.status, ran.out) == (3, "") and "another installation" in ran.err, ran.err
        assert "romote" not in ran.err and f"--accept-copy {ELSEWHERE}" in ran.err
        script.fresh("--list", "--accept-copy", ELSEWHERE)
        for url in (here, other.url) * 2:
            script.environment["MGMTPLANE_URL"] = url
            script.fresh()
        assert told(other) == header(1, B) and told(server) == header(1, A), "no word of the other one"
        assert other.asked[-1].headers["Mgmtplane-Site"] == ELSEWHERE
        other.answer = copy_of(HOSTS, epoch=1, revision=2, copy=B, site=ELSEWHERE)
        assert script.run().status == 3, "of each the newest is known"


def test_what_was_seen_before_sites_had_an_id_is_gone_on_from(server: Server, tmp_path: Path) -> None:
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    script = Script(tmp_path, server.url)
    script.fresh()
    (seen,) = script.cache.glob("*.seen")
    seen.write_text(f'{{"epoch": 2, "revision": 7, "copy": "{header(2, A)}", "met": ""}}')
    server.answer = copy_of(HOSTS, epoch=2, revision=6, site=SITE)
    assert script.run().status == 3
    server.answer = copy_of(HOSTS, epoch=2, revision=8, site=SITE)
    script.fresh()
    server.answer = copy_of(HOSTS, epoch=2, revision=7)
    assert script.run().status == 3, "a server that says no id is held to what is known"


@every_shell
def test_a_router_says_that_it_is_another_site(server: Server, tmp_path: Path, shell: str) -> None:
    server.answer = copy_of(ONE, epoch=1, revision=7, site=SITE)
    router = Router(tmp_path, server.url, shell=shell)
    router.run()
    server.answer = copy_of(TWO, epoch=1, revision=9, copy=B, site=ELSEWHERE)
    ran = router.run()
    assert ran.status == 3 and "another installation" in ran.said and "romote" not in ran.said, ran.said
    assert server.asked[-1].headers["Mgmtplane-Site"] == SITE
    assert router.run("--forget").status == 0 and router.run().status == 0
    assert server.asked[-1].headers["Mgmtplane-Site"] == ELSEWHERE
