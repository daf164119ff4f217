"""The client of routers, in every shell: complete and checked files only, and the last good one when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.misbehaving import Asked, Says, Server, etag_of, site_of
from tests.clients.router import CLIENT, ONE, THREE, TWO, Router, every_shell, few_programs, modes
from tests.clients.router import router as router
from tests.clients.router import server as server
from tests.components import SEARCH_PATH, require
from tests.shared_data import REPOSITORY

UNREADABLE, EXPLOSIVE = b"# unreadable\n", b"# explosive\n"


def reports(server: Server) -> list[dict[str, Any]]:
    """What was reported since the last look."""
    found = [json.loads(asked.body) for asked in server.asked if asked.method == "POST"]
    server.asked.clear()
    return found


@every_shell
def test_what_is_new_is_checked_taken_up_and_reported(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    ran = router.run()
    assert ran.status == 0, ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    assert modes(router.target)[0] == 0o644
    get, post = server.asked
    assert (get.path, post.path) == ("/export/lab/dnsmasq?strict=1", "/export/lab/dnsmasq/applied")
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["Mgmtplane-Consumer"] == get.headers["Mgmtplane-Consumer"] == "router-1"
    assert reports(server) == [{"etag": etag_of(1, ONE).strip('"'), "ok": True, "message": "applied"}]
    assert (router.run().status, router.reloads) == (0, 1)
    assert server.asked[-1].headers["If-None-Match"] == etag_of(1, ONE)
    assert reports(server) == [], "304: nothing to do, nothing to say"
    router.target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(router.target, 12, 34)
    before = modes(router.target)
    server.answer = site_of(TWO, 2)
    assert router.run().status == 0
    assert (router.running.read_bytes(), modes(router.target)) == (TWO, before)
    assert router.leftovers() == []


@every_shell
def test_a_file_that_is_refused_never_replaces_the_good_one(
    server: Server, tmp_path: Path, shell: str
) -> None:
    router = Router(tmp_path, server.url, shell)
    router.run()
    reports(server)
    server.answer = site_of(UNREADABLE, 2)
    ran = router.run()
    assert ran.status == 1 and "The checker refuses it: # unreadable" in ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    assert router.reloads == 1, "nothing was disturbed"
    [told] = reports(server)
    assert told["ok"] is False and "unreadable" in told["message"]
    server.answer = site_of(EXPLOSIVE, 3)
    ran = router.run()
    assert ran.status == 1 and "The reload failed: # explosive" in ran.said
    assert "last good file is served again" in ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    assert [told["ok"] for told in reports(server)] == [False]
    tried = router.reloads
    server.answer = site_of(EXPLOSIVE, 4)
    assert router.run().status == 1
    assert (router.reloads, reports(server)) == (tried, []), "what failed is not tried every minute"
    assert router.run("--retry").status == 1
    assert router.reloads == tried + 2
    router.configure(RETRY_SECONDS="0")
    router.run()
    assert router.reloads == tried + 4, "after a while it is"
    server.answer = site_of(TWO, 5)
    assert router.run().status == 0
    assert router.running.read_bytes() == TWO
    assert "\nrefused" not in router.run("--status").said
    assert router.leftovers() == []


@every_shell
def test_going_back_and_staying_there(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    assert router.run("--rollback").status == 1
    router.run()
    server.answer = site_of(TWO, 2)
    router.run()
    reports(server)
    ran = router.run("--rollback")
    assert ran.status == 0, ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    [told] = reports(server)
    assert told["ok"] is True and told["etag"].startswith("1-") and "rolled back" in told["message"]
    for answer in (site_of(TWO, 2), site_of(TWO, 3)):
        server.answer = answer
        ran = router.run()
        assert ran.status == 0 and "held" in ran.said
        assert router.running.read_bytes() == ONE, "another revision of the same file is the same file"
    assert "held" in router.run("--status").said
    server.answer = site_of(THREE, 4)
    assert router.run().status == 0
    assert router.running.read_bytes() == THREE
    assert router.run("--rollback").status == 0
    assert router.running.read_bytes() == ONE
    assert router.run("--retry").status == 0
    assert router.running.read_bytes() == THREE


def test_going_back_to_what_was_there_before_the_first_export(server: Server, router: Router) -> None:
    router.target.write_bytes(b"# the package's\n")
    router.run()
    assert router.running.read_bytes() == ONE
    reports(server)
    assert router.run("--rollback").status == 0
    assert router.target.read_bytes() == router.running.read_bytes() == b"# the package's\n"
    [told] = reports(server)
    assert (told["ok"], told["etag"]) == (False, etag_of(1, ONE).strip('"'))
    ran = router.run()
    assert ran.status == 0 and "held" in ran.said
    assert router.run("--retry").status == 0
    assert router.running.read_bytes() == ONE


@every_shell
@pytest.mark.parametrize("with_flock", [True, False])
def test_two_at_once_take_turns(server: Server, tmp_path: Path, shell: str, with_flock: bool) -> None:
    router = Router(tmp_path, server.url, shell)
    router.configure(RELOAD=f"sleep 1; {router.settings['RELOAD']}")
    path = SEARCH_PATH if with_flock else few_programs(tmp_path)
    environment = {"PATH": path, "HOME": str(tmp_path)}
    both = [
        subprocess.Popen(router.command(), env=environment, stderr=subprocess.PIPE, text=True) for _ in "12"
    ]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert (router.running.read_bytes(), router.reloads) == (ONE, 1), "the second finds nothing new"
    server.answer = site_of(TWO, 2)
    router.configure(LOCK_SECONDS="0")
    first = subprocess.Popen(router.command(), env=environment)
    while not router.leftovers():
        time.sleep(0.01)
    assert router.run(path=path).status == 75
    assert first.wait(30) == 0
    assert router.running.read_bytes() == TWO


@every_shell
def test_a_run_that_was_cut_off_is_finished_by_the_next(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    router.run()
    good_reload = router.settings["RELOAD"]
    for body, expected in ((TWO, TWO), (EXPLOSIVE, TWO)):
        server.answer = site_of(body, 2)
        router.configure(RELOAD=f"echo $$ >{tmp_path}/pid; mv {tmp_path}/pid {tmp_path}/here; exec sleep 60")
        (tmp_path / "here").unlink(missing_ok=True)
        process = subprocess.Popen(
            router.command(), env={"PATH": SEARCH_PATH}, start_new_session=True, stderr=subprocess.DEVNULL
        )
        while not (tmp_path / "here").exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.kill(int((tmp_path / "here").read_text()), signal.SIGKILL)  # `timeout` gave it a group of its own
        assert router.target.read_bytes() == body
        assert "cut off" in router.run("--status").said
        router.configure(RELOAD=good_reload)
        server.says(503)
        assert router.run().status == 75
        assert router.target.read_bytes() == router.running.read_bytes() == expected
        assert "pending" not in router.run("--status").said


def test_a_reload_that_fails_with_both_is_shouted_about_until_it_works(
    server: Server, router: Router
) -> None:
    router.run()
    server.answer = site_of(TWO, 2)
    good_reload = router.settings["RELOAD"]
    router.configure(RELOAD="echo systemd is confused; exit 1")
    ran = router.run()
    assert ran.status == 2 and "LOOK AT THIS SERVER NOW" in ran.said and "confused" in ran.said
    assert router.target.read_bytes() == ONE
    assert router.run().status == 2
    router.configure(RELOAD=good_reload)
    ran = router.run("--retry")
    assert ran.status == 0 and router.running.read_bytes() == TWO


def test_the_reload_is_verified(server: Server, router: Router) -> None:
    router.configure(VERIFY=f"if grep two {router.running}; then exit 1; fi")
    router.run()
    server.answer = site_of(TWO, 2)
    ran = router.run()
    assert ran.status == 1 and "last good" in ran.said
    assert router.target.read_bytes() == router.running.read_bytes() == ONE


def test_what_somebody_changed_by_hand_is_replaced(server: Server, router: Router) -> None:
    router.run()
    router.target.write_bytes(b"by hand\n")
    assert "not what was applied" in router.run("--status").said
    assert router.run().status == 0
    assert router.target.read_bytes() == router.running.read_bytes() == ONE
    router.target.unlink()
    assert router.run().status == 0
    assert router.target.read_bytes() == ONE


def test_a_report_is_sent_again_when_the_server_was_away(server: Server, router: Router) -> None:
    healthy = site_of(ONE, 1)
    server.answer = lambda asked: Says(503) if asked.method == "POST" else healthy(asked)
    assert router.run().status == 0
    server.asked.clear()
    server.answer = healthy
    assert router.run().status == 0
    assert [told["ok"] for told in reports(server)] == [True]


def test_the_token_is_never_seen_in_the_list_of_processes(server: Server, router: Router) -> None:
    token = "mgmt_of-this-test-alone"  # others run beside this one and show theirs
    router.token.write_text(token)
    seen: list[str] = []

    def looking(asked: Asked) -> Says:
        assert asked.headers["Authorization"] == f"Bearer {token}"
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and folder.name != str(os.getpid()):
                for name in ("cmdline", "environ"):
                    try:
                        seen.append((folder / name).read_bytes().decode(errors="replace"))
                    except OSError:
                        continue
        return Says(200, ONE, {"ETag": etag_of(1, ONE), "Mgmtplane-Revision": "1"})

    server.answer = looking
    assert router.run().status == 0
    assert any("curl" in text for text in seen)
    assert not any(token in text for text in seen)


@every_shell
def test_a_wrong_configuration_is_told_and_never_executed(server: Server, tmp_path: Path, shell: str) -> None:
    router = Router(tmp_path, server.url, shell)
    good = router.conf.read_text()
    touched = tmp_path / "touched"
    for text, words in (
        (good + f"touch {touched}\n", "not one of KEY=value"),
        (good + f"SITE=$(touch {touched})\n", "are names"),
        (good + f"TARGET=`touch {touched}`\n", "full path"),
        (good + "TIMEOUT=5; id\n", "whole seconds"),
        (good + "URL=http://192.0.2.1\n", "ALLOW_HTTP=1"),
        (good + "URL=http://127.0.0.1.example.net\n", "ALLOW_HTTP=1"),
        (good + f'URL=http://127.0.0.1"$(touch {touched})"\n', "not of the form"),
        (good + "RELOAD=\n", "does not set RELOAD"),
        (good + "FORMAT=hosts\nCHECK=\n", "does not set CHECK"),
        (good + "TARGET=/nowhere/at/all\n", "no directory"),
        (good + "AUTHORITY=both\n", "gateway or bootstrap"),
    ):
        router.conf.write_text(text)
        ran = router.run()
        assert (ran.status, words in ran.said) == (64, True), ran.said
    router.configure()
    for path, mode, words in (
        (router.conf, 0o666, "written by others"),
        (router.token, 0o644, "read by others"),
    ):
        path.chmod(mode)
        ran = router.run()
        assert (ran.status, words in ran.said) == (64, True), ran.said
        path.chmod(0o600)
    for wrong in ("", "two words\n", '"quoted"\n'):
        router.token.write_text(wrong)
        assert router.run().status == 64
    assert not touched.exists() and not router.target.exists() and server.asked == []


def test_shellcheck_finds_nothing() -> None:
    require("shellcheck", package="shellcheck")
    checked = subprocess.run(
        ["shellcheck", "-s", "sh", str(CLIENT)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert os.access(CLIENT, os.X_OK)


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    require("systemd-analyze", package="systemd")
    units = REPOSITORY / "clients" / "systemd"
    for unit in units.iterdir():
        text = unit.read_text().replace("/usr/local/sbin/mgmtplane-fetch", str(CLIENT))
        (tmp_path / unit.name.replace("@", "@kea")).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in verified.stderr.splitlines() if "mgmtplane-fetch" in line]
    assert ours == []
