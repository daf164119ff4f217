"""manage.py export, exports, findings, token: output, files, exit status."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from inventory import rules
from inventory.changes import change
from inventory.findings import Finding
from inventory.models import Authority, Rendering, Site, Token
from inventory.serving import checkers
from tests.serving.conftest import AddHost

pytestmark = pytest.mark.django_db


@dataclass
class Ran:
    out: str
    err: str
    status: int = 0


def run(*words: str) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*words, stdout=out, stderr=err, no_color=True)
    except CommandError as error:
        return Ran(out.getvalue(), f"{err.getvalue()}{error}", error.returncode)
    except SystemExit as leaving:
        return Ran(out.getvalue(), err.getvalue(), int(leaving.code or 0))
    return Ran(out.getvalue(), err.getvalue())


# --- export ---


def test_one_file_goes_to_stdout_and_findings_to_stderr(site: Site, add_host: AddHost) -> None:
    add_host("bad")
    ran = run("export", "list", "--site", "lab")
    assert ran == Ran("alpha\nbad\nbeta\n", "error identity-disputed host bad: bad is claimed twice\n")
    assert run("export", "list", "--site", "lab", "--output", "-").out == ran.out


def test_one_file_goes_into_a_file_or_a_directory(site: Site, tmp_path: Path) -> None:
    assert run("export", "list", "--site", "lab", "--output", str(tmp_path / "x.txt")) == Ran("", "")
    assert (tmp_path / "x.txt").read_bytes() == b"alpha\nbeta\n"
    run("export", "list", "--site", "lab", "--output", str(tmp_path))
    assert (tmp_path / "hosts.txt").read_bytes() == b"alpha\nbeta\n"


def test_several_files_need_a_directory(site: Site, tmp_path: Path) -> None:
    ran = run("export", "pages", "--site", "lab")
    assert (ran.out, ran.status) == ("", 1)
    assert "give a directory with --output" in ran.err
    (tmp_path / "file").write_bytes(b"")
    ran = run("export", "pages", "--site", "lab", "--output", str(tmp_path / "file"))
    assert ran.status == 1
    assert "is a file, and pages has several" in ran.err
    assert run("export", "pages", "--site", "lab", "--output", str(tmp_path / "new")).status == 0
    assert (tmp_path / "new" / "hosts" / "beta.txt").read_bytes() == b"beta\n"


def test_running_again_removes_what_is_gone_and_says_so(
    site: Site, tmp_path: Path, add_host: AddHost
) -> None:
    gamma = add_host("gamma")
    run("export", "pages", "--site", "lab", "--output", str(tmp_path))
    with change(site, why="gone"):
        gamma.delete()
    ran = run("export", "pages", "--site", "lab", "--output", str(tmp_path))
    assert "removed hosts/gamma.txt" in ran.err
    assert not (tmp_path / "hosts" / "gamma.txt").exists()


def test_strict_refuses_errors_and_writes_nothing(site: Site, tmp_path: Path, add_host: AddHost) -> None:
    add_host("odd")
    assert run("export", "list", "--site", "lab", "--strict").status == 0
    add_host("bad")
    ran = run("export", "list", "--site", "lab", "--strict", "--output", str(tmp_path / "x"))
    assert (ran.out, ran.status, list(tmp_path.glob("x"))) == ("", 1, [])
    assert "error identity-disputed host bad" in ran.err


def test_the_unknown_is_refused_with_what_there_is(site: Site) -> None:
    for words, expected in (
        (("nonsense", "--site", "lab"), "There is no format “nonsense”. There are: site, ansible,"),
        (("list", "--site", "nowhere"), "There is no site “nowhere”. Sites: lab."),
    ):
        ran = run("export", *words)
        assert (ran.out, ran.status) == ("", 1)
        assert expected in ran.err


def test_a_site_that_declares_nothing_overwrites_no_file(db: None, tmp_path: Path) -> None:
    with change(Site(slug="empty"), why="made for a test"):
        pass
    kept = tmp_path / "x.txt"
    kept.write_text("what is served now\n")
    ran = run("export", "list", "--site", "empty", "--output", str(kept))
    assert (ran.status, kept.read_text()) == (1, "what is served now\n")
    assert "declares nothing yet" in ran.err


def test_the_other_authority_is_said(site: Site) -> None:
    with change(site, why="declared"):
        Authority(site=site, mode="gateway", why="test").save()
    assert run("export", "list", "--site", "lab", "--authority", "gateway").err == ""
    ran = run("export", "list", "--site", "lab", "--authority", "bootstrap")
    assert ran.err == "The authority of lab is gateway; this is what bootstrap would serve.\n"
    assert ran.out.startswith("# for bootstrap\n")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [("good", 0, "accepts it"), ("refused", 1, "line 3: no"), ("missing", 2, "install kea")],
)
def test_check_asks_the_servers_own_checker_first(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, code: int, words: str
) -> None:
    seen: dict[str, bytes] = {}

    def check(format: str, directory: Path) -> Any:
        seen.update({path.name: path.read_bytes() for path in directory.rglob("*.txt")})
        hint = "install kea" if status == "missing" else ""
        return type("Result", (), {"status": status, "words": "line 3: no", "install_hint": hint})()

    monkeypatch.setattr(checkers, "check", check)
    ran = run("export", "list", "--site", "lab", "--check", "--output", str(tmp_path / "x"))
    assert ran.status == code
    assert words in ran.err
    assert seen == {"hosts.txt": b"alpha\nbeta\n"}
    assert (tmp_path / "x").exists() == (status == "good")
    assert run("export", "pages", "--site", "lab", "--check").status == code


def test_a_format_that_no_server_reads_is_said_not_to_be_checked(site: Site) -> None:
    ran = run("export", "list", "--site", "lab", "--check")
    assert (ran.out, ran.status) == ("", 2)
    assert "Not checked: No server checks “list”" in ran.err


def test_export_publishes_serials_and_keeps_no_rendering(site: Site) -> None:
    first = run("export", "zones", "--site", "lab").out
    assert int(first.split()[1]) > 1_700_000_000
    assert run("export", "zones", "--site", "lab").out == first
    assert not Rendering.objects.exists()


def test_stdout_gets_the_bytes_whatever_its_encoding(site: Site, add_host: AddHost) -> None:
    add_host("käse")
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    call_command("export", "list", site="lab", stdout=terminal)
    assert raw.getvalue() == "alpha\nbeta\nkäse\n".encode()


# --- exports, findings ---


def test_exports_says_what_each_is_for() -> None:
    ran = run("exports")
    assert "list           list for tests (one file)" in ran.out
    assert "pages          pages for tests (several files)" in ran.out


def _rules(monkeypatch: pytest.MonkeyPatch, *found: Finding) -> None:
    module: ModuleType = rules
    monkeypatch.setattr(module, "judge", lambda *_: found)


def test_findings_exit_status_says_whether_any_is_an_error(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Finding("x-y", "error", "host alpha", "It is wrong.", "Mend it.")
    warning = Finding("x-z", "warning", "host beta", "It is odd.", "Look.")
    _rules(monkeypatch, warning)
    assert run("findings", "--site", "lab").status == 0
    _rules(monkeypatch, error, warning)
    ran = run("findings", "--site", "lab")
    assert ran.status == 1
    assert ran.out.startswith("error x-y host alpha: It is wrong.\n    Mend it.\n")
    assert ran.out.endswith("findings: 1 error, 1 warning, 0 info\n")
    ran = run("findings", "--site", "lab", "--json")
    assert (ran.status, json.loads(ran.out)) == (1, [error.as_dict(), warning.as_dict()])
    _rules(monkeypatch)
    assert json.loads(run("findings", "--site", "lab", "--json").out) == []
    ran = run("findings", "--site", "nowhere")
    assert (ran.status, "Sites: lab" in ran.err) == (1, True)


# --- token ---


def test_a_token_is_printed_once_and_reads(site: Site) -> None:
    ran = run(
        "token", "create", "kea-01", "--site", "lab", "--format", "list", "pages", "--expires", "2999-01-31"
    )
    plain = ran.out.strip()
    assert ran.out == f"{plain}\n"
    assert plain not in ran.err
    assert "may read list, pages of lab until 2999-01-31" in ran.err
    token = Token.objects.get()
    assert plain not in str(vars(token))
    bearer = Client(headers={"Authorization": f"Bearer {plain}"})
    assert bearer.get("/export/lab/list").status_code == 200
    assert bearer.get("/inventory/lab/").status_code == 403
    listed = run("token", "list")
    assert plain not in listed.out
    assert listed.out.startswith("kea-01: may read list, pages of lab")
    assert run("token", "revoke", "kea-01").status == 0
    assert bearer.get("/export/lab/list").status_code == 401


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("kea-01",), "There is a token “kea-01” already; choose another name"),
        (("x", "--site", "nowhere"), "There is no site “nowhere”. Sites: lab."),
        (("x", "--format", "nonsense"), "There is no format “nonsense”."),
        (("x", "--expires", "soon"), "--expires soon is no date"),
        (("x", "--expires", "2027-02-31"), "--expires 2027-02-31 is no date"),
        (("x", "--expires", "2020-01-01"), "is in the past"),
        ((" ",), "1 to 100 characters"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_the_way_out(
    site: Site, words: tuple[str, ...], expected: str
) -> None:
    run("token", "create", "kea-01")
    ran = run("token", "create", *words)
    assert (ran.out, ran.status) == ("", 1)
    assert expected in ran.err
    assert Token.objects.count() == 1


def test_revoking_what_there_is_not_says_what_there_is(site: Site) -> None:
    run("token", "create", "kea-01")
    ran = run("token", "revoke", "kea-02")
    assert (ran.status, "Tokens: kea-01." in ran.err) == (1, True)
