"""A git repository by ssh: the key is in memory alone, the server is the one that somebody accepted."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from provisioning import updating
from provisioning.adapters import ssh_agent
from provisioning.adapters.base import Unreachable
from provisioning.adapters.git_faults import KeyRefused, NoRepository, OtherHost, UnknownHost
from provisioning.adapters.ssh_agent import BadKey, agent_with
from provisioning.engine.faults import in_words
from provisioning.projects import Obtained, ProjectError, lay_out, obtain, places, trusting
from tests.provisioning.projects.conftest import PLAYBOOK, Project, Repository
from tests.provisioning.projects.declared import declare, update
from tests.provisioning.projects.server import GitServer, make_key


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    made = GitServer(tmp_path / "server")
    yield made
    made.stop()


@pytest.fixture
def project(server: GitServer, repository: Repository) -> Project:
    return Project("lab", "git", server.location(repository.path), key="env:GIT_KEY")


@pytest.fixture
def get(project: Project, server: GitServer, data_dir: Path) -> Any:
    def obtained(key: str | None = None, **given: Any) -> Obtained:
        return obtain(
            project, site="lab", data_dir=data_dir, key=lambda: server.key if key is None else key, **given
        )

    return obtained


@pytest.fixture
def trusted(project: Project, data_dir: Path) -> None:
    seen = trusting.look(project, site="lab", data_dir=data_dir)
    trusting.accept(seen, fingerprint=trusting.ANY)


def files_with(secret: str, *folders: Path) -> list[Path]:
    line = secret.splitlines()[2].encode()
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and line in path.read_bytes()
    ]


def test_a_repository_is_fetched_with_the_declared_key(get, trusted, repository, tmp_path):
    found = get()
    assert found.commit == repository.git("rev-parse", "HEAD")
    lay_out(found, tmp_path / "run")
    assert (tmp_path / "run" / "site.yml").read_text() == PLAYBOOK


def test_the_key_is_written_nowhere_and_its_agent_is_gone(
    get, trusted, server, data_dir, tmp_path, monkeypatch
):
    own = tmp_path / "t"  # other processes have agents too
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    get()
    assert files_with(server.key, data_dir) == []
    assert list(own.glob("mgmtplane-agent-*")) == []


def test_an_agent_ends_with_what_it_was_started_for(server):
    with agent_with(server.key) as socket:
        pids = [pid for pid in os.listdir("/proc") if pid.isdecimal() and socket in words_of(pid)]
        assert pids and os.stat(Path(socket).parent).st_mode & 0o077 == 0
    assert [pid for pid in pids if socket in words_of(pid)] == []
    assert not Path(socket).parent.exists()


def words_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_no_process_is_given_the_key_as_an_argument_or_in_its_environment(get, trusted, server, monkeypatch):
    seen: list[object] = []
    real = ssh_agent.subprocess.Popen

    def watched(words: Any, *args: Any, **options: Any) -> Any:
        seen.append((words, options.get("env")))
        return real(words, *args, **options)

    monkeypatch.setattr("subprocess.Popen", watched)
    get()
    assert len(seen) > 3
    assert server.key.splitlines()[2] not in repr(seen)


def test_a_server_whose_key_nobody_accepted_is_told_nothing(get, server):
    with pytest.raises(UnknownHost, match="Nobody has accepted the SSH host key of") as caught:
        get()
    assert "manage.py project trust" in in_words(caught.value)
    assert "Accepted publickey" not in (server.folder / "log").read_text()


def test_a_server_that_shows_another_key_is_told_nothing(get, trusted, server):
    get()
    server.renew_host_key()
    before = (server.folder / "log").read_text().count("Accepted publickey")
    with pytest.raises(
        OtherHost, match="shows another SSH host key than the one that was accepted"
    ) as caught:
        get()
    assert "Ask whoever runs the server" in in_words(caught.value)
    assert (server.folder / "log").read_text().count("Accepted publickey") == before


def test_a_key_that_the_server_does_not_know_is_refused(get, trusted, tmp_path):
    with pytest.raises(KeyRefused, match="does not accept the declared key"):
        get(make_key(tmp_path / "other"))


def test_without_a_key_none_of_this_machine_is_taken(
    trusted, server, project, data_dir, tmp_path, monkeypatch
):
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh" / "id_ed25519").write_text(server.key)
    (tmp_path / ".ssh" / "id_ed25519").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with agent_with(server.key) as socket, pytest.raises(KeyRefused):
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        obtain(Project("lab", "git", project.location), site="lab", data_dir=data_dir)


@pytest.mark.parametrize(("key", "said"), [("hunter2", "is no private key"), ("", "is no private key")])
def test_what_is_no_key_is_refused_without_repeating_it(get, trusted, key, said):
    with pytest.raises(BadKey, match=said) as caught:
        get(key)
    assert "hunter2" not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused_with_the_way_out(get, trusted, tmp_path):
    with pytest.raises(BadKey, match="is protected by a passphrase") as caught:
        get(make_key(tmp_path / "locked", passphrase="open sesame"))
    assert "without a passphrase" in in_words(caught.value)


def test_a_repository_that_is_not_there_is_named(server, trusted, data_dir, tmp_path):
    gone = Project("lab", "git", server.location(tmp_path / "nowhere"), key="env:GIT_KEY")
    with pytest.raises(NoRepository, match="There is no repository at ssh://"):
        obtain(gone, site="lab", data_dir=data_dir, key=lambda: server.key)


def test_a_server_that_is_away_may_come_back(get, trusted, server, repository):
    get()
    server.stop()
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        get()
    assert caught.value.retryable
    assert get(last_fetched=True).commit == repository.git("rev-parse", "HEAD")
    server.start()
    assert get().commit


# --- accepting a host key ---


def test_a_fingerprint_is_shown_as_ssh_shows_it(project, server, data_dir):
    seen = trusting.look(project, site="lab", data_dir=data_dir)
    assert seen.lines() == [f"[127.0.0.1]:{server.port} ssh-ed25519 {server.fingerprint}"]
    assert not seen.is_accepted


def test_only_the_fingerprint_that_was_given_is_accepted(project, server, data_dir):
    seen = trusting.look(project, site="lab", data_dir=data_dir)
    for wrong in ("SHA256:other", ""):
        with pytest.raises(trusting.NotAccepted, match="Nothing was accepted"):
            trusting.accept(seen, fingerprint=wrong)
    assert not seen.file.exists()
    trusting.accept(seen, fingerprint=server.fingerprint)
    assert trusting.look(project, site="lab", data_dir=data_dir).is_accepted
    assert seen.file.stat().st_mode & 0o777 == 0o600


def test_a_renewed_key_takes_the_place_of_the_old_one(project, trusted, server, data_dir, get):
    old = server.fingerprint
    server.renew_host_key()
    seen = trusting.look(project, site="lab", data_dir=data_dir)
    assert (
        seen.lines()[-1].startswith("ANOTHER key than the one that was accepted before")
        and old in seen.lines()[-1]
    )
    trusting.accept(seen, fingerprint=server.fingerprint)
    assert get().commit
    assert len(seen.file.read_text().splitlines()) == 1


def test_a_directory_has_no_host_key(code, data_dir):
    with pytest.raises(ProjectError, match="is not reached by ssh"):
        trusting.look(Project(location=str(code)), site="lab", data_dir=data_dir)


# --- declared ---


@pytest.fixture
def declared(
    site: Any, settings: Any, data_dir: Path, project: Project, server: GitServer, monkeypatch: Any
) -> Any:
    settings.DATA_DIR = data_dir
    monkeypatch.setenv("GIT_KEY", server.key)
    return declare(site, project.location, key="env:GIT_KEY")


def test_the_command_accepts_what_was_compared_and_the_job_then_succeeds(declared, site, server, data_dir):
    job = update(site)
    assert job.state == "failed" and "manage.py project trust" in job.message
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"no key of 127.0.0.1 has the fingerprint SHA256:x"):
        call_command(
            "project", "trust", "lab", "--site", "lab", "--fingerprint", "SHA256:x", stdout=io.StringIO()
        )
    call_command("project", "trust", "lab", "--site", "lab", "--fingerprint", server.fingerprint, stdout=out)
    assert server.fingerprint in out.getvalue() and "Accepted." in out.getvalue()
    job = update(site)
    assert job.state == "succeeded", job.message
    assert updating.current(declared).fault == ""
    again = io.StringIO()
    call_command("project", "trust", "lab", "--site", "lab", stdout=again)
    assert "those that were accepted" in again.getvalue()
    assert files_with(server.key, data_dir) == []
    assert places.place_of(data_dir, "lab", "lab").known_hosts.is_file()


def test_an_answer_that_is_not_yes_accepts_nothing(declared, site, data_dir, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    with pytest.raises(CommandError, match="Nothing was accepted"):
        call_command("project", "trust", "lab", "--site", "lab", stdout=io.StringIO())
    assert not places.place_of(data_dir, "lab", "lab").known_hosts.exists()
