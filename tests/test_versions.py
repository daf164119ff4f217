"""How two people's edits of one page come together. No database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory import versions
from inventory.versions import merge, version_of

SHOWN = {"": {"name": "pi01", "notes": "", "in_groups": frozenset({"1", "2"})}, "interfaces 7": {"mac": "a"}}


def page(**row):
    return {**SHOWN, "": {**SHOWN[""], **row}}


def test_a_version_survives_the_form_and_shows_its_page():
    version = version_of(SHOWN, 41)
    assert versions.read(str(version)) == version
    assert version.shows(SHOWN)
    assert not version.shows(page(notes="moved"))
    assert not version.shows({"": SHOWN[""]})


def test_what_only_the_other_changed_is_adopted():
    found = merge(version_of(SHOWN, 1), page(notes="theirs"), page(name="pi02"))
    assert found.page[""] == {"name": "pi02", "notes": "theirs", "in_groups": frozenset({"1", "2"})}
    assert found.adopted == [("", "notes")]
    assert list(found.undecided) == []


def test_what_both_changed_is_a_conflict_unless_they_agree():
    found = merge(version_of(SHOWN, 1), page(notes="theirs", name="same"), page(notes="mine", name="same"))
    assert found.conflicts == [("", "notes")]
    assert found.page[""]["notes"] == "mine"


def test_two_peoples_links_are_joined():
    theirs, mine = page(in_groups=frozenset({"2", "3"})), page(in_groups=frozenset({"1", "2", "4"}))
    found = merge(version_of(SHOWN, 1), theirs, mine)
    assert found.page[""]["in_groups"] == frozenset({"2", "3", "4"})
    assert list(found.undecided) == []


def test_parts_that_went_came_or_were_edited_meanwhile():
    version, row = version_of(SHOWN, 1), {"": SHOWN[""]}
    assert merge(version, row, SHOWN).gone == ["interfaces 7"]
    edited = {**SHOWN, "interfaces 7": {"mac": "b"}}
    assert merge(version, row, edited).gone_but_edited == ["interfaces 7"]
    assert merge(version, edited, SHOWN, {"interfaces 7"}).edited_but_deleted == ["interfaces 7"]
    assert merge(version, SHOWN, SHOWN, {"interfaces 7"}).edited_but_deleted == []
    more = {**SHOWN, "interfaces 8": {"mac": "c"}}
    assert merge(version, more, SHOWN).added == ["interfaces 8"]


def test_without_a_version_all_that_differs_is_a_conflict():
    assert merge(None, page(notes="theirs"), page(notes="mine")).conflicts == [("", "notes")]
    assert merge(None, SHOWN, SHOWN).conflicts == []


TEXT = st.text(alphabet="abc", max_size=2)
PAGE = st.dictionaries(
    st.sampled_from(["interfaces 1", "interfaces 2"]),
    st.fixed_dictionaries({"mac": TEXT, "ipv4": TEXT}),
).map(lambda parts: {"": {"name": "x"}, **parts})


@given(PAGE, PAGE, PAGE)
def test_no_change_of_either_person_is_lost_unsaid(base, theirs, mine):
    found = merge(version_of(base, 1), theirs, mine)
    undecided = set(found.undecided)
    for part, values in theirs.items():
        for name, value in values.items():
            was = base.get(part, {}).get(name)
            if value != was and part in mine and found.page[part][name] != value:
                assert f"{part}.{name}" in undecided
    for part, values in mine.items():
        for name, value in values.items():
            moved = value != base.get(part, {}).get(name)
            if moved and found.page.get(part, {}).get(name) != value:
                raise AssertionError((part, name))


@given(st.text(max_size=60))
def test_any_text_is_a_version_or_none(token):
    found = versions.read(token)
    assert found is None or versions.read(str(found)) == found
