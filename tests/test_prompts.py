"""Prompts of job templates: what may be asked, and what answers it."""

from __future__ import annotations

import pytest

from inventory.automating.automation import prompt_problems
from inventory.automating.prompts import (
    MOST,
    Prompt,
    PromptError,
    answers,
    parse,
    secret_names,
    stored,
    written,
)

ALL_KINDS = [
    {"name": "release", "label": "Release", "minimum": 3, "maximum": 5, "help": "Such as v1.4."},
    {"name": "workers", "kind": "number", "default": 4, "minimum": 1, "maximum": 8},
    {"name": "ring", "kind": "choice", "choices": ["canary", "all"]},
    {"name": "packages", "kind": "list", "required": False, "default": ["vim", "git"]},
    {"name": "reboot", "kind": "yes_no", "default": False},
    {"name": "admin_password", "kind": "secret", "minimum": 8},
]


def _problems(*values):
    with pytest.raises(PromptError) as refused:
        parse(list(values))
    return refused.value.problems


def test_prompts_are_read_and_written_again_as_they_were():
    prompts = parse(ALL_KINDS)
    assert written(prompts) == ALL_KINDS
    assert stored(ALL_KINDS) == prompts
    assert [prompt.name for prompt in prompts if prompt.must_be_asked] == [
        "release",
        "ring",
        "admin_password",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", "is no mapping"),
        ({}, "its name must be one of a variable"),
        ({"name": "class"}, "its name must be one of a variable"),
        ({"name": "web-port"}, "its name must be one of a variable"),
        ({"name": "hostvars"}, "Ansible sets hostvars itself"),
        ({"name": "a", "kind": "password"}, "its kind is string, number, choice, list, yes_no or secret"),
        ({"name": "a", "kind": ["string"]}, "its kind is"),
        ({"name": "a", "minimal": 3}, "there is no “minimal” in a prompt"),
        ({"name": "a", "label": 5}, "label is text"),
        ({"name": "a", "required": "yes"}, "required is true or false"),
        ({"name": "a", "kind": "choice"}, "a choice needs choices"),
        ({"name": "a", "kind": "choice", "choices": [1, 2]}, "put numbers and yes or no in quotes"),
        ({"name": "a", "kind": "choice", "choices": ["x", "x"]}, "stands there twice"),
        ({"name": "a", "choices": ["x"]}, "only a choice or a list has choices"),
        ({"name": "a", "kind": "number", "minimum": "1"}, "minimum and maximum are numbers"),
        ({"name": "a", "kind": "number", "minimum": float("nan")}, "minimum and maximum are numbers"),
        ({"name": "a", "kind": "number", "minimum": 9, "maximum": 1}, "its minimum 9 is above its maximum 1"),
        ({"name": "a", "minimum": -1}, "whole numbers from 0"),
        ({"name": "a", "kind": "yes_no", "maximum": 1}, "mean nothing for a yes_no"),
        ({"name": "a", "kind": "number", "default": "many"}, "its default does not answer it"),
        ({"name": "a", "kind": "choice", "choices": ["x"], "default": "y"}, "its default does not answer it"),
        ({"name": "a", "kind": "secret", "default": "x"}, "a secret has no default"),
    ],
)
def test_a_prompt_that_cannot_be_asked_says_why(value, said):
    assert any(said in problem for problem in _problems(value))


def test_all_faults_of_all_prompts_are_told_at_once():
    told = _problems({"name": "a", "kind": "odd", "label": 1}, {"name": "b"}, {"name": "b"})
    assert len(told) == 3
    assert told[0].startswith("Prompt “a”: ")
    assert "Prompt “b” stands there twice" in told[2]


def test_what_is_no_list_of_prompts_is_refused():
    for value in ({"name": "a"}, "a", None, 5):
        with pytest.raises(PromptError, match="Prompts are a list"):
            parse(value)


def test_more_prompts_than_anybody_answers_are_refused():
    assert "more than anybody answers" in _problems(*({"name": f"a{n}"} for n in range(MOST + 1)))[-1]


def test_what_is_not_given_is_the_default():
    values, errors = answers(parse(ALL_KINDS), {"release": "v1.4", "ring": "all"})
    assert errors == {}
    assert values == {
        "release": "v1.4",
        "workers": 4,
        "ring": "all",
        "packages": ["vim", "git"],
        "reboot": False,
    }


def test_words_of_a_shell_and_values_of_the_api_answer_alike():
    prompts = parse(ALL_KINDS)
    shell = {"release": "v1.4", "workers": "8", "ring": "all", "packages": "vim, git", "reboot": "yes"}
    api = {"release": "v1.4", "workers": 8, "ring": "all", "packages": ["vim", "git"], "reboot": True}
    assert answers(prompts, shell) == answers(prompts, api)
    assert answers(prompts, shell)[0] == api


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("release", "", "Release must be given."),
        ("release", 14, "Release is text; put it in quotes."),
        ("release", "v1", "Release has 3 characters or more."),
        ("release", "v1.4.7", "Release has 5 characters at most."),
        ("release", "a\0bc", "NUL"),
        ("workers", "many", "workers is a number"),
        ("workers", True, "workers is a number"),
        ("workers", "nan", "workers is a number"),
        ("workers", "1e999", "workers is a number"),
        ("workers", 0, "workers is 1 or more."),
        ("workers", "9", "workers is 8 at most."),
        ("ring", "some", "ring is one of canary, all."),
        ("ring", ["all"], "ring is one of canary, all."),
        ("packages", [1], "packages is a list of texts"),
        ("packages", {"a": 1}, "packages is a list of texts"),
        ("reboot", "perhaps", "reboot is yes or no."),
        ("reboot", 1, "reboot is yes or no."),
        ("admin_password", "short", "admin_password has 8 characters or more."),
        ("nobody", "x", "The template asks for no “nobody”; it asks for release, workers"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_its_name(name, given, said):
    fine = {"release": "v1.4", "ring": "all"}
    values, errors = answers(parse(ALL_KINDS), {**fine, name: given})
    assert list(errors) == [name]
    assert said in errors[name][0]
    assert name not in values


def test_every_wrong_answer_is_told_at_once():
    _, errors = answers(parse(ALL_KINDS), {"workers": 99, "reboot": "perhaps"})
    assert sorted(errors) == ["reboot", "release", "ring", "workers"]


def test_a_secret_is_never_among_the_values_and_never_repeated():
    prompts = parse(ALL_KINDS)
    given = {"release": "v1.4", "ring": "all", "admin_password": "planted-in-clear"}
    values, errors = answers(prompts, given)
    assert "planted-in-clear" not in f"{values}{errors}"
    assert secret_names(prompts) == ("admin_password",)


def test_a_secret_that_is_missing_is_no_error_since_a_run_asks_for_it():
    values, errors = answers(parse([{"name": "password", "kind": "secret"}]), {})
    assert (values, errors) == ({}, {})


def test_a_secret_that_is_refused_is_not_repeated():
    prompts = parse(ALL_KINDS)
    _, errors = answers(prompts, {"release": "v1.4", "ring": "all", "admin_password": "x"})
    assert "x" not in errors["admin_password"][0].split()


def test_what_is_not_required_may_stay_empty():
    prompts = (
        Prompt("note", required=False, default="as ever"),
        Prompt("count", kind="number", required=False),
        Prompt("hosts", kind="list", required=False),
    )
    assert answers(prompts, {"note": "", "count": "", "hosts": ""}) == ({"note": ""}, {})


def test_items_of_a_list_are_among_its_choices():
    (prompt,) = parse([{"name": "rings", "kind": "list", "choices": ["a", "b"], "maximum": 1}])
    assert answers((prompt,), {"rings": "a"}) == ({"rings": ["a"]}, {})
    assert "“c” is none of them" in answers((prompt,), {"rings": "c"})[1]["rings"][0]
    assert "has 1 items at most" in answers((prompt,), {"rings": "a,b"})[1]["rings"][0]


@pytest.mark.parametrize("name", ["vars", "ansible_connection", "ansible_ssh_common_args", "ansible_facts"])
def test_nobody_is_asked_how_ansible_works(name):
    (problem,) = _problems({"name": name})
    assert name in problem and "choose another name" in problem.lower()


@pytest.mark.parametrize(
    "name", ["ansible_user", "ansible_password", "ansible_become_password", "ansible_ssh_pass"]
)
def test_credentials_are_asked_for_by_the_names_that_ansible_has_for_them(name):
    assert parse([{"name": name, "kind": "secret"}])[0].name == name


def test_a_prompt_is_no_extra_variable_of_the_template():
    asked = [{"name": "release"}, {"name": "ring"}]
    (problem,) = prompt_problems(asked, {"release": "1.4"})
    assert "“release” is an extra variable" in problem
    assert prompt_problems(asked, {"other": 1}) == []
