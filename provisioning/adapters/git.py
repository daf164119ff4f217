"""Git by its command line: a mirror of our own, that takes from one repository and gives to none.

No configuration of the system or of a user is read, no hook and no helper program runs, nothing but the declared protocol
is spoken, submodules are left alone, and nobody is asked for a password.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from provisioning.adapters.base import Strange
from provisioning.adapters.commands import Ended, Program
from provisioning.adapters.git_faults import fault

LOCAL_SECONDS = 120.0
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.askPass": "",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    # faults of old programs in old commits that do no harm
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingEmail": "ignore",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",  # one file grows, whose size can be watched
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "gc.packRefs": "false",  # the age of a ref is that of its file
    "maintenance.auto": "false",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "protocol.version": "2",
    "transfer.credentialsInUrl": "die",
    "submodule.recurse": "false",
}


@dataclass(frozen=True)
class Remote:
    """Where is taken from. *protocol* is the only one that is spoken; *ssh* the command for it, *agent* its socket."""

    url: str
    protocol: str
    ssh: tuple[str, ...] = ()
    agent: str = ""

    def environment(self) -> dict[str, str]:
        found = {"GIT_ALLOW_PROTOCOL": self.protocol}
        if self.ssh:
            found |= {"GIT_SSH_COMMAND": shlex.join(self.ssh), "GIT_SSH_VARIANT": "ssh"}
        if self.agent:
            found["SSH_AUTH_SOCK"] = self.agent
        return found


@dataclass(frozen=True)
class Entry:
    mode: str
    kind: str
    id: str
    size: int
    path: str

    @property
    def is_file(self) -> bool:
        return self.mode in ("100644", "100755")

    @property
    def is_submodule(self) -> bool:
        return self.kind == "commit"


@dataclass(frozen=True)
class Commit:
    id: str
    when: str
    author: str
    subject: str


@dataclass(frozen=True)
class Mirror:
    """The repository in *folder*. *program* says when to stop; see ``commands.Program``."""

    folder: Path
    program: Program

    # --- here ---

    def prepare(self) -> None:
        """Make it, if it is not there; locks that a killed git left are removed. The caller holds our own lock."""
        if not self.is_there:
            # whole or not there: a git that is killed while it makes one leaves something that is none
            new = self.folder.with_name(f"{self.folder.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(mode=0o700, parents=True)
            replace(self, folder=new)._git(
                "init", "--quiet", "--bare", "--template=", ".", no_repository=True
            )
            new.rename(self.folder)
        for left in [*self.folder.glob("*.lock"), *self.folder.glob("refs/**/*.lock")]:
            left.unlink(missing_ok=True)
        for left in self.folder.glob("objects/pack/tmp_*"):
            left.unlink(missing_ok=True)

    @property
    def is_there(self) -> bool:
        return self.folder.is_dir()

    def commit(self, name: str) -> str:
        """The commit that *name* leads to, as 40 digits; empty where there is none here."""
        ended = self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", fails=True
        )
        return ended.out.decode().strip() if ended.code == 0 else ""

    def point(self, ref: str, commit: str) -> None:
        """Set *ref*, which keeps *commit* from being collected; renews its time."""
        self._git("update-ref", ref, commit)
        (self.folder / ref).touch()

    def forget(self, ref: str) -> None:
        self._git("update-ref", "-d", ref)

    def collect(self) -> None:
        """Remove what no ref leads to."""
        self._git("gc", "--quiet", "--prune=now")

    def is_ancestor(self, old: str, new: str) -> bool:
        return self._git("merge-base", "--is-ancestor", old, new, fails=True).code == 0

    def log(self, new: str, old: str = "", most: int = 50) -> list[Commit]:
        """The commits that lead to *new* and not to *old*, newest first."""
        span = [new, f"^{old}"] if old else [new]
        ended = self._git(
            "log", f"--max-count={most}", "--format=%H%x00%cI%x00%an%x00%s%x00", "-z", *span, "--"
        )
        parts = ended.out.decode("utf-8", "replace").split("\0")
        return [
            Commit(*(part.strip("\n") for part in parts[at : at + 4])) for at in range(0, len(parts) - 4, 5)
        ]

    def tree(self, commit: str) -> list[Entry]:
        """Every file of *commit*, as its repository has it."""
        listed = self._git("ls-tree", "-r", "-z", "--long", "--full-tree", commit).out
        return [_entry(line) for line in listed.split(b"\0") if line]

    def contents(self, ids: Sequence[str]) -> Iterator[bytes]:
        """The content of each of these files, in their order."""
        out = self._git("cat-file", "--batch", given="".join(f"{one}\n" for one in ids).encode()).out
        at = 0
        for one in ids:
            end = out.index(b"\n", at)
            words = out[at:end].split()
            if len(words) != 3:
                raise Strange(f"The mirror in {self.folder} lacks {one}.", call="git cat-file")
            size = int(words[2])
            yield out[end + 1 : end + 1 + size]
            at = end + 1 + size + 1

    def check_out(self, commit: str, into: Path, index: Path) -> None:
        """Write the files of *commit* into the folder *into*; *index* is a file of ours that is made for it."""
        env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(into)}
        self._git("read-tree", commit, env=env, cwd=into)
        self._git("checkout-index", "--all", "--quiet", env=env, cwd=into)

    # --- there ---

    def offered(self, remote: Remote, *patterns: str) -> dict[str, str]:
        """What the other side has of *patterns*: the full name of each ref and its object; ``HEAD@`` is where HEAD leads."""
        ended = self._git("ls-remote", "--symref", "--", remote.url, *patterns, remote=remote)
        found = {}
        for line in ended.out.decode("utf-8", "replace").splitlines():
            what, _, name = line.partition("\t")
            if what.startswith("ref: ") and name == "HEAD":
                found["HEAD@"] = what.removeprefix("ref: ")
            elif name:
                found[name] = what
        return found

    def fetch(self, remote: Remote, *specs: str) -> None:
        """Take what *specs* (``+theirs:ours``) name, and nothing else: no tags beside it, no submodules."""
        quiet = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
        self._git("fetch", *quiet, "--", remote.url, *specs, remote=remote)

    # --- how ---

    def _git(
        self,
        verb: str,
        *arguments: str,
        remote: Remote | None = None,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        given: bytes = b"",
        fails: bool = False,
        no_repository: bool = False,
    ) -> Ended:
        program = self.program if remote else replace(self.program, seconds=LOCAL_SECONDS)
        program = replace(
            program,
            env={
                **program.env,
                **_environment(self.folder),
                **(remote.environment() if remote else {}),
                **(env or {}),
                **({} if no_repository else {"GIT_DIR": str(self.folder)}),
            },
        )
        ended = program.run(["git", verb, *arguments], cwd=cwd or self.folder, given=given)
        if ended.code and not fails:
            raise fault(ended.err, f"git {verb}", remote.url if remote else "the mirror")
        return ended


def _environment(folder: Path) -> dict[str, str]:
    found = {
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_DEFAULT_HASH": "sha1",
        "GIT_DEFAULT_REF_FORMAT": "files",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    }
    for number, (name, value) in enumerate(_SETTINGS.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _entry(line: bytes) -> Entry:
    head, _, path = line.partition(b"\t")
    mode, kind, one, size = head.decode().split()
    return Entry(mode, kind, one, 0 if size == "-" else int(size), path.decode("utf-8", "surrogateescape"))
