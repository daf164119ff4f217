"""Texts that are small and stand for much, or are large and stand for nothing: a clear answer, soon, and nothing stored."""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inventory import yaml11
from inventory.document.text import read
from inventory.models import Change, Host
from tests.access.two_sites import person, signed_in
from tests.starting.test_archives import tarred

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

SECONDS, MEGABYTES = 40, 1200  # of this process; what is meant are minutes, on a busy machine too
MANY = 60_000


def laughs(levels: int = 10) -> str:
    """Ten times ten times … ten, by anchors."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merges(levels: int = 24) -> str:
    """Each mapping merges the one before it twice."""
    lines = ["a0: &a0 {x0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], x{n}: 1}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


YAML = {
    "anchors": laughs(),
    "merges": merges(),
    "nested lists": "a: " + "[" * 20_000 + "]" * 20_000,
    "nested mappings": "a: " + "{b: " * 20_000 + "1" + "}" * 20_000,
    "nested blocks": "\n".join(" " * n + "a:" for n in range(2_000)),
    "nested dashes": "a:\n  " + "- " * 50_000 + "1",
    "one long line": "a: " + "x" * 2_000_000 + ": y",
    "many documents": "---\na\n" * MANY,
    "many documents behind many lines": "\n" * 2_000_000 + "---\na: 1\n" * 1_000,
    "many keys": "".join(f"k{n}: 1\n" for n in range(MANY)),
    "a key twice after many": "".join(f"k{n}: 1\n" for n in range(30_000)) + "z: 1\nz: 2\n",
    "many brackets": "[{" * 200_000,
    "many anchors": "".join(f"k{n}: &a{n} 1\n" for n in range(30_000)) + "z: *nothing\n",
    "a long number": "a: " + "9" * 1_000_000,
    "sixties": "a: " + "1:" * 200_000 + "1",
    "NUL": "a: b\0c\n",
    "a control character": "a: \x1b[31m\n",
    "half a character": 'a: "\\ud800"\n',
}
ENCODED = {
    "invalid UTF-8": b"a: \xff\xfe\xfa\n",
    "UTF-16": "hosts: {}\n".encode("utf-16"),
    "UTF-32": "hosts: {}\n".encode("utf-32"),
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(1000),
}
TABLES = {
    "many columns": ",".join(f"c{n}" for n in range(MANY)) + ",host\n",
    "many empty columns": "host" + "," * 2_000_000 + "\n",
    "many rows": "host,notes\n" + "a\n" * MANY,
    "many cells too many": "host\n" + "a,b,c\n" * 100_000,
    "a quote without an end": 'host,notes\npi01,"' + "x\n" * 2_000_000,
    "quotes alone": 'host,notes\n' + '"' * 500_000,
    "one long cell": "host,notes\npi01," + "x" * 2_000_000 + "\n",
    "a strange separator": "sep=\udc00\nhost\n",
    "a NUL": "host,notes\npi01,a\0b\n",
    "blanks": "host" + " " * 2_000_000 + "\n",
    "many groups in a cell": "host,groups\npi01," + "a " * 15_000 + "\n",
}  # fmt: skip
PI = "all: {hosts: {pi01: {}}}\n"
INI = {
    "a range without an end": "web[1:99999999999999999999999]\n",
    "a range of thousands of digits": f"web[1:{'9' * 6000}]\n",
    "ranges of ranges": "web" + "[a:z]" * 12 + "\n",
    "groups in groups": "".join(f"[g{n}:children]\ng{n + 1}\n" for n in range(1_500)) + "[g1500]\npi01\n",
    "groups in groups, upside down": "[g0]\npi01\n"
    + "".join(f"[g{n + 1}:children]\ng{n}\n" for n in range(1_500)),
    "a literal that nests": "pi01 a=" + "[" * 5_000 + "]" * 5_000 + "\n",
    "a literal with a long number": "pi01 a=" + "9" * 200_000 + "\n",
    "a long line": "pi01 " + "a=b " * 20_000 + "\n",
    "colons": "a" + ":a" * 300_000 + "\n",
    "brackets": "[" * 400_000 + "\n",
    "dashes": "a" + "-" * 400_000 + ":1\n",
}


@pytest.fixture
def browser(ours):
    return signed_in(person("root", is_superuser=True))


class measured:
    """Fails where it took too long or too much."""

    def __enter__(self) -> None:
        self.began, self.memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.revisions = Change.objects.count()

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            assert time.process_time() - self.began < SECONDS
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.memory < MEGABYTES << 10
            assert Change.objects.count() == self.revisions


def imported(browser: Any, content: bytes, kind: str = "") -> Any:
    upload = SimpleUploadedFile("x.txt", content)
    return browser.post("/admin/many/import/ours/", {"upload": upload, "kind": kind, "text": ""})


def refused(answer: Any) -> bool:
    outcome = answer.context.get("outcome") if answer.context else None
    return bool(answer.context["form"].errors or (outcome and outcome.complaints))


@pytest.mark.parametrize("text", YAML.values(), ids=YAML.keys())
def test_yaml_is_read_or_refused_with_its_line(text):
    began = time.process_time()
    try:
        value, _ = yaml11.read(text, "x")
        json.dumps(value)
    except yaml11.YamlProblem as problem:
        assert len(str(problem)) < 1_000
    head = "" if text.startswith(("---", "[", "\n")) else "mgmtplane: 1\nsite: ours\n"
    documents, complaints = read(head.encode() + text.encode(), "x")
    assert complaints or any(one.complaints for one in documents)
    assert sum(len(one.sentence) for one in complaints) < 3_000_000
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("kind", ["part", "whole"])
@pytest.mark.parametrize("name", ["anchors", "nested blocks", "many keys", "NUL", "half a character"])
def test_a_document_for_import(ours, browser, name, kind):
    with measured():
        answer = imported(browser, f"mgmtplane: 1\nsite: ours\n{YAML[name]}".encode(), kind)
        assert answer.status_code == 200 and refused(answer)
        assert len(answer.content) < 3_000_000


@pytest.mark.parametrize("kind", ["hosts", "whole"])
@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED.keys())
def test_a_file_that_is_no_text_of_ours(ours, browser, content, kind):
    with measured():
        answer = imported(browser, content, kind)
        assert answer.status_code == 200 and (refused(answer) or kind in ("", "part"))


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_a_table_for_import(ours, browser, text):
    before = Host.objects.count()
    with measured():
        answer = imported(browser, text.encode("utf-8", "surrogatepass"), "hosts")
        assert answer.status_code == 200
        assert len(answer.content) < 9_000_000
    assert Host.objects.count() == before


@pytest.mark.parametrize(
    "name",
    ["anchors", "merges", "nested blocks", "sixties", "NUL", "a control character", "half a character"],
)
def test_variables_in_a_form_and_while_they_are_typed(ours, browser, name):
    group = ours["group"]
    sent = {"name": group.name, "priority": "1", "why": "x", "variables": YAML[name]}
    with measured():
        typed = browser.post("/admin/check-yaml/", {"text": YAML[name]})
        answer = browser.post(f"/admin/inventory/group/{group.pk}/change/", sent)
        assert (typed.status_code, answer.status_code) == (200, 200)
        assert answer.context["adminform"].form.errors["variables"]


TREES = {
    **{f"ini {name}": {"hosts": text} for name, text in INI.items()},
    **{f"yaml {name}": {"hosts.yml": YAML[name]} for name in ("anchors", "nested blocks", "sixties", "NUL")},
    **{f"vars {name}": {"hosts.yml": PI, "host_vars/pi01.yml": YAML[name]} for name in ("anchors", "NUL")},
    "json": {"hosts.json": '{"a":' * 90_000 + "1" + "}" * 90_000},
}


@pytest.mark.parametrize("files", TREES.values(), ids=TREES.keys())
def test_a_tree(ours, browser, files):
    archive = SimpleUploadedFile("t.tgz", tarred(files))
    with measured():
        answer = browser.post("/admin/import/ansible/", {"site": "new", "archive": archive})
        assert answer.status_code == 200
        assert len(answer.content) < 3_000_000


JSON = {
    "nested lists": b'{"name":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "nested objects": b'{"variables":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}",
    "deeper than is kept": b'{"variables":' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}",
    "many unknown fields": json.dumps({f"f{n}": 1 for n in range(MANY)}).encode(),
    "a long unknown field": json.dumps({"x" * 3_000_000: 1}).encode(),
    "a key twice after many": b"{" + b",".join(b'"k%d":1' % n for n in range(MANY)) + b',"z":1,"z":2}',
    "half characters": json.dumps({"variables": {"a": ["\ud800"] * MANY}}).encode(),
    "many names": json.dumps({"hosts": [f"h{n}" for n in range(MANY)]}).encode(),
    "a long number": b'{"priority":' + b"9" * 1_000_000 + b"}",
    "a large number": b'{"priority":1e400}',
    "a number that is none": b'{"priority":NaN}',
    "NUL": b'{"name":"a\\u0000b"}',
    "invalid UTF-8": b'{"name":"\xff"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "a mark before it": b'\xef\xbb\xbf{"name":"a"}',
    "too large": b'{"name":"' + b"x" * (11 << 20) + b'"}',
    "a list": b"[1]",
    "a text": b'"a"',
}


@pytest.mark.parametrize("method", ["post", "patch"])
@pytest.mark.parametrize("body", JSON.values(), ids=JSON.keys())
def test_a_body_for_the_api(ours, browser, body, method):
    at = "/api/v1/groups" + (f"/{ours['group'].pk}" if method == "patch" else "")
    with measured():
        answer = getattr(browser, method)(at, body, content_type="application/json")
        assert answer.status_code in (400, 413), answer.status_code
        assert answer["Content-Type"] == "application/problem+json"
        assert len(answer.content) < 5_000_000


@pytest.mark.parametrize("body", JSON.values(), ids=JSON.keys())
def test_a_report_of_a_consumer(ours, browser, body):
    with measured():
        answer = browser.post("/export/ours/kea/applied", body, content_type="application/json")
        assert answer.status_code in (400, 413) and len(answer.content) < 2_000
