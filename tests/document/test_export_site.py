"""``export site``: over HTTP, for people, and for whatever a variable may hold."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory import reading
from inventory.copying import copies
from inventory.document.text import read
from inventory.exports import get_export
from inventory.models import Token
from inventory.serving import renderings
from inventory.snapshot import HostFacts, SiteFacts, Snapshot
from tests.document.support import apply, export, run
from tests.document.test_declare import SMALL

pytestmark = pytest.mark.django_db


def test_it_is_fetched_as_any_other_export(client):
    apply(SMALL)
    token = Token(name="git", formats=["site"])
    plain = token.issue()
    token.save()
    answer = client.get("/export/lab/site", headers={"Authorization": f"Bearer {plain}"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/yaml")
    assert answer.content == export("lab")
    again = {"Authorization": f"Bearer {plain}", "If-None-Match": answer["ETag"]}
    assert client.get("/export/lab/site", headers=again).status_code == 304


def test_a_site_without_anything_has_a_document_too():
    apply("mgmtplane: 1\nsite: lab\n")
    assert b"\nsite: lab\n" in renderings.rendering("lab", "site").body


@pytest.mark.parametrize("other", ["bind", "kea", "ansible"])
@pytest.mark.parametrize("authority", [None, "gateway", "bootstrap"])
def test_a_kept_document_is_never_stale(other, authority):
    """Other exports publish zones; the document has published them all before."""
    apply(SMALL)
    before = renderings.rendering("lab", "site")
    renderings.document("lab", other, authority=authority)
    assert export("lab") == before.body == renderings.rendering("lab", "site").body


def test_it_holds_neither_token_nor_revision_nor_the_secret_itself():
    apply(
        SMALL.replace(
            "    form: vm\n    role: web\n    int",
            "    form: hv\n    proxmox: {secret: env:TOKEN}\n    int",
            1,
        )
    )
    text = export("lab").decode()
    assert "secret: 'env:TOKEN'" in text
    assert "revision" not in text


def test_who_reads_it_finds_comments_and_one_line_for_each_identity():
    apply(SMALL)
    text = export("lab").decode()
    assert text.startswith("# yaml-language-server: $schema=site-document.schema.json\n")
    assert "\n# Machines. One that is left out is retired, never deleted.\nhosts:\n" in text
    assert "      192.0.2.11: [w1, '20" in text
    assert "addressing" not in text, "what is the default is left out"


NASTY = {
    "NUL": {"a": "x\0y"},
    "half a character": {"a": ["\ud800"]},
    "unsafe number": {"a": {"__ansible_unsafe": "12"}},
    "a tag with more": {"a": {"__ansible_unsafe": "x", "b": 1}},
    "a reserved key": {"__ansible_type": "x"},
    "huge number": {"a": 2**80},
    "order": {"b": 1, "a": {"z": 1, "y": 2}},
    "keys that are no words": {"1": 1, "true": 2, "": 3, "a: b": 4, "x" * 900: 5},
    "text like numbers": {
        "a": ["1e3", "0o17", "012", "1_000", "0x1f", "yes", "~", "1:30", "2026-01-02", ".5", "="]
    },
    "deep": {"a": [[[[[[[[[[{}]]]]]]]]]]},
}


@pytest.mark.parametrize("variables", NASTY.values(), ids=NASTY.keys())
def test_every_variable_comes_back(variables):
    site = Snapshot(
        SiteFacts("lab", "example.net", variables=variables), hosts=(HostFacts("w1", variables=variables),)
    )
    apply(get_export("site").render(site, None).files["site.yml"])
    stored = reading.load("lab")
    for found in (dict(stored.site.variables), dict(stored.hosts[0].variables)):
        assert found == variables
        assert list(found) == list(variables)
    assert b"variables: '" in export("lab") or read(export("lab"), "x")[0][0].values["variables"] == variables


def test_standard_input_is_a_file_too(monkeypatch):
    class Stdin:
        class buffer:
            read = staticmethod(lambda size: SMALL.encode()[:size])

    monkeypatch.setattr("sys.stdin", Stdin)
    output, _, refusal = run("-")
    assert not refusal
    assert "create host w1" in output


def queries_for(hosts: int, *, slug: str) -> int:
    body = "".join(
        f"  w{n}:\n    interfaces:\n      eth0: {{mac: '02:de:10:01:{n // 256:02x}:{n % 256:02x}', segment: lan}}\n"
        for n in range(hosts)
    )
    text = f"mgmtplane: 1\nsite: {slug}\nsegments: {{lan: {{network4: 10.0.0.0/16}}}}\nhosts:\n{body}"
    with CaptureQueriesContext(
        connection,
    ) as captured:
        apply(text)
    return len(captured)


def test_the_number_of_queries_grows_with_batches_and_not_with_hosts():
    copies.uid()  # given once, by whoever asks first
    assert queries_for(40, slug="large") <= queries_for(4, slug="small") + 3
