"""YAML 1.1 is read as Ansible reads it, refused with a reason, and written so that Ansible reads it back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inventory.yaml11 import Flow, YamlProblem, dump, read
from tests.importers.ansible_reference import ask
from tests.importers.tree_support import differences

# fmt: off
AWKWARD = [
    *"yes No ON off y n true null ~ = << 0644 0o17 0x1F 0b1 1_000 12:30:45 1:30.5 2020-01-01 1e3".split(),  # noqa: SIM905
    *"1.0e+3 .5 -.inf .nan 5. - -- --- ... ? : , # & * ! | > % @ ` [ ] { } -1 +1 _ a:b a# #a !x &x".split(),  # noqa: SIM905
    *"*x %x @x 'x x' \"x {x} -x -.x -?x ?x :x a,b [a] a]b".split(),  # noqa: SIM905
    "", " ", " a", "a ", "a: b", "a #b", "- a", "? a", "a:", ":a", "it's", 'say "x"', "a\\b", "{{ x }}",
    "2020-01-01 00:00:00", "2001-12-14t21:59:43.10-05:00", "key: |", "--- a", "... ", "% a", "a" * 2000,
    "a\nb", "a\nb\n", "a\nb\n\n", "\na", "a\n\n b\n", " a\nb", "a \nb", "a\n \nb", "a\n\tb", "\ta", "\n",
    "\n\n", "a\n# b\n", "a\n---\nb", "a\r\nb", "a\rb", "\x85", "a\u2028b", "\u2029", "\ufeffa", "\x00",
    "\x1b[0m", "\x7f", "é", "日本", "😀", "a\u0301", "\u202e", "\xa0", "\ue000", "\ufffe", "\uffff",
    "\U0010ffff", "\x80", "a\n  b\nc", "a\n\n\nb\n\n\n",
]
# fmt: on

texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text("ab:#-? \n\t'\"{}[]|>&*!%@`,.=<0123_\u2028\x85", max_size=12),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    texts.map(lambda text: {"__ansible_unsafe": "x" + text}),
    texts.map(lambda text: {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n" + text}),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def without_nul(value: Any) -> Any:
    """What the reader refuses (and a database could not hold) is not what these tests are about."""
    return json.loads(json.dumps(value).replace("\\u0000", "\\u0001"))


def problem(text: str | bytes, **limits: int) -> YamlProblem:
    with pytest.raises(YamlProblem) as caught:
        read(text, "group_vars/x.yml", **limits)
    assert caught.value.message.endswith(".")
    assert str(caught.value).startswith("group_vars/x.yml")
    return caught.value


# --- writing


@given(values)
@example({"a": {"b": [[], {}, [[1]], [{"c": [{}]}]]}, "x": 1})
@example(["x\n\ny\n\n", {"k" * 300: 1, "a\nb": "c\nd"}])
@settings(max_examples=400, deadline=None)
def test_what_is_written_reads_back_identical(value: Any) -> None:
    value = without_nul(value)
    text = dump(value)
    assert text.endswith("\n")
    back, _ = read(text, "x.yml")
    assert not (wrong := differences(back, value)), f"{wrong}\n{text}"
    assert dump(back) == text


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_reads_back_as_text_by_libyaml_and_by_python(text: str) -> None:
    value = {text: text, "list": [text, [text], {text: [text]}], "last": text}
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        assert yaml.load(dump(value), loader) == value
        assert yaml.load(dump(text), loader) == text


@given(st.lists(values, min_size=40, max_size=80))
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_written_reads_back_identical_in_ansible(tmp_path: Path, many: list[Any]) -> None:
    variables = without_nul({f"v{number}": value for number, value in enumerate([*many, *AWKWARD])})
    home = tmp_path / str(time.monotonic_ns())
    (home / "host_vars").mkdir(parents=True)
    (home / "hosts.yml").write_text("all: {hosts: {h: {}}}")
    (home / "host_vars" / "h.yml").write_text(dump(variables), encoding="utf-8")
    answer = ask(home / "hosts.yml")
    assert answer.clean, answer.errors
    assert not (wrong := differences(variables, answer.output["_meta"]["hostvars"]["h"])), wrong


def test_the_shape_of_what_is_written() -> None:
    sealed = "$ANSIBLE_VAULT;1.1;AES256\n3132\n"
    value = {
        "plain": "text with words",
        "number like": "0644",
        "list": [1, {"a": None, "b": [True]}, [], "two\nlines\n"],
        "secret": {"__ansible_vault": sealed},
        "raw": {"__ansible_unsafe": "{{ x }}"},
        "raw number": {"__ansible_unsafe": "12"},
        "empty": {},
        "big": 1e16,
    }
    assert dump(value) == (
        "plain: text with words\n"
        "number like: '0644'\n"
        "list:\n"
        "  - 1\n"
        "  - a: null\n"
        "    b:\n"
        "      - true\n"
        "  - []\n"
        "  - |\n"
        "    two\n"
        "    lines\n"
        "secret: !vault |\n"
        "  $ANSIBLE_VAULT;1.1;AES256\n"
        "  3132\n"
        "raw: !unsafe '{{ x }}'\n"
        "raw number: '12'\n"
        "empty: {}\n"
        "big: 1.0e+16\n"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"__ansible_vault": "12"}])
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        dump({"k": value})


@pytest.mark.parametrize("value", [object(), {1: 2}, b"x"])
def test_what_is_no_json_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        dump([value])
    assert "object at" not in str(caught.value)


# --- reading


def test_positions_point_at_keys_and_fall_back_to_the_nearest_parent() -> None:
    _, positions = read(
        "# c\na:\n  b:\n    - x\n    - {c: 1,\n       d: 2}\n<<: {m: 1}\n'2': q\n3: i\n", "x.yml"
    )
    assert positions.line(("a",)) == 2
    assert positions.line(("a", "b")) == 3
    assert positions.line(("a", "b", 1, "d")) == 6
    assert positions.line(("a", "b", "1", "c")) == 5
    assert positions.line(("a", "b", 9, "c")) == 3
    assert positions.line(("a", "nothing")) == 2
    assert positions.line(("m",)) == 7
    assert positions.key_kind(("2",)) == ""
    assert positions.key_kind(("3",)) == "an integer"
    assert positions.line(("nothing",)) == 2


def test_positions_of_json() -> None:
    value, positions = read('{"a": 1e3,\n "b": {"c":\n 2}}', "x.json")
    assert value == {"a": 1000.0, "b": {"c": 2}}
    assert positions.line(("b", "c")) == 2
    assert read('{\t"a": 1,\n\t"b": 2}', "x.json")[1].line(("b",)) == 2


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n"])
def test_an_empty_document_is_none(text: str) -> None:
    assert read(text, "x.yml")[0] is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n\tb: 1\n", 2, "tab"),
        ("a: b: c\n", 1, "colon"),
        ("a: 1\nb: 2\na: 3\n", 3, "lines 1 and 3"),
        ("x: {a: 1, b: {c: 1, c: 2}}\n", 1, "'c' stands twice"),
        ('{"a": 1,\n"a": 2}', 2, "lines 1 and 2"),
        ('{\t"a": 1, "a": 2}', 1, "stands twice"),
        ("1: a\n'1': b\n", 2, "told apart"),
        ("true: a\n'true': b\n", 2, "told apart"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "python/object/apply:os.system"),
        ("a: !custom x\n", 1, "!custom"),
        ("a: !!binary aGk=\n", 1, "!!binary"),
        ("a: !!set {x}\n", 1, "!!set"),
        ("a: !!omap [x: 1]\n", 1, "!!omap"),
        ("a: !vault [x]\n", 1, "!vault"),
        ("a: !vault 12\n", 1, "!vault"),
        ("!vault k: 1\n", 1, "key"),
        ("a: .nan\n", 1, "infinity"),
        ("a: -.inf\n", 1, "infinity"),
        ("a: 1.0e+999\n", 1, "infinity"),
        ('{"a": NaN}', None, "infinity"),
        ('{"a": 1e999}', None, "infinity"),
        ("a: &a [*a]\n", 1, "alias"),
        ("a: &a {b: *a}\n", 1, "alias"),
        ("a: &a\n  <<: *a\n", 2, "merge"),
        ("a: *b\n", 1, "alias"),
        ("<<: text\n", 1, "mapping"),
        ("---\na: 1\n---\nb: 2\n", 3, "document"),
        ("a: {{ x }}\n", 1, "template"),
        ("? [a]\n: 1\n", 1, "key"),
        ("2020-01-01: x\n", 1, "date"),
        ("a: 2020-13-45\n", 1, "timestamp"),
        ("a: 0b_\n", 1, "int"),
        ("a: {__ansible_vault: x}\n", 1, "belongs to Ansible"),
        ("x: 1\na:\n  __ansible_unsafe: x\n  y: 1\n", 3, "belongs to Ansible"),
        ('{"__ansible_type": "x"}', None, "belongs to Ansible"),
        ('{"__ansible_unsafe": 1}', None, "belongs to Ansible"),
        ("a: =\n", 1, "Quote"),
        ("a: <<\n", 1, "Quote"),
        ("a: '\x01'\n", 1, "control"),
        ("a: 1\nb: 'x\n", 3, "quote"),
        ('a: "\\0"\n', 1, "NUL"),
        ('{"a": "\\u0000"}', None, "NUL"),
        ('{"a": "\\ud800"}', None, "half"),
        ("a: [1, 2\nb: 3\n", 2, "bracket"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        ("a: @x\n", 1, "@"),
        ("a: `x`\n", 1, "backtick"),
        ("a: " + "9" * 5000 + "\n", 1, "int"),
    ],
)
def test_bad_yaml_is_refused_with_its_line_and_the_reason(
    text: str | bytes, line: int | None, words: str
) -> None:
    found = problem(text)
    assert found.line == line
    assert words in str(found)


def test_an_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    started = time.perf_counter()
    assert "aliases expand" in problem("\n".join(lines)).message
    assert time.perf_counter() - started < 3


def test_a_merge_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    started = time.perf_counter()
    assert "expands" in problem("\n".join(lines)).message
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    "text", ["[" * 2_000_000, "{a: " * 500_000, '{"a":' * 100_000, "- " * 3_000 + "x", "[" * 101 + "]" * 101]
)
def test_deep_nesting_is_refused_quickly(text: str) -> None:
    started = time.perf_counter()
    assert "nesting" in problem(text).message
    assert time.perf_counter() - started < 3


def test_a_hundred_levels_are_read() -> None:
    assert read("[" * 100 + "]" * 100, "x.yml")[0]
    block = "\n".join("  " * level + "k:" for level in range(100))
    assert read(block, "x.yml")[0]
    problem(block + "\n" + "  " * 100 + "k: {a: 1}")


@pytest.mark.parametrize(
    "text", ["- 1\n" * 1_200_000, "- [[[[[[[[[]]]]]]]]]\n" * 200_000, "[" + "1," * 2_000_000 + "]"]
)
def test_a_file_of_too_many_values_is_refused_before_memory_is_full(text: str) -> None:
    assert "values" in problem(text).message


def test_a_large_file_is_refused_before_it_is_parsed() -> None:
    assert "limit" in problem(b"a: 1\n" * 1_100_000).message
    assert "limit" in problem(b"a: 1\n", max_bytes=4).message


def test_aliases_in_good_faith_are_read() -> None:
    text = "base: &b {" + ", ".join(f"k{n}: {n}" for n in range(100)) + "}\n"
    text += "".join(f"h{n}: *b\n" for n in range(500))
    assert read(text, "x.yml")[0]["h499"]["k99"] == 99


@given(st.text(max_size=60) | st.text("ab:-? \n\t'\"{}[]|>&*!%@`,.=<0123", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value, _ = read(text, "x.yml")
    except YamlProblem as refused:
        assert refused.message
    else:
        json.dumps(value, allow_nan=False)


def test_one_line_where_it_is_asked_for():
    value = {
        "a": Flow(["x, y", "[z]", 1, "1e3", {"k: v": True}, "two\nlines", None, ""]),
        "b": [Flow({}), Flow({"c": []})],
    }
    text = dump(value)
    assert text == (
        "a: ['x, y', '[z]', 1, '1e3', {'k: v': true}, \"two\\nlines\", null, '']\nb:\n  - {}\n  - {c: []}\n"
    )
    found, _ = read(text, "t.yml")
    assert found == {
        "a": ["x, y", "[z]", 1, "1e3", {"k: v": True}, "two\nlines", None, ""],
        "b": [{}, {"c": []}],
    }


@pytest.mark.parametrize("text", ["1e3", "0o17", "1E-2", "12e03", ".5e1", "0x1f", "+1", "1."])
def test_what_is_a_number_to_yaml_1_2_is_quoted(text):
    assert dump({"a": text}) == f"a: '{text}'\n"
