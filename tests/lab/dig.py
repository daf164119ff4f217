"""Real questions to real name servers: dig, many at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.network import Lab


@dataclass(frozen=True)
class Answer:
    status: str
    flags: frozenset[str]
    #: (owner, type, value) in the server's order, names without the final dot
    records: tuple[tuple[str, str, str], ...]

    @property
    def is_authoritative(self) -> bool:
        return "aa" in self.flags

    def values(self, kind: str) -> set[str]:
        return {value for _, found, value in self.records if found == kind}


Question = tuple[str, str]


def dig(
    lab: Lab, client: str, server: str, questions: Iterable[Question], folder: Path
) -> dict[Question, Answer]:
    """Ask *server*, from *client*, for each (name, type); again if it is silent, as resolvers do."""
    asked = list(dict.fromkeys(questions))
    batch = folder / "questions"
    batch.write_text("".join(f"{name} {kind}\n" for name, kind in asked))
    form = ["+noall", "+comments", "+answer", "+tries=4", "+time=5", "+nocookie"]
    done = lab.run(["dig", f"@{server}", *form, "-f", str(batch)], client)
    replies = done.stdout.split("->>HEADER<<-")[1:]
    assert len(replies) == len(asked), (
        f"{len(asked)} questions, {len(replies)} answers:\n{done.stdout}{done.stderr}"
    )
    return {question: _answer(reply) for question, reply in zip(asked, replies, strict=True)}


def _answer(text: str) -> Answer:
    status, flags = re.search(r"status: (\w+)", text), re.search(r"flags: ([a-z ]*);", text)
    assert status and flags, text
    return Answer(status[1], frozenset(flags[1].split()), tuple(_records(text)))


def _records(text: str):
    for line in text.splitlines():
        if line and not line.startswith(";"):
            fields = line.split(None, 4)
            if len(fields) == 5 and fields[2] == "IN":
                owner, _, _, kind, value = fields
                yield owner.rstrip("."), kind, value.rstrip(".")
