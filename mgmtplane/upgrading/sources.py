"""Versions as sources: which one ran before, which one lies here now, and how the clone goes back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .journal import Desk, Refused, Source


def git(clone: Path, *words: str) -> str:
    """What git says; empty where it fails or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(clone), *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def here(clone: Path) -> Source:
    """The version that lies in *clone*; its directory where that is no clone."""
    commit = git(clone, "rev-parse", "HEAD") if (clone / ".git").exists() else ""
    if not commit:
        return Source(directory=str(clone))
    return Source(commit, git(clone, "symbolic-ref", "--quiet", "--short", "HEAD"))


def previous(clone: Path, desk: Desk, given: str) -> Source:
    """The version to come from: *given* (a ref or a directory), else what ran last, else what ``git pull`` left.

    Raises Refused where nobody knows it.
    """
    if given:
        return _given(clone, given)
    installed = desk.installed()
    if installed is not None:
        return _known(clone, installed)
    left = git(clone, "rev-parse", "--verify", "--quiet", "ORIG_HEAD^{commit}")
    if left and here(clone).commit != left:
        return Source(left, here(clone).branch)
    raise Refused(
        "Which version ran before is written down nowhere. Name it: make upgrade FROM=COMMIT, or FROM=/its/directory."
    )


def _given(clone: Path, given: str) -> Source:
    directory = Path(given)
    if (directory / "manage.py").is_file():
        return Source(directory=str(directory.resolve()))
    commit = git(clone, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")
    if not commit:
        raise Refused(f"FROM={given} is neither a commit of {clone} nor a directory with a manage.py.")
    return Source(commit, git(clone, "symbolic-ref", "--quiet", "--short", "HEAD"))


def _known(clone: Path, source: Source) -> Source:
    if git(clone, "rev-parse", "--verify", "--quiet", f"{source.commit}^{{commit}}"):
        return source
    raise Refused(
        f"{source} ran last, and {clone} does not have that commit. Name the directory that has it: "
        "make upgrade FROM=/its/directory."
    )


def require_clean(clone: Path) -> None:
    """Raise Refused where files of the clone were edited: going back could not bring those back."""
    edited = git(clone, "status", "--porcelain", "--untracked-files=no")
    if edited:
        names = ", ".join(line[2:].strip() for line in edited.splitlines()[:5])
        raise Refused(f"Files were edited in {clone}: {names}. Commit them, or undo them with git checkout.")


def lay_out(clone: Path, source: Source, place: Path) -> Path:
    """The files of *source*: its own directory, or those of its commit unpacked at *place*."""
    if source.directory:
        return Path(source.directory)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)
    packed = place.with_suffix(".tar")
    words = ["git", "-C", str(clone), "archive", "--format=tar", "-o", str(packed), source.commit]
    try:
        subprocess.run(words, check=True, capture_output=True, text=True)
        subprocess.run(
            ["tar", "-xf", str(packed), "-C", str(place)], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise Refused(f"The files of {source} cannot be had: {said.strip()}") from None
    finally:
        packed.unlink(missing_ok=True)
    return place


def command_again(clone: Path, old: Source, new: Source) -> str:
    """What brings the clone from *old*, to which it was put back, to exactly *new*; empty where it never left."""
    if old.directory or not new.commit:
        return ""
    if new.branch != old.branch:
        return f"git checkout {new.branch or new.commit}"
    ahead = git(clone, "merge-base", old.commit, new.commit) == old.commit
    return f"git {'merge --ff-only' if ahead else 'reset --keep'} {new.commit}"


def put_back(clone: Path, old: Source) -> str:
    """Bring the clone to *old* again; what was done, in words. Edited files are kept, or it is refused."""
    if old.directory:
        return f"The previous version lies in {old.directory} as before; start that one."
    now = here(clone)
    if now.commit == old.commit:
        return f"The source is {old}."
    if now.branch == old.branch:  # as `git pull` is taken back: the branch itself
        words = ["reset", "--quiet", "--keep", old.commit]
    elif (
        old.branch
        and git(clone, "rev-parse", "--verify", "--quiet", f"refs/heads/{old.branch}") == old.commit
    ):
        words = ["checkout", "--quiet", old.branch]
    else:
        words = ["checkout", "--quiet", "--detach", old.commit]
    done = subprocess.run(["git", "-C", str(clone), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"git {' '.join(words)} in {clone} failed: {done.stderr.strip()} Do that by hand.")
    return f"The source is {old} again."
