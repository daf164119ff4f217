"""Git by its command line, the other way: a directory becomes a commit of a repository somewhere else.

The history stays there: here is only the commit that it goes on from. Nothing is forced: where somebody else went on with
the branch, their repository refuses, or we begin from theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters.base import Strange
from provisioning.adapters.git import Mirror, Remote

#: in our repository: what the other side has
PARENT = "refs/kits/parent"
_WHO = {
    "GIT_AUTHOR_NAME": "mgmtplane",
    "GIT_AUTHOR_EMAIL": "mgmtplane@localhost",
    "GIT_COMMITTER_NAME": "mgmtplane",
    "GIT_COMMITTER_EMAIL": "mgmtplane@localhost",
}


@dataclass(frozen=True)
class Outbox(Mirror):
    """A repository of ours that one branch of another is written from."""

    def bring(self, folder: Path, remote: Remote, branch: str, message: str) -> str:
        """Make everything in *folder* the next commit of *branch* there; the commit, or the one that has it already."""
        ref = f"refs/heads/{branch}"
        parent = self.offered(remote, ref).get(ref, "")
        if parent:
            self._git(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--force", "--"),
                *(remote.url, f"{ref}:{PARENT}"),
                remote=remote,
            )
        tree = self._tree_of(folder)
        if parent and self._said("rev-parse", f"{parent}^{{tree}}") == tree:
            return parent
        line = ["-p", parent] if parent else []
        commit = self._said("commit-tree", tree, *line, "-m", message, env=_WHO)
        self._git("push", "--quiet", "--no-verify", "--", remote.url, f"{commit}:{ref}", remote=remote)
        if self.offered(remote, ref).get(ref) != commit:
            raise Strange(
                f"The repository took the commit {commit[:12]}, and does not have it.", call="git push"
            )
        self.point(PARENT, commit)
        self.collect()
        return commit

    def _tree_of(self, folder: Path) -> str:
        index = self.folder / "kit-index"
        index.unlink(missing_ok=True)
        env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder)}
        self._git("add", "--all", "--force", "--", ".", env=env, cwd=folder)
        return self._said("write-tree", env=env)

    def _said(self, verb: str, *arguments: str, env: dict[str, str] | None = None) -> str:
        return self._git(verb, *arguments, env=env).out.decode().strip()
