"""docs/api.md: its requests are sent as they stand there, its error is the one that is answered."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from django.test import Client

from inventory.api.v1.nouns.views import NOUNS
from inventory.models import Host, Interface, Token
from tests.api.conftest import wrong
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
TEXT = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = [block.replace("\\\n", " ") for block in re.findall(r"```sh\n(curl .*?)```", TEXT, re.S)]
HOST = "http://127.0.0.1:8000"


def curl(command: str, **variables: str):
    """Send what curl would send."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command)[1:])
    method, headers, body, address = "GET", {}, "", ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            address = word
    assert address.startswith(HOST), command
    kind = headers.pop("Content-Type", "application/octet-stream")
    return Client().generic(method, address.removeprefix(HOST), body, kind, headers=headers)


def test_the_requests_of_the_page_are_answered(db, segment, role):
    token = Token(name="docs", scope="write")
    plain = token.issue()
    token.save()
    assert len(COMMANDS) >= 6
    for command in sorted(COMMANDS, key=lambda one: "POST" not in one):
        response = curl(command, TOKEN=plain, SEGMENT=str(segment.pk))
        assert response.status_code in (200, 201), (command, response.content)
        if "results" in response.json():
            assert response.json()["results"], command
    assert set(Host.objects.values_list("name", flat=True)) == {"pi01", "dns-vm01"}
    assert Interface.objects.exclude(ipv4=None).count() == 2


def test_the_error_of_the_page_is_the_one_that_is_answered(writer, segment):
    shown = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.S)[1])
    interfaces = [{"name": "eth0", "mac": "xyz"}]
    answered = writer.post("hosts", {"site": "lab", "name": "Pi 02", "interfaces": interfaces})
    assert wrong(answered)
    assert answered.json() == shown


def test_every_noun_is_named():
    for noun in NOUNS:
        assert f"`{noun}`" in TEXT, noun
