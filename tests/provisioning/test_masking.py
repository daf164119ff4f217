"""Known secrets are taken out of text, however they are spelt, and however many they are."""

from __future__ import annotations

import base64
import json
import shlex
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.masking import Mask
from provisioning.redaction import HIDDEN, SHORTEST

SECRETS = ["simple-secret", "pa'ss \"wo\\rd/ü+", "first long line\nsecond long line", "{{ jinja }} & <tag>"]
SPELLINGS = {
    "itself": str,
    "base64": lambda one: base64.b64encode(one.encode()).decode(),
    "url-safe base64": lambda one: base64.urlsafe_b64encode(one.encode()).decode(),
    "JSON": lambda one: json.dumps(one)[1:-1],
    "JSON with letters of its own": lambda one: json.dumps(one, ensure_ascii=False)[1:-1],
    "JSON within JSON": lambda one: json.dumps(json.dumps(one, ensure_ascii=False), ensure_ascii=False),
    "percent-encoded": quote,
    "percent-encoded whole": lambda one: quote(one, safe=""),
    "a form": quote_plus,
    "a shell": shlex.quote,
    "a shell within a shell": lambda one: shlex.quote(f"TOKEN={shlex.quote(one)}"),
    "JSON of a shell": lambda one: json.dumps(f"echo {shlex.quote(one)}"),
    "Python": repr,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_however_it_is_spelt(secret, spelling):
    written = SPELLINGS[spelling](secret)

    said = Mask([secret]).mask(f"before {written} after")

    assert HIDDEN in said and written not in said
    assert said.startswith("before ") and said.endswith(" after")


def test_each_line_of_a_longer_secret_is_hidden_by_itself():
    mask = Mask(["-----BEGIN KEY-----\nMIIabcdefghijklmnop\nqrstuvwxyz012345678\n-----END KEY-----"])

    assert mask.mask("out: MIIabcdefghijklmnop") == f"out: {HIDDEN}"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_a_secret_within_something_in_base64_is_hidden(before):
    written = base64.b64encode(f"{before}simple-secret:more".encode()).decode()

    said = Mask(["simple-secret"]).mask(written)

    assert HIDDEN in said
    assert b"secret" not in base64.b64decode(said.replace(HIDDEN, "") + "====", validate=False)


def test_what_becomes_known_later_is_hidden_from_then_on():
    mask = Mask()
    assert mask.mask("a later-secret") == "a later-secret"

    mask.add(["later-secret"])

    assert mask.mask("a later-secret") == f"a {HIDDEN}"


def test_the_longest_of_several_that_fit_is_hidden_whole():
    assert Mask(["abcdef", "abcdefghij"]).mask("abcdefghij abcdef") == f"{HIDDEN} {HIDDEN}"


def test_names_numbers_and_nested_values_are_masked_and_the_rest_is_left():
    assert Mask(["simple-secret", "123456"]).masked(
        {"simple-secret": [1, 123456, True, None, "a simple-secret"], "b": 1.5}
    ) == {HIDDEN: [1, HIDDEN, True, None, f"a {HIDDEN}"], "b": 1.5}


@given(st.lists(st.text(min_size=SHORTEST), min_size=1, max_size=5), st.text())
def test_no_known_secret_is_left_in_any_text(secrets, text):
    said = Mask(secrets).mask(text.join(["", *secrets, ""]))

    # what hides a secret is not the secret, unless it is a part of those words themselves
    assert all(secret not in said or secret in HIDDEN * 3 for secret in secrets)


def test_five_thousand_secrets_do_not_make_fifty_thousand_lines_slow():
    mask = Mask(f"value-{number:05}-of-a-vault" for number in range(5000))
    begun = time.monotonic()

    for number in range(50_000):
        mask.mask(f'    "some_name_{number}": "an ordinary line of output, value-{number}",')

    assert time.monotonic() - begun < 60
