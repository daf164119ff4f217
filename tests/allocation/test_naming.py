"""Host names by a pattern that a site declares."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inventory import naming
from inventory.changes import change
from inventory.models import Site
from inventory.snapshot import HostFacts, SiteFacts

FIRST = {"standard": "role-form"}
CODED = {
    "standard": "coded",
    "values": {"organisation": "dv", "code": "02"},
    "roles": {"netctrl": "nms", "dns": "dns"},
}


def site(pattern: dict[str, Any]) -> SiteFacts:
    return SiteFacts("lab", "example.net", naming=pattern)


def next_name(pattern: dict[str, Any], role: str, form: str, *taken: str) -> str:
    return naming.next_name(site(pattern), role=role, form=form, taken=taken)


@pytest.mark.parametrize("pattern", [FIRST, CODED], ids=["role-form", "coded"])
def test_a_shipped_standard_has_no_errors(pattern):
    assert naming.check(pattern) == []


@pytest.mark.parametrize(
    ("name", "role", "form", "ordinal"),
    [
        ("hv01", "", "hv", 1),
        ("pi14", "", "pi", 14),
        ("netctrl-vm01", "netctrl", "vm", 1),
        ("big-lab-ph99", "big-lab", "ph", 99),
    ],
)
def test_the_first_standard_reads_role_form_and_ordinal(name, role, form, ordinal):
    parts = naming.read(site(FIRST), name)
    assert (parts.role, parts.form, parts.ordinal) == (role, form, ordinal)


def test_the_second_standard_reads_every_field_and_translates_codes():
    parts = naming.read(site(CODED), "dv02nms001v01")
    assert (parts.role, parts.form, parts.ordinal) == ("netctrl", "vm", 1)
    assert parts.fields["organisation"] == "dv"
    assert (parts.fields["code"], parts.fields["generation"]) == ("02", "01")


@pytest.mark.parametrize(
    "name", ["netctrl-vm1", "netctrl-vm001", "server7", "NETCTRL-vm01", "netctrl-xx01", "-vm01", "hv01\n"]
)
def test_other_names_are_not_read(name):
    assert naming.read(site(FIRST), name) is None


def test_without_a_pattern_nothing_is_judged_or_read():
    assert naming.problem(site({}), HostFacts("Anything goes")) == ""
    assert naming.read(site({}), "hv01") is None


@pytest.mark.parametrize(
    "host",
    [
        HostFacts("hv01", form="hv"),
        HostFacts("netctrl-vm01", form="vm", role="netctrl"),
        HostFacts("core-rt01", form="rt", role="core"),
        HostFacts("ap01", form="ap"),
        HostFacts("netctrl-vm07"),
    ],
    ids=lambda host: host.name,
)
def test_a_name_by_the_pattern_is_no_problem(host):
    assert naming.problem(site(FIRST), host) == ""


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (
            HostFacts("server7", form="vm", role="dns"),
            "“server7” does not follow the pattern [role-]formNN; give it a name such as dns-vm01",
        ),
        (HostFacts("vm01", form="vm"), "“vm01” names no role, which form vm needs"),
        (HostFacts("builder-pi01", form="pi"), "“builder-pi01” names a role, which form pi implies"),
        (HostFacts("pi01", form="ph"), "“pi01” says form pi, and the host is declared with form ph"),
        (HostFacts("dns-vm01", form="vm", role="dhcp"), "“dns-vm01” says role dns, and the host is declared with role dhcp"),
    ],
    ids=lambda value: value.name if isinstance(value, HostFacts) else "",
)  # fmt: skip
def test_a_departure_is_told_with_name_rule_and_way_out(host, said):
    assert said in naming.problem(site(FIRST), host)


def test_the_next_name_has_the_lowest_free_ordinal_of_its_kind():
    assert next_name(FIRST, "netctrl", "vm") == "netctrl-vm01"
    assert next_name(FIRST, "netctrl", "vm", "netctrl-vm01", "NETCTRL-VM03", "dns-vm02") == "netctrl-vm02"
    assert next_name(FIRST, "anything", "pi", "pi01") == "pi02", "a Pi's name leaves the role out"
    assert next_name(FIRST, "", "rt") == "rt01"
    assert next_name(FIRST, "core", "rt", "rt01") == "core-rt01"


def test_a_new_machine_is_no_new_generation_of_an_old_one():
    assert next_name(CODED, "netctrl", "vm", "dv02nms001v02") == "dv02nms002v01"
    assert next_name(CODED, "netctrl", "ph", "dv02nms001v02") == "dv02nms001p01"


@pytest.mark.parametrize(
    ("pattern", "role", "form", "said"),
    [
        ({}, "dns", "vm", "Site lab declares no naming pattern; set its naming, such as"),
        (FIRST, "", "vm", "needs a role of form vm; say which"),
        (FIRST, "dns", "xx", "knows no form “xx”; choose one of hv, vm, ph"),
        (FIRST, "x" * 60, "vm", "a DNS label has at most 63"),
        (CODED, "metrics", "vm", "role “metrics” has not 3 characters"),
        ({"standard": "nope"}, "dns", "vm", "cannot be used: There is no standard “nope”; shipped are role-form and coded."),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_made_is_refused_in_words(pattern, role, form, said):
    with pytest.raises(naming.NoName) as caught:
        next_name(pattern, role, form)
    assert said in str(caught.value)


def test_an_exhausted_pattern_names_its_ends_and_the_way_out():
    taken = [f"hv{number:02}" for number in range(1, 100)]
    with pytest.raises(
        naming.NoName, match="hv01 to hv99 are all taken or withheld; free one from quarantine, or widen"
    ):
        next_name(FIRST, "", "hv", *taken)


@pytest.mark.parametrize("pattern", [FIRST, CODED], ids=["role-form", "coded"])
@pytest.mark.parametrize("form", ["hv", "vm", "ph", "pi", "em", "rt", "sw", "ap"])
def test_what_is_made_is_read_back_and_judged_good(pattern, form):
    name = next_name(pattern, "netctrl", form)
    parts = naming.read(site(pattern), name)
    assert (parts.form, parts.ordinal) == (form, 1)
    assert parts.role in ("netctrl", "")
    assert naming.problem(site(pattern), HostFacts(name, form=form, role="netctrl")) == ""


def test_a_pattern_of_ones_own():
    own = {
        "fields": [
            {"field": "form"},
            {"field": "role", "before": "-"},
            {"field": "number", "digits": 3, "first": 100, "before": "-"},
        ],
        "ordinal": "number",
        "forms": {"vm": "virt"},
    }  # fmt: skip
    assert naming.check(own) == []
    assert next_name(own, "dns", "vm", "virt-dns-100") == "virt-dns-101"
    assert str(naming.pattern_of(own)) == "form-role-NNN"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ({"standard": "nope"}, "There is no standard “nope”; shipped are role-form and coded."),
        ({"standart": "coded"}, "“standart” is no key of a naming pattern; use standard, fields"),
        ({"fields": []}, "A naming pattern has a list of “fields”, or names a “standard”."),
        ({"standard": "role-form", "ordinal": "x"}, "“ordinal” belongs to the standard “role-form” already"),
        ({"standard": "coded"}, "“values” says nothing of organisation"),
        ({**CODED, "values": {"organisation": "dvx", "code": "02"}}, "organisation “dvx” has not 2 characters"),
        ({**CODED, "values": {"organisation": "dv", "code": 2}}, "“values” is a mapping of texts"),
        ({**CODED, "roles": {"dns": "nms", "ntp": "nms"}}, "dns and ntp are both written “nms”"),
        ({**CODED, "roles": {"dns": "nameserver"}}, "“nameserver” for dns has not 3 characters"),
        ({**CODED, "forms": {"ph": "v"}}, "vm and ph are both written “v”"),
        ({"fields": [{"field": "form"}], "ordinal": "n"}, "numbers are none yet: give one field digits"),
        ({"fields": [{"field": "n", "digits": "two"}], "ordinal": "n"}, "Field n: digits is a number from 1 to 9."),
        ({"fields": [{"field": "n", "digits": 2, "size": 1}], "ordinal": "n"}, "Field n: “size” is no key of a field"),
        ({"fields": [{"field": "n", "digits": 2}, {"field": "n"}], "ordinal": "n"}, "Field n stands twice"),
        ({"fields": [{"field": "n", "digits": 1, "first": 10}], "ordinal": "n"}, "first does not fit"),
        ({"fields": ["n"]}, 'Field 1 needs a name in lower case: {"field": "role"}.'),
        ({"fields": [{"field": "n", "digits": 2, "before": "_"}], "ordinal": "n"}, "before is text of lower-case"),
        ({"fields": [{"field": "form", "needed_for": ["vm"]}], "ordinal": "n"}, "Field form is always written"),
    ],
)  # fmt: skip
def test_an_error_in_a_pattern_is_a_sentence(pattern, said):
    assert any(said in error for error in naming.check(pattern)), naming.check(pattern)


@pytest.mark.django_db
def test_a_person_cannot_declare_a_pattern_with_errors_and_an_import_can():
    with pytest.raises(ValidationError) as caught, change(Site(slug="lab", naming={"standard": "nope"})):
        pass
    assert "There is no standard “nope”" in caught.value.message_dict["naming"][0]
    with change(Site(slug="lab", naming={"standard": "nope"}), source="import"):
        pass
