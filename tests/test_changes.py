"""The door: each way of writing raises the revision once and is remembered; nothing is written past it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from inventory.changes import SiteChange, change
from inventory.door import OutsideChange, open_change
from inventory.models import (
    Alias,
    Authority,
    Change,
    Declared,
    EmergencyUse,
    Group,
    Host,
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
    WorkloadProfile,
)

pytestmark = pytest.mark.django_db

DECLARED = (
    Site,
    Authority,
    Role,
    SeverityOverride,
    EmergencyUse,
    Schedule,
    Project,
    JobTemplate,
    KitPlace,
    Segment,
    Group,
    Membership,
    Nesting,
    Host,
    Hypervisor,
    VirtualMachine,
    Interface,
    Service,
    Alias,
)


@pytest.fixture
def site() -> Site:
    """Site lab: hosts alpha (one interface, one service with an alias) and beta, group web with alpha, in all_web.

    alpha is a hypervisor with an API, beta a machine with a specification; what the rules say of its address is lowered.
    """
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        segment = Segment(site=lab, name="management", network4="192.0.2.0/24")
        segment.save()
        role = Role(site=lab, slug="web")
        role.save()
        alpha, beta = (
            Host(site=lab, name="alpha", role=role, form="hv"),
            Host(site=lab, name="beta", form="vm"),
        )
        alpha.save()
        beta.save()
        interface = Interface(
            host=alpha, name="eth0", segment=segment, addressing="static", ipv4="192.0.2.10"
        )
        interface.save()
        service = Service(host=alpha, name="www")
        service.save()
        Alias(service=service, name="www").save()
        Hypervisor(host=alpha, node="alpha").save()
        VirtualMachine(host=beta).save()
        SeverityOverride(
            site=lab,
            finding="address-in-pool",
            severity="info",
            why="until it is moved",
            expires=date(2999, 1, 1),
        ).save()
        EmergencyUse(site=lab, who="grace", why="The router was gone.").save()
        Schedule(site=lab, name="hourly", kind="survey", every_hours=1, why="VMIDs").save()
        KitPlace(site=lab, name="stick", kind="mount", location="/media/stick").save()
        project = Project(site=lab, name="playbooks", location="/srv/playbooks")
        project.save()
        JobTemplate(site=lab, name="base", project=project, playbook="base.yml").save()
        web, all_web = Group(site=lab, name="web"), Group(site=lab, name="all_web")
        web.save()
        all_web.save()
        Membership(group=web, host=alpha).save()
        Nesting(parent=all_web, child=web).save()
    return lab


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def host(name: str) -> Host:
    return Host.objects.get(name=name)


def history_of(record: Change) -> list[tuple[str, str, str]]:
    """(type, noun, text) of every history row that belongs to *record*."""
    return sorted(
        (row.history_type, model._meta.model_name or "", str(row.instance))
        for model in DECLARED
        for row in model.history.filter(change=record)
    )


# --- each way of writing ---


def save_a_new_row(the_change: SiteChange, site: Site) -> None:
    Host(site=site, name="gamma").save()


def save_a_row(the_change: SiteChange, site: Site) -> None:
    alpha = host("alpha")
    alpha.location = "rack 2"
    alpha.save()


def save_some_fields(the_change: SiteChange, site: Site) -> None:
    alpha = host("alpha")
    alpha.location = "rack 2"
    alpha.save(update_fields=["location"])


def save_the_site(the_change: SiteChange, site: Site) -> None:
    site.name = "mobile lab"
    site.save()


def delete_a_row(the_change: SiteChange, site: Site) -> None:
    Interface.objects.get().delete()


def delete_with_what_hangs_on_it(the_change: SiteChange, site: Site) -> None:
    host("alpha").delete()


def delete_a_group(the_change: SiteChange, site: Site) -> None:
    Group.objects.get(name="web").delete()


def delete_a_queryset(the_change: SiteChange, site: Site) -> None:
    Host.objects.filter(site=site).delete()


def delete_through_the_change(the_change: SiteChange, site: Site) -> None:
    assert the_change.delete(Host.objects.filter(site=site)) == 2


def create_in_bulk(the_change: SiteChange, site: Site) -> None:
    the_change.create([Host(site=site, name="gamma"), Host(site=site, name="delta")])


def update_in_bulk(the_change: SiteChange, site: Site) -> None:
    hosts = list(Host.objects.filter(site=site))
    for row in hosts:
        row.location = "rack 2"
    assert the_change.update(hosts, ["location"]) == 2


def link(the_change: SiteChange, site: Site) -> None:
    web = Group.objects.get(name="web")
    assert the_change.set_links(Membership, {"group": web}, "host", [host("beta")])


def declare_a_profile(the_change: SiteChange, site: Site) -> None:
    WorkloadProfile(site=site, name="ci").save()


def several_at_once(the_change: SiteChange, site: Site) -> None:
    save_a_row(the_change, site)
    create_in_bulk(the_change, site)
    link(the_change, site)


WAYS: dict[Callable[[SiteChange, Site], None], list[tuple[str, str, str]]] = {
    save_a_new_row: [("+", "host", "gamma")],
    save_a_row: [("~", "host", "alpha")],
    save_some_fields: [("~", "host", "alpha")],
    save_the_site: [("~", "site", "lab")],
    delete_a_row: [("-", "interface", "alpha/eth0")],
    create_in_bulk: [("+", "host", "delta"), ("+", "host", "gamma")],
    update_in_bulk: [("~", "host", "alpha"), ("~", "host", "beta")],
}
PARTS = {"interface": 1, "service": 1, "alias": 1, "membership": 1}
NOUNS_GONE: dict[Callable[[SiteChange, Site], None], dict[str, int]] = {
    delete_with_what_hangs_on_it: {"host": 1, "hypervisor": 1, **PARTS},
    delete_a_group: {"group": 1, "membership": 1, "nesting": 1},
    delete_a_queryset: {"host": 2, "hypervisor": 1, "virtualmachine": 1, **PARTS},
    delete_through_the_change: {"host": 2, "hypervisor": 1, "virtualmachine": 1, **PARTS},
}
OTHERS = [link, declare_a_profile, several_at_once]


@pytest.mark.parametrize("way", [*WAYS, *NOUNS_GONE, *OTHERS], ids=lambda way: way.__name__)
def test_each_way_raises_the_revision_once_and_says_who_and_why(
    site: Site, ada: User, way: Callable[[SiteChange, Site], None]
) -> None:
    before = Site.objects.get().revision
    with change(site, by=ada, why="because", source="admin") as the_change:
        way(the_change, site)
    assert Site.objects.get().revision == before + 1 == site.revision
    record = Change.objects.get(revision=before + 1)
    assert (record.by, record.by_name, record.why, record.source) == (ada, "ada", "because", "admin")
    assert (record.site, record.site_slug) == (site, "lab")
    for model in DECLARED:
        for row in model.history.filter(change=record):
            assert (row.history_user, row.history_change_reason) == (ada, "because")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_row_written_is_in_history(site: Site, way: Callable[[SiteChange, Site], None]) -> None:
    with change(site, why="because") as the_change:
        way(the_change, site)
    assert history_of(Change.objects.first()) == WAYS[way]


@pytest.mark.parametrize("way", NOUNS_GONE, ids=lambda way: way.__name__)
def test_each_row_that_went_is_in_history(site: Site, way: Callable[[SiteChange, Site], None]) -> None:
    with change(site, why="because") as the_change:
        way(the_change, site)
    record = Change.objects.first()
    gone = {
        model._meta.model_name: model.history.filter(change=record, history_type="-").count()
        for model in DECLARED
    }
    assert {noun: count for noun, count in gone.items() if count} == NOUNS_GONE[way]


def test_links_that_stand_already_change_nothing(site: Site) -> None:
    web = Group.objects.get(name="web")
    with change(site, why="no news") as the_change:
        assert not the_change.set_links(Membership, {"group": web}, "host", [host("alpha")])
        assert the_change.create([]) == []
        assert the_change.update([], ["name"]) == 0
    assert Site.objects.get().revision == 1
    assert Change.objects.count() == 1


def test_a_new_site_is_the_first_write_of_its_first_revision(site: Site, ada: User) -> None:
    assert (site.revision, Change.objects.get().revision) == (1, 1)
    bare = Site(slug="bare")
    with change(bare, by=ada, why="founded"):
        pass
    record = Change.objects.get(site=bare)
    assert (Site.objects.get(slug="bare").revision, record.why) == (1, "founded")
    assert history_of(record) == [("+", "site", "bare")]


def test_a_site_can_go_and_its_change_remains(site: Site) -> None:
    with change(site, why="dissolved"):
        site.delete()
    record = Change.objects.get(why="dissolved")
    assert (record.site, record.site_slug, record.revision) == (None, "lab", 2)
    assert not Host.objects.exists()
    assert Site.history.get(change=record, history_type="-").slug == "lab"


def test_an_exception_undoes_everything(site: Site) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), change(site, why="half") as the_change:
        save_a_row(the_change, site)
        fail()
    assert Site.objects.get().revision == 1
    assert host("alpha").location == ""
    assert Change.objects.count() == 1
    assert open_change() is None


def test_a_change_inside_a_change_is_part_of_it(site: Site) -> None:
    with change(site, why="outer") as outer:
        save_a_row(outer, site)
        with change(site, why="inner") as inner:
            assert inner is outer
            save_a_new_row(inner, site)
    assert Site.objects.get().revision == 2
    assert Change.objects.get(revision=2).why == "outer"


def test_two_sites_at_once_move_each_by_one(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        pass
    with change(site, other, why="both"):
        Host(site=site, name="gamma").save()
        Host(site=other, name="gamma").save()
    assert dict(Site.objects.values_list("slug", "revision")) == {"lab": 2, "other": 2}
    assert Change.objects.filter(why="both").count() == 2


# --- past the door ---


def test_nothing_is_saved_or_deleted_outside_a_change(site: Site) -> None:
    alpha = host("alpha")
    for attempt in (
        alpha.save,
        alpha.delete,
        Host(site=site, name="gamma").save,
        Interface.objects.get().delete,
        Membership.objects.get().delete,
        site.save,
        site.delete,
    ):
        with pytest.raises(OutsideChange, match="only be written inside `with change"):
            attempt()
    assert Host.objects.count() == 2


@pytest.mark.parametrize("model", DECLARED)
def test_nothing_is_written_in_bulk_past_the_change(site: Site, model: Any) -> None:
    rows = model.objects.all()
    attempts: list[Callable[[], Any]] = [
        lambda: rows.update(pk=1),
        lambda: model.objects.bulk_create([]),
        lambda: model.objects.bulk_update([], ["id"]),
        rows.delete,
    ]
    for attempt in attempts:
        with pytest.raises(OutsideChange, match="use the bulk operations"):
            attempt()
    with change(site, why="even inside"):
        for attempt in attempts[:3]:
            with pytest.raises(OutsideChange):
                attempt()


def test_a_change_writes_its_own_sites_alone(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        pass
    with change(site, why="not that one") as the_change:
        with pytest.raises(OutsideChange, match="belongs to a site"):
            Host(site=other, name="gamma").save()
        with pytest.raises(OutsideChange, match="belongs to a site"):
            the_change.create([Host(site=other, name="gamma")])
        with pytest.raises(OutsideChange, match="another site"), change(other, why="second"):
            pass


def test_a_queryset_deletes_what_its_change_may_and_tells_the_ledger(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        Host(site=other, name="gamma").save()
    with pytest.raises(OutsideChange, match="belongs to a site"), change(site, why="not that one"):
        Host.objects.filter(site=other).delete()
    with change(site, why="gone"):
        assert Host.objects.filter(site=site, name="alpha").delete()[1]["inventory.Host"] == 1
    assert Identity.objects.get(kind="name", value="alpha").state == "quarantined"


def test_ports_of_a_switch_that_goes_are_in_history(site: Site) -> None:
    with change(site, why="a switch"):
        switch = Host(site=site, name="sw01")
        switch.save()
        port = Interface.objects.get()
        port.switch = switch
        port.save()
    with change(site, why="broken"):
        switch.delete()
    newest = port.history.latest()
    assert (newest.history_type, newest.switch_id, newest.change.why) == ("~", None, "broken")


def test_a_person_is_refused_with_every_problem_an_import_is_not(site: Site) -> None:
    wrong = [Host(site=site, name="Not A Name"), Host(site=site, name="gamma", form="xx")]
    with pytest.raises(ValidationError) as caught, change(site, why="typed") as the_change:
        the_change.create(wrong)
    assert len(caught.value.messages) == 2
    assert Host.objects.count() == 2
    with change(site, why="as it lives", source="import") as the_change:
        the_change.create([Host(site=site, name="Not A Name"), Host(site=site, name="gamma", form="xx")])
    assert Host.objects.count() == 4


def test_the_database_has_the_last_word_in_words(site: Site) -> None:
    with pytest.raises(ValidationError, match="has a host of this name"), change(site, source="import"):
        Host(site=site, name="alpha").save()
    assert Site.objects.get().revision == 1


def test_what_is_in_use_does_not_go(site: Site) -> None:
    for row, user in ((Segment.objects.get(), "interface alpha/eth0"), (Role.objects.get(), "host alpha")):
        words = f"still used by {user}; change or delete that"
        with pytest.raises(ValidationError, match=words), change(site, why="tidy"):
            row.delete()
    assert Site.objects.get().revision == 1


# --- the source itself ---

RAW = {"update", "bulk_create", "bulk_update", "delete", "_raw_delete", "update_or_create", "get_or_create"}
#: Where rows that nobody declares are written, or where the door itself is.
MAY = {
    "inventory/changes.py": "the door",
    "inventory/querysets.py": "the guard",
    "inventory/copies.py": "which copy this is, and which others were met",
    "inventory/promoting.py": "the epoch, before the door opens",
    "provisioning/backups/restoring.py": "which copy this is, once an archive is put back",
    "inventory/ledger.py": "identities, kept inside the door",
    "inventory/models/base.py": "the rows' own save and delete",
    "inventory/serving/publication.py": "zone serials, which are not declared",
    "inventory/serving/renderings.py": "the index of renderings",
    "inventory/serving/consumers.py": "who took what",
    "inventory/api/auth.py": "use of a token",
    "inventory/management/commands/token.py": "tokens",
    "inventory/level_groups.py": "Django's user groups",
    "inventory/granting.py": "levels of people",
    "inventory/api/v1/remembering.py": "answers that are remembered for a day",
}


def _raw_writes(path: Path) -> list[str]:
    """`<something>.objects….update(` and its like: calls on what may be a queryset, but of what happens."""
    found, tree = [], ast.parse(path.read_text(encoding="utf-8"))
    happening = tuple(f"{name}.objects" for name in _from_provisioning(tree))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called_on = ast.unparse(node.func.value)
        if node.func.attr in RAW and "objects" in called_on and not called_on.startswith(happening):
            found.append(f"{path}:{node.lineno}: {ast.unparse(node.func)}")
    return found


def _from_provisioning(tree: ast.AST) -> set[str]:
    """Names of models that are not declared: jobs, workers, surveys."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "provisioning.models"
        for alias in node.names
    }


def test_the_source_writes_declared_rows_through_the_door_alone() -> None:
    root = Path(__file__).resolve().parent.parent
    found = [
        line
        for folder in ("inventory", "provisioning", "mgmtplane")
        for path in sorted((root / folder).rglob("*.py"))
        if "migrations" not in path.parts and str(path.relative_to(root)) not in MAY
        for line in _raw_writes(path)
    ]
    assert found == [], "write through change(): see docs/architecture.md"


def test_the_search_for_raw_writes_finds_them(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text(
        "Host.objects.filter(a=1).update(b=2)\n{}.update(a=1)\nfor x in Host.objects.all(): pass\n"
        "from provisioning.models import Survey as Row\nRow.objects.all().delete()\n"
    )
    assert _raw_writes(source) == [f"{source}:1: Host.objects.filter(a=1).update"]


def test_every_declared_noun_is_tried_here() -> None:
    """A noun that is added is added to DECLARED above, and so to the tests of the guard."""
    concrete = {model for model in _below(Declared) if not model._meta.abstract and not model._meta.proxy}
    assert concrete == set(DECLARED)


def _below(model: Any) -> set[Any]:
    return {found for child in model.__subclasses__() for found in {child, *_below(child)}}


def test_the_lock_is_one_that_readers_can_pass(site: Site) -> None:
    """PostgreSQL: a Rendering refers to its site; noting one must not wait for a long import."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has no row locks")
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries, transaction.atomic(), change(site, why="x"):
        pass
    assert any("FOR NO KEY UPDATE" in query["sql"] for query in queries)
