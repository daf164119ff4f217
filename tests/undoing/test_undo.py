"""Undo: what a change wrote is put back as a new change, or refused with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from inventory import quarantine
from inventory.changes import change
from inventory.models import (
    Alias,
    Authority,
    Change,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Identity,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
)
from inventory.undoing.undo import Refused, preview, undo
from tests.undoing.conftest import latest, undone
from tests.undoing.words import document, pi01, refused

pytestmark = pytest.mark.django_db


NEW: dict[str, Any] = {
    "role": lambda site: Role(site=site, slug="dns", code="02"),
    "segment": lambda site: Segment(site=site, name="storage", vlan=20),
    "group": lambda site: Group(site=site, name="new"),
    "profile": lambda site: Group(site=site, name="new", kind="profile"),
    "host": lambda site: Host(site=site, name="vm01", form="vm", hypervisor=Host.objects.get(name="hv01")),
    "virtualmachine": lambda site: VirtualMachine(host=Host.objects.get(name="vm10"), cores=4),
    "interface": lambda site: Interface(host=pi01(), name="eth1", mac="bc:24:11:00:00:02"),
    "need": lambda site: HostNeed(host=Host.objects.get(name="vm09"), needed=pi01()),
    "service": lambda site: Service(host=pi01(), name="dns"),
    "alias": lambda site: Alias(service=Service.objects.get(), name="other"),
    "membership": lambda site: Membership(host=pi01(), group=Group.objects.get(name="everything")),
    "schedule": lambda site: Schedule(site=site, name="nightly", kind="survey", cron="30 2 * * *", why="x"),
    "kit place": lambda site: KitPlace(site=site, name="share", location="/srv/kits"),
    "project": lambda site: Project(site=site, name="others", location="/srv/others"),
    "template": lambda site: JobTemplate(
        site=site,
        name="web",
        project=Project.objects.get(name="playbooks"),
        playbook="web.yml",
        prompts=[{"name": "a"}],
    ),
    "profile with a template": lambda site: Group(
        site=site, name="new", kind="profile", configure_template=JobTemplate.objects.get(name="base")
    ),
    "use of the emergency access": lambda site: EmergencyUse(site=site, who="ada", why="x"),
    "override": lambda site: SeverityOverride(
        site=site, finding="host-named-as-group", severity="info", why="x", expires=date(2999, 1, 1)
    ),
}
OLD: dict[str, Any] = {
    "host": (
        pi01,
        {
            "notes": "x",
            "console_kind": "serial",
            "power_kind": "pdu",
            "power_outlet": "3",
            "status": "retired",
            "variables": {"z": 1, "a": [None]},
        },
    ),
    "site": (Site.objects.get, {"name": "my lab", "variables": {"b": 1, "a": 2}}),
    "role": (Role.objects.get, {"code": "03", "configure_template": None}),
    "project": (lambda: Project.objects.get(name="playbooks"), {"location": "/srv/others"}),
    "template": (
        lambda: JobTemplate.objects.get(name="base"),
        {"forks": 9, "extra_vars": {"b": 1, "a": 2}, "vault_secrets": {"default": "unlock:vault"}},
    ),
    "segment": (Segment.objects.get, {"vlan": 98, "suffix": "mgmt", "jump_host": None}),
    "group": (lambda: Group.objects.get(name="pis"), {"name": "raspberries", "priority": 7}),
    "interface": (Interface.objects.get, {"ipv4": "192.0.2.11", "primary": False}),
    "hypervisor": (Hypervisor.objects.get, {"node": "pve"}),
    "virtualmachine": (
        VirtualMachine.objects.get,
        {"memory": 4096, "data_disk": 20, "data_disk_serial": "a"},
    ),
    "need": (lambda: HostNeed.objects.get(needed__name="hv01"), {"position": 3}),
    "service": (Service.objects.get, {"port": 80, "name": "store", "web_scheme": "http"}),
    "alias": (Alias.objects.get, {"name": "store"}),
    "schedule": (Schedule.objects.get, {"enabled": False, "parameters": {"b": 1, "a": 2}}),
    "kit place": (KitPlace.objects.get, {"enabled": False, "location": "/media/red"}),
    "override": (SeverityOverride.objects.get, {"why": "longer"}),
    "use of the emergency access": (
        EmergencyUse.objects.get,
        {"why": "longer", "done_by": "ada", "done_at": datetime(2999, 1, 1, tzinfo=UTC)},
    ),
}
GONE: dict[str, Any] = {
    "interface": Interface.objects.get,
    "hypervisor": Hypervisor.objects.get,
    "virtualmachine": VirtualMachine.objects.get,
    "host with its specification": lambda: Host.objects.get(name="vm09"),
    "service with its alias": Service.objects.get,
    "alias": Alias.objects.get,
    "membership": Membership.objects.get,
    "need": lambda: HostNeed.objects.get(needed__name="vm10"),
    "nesting": Nesting.objects.get,
    "schedule": Schedule.objects.get,
    "kit place": KitPlace.objects.get,
    "template": lambda: JobTemplate.objects.get(name="lonely"),
    "override": SeverityOverride.objects.get,
    "use of the emergency access": EmergencyUse.objects.get,
    "group with its links": lambda: Group.objects.get(name="pis"),
    "host with everything": pi01,
}


@pytest.mark.parametrize("noun", NEW)
def test_what_was_added_goes(site, noun):
    before = document()
    with change(site, by="bob", why="added"):
        NEW[noun](site).save()
    assert document() != before
    record = undone()
    assert document() == before
    assert (record.source, record.by_name, record.why) == ("undo", "ada", "Undo of revision 3: a mistake")


@pytest.mark.parametrize("noun", OLD)
def test_what_was_changed_is_put_back(site, noun):
    before = document()
    find, edit = OLD[noun]
    row = find()
    with change(site, by="bob", why="edited"):
        for name, value in edit.items():
            setattr(row, name, value)
        row.save()
    assert document() != before
    undone()
    assert document() == before


@pytest.mark.parametrize("noun", GONE)
def test_what_was_deleted_is_there_again_under_its_id(site, noun):
    before = document()
    row = GONE[noun]()
    pk, model = row.pk, type(row)
    with change(site, by="bob", why="deleted"):
        row.delete()
    assert document() != before
    undone()
    assert document() == before
    assert model.objects.filter(pk=pk).exists()


def test_undoing_an_undo_does_it_again(site):
    with change(site, by="bob"):
        pi01().delete()
    after = document()
    first = undone()
    second = undone(first)
    assert document() == after
    assert not Host.objects.filter(name="pi01").exists()
    undone(second)
    assert Host.objects.filter(name="pi01").exists()


def test_history_has_every_row_of_an_undo_with_person_and_reason(site):
    row = pi01()
    with change(site, by="bob"):
        row.delete()
    record = undone(why="it was the wrong one")
    entry = Host.history.filter(name="pi01").latest("history_id")
    assert (entry.history_type, entry.change_id) == ("+", record.pk)
    again = undone(record)
    entry = Host.history.filter(name="pi01").latest("history_id")
    assert (entry.history_type, entry.change_id) == ("-", again.pk)
    assert Interface.history.latest("history_id").change_id == again.pk


def test_what_the_undone_change_gave_up_goes_back_to_its_holder(site):
    row = Interface.objects.get()
    with change(site, by="bob"):
        row.ipv4 = "192.0.2.11"
        row.save()
    assert Identity.objects.get(value="192.0.2.10").state == "quarantined"
    undone()
    assert Identity.objects.get(value="192.0.2.10").state == "held"
    assert Identity.objects.get(value="192.0.2.11").state == "quarantined"


def test_a_deleted_host_gets_back_what_is_in_quarantine_after_it(site):
    with change(site, by="bob"):
        pi01().delete()
    undone()
    states = {row.state for row in Identity.objects.filter(value="192.0.2.10").exclude(state="released")}
    assert states == {"held"}, list(Identity.objects.filter(value="192.0.2.10").values())


def test_two_rows_that_swapped_their_names_swap_back(site):
    with change(site, by="bob"):
        one, other = pi01(), Host.objects.get(name="hv01")
        one.name, other.name = "tmp", "pi01"
        one.save()
        other.save()
        one.name = "hv01"
        one.save()
    undone()
    assert pi01().form == "pi"


def test_only_the_changed_keys_of_variables_are_put_back(site):
    row = Host.objects.get(name="hv01")
    with change(site, by="bob"):
        row.variables = {"b": 2, "a": {"x": [1, 2]}}
        row.save()
    first = latest()
    with change(site, by="eve"):
        row.variables = {"b": 2, "a": {"x": [1]}, "c": 3}
        row.save()
    undone(first)
    row.refresh_from_db()
    assert row.variables == {"b": 1, "a": {"x": [1]}, "c": 3}


# --- what is refused ---


def test_a_field_that_was_changed_later_is_not_put_back(site):
    row = pi01()
    for by, notes in (("bob", "one"), ("eve", "two")):
        with change(site, by=by):
            row.notes = notes
            row.save()
    first = Change.objects.get(revision=3)
    assert refused(first) == ["host pi01: notes was changed later by eve in revision 4."]
    with pytest.raises(Refused) as refusal:
        undo([first], by="ada", why="x")
    assert refusal.value.refusals[0].change == latest().pk
    undone(latest())
    undone(first)
    assert pi01().notes == ""


def test_a_row_that_was_added_and_changed_later_is_not_deleted(site):
    with change(site, by="bob"):
        row = Host(site=site, name="vm01")
        row.save()
    first = latest()
    with change(site, by="eve"):
        row.notes = "mine"
        row.save()
    assert refused(first) == ["host vm01 was changed later by eve in revision 4 (notes)."]


def test_a_row_that_was_changed_and_deleted_later_is_not_put_back(site):
    row = pi01()
    with change(site, by="bob"):
        row.notes = "one"
        row.save()
    first = latest()
    with change(site, by="eve"):
        row.delete()
    assert refused(first) == ["host pi01 was deleted later by eve in revision 4."]


def test_a_row_that_later_rows_name_is_not_deleted(site):
    with change(site, by="bob"):
        segment = Segment(site=site, name="storage", vlan=20)
        segment.save()
    first = latest()
    with change(site, by="eve"):
        Interface(host=pi01(), name="stor", segment=segment).save()
    assert refused(first) == [
        "segment storage is named by interface pi01/stor (segment), since revision 4 by eve."
    ]


def test_a_row_whose_ground_was_deleted_later_is_not_put_back(site):
    with change(site, by="bob"):
        Interface.objects.get().delete()
    first = latest()
    with change(site, by="eve"):
        Segment.objects.get().delete()
    assert refused(first) == [
        "interface pi01/eth0 needs segment management, which was deleted by eve in revision 4."
    ]


@pytest.mark.parametrize("freed", [True, False])
def test_a_value_that_somebody_else_has_by_now_is_not_taken_from_them(site, freed):
    row = Interface.objects.get()
    with change(site, by="bob"):
        row.ipv4 = "192.0.2.11"
        row.save()
    first = latest()
    quarantine.free(list(Identity.objects.filter(value="192.0.2.10")), by="bob", why="x", source="test")
    with change(site, by="eve"):
        other = Host(site=site, name="pi02")
        other.save()
        taken = Interface(
            host=other, name="eth0", segment=row.segment, addressing="static", ipv4="192.0.2.10"
        )
        taken.save()
    if freed:
        assert refused(first) == [
            "192.0.2.10 belongs to pi02 by now; change it there first: pi01 cannot have it back."
        ]
    else:
        with change(site, by="eve"):
            taken.delete()
        assert "192.0.2.10 was pi02's and is in quarantine until" in refused(first)[0]
    assert preview(site, [first]).refusals[0].sentence == refused(first)[0]


def test_a_name_that_is_taken_by_now_is_not_given_twice(site):
    row = Segment.objects.get()
    with change(site, by="bob"):
        row.name = "old"
        row.save()
    first = latest()
    with change(site, by="eve"):
        Segment(site=site, name="management", vlan=7).save()
    (sentence,) = refused(first)
    assert sentence.startswith("segment old: ") and "name" in sentence


def test_a_declared_authority_is_never_taken_back(site):
    with change(site, by="bob"):
        Authority(site=site, mode="gateway", by_name="bob", why="it serves").save()
    assert refused() == [
        (
            "authority declaration Gateway: the core router for lab was declared; a declaration of authority is "
            "never taken back: declare anew what holds now."
        )
    ]


def test_the_founding_of_a_site_is_not_undone(site):
    founding = Change.objects.get(revision=1)
    assert refused(founding) == [
        "The site itself was founded or deleted by this; delete the site, or declare it from its document."
    ]


def test_groups_never_come_to_lie_in_a_circle(site):
    with change(site, by="bob"):
        Nesting.objects.get().delete()
    first = latest()
    with change(site, by="eve"):
        Nesting(parent=Group.objects.get(name="pis"), child=Group.objects.get(name="everything")).save()
    assert refused(first) == [
        "Groups would lie in a circle: what was nested the other way round later must go first."
    ]


def test_a_reason_is_required_and_nothing_is_undone_twice(site):
    with change(site, by="bob"):
        Role(site=site, slug="dns").save()
    first = latest()
    with pytest.raises(Refused, match="Say why"):
        undo([first], by="ada", why=" ")
    undone(first)
    assert refused(first) == ["Nothing of it is left to undo."]


def test_all_refusals_come_at_once_and_nothing_is_written(site):
    one, other = pi01(), Host.objects.get(name="hv01")
    with change(site, by="bob"):
        for row in (one, other):
            row.notes = "x"
            row.save()
    first = latest()
    with change(site, by="eve"):
        for row in (one, other):
            row.notes = "y"
            row.save()
    revision = Site.objects.get().revision
    assert len(refused(first)) == 2
    assert Site.objects.get().revision == revision
