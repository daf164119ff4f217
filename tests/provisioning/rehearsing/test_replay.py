"""Transcripts of rehearsals, asked once more of the stand-in: it says what the real node said, status by status.

A transcript that somebody sends in goes into ``tests/provisioning/transcripts/``. Anything that the stand-in answers
otherwise is a way in which it is no Proxmox. Ids of tasks, digests and the moments in names of backups are new each time.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.provisioning.pve.standin import StandIn, context_for
from tests.provisioning.pve.worlds import SECRETS, WRITE_TOKEN

TRANSCRIPTS = sorted((Path(__file__).parents[1] / "transcripts").glob("*.jsonl"))
_BACKUP = re.compile(r"vzdump-qemu-\d+-[\d_]+-[\d_]+")


class Replay:
    """One stand-in, asked what a transcript asked."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        #: as the transcript says it → as the stand-in says it
        self.tasks: dict[str, str] = {}

    def ask(self, line: dict[str, Any]) -> tuple[int, Any]:
        path = self._translated(urllib.parse.unquote(line["path"]))
        params = {
            key: self._translated(str(value)) for key, value in line["params"].items() if key != "digest"
        }
        url = f"{self.standin.url}/api2/json{urllib.parse.quote(path, safe='/:@!')}"
        sent = urllib.parse.urlencode(params)
        body = sent.encode() if line["call"] in ("POST", "PUT") else None
        if sent and body is None:
            url = f"{url}?{sent}"
        asked = urllib.request.Request(url, data=body, method=line["call"])
        asked.add_header("Authorization", f"PVEAPIToken={WRITE_TOKEN}={SECRETS[WRITE_TOKEN]}")
        try:
            with urllib.request.urlopen(
                asked, context=context_for(self.standin.ca_file), timeout=20
            ) as found:
                status, data = found.status, json.load(found)["data"]
        except urllib.error.HTTPError as refusal:
            status, data = refusal.code, None
        if isinstance(data, str) and data.startswith("UPID:") and "answer" in line:
            self.tasks[line["answer"]] = data
        return status, data

    def _translated(self, text: str) -> str:
        for theirs, ours in self.tasks.items():
            text = text.replace(theirs, ours)
        if _BACKUP.search(text):
            kept = [one for one in self.standin.state()["volumes"] if "vzdump-qemu-990000" in one]
            text = _BACKUP.sub(_BACKUP.search(max(kept))[0], text) if kept else text
        return text


def test_there_is_one_of_each_version():
    assert {path.stem for path in TRANSCRIPTS} >= {"standin-8.4", "standin-9.1"}


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_stand_in_says_what_the_node_said(path, tmp_path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    calls = [line for line in lines if "call" in line]
    release = next(one for one in calls if one["path"] == "/version")["answer"]["release"]
    node = next(line["node"] for line in lines if "node" in line)
    standin = StandIn.start(tmp_path, "--version", release, "--node", node)
    try:
        replay, differences = Replay(standin), []
        for number, line in enumerate(calls):
            status, data = replay.ask(line)
            if status != line["status"]:
                differences.append(
                    f"{number}: {line['call']} {line['path']}: {line['status']}, here {status}"
                )
            ends = isinstance(line.get("answer"), dict) and line["answer"].get("exitstatus")
            if ends and data.get("exitstatus") != ends:
                differences.append(f"{number}: the task ended “{ends}”, here “{data.get('exitstatus')}”")
        assert differences == []
        assert "990000" not in standin.state()["guests"]
    finally:
        standin.stop()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_holds_no_secret(path):
    from provisioning.redaction import holds_secret

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["rehearsal"] == 1 and lines[-1]["code"] == 0
    assert not any(holds_secret(line) for line in lines)
