"""Marks in every text of a site, and what finds them in an answer."""

from __future__ import annotations

import re
import uuid
from typing import Any

from inventory import reading
from inventory.changes import change
from inventory.models import Host, RememberedAnswer
from tests.access.two_sites import Furnished

_TEXTS: dict[str, tuple[str, ...]] = {
    "host": ("location", "platform", "notes"),
    "hypervisor": (
        "token_id",
        "secret",
        "read_token_id",
        "read_secret",
        "ca_file",
        "fingerprint",
        "storage",
        "bridge",
        "pool",
    ),
    "virtualmachine": ("template", "ciuser", "ssh_keys", "cpu", "storage", "bridge", "pool"),
    "interface": ("switch_port", "pxe_file"),
    "segment": ("trust", "suffix"),
    "service": ("tenant", "health_check", "metrics_path"),
    "role": ("title",),
    "schedule": ("kind", "owner", "why"),
    "project": ("location", "ref", "key", "collections", "image"),
    "jobtemplate": ("playbook", "limit", "tags", "skip_tags", "ssh_key", "remote_user"),
    "kitplace": ("location", "host_key", "key"),
    "site": ("root_domain",),
    "consumer": ("message",),
}
#: what can be nothing but theirs: names, MACs, addresses
#: (the word itself stands in sentences, before a full stop)
MARKS = re.compile(r"theirs(?!\.)|bc[:-]?24[:-]?11[:-]?00[:-]?00[:-]?02|10\.2\.(?:99|0)\.", re.IGNORECASE)


def plant(theirs: Furnished) -> re.Pattern[str]:
    """Marks in every text of *theirs*: of its rows, their history, the log, the ledger; and a host that is retired."""
    site = theirs.site
    with change(site, by="theirs-hand", why="theirs-why", batch=uuid.uuid4()):
        for noun, names in _TEXTS.items():
            row = theirs[noun]
            for name in names:
                # not judged: what stands in a database is not always what forms let through today
                type(row)._base_manager.filter(pk=row.pk).update(**{name: f"theirs-{name}"})
        for noun in ("site", "host", "segment", "interface", "group", "workloadprofile"):
            row = theirs[noun]
            type(row)._base_manager.filter(pk=row.pk).update(variables={"theirs_key": "theirs-value"})
    with change(site, by="theirs-hand", why="theirs-retired"):
        gone = Host(site=site, name="theirs-gone", notes="theirs-gone", status="standby")
        gone.save()
        gone.status = "retired"
        gone.save()
    RememberedAnswer.objects.create(asker="user:0", key="theirs-key", request_sha256="0", body="theirs-body")
    reading.forget()
    return MARKS


def text_of(response: Any) -> str:
    """The whole answer, headers included."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode("utf-8", "replace")) + "\n" + str(response.headers)


def found_in(response: Any) -> list[str]:
    """The marks in an answer, with what stands around them."""
    text = text_of(response)
    return [text[max(0, hit.start() - 60) : hit.end() + 60] for hit in MARKS.finditer(text)]


def rows_of(furnished: Furnished) -> dict[str, Any]:
    """noun → a row, of what has a number in addresses and filters."""
    return {noun: row for noun, row in furnished.rows.items() if noun != "grant"}
