"""Sealed values go out as short marks and come back bit by bit."""

from __future__ import annotations

import pytest

from inventory import sealed_marks, vault, yaml11

SEALED = {"__ansible_vault": vault.encrypt(b"a secret", b"example")}
STORED = {"z": 1, "psk": SEALED, "list": [{"inner": SEALED}]}


def test_a_mark_comes_back_as_the_very_ciphertext():
    text = yaml11.dump(sealed_marks.marked(STORED))
    assert "$ANSIBLE_VAULT" not in text and "psk: !vault sealed-" in text
    assert sealed_marks.restored(yaml11.read(text, "x")[0], STORED) == STORED


def test_a_mark_may_move_to_another_key():
    mark = sealed_marks.marked(SEALED)
    assert sealed_marks.restored({"elsewhere": mark}, STORED) == {"elsewhere": SEALED}


def test_new_ciphertext_replaces_a_mark():
    other = {"__ansible_vault": vault.encrypt(b"another", b"example")}
    assert sealed_marks.restored({"psk": other}, STORED) == {"psk": other}


@pytest.mark.parametrize(
    ("value", "said", "path"),
    [
        ({"a": {"b": {"__ansible_vault": "sealed-0123456789ab"}}}, "is not stored here", ("a", "b")),
        ({"a": [{"__ansible_vault": "open sesame"}]}, "is not ciphertext", ("a", 0)),
    ],
)
def test_what_is_neither_says_where(value, said, path):
    with pytest.raises(sealed_marks.NotSealed, match=said) as refused:
        sealed_marks.restored(value, STORED)
    assert refused.value.path == path
