"""What Ansible's exit codes, recaps and complaints mean, in plain words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioning.adapters.ansible.values import AnsibleFault, Play

#: hosts that a sentence names
MOST = 8
_ORIGIN = re.compile(r"^Origin: (?P<file>.+?)(?::(?P<line>\d+))?(?::\d+)?$", re.M)
_ERROR = re.compile(r"^(?:\[ERROR\]|ERROR!|ERROR(?=:)|fatal):?\s*", re.M)
_PLAY = re.compile(r"  play #\d+ \((?P<pattern>.*)\): (?P<name>.*)\tTAGS: \[.*\]")
_HOSTS = re.compile(r"    hosts \((?P<count>\d+)\):")
NO_HOSTS = "leaves us with no hosts to target"


def message(rc: int | None, stats: Mapping[str, Mapping[str, int]]) -> str:
    """Why a run ended with *rc*, in words of ours: for everybody who sees that it ran."""
    if rc == 0:
        return ""
    parts = []
    for word, said in (("failed", "failed on"), ("unreachable", "could not reach")):
        if hosts := sorted(host for host, counts in stats.items() if counts.get(word)):
            parts.append(f"{said} {named(hosts)}")
    if parts:
        return f"The run {' and '.join(parts)}."
    if rc is None or rc < 0:
        return "Ansible was killed from outside before it was done."
    return _RC.get(rc, f"Ansible ended with exit code {rc}.")


def complaint(problems: Sequence[str], project: Path) -> str:
    """What Ansible itself complains of, else the last that it said: for who may read what runs say."""
    last = next((line.strip() for line in reversed(problems) if line.strip()), "")
    return complaint_of("\n".join(problems), project) or last


_RC = {
    1: "Ansible stopped with an error of its own (exit code 1).",
    2: "A task failed (exit code 2).",
    4: "The playbook or the inventory could not be read, or no host was reached (exit code 4).",
    5: "Ansible refused one of its options (exit code 5): look at limit, tags and verbosity of the job template.",
    8: "A play stopped because too many of its hosts failed (exit code 8).",
    99: "Ansible was interrupted (exit code 99).",
    127: "ansible-playbook could not be started (exit code 127).",
    250: "Ansible met an error that it did not expect (exit code 250).",
}


def named(hosts: Sequence[str]) -> str:
    """The first few of *hosts*, and how many more."""
    more = len(hosts) - MOST
    return ", ".join(hosts[:MOST]) + (f" and {more} more" if more > 0 else "")


def complaint_of(text: str, project: Path) -> str:
    """Ansible's last complaint as one sentence, with the file, as the project names it, and the line."""
    text = text.replace("\r", "")
    found = list(_ERROR.finditer(text))
    if not found:
        return ""
    said = text[found[0].end() :]
    sentence = " ".join(said.split("\n\n")[0].split("\nOrigin:")[0].split()).rstrip(".")
    if origin := _ORIGIN.search(said):
        where = _within(origin["file"], project)
        line = f", line {origin['line']}" if origin["line"] else ""
        sentence = f"{where}{line}: {sentence}"
    return f"{_within(sentence, project)}." if sentence else ""


def _within(text: str, project: Path) -> str:
    """*text* with paths as the project names them: where its copy lies is of no use to anybody."""
    for root in (str(project), "/runner/project"):
        text = text.replace(f"{root}/", "").replace(root, "the project")
    return text


def plays_in(listing: str) -> list[Play]:
    """What ``ansible-playbook --list-hosts`` wrote. Raises AnsibleFault for anything else."""
    plays: list[Play] = []
    expected = 0
    hosts: list[str] = []
    for line in listing.replace("\r", "").split("\n"):
        if expected:
            if not line.startswith("      ") or not line.strip():
                raise _strange(line)
            hosts.append(line[6:])
            expected -= 1
            if not expected:
                plays[-1] = Play(plays[-1].name, tuple(sorted(hosts)))
        elif found := _PLAY.fullmatch(line):
            plays.append(Play(found["name"] or found["pattern"], ()))
        elif found := _HOSTS.fullmatch(line):
            if not plays:
                raise _strange(line)
            expected, hosts = int(found["count"]), []
        elif line.strip() and not line.startswith(("playbook: ", "    pattern: ")):
            raise _strange(line)
    if expected:
        raise _strange("its end")
    return plays


def _strange(line: str) -> AnsibleFault:
    return AnsibleFault(
        f"Ansible listed the hosts of the playbook in another form than known, at “{line.strip()[:80]}”.",
        way_out="Name plays on one line, without tabs; then ask again.",
    )
