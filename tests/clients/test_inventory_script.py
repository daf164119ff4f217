"""The inventory script against servers that misbehave: the last good copy, or exit 1; never less."""

from __future__ import annotations

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.misbehaving import TOKEN, Says, Server, document, etag_of, serving, site_of, unused_port
from tests.clients.script import BODY, SCRIPT, Script
from tests.clients.script import script as script
from tests.clients.script import server as server


def test_a_fresh_inventory_is_what_the_server_says_byte_for_byte(script: Script, server: Server) -> None:
    assert script.run("--list").out.encode() == BODY
    assert script.fresh("--host", "beta") == {"z": 1, "a": "beta"}
    first, second = server.asked
    assert first.path == "/inventory/lab/"
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == etag_of(1, BODY), "the second costs the server next to nothing"
    script.refuses("--host", "nobody", words="no host 'nobody'")


def test_the_copy_is_for_its_owner_alone(script: Script) -> None:
    script.fresh()
    assert stat.S_IMODE(script.cache.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in script.cache.iterdir()} == {0o600}
    assert TOKEN.encode() not in script.copy.read_bytes()


def grouped(hosts: Any, **more: Any) -> bytes:
    """An inventory whose one group is what Ansible does not read, and goes on without."""
    return json.dumps({"_meta": {"hostvars": {}}, "web": {"hosts": hosts, **more}}).encode()


CANNOT = {
    "down": (None, "Connection refused"),
    "silent": (Says(waits=60), "silent for too long"),
    "dripping": (Says(body=BODY, drips=0.05), "within 1.5 seconds"),
    "500": (Says(500, b"<h1>Server Error</h1>"), "answered with 500"),
    "503": (Says(503, b'{"error": "The database is away."}'), "503: The database is away."),
    "half a body": (Says(body=BODY[:100], announces=len(BODY)), "sent 100"),
    "half a body without length": (Says(body=BODY[:100], announces=-1), "only half) JSON"),
    "a portal": (Says(body=b"<html>Please sign in</html>"), "not (or only half) JSON"),
    "a portal's redirect": (Says(302, headers={"Location": "http://203.0.113.1/login?x=y"}), "not followed"),
    "another JSON": (Says(body=b'{"hosts": []}'), "no inventory"),
    "a list": (Says(body=b"[" * 100_000), "JSON"),
    "a word of hosts": (Says(body=grouped("alpha")), "no inventory"),
    "numbers as hosts": (Says(body=grouped([1, 2, None, 4])), "no inventory"),
    "variables in a list": (Says(body=grouped(["alpha"], vars=[1])), "no inventory"),
    "one child": (Says(body=grouped(["alpha"], children=5)), "no inventory"),
    "a list for a host": (Says(body=BODY.replace(b'{"z": 1, "a": "beta"}', b"[]")), "no inventory"),
    "another encoding": (Says(body=BODY.decode().encode("utf-16")), "JSON"),
    "204": (Says(204), "answered with 204"),
}


@pytest.mark.parametrize("trouble", CANNOT)
def test_without_an_answer_the_last_good_copy_is_used_loudly(
    script: Script, server: Server, trouble: str
) -> None:
    says, words = CANNOT[trouble]
    script.fresh()
    before = script.copy.read_bytes()
    if says is None:
        server.server_close()
    else:
        server.answer = lambda asked: says
    script.stale(words, TIMEOUT="0.5", TOTAL_TIMEOUT="1.5")
    assert script.copy.read_bytes() == before


@pytest.mark.parametrize("trouble", CANNOT)
def test_without_an_answer_and_without_a_copy_there_is_no_inventory(
    script: Script, server: Server, trouble: str
) -> None:
    says, words = CANNOT[trouble]
    if says is None:
        server.server_close()
    else:
        server.answer = lambda asked: says
    err = script.refuses(words=words, TIMEOUT="0.5", TOTAL_TIMEOUT="1.5")
    assert "no last good copy" in err


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not accept the token (401): Make one."),
        (403, "does not let this token read it (403): Make one."),
        (404, "does not have it (404): Make one."),
        (400, "refuses (400): Make one."),
        (429, "refuses (429): Make one."),
    ],
)
def test_a_refusal_is_one_whatever_is_remembered(
    script: Script, server: Server, status: int, words: str
) -> None:
    script.fresh()
    server.says(status, b'{"error": "Make one."}')
    script.refuses(words=words)


def test_a_refusal_without_words_or_with_the_token_in_them_is_told_in_one_line(
    script: Script, server: Server
) -> None:
    script.fresh()
    server.says(403, f"<h1>{TOKEN}</h1>".encode())
    script.refuses("--host", "alpha", words="(403)")
    server.says(401, json.dumps({"error": f"no such\ntoken {TOKEN}\x1b[31m"}).encode())
    script.refuses(words="no such token (the token)")
    server.says(302, headers={"Location": f"http://203.0.113.1/{TOKEN}\x1b[31m"})
    assert "http://203.0.113.1/(the token) [31m, which is not followed" in script.stale("points to").err
    server.answer = site_of(BODY)
    script.fresh()


def test_after_a_restart_it_is_fresh_again(script: Script, server: Server) -> None:
    script.fresh()
    server.says(502)
    script.stale("answered with 502")
    newer = document("alpha", "beta", "gamma", "delta", "epsilon")
    server.answer = site_of(newer, 2)
    assert script.run().out.encode() == newer


def test_stale_since_is_when_the_server_last_confirmed(script: Script, server: Server) -> None:
    script.fresh()
    os.utime(script.copy, (0, 0))
    script.fresh()
    assert time.time() - script.copy.stat().st_mtime < 60, "304 confirms"
    os.utime(script.copy, (0, 0))
    server.says(500)
    assert "1970-01-01T00:00:00Z" in script.stale("500").err


def test_a_site_without_hosts_is_never_an_inventory(script: Script, server: Server) -> None:
    server.answer = site_of(document())
    script.refuses(words="has no hosts now")
    server.answer = site_of(BODY)
    script.fresh()
    server.answer = site_of(document(), 2)
    script.refuses(words="has no hosts now")
    script.refuses("--list", "--accept-drop", "0", words="has no hosts now")
    of_none = {"_meta": {"hostvars": {"alpha": {}, "beta": {}}}, "web": {"hosts": []}}
    server.answer = site_of(json.dumps(of_none).encode(), 3)
    script.refuses(words="has no hosts now")  # Ansible sees no host that is in no group


def test_more_than_half_gone_is_refused_until_somebody_says_how_many_are_left(
    script: Script, server: Server
) -> None:
    script.fresh()
    server.answer = site_of(document("alpha"), 2)
    script.refuses(words="has 1 hosts now and had 4: more than half are gone")
    script.refuses("--list", "--accept-drop", "2", words="--accept-drop 1")
    script.refuses(words="takes the number", ACCEPT_DROP="yes")
    assert [*script.fresh(ACCEPT_DROP="1")["_meta"]["hostvars"]] == ["alpha"]
    script.fresh()
    server.answer = site_of(BODY, 3)
    script.fresh()
    server.answer = site_of(document("alpha", "beta"), 4)
    assert len(script.fresh()["_meta"]["hostvars"]) == 2, "half is not more than half"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-50],
        lambda text: text.replace(b"alpha", b"omega"),
        lambda text: b"",
        lambda text: b"{}\n" + text.partition(b"\n")[2],
        lambda text: b"\xff" * 30,
    ],
)
def test_a_damaged_copy_is_noticed_and_not_used(script: Script, server: Server, damage: Any) -> None:
    script.fresh()
    script.copy.write_bytes(damage(script.copy.read_bytes()))
    ran = script.run()
    assert ran.status == 0 and "damaged" in ran.err
    assert ran.out.encode() == BODY
    assert "If-None-Match" not in server.asked[-1].headers
    script.fresh()
    script.copy.write_bytes(damage(script.copy.read_bytes()))
    server.says(500)
    ran = script.run()
    assert (ran.status, ran.out) == (1, "")
    assert "damaged" in ran.err and "no last good copy" in ran.err


def test_a_copy_belongs_to_one_server_and_site(script: Script, server: Server) -> None:
    script.fresh()
    other = document("other")
    server.answer = site_of(other)
    assert script.run(SITE="other").out.encode() == other, "neither its ETag nor its number of hosts is lab's"
    with serving() as elsewhere:
        elsewhere.says(500)
        script.refuses(words="no last good copy", URL=elsewhere.url)
    for path in script.cache.glob("*.inventory"):
        path.rename(script.cache / "moved")
        shutil.copy(script.cache / "moved", path)
    [first, second] = script.cache.glob("*.inventory")
    shutil.copy(first, second)
    server.says(500)
    answers = [script.run(SITE=site) for site in ("lab", "other")]
    assert sorted(ran.status for ran in answers) == [0, 1], "one of them is the other's"


def test_a_copy_that_others_may_write_is_not_trusted(script: Script, server: Server) -> None:
    script.fresh()
    server.says(500)
    for path in (script.copy, script.cache):
        mode = path.stat().st_mode
        path.chmod(mode | 0o022)
        ran = script.run()
        assert (ran.status, ran.out) == (1, "") and "not trusted" in ran.err
        path.chmod(mode)
    aside = script.copy.rename(script.cache / "aside")
    (script.cache / aside.name).rename(script.cache.parent / "aside")
    key = next(path for path in script.cache.glob("*.lock")).with_suffix(".inventory")
    key.symlink_to(script.cache.parent / "aside")
    assert script.run().status == 1


def test_a_full_disk_costs_the_copy_and_not_the_answer(script: Script, server: Server) -> None:
    ran = script.run(limit=100)
    assert ran.status == 0 and ran.out.encode() == BODY
    assert "cannot be kept" in ran.err and "File too large" in ran.err
    assert not [*script.cache.glob("*.new")], "no half file stays behind"
    script.fresh()
    kept = script.copy.read_bytes()
    server.answer = site_of(document("alpha", "beta", "gamma"), 2)
    ran = script.run(limit=100)
    assert len(ran.document["_meta"]["hostvars"]) == 3 and "cannot be kept" in ran.err
    assert script.copy.read_bytes() == kept
    server.says(500)
    script.stale("500", limit=100)


def test_a_directory_that_cannot_be_written_costs_the_copy_and_not_the_answer(
    script: Script, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ran = script.run(CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert ran.status == 0 and ran.out.encode() == BODY and "Not a directory" in ran.err
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, str(script.file), "--list"],
            env=script.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be written out: No space left" in done.stderr


def test_two_at_once_both_get_it_and_the_newer_copy_stays(script: Script, server: Server) -> None:
    older, newer = BODY, document("alpha", "beta", "gamma", "delta", "epsilon")
    slow = Says(200, older, {"ETag": etag_of(7, older)}, waits=1.5)
    quick = Says(200, newer, {"ETag": etag_of(8, newer)})
    answers = iter([slow, quick])
    server.answer = lambda asked: next(answers)
    first = script.start()
    while not server.asked:
        time.sleep(0.01)
    second = script.start()
    assert second.communicate(timeout=30)[0].encode() == newer
    assert first.communicate(timeout=30)[0].encode() == older
    assert newer in script.copy.read_bytes(), "who began earlier and ended later has what is older"
    seen = json.loads(next(script.cache.glob("*.seen")).read_bytes())
    assert seen["sites"][""]["revision"] == 8
    server.answer = site_of(newer, 8)
    many = [script.start() for _ in range(8)]
    assert {process.communicate(timeout=60)[0].encode() for process in many} == {newer}
    assert sorted(path.suffix for path in script.cache.iterdir()) == [".inventory", ".lock", ".seen"]


def test_the_configuration_may_lie_beside_the_script_or_at_home(
    script: Script, server: Server, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    for name in ("URL", "SITE", "TOKEN", "CACHE_DIR"):
        del script.environment[f"MGMTPLANE_{name}"]
    script.refuses(words="No url is set")
    text = f"[mgmtplane]\nurl = {server.url}/\nsite = lab\ntoken_file = {token}\n"
    home = tmp_path / ".config" / "mgmtplane" / "inventory.ini"
    home.parent.mkdir(parents=True)
    home.write_text(text + "consumer = my laptop\n")
    script.fresh()
    assert server.asked[-1].headers["Mgmtplane-Consumer"] == "my-laptop"
    assert [*(tmp_path / ".cache" / "mgmtplane").glob("*.inventory")]
    beside = tmp_path / "mgmtplane_inventory.ini"
    beside.write_text(text.replace("lab", "other"))
    script.fresh()
    assert server.asked[-1].path == "/inventory/other/"
    script.fresh(SITE="third")
    assert server.asked[-1].path == "/inventory/third/"
    token.chmod(0o644)
    assert "chmod 600" in script.run().err
    token.chmod(0o600)
    for wrong, words in (
        (text + f"token = {TOKEN}\n", "sets token, which does not belong there"),
        (f"{TOKEN}\n", "no file of the form"),
        (text + "total_timeout = soon\n", "total_timeout takes seconds"),
        (text.replace(str(token), str(tmp_path / "none")), "No such file"),
        (text.replace("http:", "ftp:"), "url is not of the form"),
        (text.replace("http://", f"http://me:{TOKEN}@"), "url is not of the form"),
    ):
        beside.write_text(wrong)
        script.refuses(words=words)
    for bad in ("", "two words", "käse"):
        token.write_text(bad)
        token.chmod(0o600)
        beside.write_text(text)
        assert "holds no token" in script.run().err


def test_the_token_does_not_cross_a_network_unencrypted_unasked(script: Script, server: Server) -> None:
    script.refuses(words="ALLOW_HTTP=1", URL="http://192.0.2.1:8000")
    assert "no last good copy" in script.refuses(
        words="192.0.2.1", URL="http://192.0.2.1:8000", ALLOW_HTTP="1", TIMEOUT="0.2", TOTAL_TIMEOUT="1"
    )
    script.environment["http_proxy"] = f"http://127.0.0.1:{unused_port()}"
    script.fresh()


def test_it_runs_on_python_3_8() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        if name
    }
    assert imported <= sys.stdlib_module_names, "it is copied alone"
    assert os.access(SCRIPT, os.X_OK)
