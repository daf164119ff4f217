"""States, plans and redaction: no database."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning import states
from provisioning.plans import ACTS, ADD, CHANGE, REMOVE, RUN, Line, Plan, moved
from provisioning.redaction import HIDDEN, holds_secret, redact, redacted

# --- states ---


def test_the_table_knows_every_state_and_no_other():
    assert set(states.MOVES) == set(states.STATES) == set(states.MEANING)
    assert {after for moves in states.MOVES.values() for after in moves} <= set(states.STATES)
    assert set(states.ACTIVE) | set(states.FINISHED) == set(states.STATES)


def test_what_is_finished_stays_so():
    assert all(not states.MOVES[state] for state in states.FINISHED)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(states.STATES, repeat=2)))
def test_a_move_is_legal_only_if_the_table_has_it(before, after):
    if after in states.MOVES[before]:
        states.require_legal(before, after)
    else:
        with pytest.raises(states.IllegalMove, match=f"from {before} to {after}"):
            states.require_legal(before, after)


# --- plans ---

lines = st.builds(Line, st.sampled_from((ADD, CHANGE, REMOVE)), st.text(max_size=5), st.text(max_size=5))


@given(st.lists(lines, max_size=6), st.randoms())
def test_a_plan_is_the_same_in_whatever_order_it_was_made(given_lines, random):
    shuffled = list(given_lines)
    random.shuffle(shuffled)
    one, other = Plan(tuple(given_lines)), Plan(tuple(shuffled))
    assert one.lines == other.lines
    assert one.fingerprint == other.fingerprint
    assert Plan.from_dict(one.as_dict()).fingerprint == one.fingerprint


@given(st.lists(lines, max_size=4, unique=True), st.lists(lines, max_size=4, unique=True))
def test_two_plans_have_one_fingerprint_only_if_they_say_the_same(one, other):
    first, second = Plan(tuple(one)), Plan(tuple(other))
    assert (first.fingerprint == second.fingerprint) == (set(one) == set(other))
    assert bool(moved(first, second)) == (set(one) != set(other))


def test_problems_and_warnings_are_part_of_it():
    fingerprints = {Plan().fingerprint, Plan(problems=("x",)).fingerprint, Plan(warnings=("x",)).fingerprint}
    assert len(fingerprints) == 3


def test_steps_keep_their_order_and_are_counted():
    plan = Plan((Line(RUN, "z"), Line(RUN, "a"), Line(REMOVE, "c"), Line(ADD, "b", "new")))
    assert [str(line) for line in plan.lines] == ["+ b: new", "- c", "> z", "> a"]
    assert plan.counts == {"add": 1, "remove": 1, "run": 2}
    assert plan.summary == "1 to add, 1 to remove, 2 to run"
    assert Plan().summary == "nothing to do"
    assert moved(plan, Plan((Line(RUN, "z"),))) == ("no longer: + b: new", "no longer: - c", "no longer: > a")


def test_the_rest_of_a_plan_brings_nothing_new():
    whole = Plan((Line(REMOVE, "a"), Line(REMOVE, "b")))
    assert Plan((Line(REMOVE, "a"),)).is_rest_of(whole)
    assert Plan().is_rest_of(whole)
    assert not Plan((Line(REMOVE, "c"),)).is_rest_of(whole)
    assert not Plan(problems=("no",)).is_rest_of(whole)


def test_an_unknown_act_is_refused():
    with pytest.raises(ValueError, match="'drop' is no act; there are add, change, remove, run"):
        Line("drop", "x")
    assert ACTS == ("add", "change", "remove", "run")


# --- secrets ---

SECRETS = [
    ("PVEAPIToken=root@pam!jobs=0b1c2d3e-1111-2222-3333-444455556666", "0b1c2d3e"),
    ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ("{'Authorization': 'PVEAPIToken=a@pve!b=11112222-3333'}", "11112222"),
    ("Authorization: Basic YWRtaW46aHVudGVyMg==", "YWRtaW46aHVudGVyMg"),
    ("postgresql://user:hunter2@db.example.org/x", "hunter2"),
    ("amqp://guest:gu%65st@broker//", "gu%65st"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----", "b3BlbnNz"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEcut off", "MIIEcut"),
    ("cookie PVE:root@pam:65AB12CD::c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ("password=hunter2 and more", "hunter2"),
    ('{"password": "hunter2"}', "hunter2"),
    ("api_key: abcdef1234", "abcdef1234"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_text_of_the_shape_of_a_secret_is_hidden(text, secret):
    assert secret in text
    assert secret not in redact(text)
    assert HIDDEN in redact(text)
    assert holds_secret({"note": [text]})
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "The password is asked for later.",
        "token env:PVE_TOKEN, secret: file:/run/secret, password=vault:vault_pw",
        "https://pve.example.org:8006/api2/json",
        "VM 200 on hv01 has bc:24:11:ce:51:ec",
        "sshkeys ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 kim@lab",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert redact(text) == text


@given(st.text(min_size=4, max_size=30).filter(lambda text: text.strip() and text not in HIDDEN))
def test_a_known_secret_is_hidden_wherever_it_stands(secret):
    found = redacted({"a": [f"x{secret}y", {"b": secret}]}, [secret])
    assert secret not in found["a"][1]["b"]
    assert found["a"][1]["b"] != secret


def test_a_known_secret_is_hidden_in_other_spellings():
    import base64
    from urllib.parse import quote

    secret = 'hu"nt/er 22'
    for spelt in (quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert redact(f"<{spelt}>", [secret]) == f"<{HIDDEN}>"
