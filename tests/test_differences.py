"""Two values side by side, as people read them. No database."""

from __future__ import annotations

from inventory.differences import HIDDEN, as_text, difference, readable


def test_variables_are_compared_line_by_line():
    old, new = as_text({"a": 1, "b": ["x", "y"]}), as_text({"a": 1, "b": ["x", "z"]})
    found = difference("Variables", old, new)
    assert [line for line in found.lines if line[0] in "+-"] == [("-", "  - y"), ("+", "  - z")]
    assert difference("Variables", "", old).lines[0][0] == "+"
    assert all(sign == "+" for sign, _ in difference("Variables", "", old).lines)


def test_short_texts_stand_side_by_side():
    assert difference("Notes", "one", "two").lines == ()


def test_what_is_sealed_has_a_short_name_and_a_plain_secret_none():
    one, other = ({"x": {"__ansible_vault": text}} for text in ("one", "other"))
    assert as_text(one) != as_text(other)
    assert "one" not in as_text(one)
    assert readable({"db_password": "Sesame12345"}, "variables") == {"db_password": HIDDEN}


def test_the_order_of_keys_is_a_difference():
    found = difference("Variables", as_text({"a": 1, "b": 2}), as_text({"b": 2, "a": 1}))
    assert found.lines
