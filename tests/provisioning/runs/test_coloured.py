"""A terminal's output as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning.admin.runs.coloured import html_lines, plain


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", ["plain"]),
        ("\x1b[0;32mok: [web01]\x1b[0m", ['<span class="ansi-green">ok: [web01]</span>']),
        ("\x1b[1;31mfailed", ['<span class="ansi-red ansi-bold">failed</span>']),
        ("\x1b[31mone\ntwo\x1b[m three", ['<span class="ansi-red">one</span>', '<span class="ansi-red">two</span> three']),
        ("\x1b[97;44mloud", ['<span class="ansi-bright-white ansi-on-blue">loud</span>']),
        ("\x1b[38;5;1ma\x1b[38;5;196mb", ['<span class="ansi-red">a</span><span class="ansi-bright-red">b</span>']),
        ("\x1b[38;2;255;255;0mall", ['<span class="ansi-bright-yellow">all</span>']),
        ("\x1b[1mbold\x1b[22m not", ['<span class="ansi-bold">bold</span> not']),
        ("gone\x1b[2K\x1b]0;title\x07\x08 on", ["gone on"]),
        ("", [""]),
        ("one\n\ntwo\n", ["one", "", "two", ""]),
        ("one\u2028still\x85one\x0b", ["one\u2028stillone"]),
    ],
)  # fmt: skip
def test_colours_become_classes_and_other_sequences_nothing(text, html):
    assert html_lines(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\x1b[31m<img src=x onerror=alert(1)>\x1b[0m",
        '\x1b[3"><b>1m',
        "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07",
    ],
)
def test_nothing_of_it_is_html(text):
    html = "".join(html_lines(text))
    assert "<script" not in html and "<img" not in html and "<b>" not in html and "javascript" not in html


def test_a_very_long_line_is_cut_and_says_so():
    (html,) = html_lines("\x1b[32m" + "x" * 5000, longest=100)
    assert (
        html
        == f'<span class="ansi-green">{"x" * 100}</span><span class="ansi-cut">… 4900 more characters</span>'
    )


@given(some.text(alphabet="\x1b[0;31m38]\n\r<&a\x07\u2028\x85"))
def test_as_many_lines_as_the_text_has_whatever_is_in_it(text):
    html = html_lines(text)
    assert len(html) == len(text.split("\n"))
    assert all("\x1b" not in line and "<a" not in line for line in html)
    assert "\x1b" not in plain(text)
