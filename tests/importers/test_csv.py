"""Tables: what a spreadsheet may do to one, and what importing it would change."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from hypothesis import assume, given, seed

from inventory import reading
from inventory.changes import change
from inventory.document import amending
from inventory.document.amending import Amended, Moved, Refused
from inventory.exports import get_export
from inventory.importers import csv as tables
from inventory.models import Alias, Change, Group, Host, Interface, Membership, Role, Segment, Service, Site
from inventory.snapshot import Snapshot
from tests.document.generated import whole_sites
from tests.document.support import apply as declare
from tests.document.test_round_trip import rolled_back
from tests.exports.sites import examples
from tests.importers.site_support import imported
from tests.scale import share
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    reading.forget()
    yield
    reading.forget()


@pytest.fixture
def lab() -> Site:
    """pi01 on management with a service and a group, pi02 without an interface."""
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        segment = Segment(site=site, name="management", vlan=99, network4="192.0.2.0/25")
        segment.save()
        Segment(site=site, name="storage", vlan=20, network4="192.0.2.128/25").save()
        Role(site=site, slug="netctrl").save()
        group = Group(site=site, name="pis")
        group.save()
        Group(site=site, name="rack_a").save()
        one = Host(site=site, name="pi01", form="pi", notes="behind the red door\nand up")
        one.save()
        Interface(
            host=one, name="eth0", mac="bc:24:11:ce:51:ec", segment=segment, addressing="static",
            ipv4="192.0.2.10", a_record=True, reservation=True,
        ).save()  # fmt: skip
        Service(host=one, name="artifacts", port=80).save()
        Membership(group=group, host=one).save()
        Host(site=site, name="pi02", form="pi").save()
    return site


def makers(text: str | bytes, **more):
    content = text if isinstance(text, bytes) else text.encode()
    return {"lab": lambda stored: tables.read(content, "t.csv", stored, **more)}


def plan(text: str | bytes, **more) -> Amended:
    (found,) = amending.plan(makers(text, **more))
    return found


def lines(text: str | bytes, **more) -> list[str]:
    found = plan(text, **more)
    assert [str(one) for one in found.complaints] == []
    return [str(entry) for entry in found.entries]


def complaints(text: str | bytes, **more) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.sentence) for one in plan(text, **more).complaints]


def apply(text: str | bytes, **more) -> None:
    amending.amend(makers(text, **more), seen=None, by="ada", why="a test")


# --- what changes ---


def test_only_the_columns_that_a_table_has_change(lab):
    assert lines("host,platform\npi01,NUC 11\n") == ["change host pi01: platform nothing → NUC 11"]
    apply("host,platform\npi01,NUC 11\n")
    host = Host.objects.get(name="pi01")
    assert (host.platform, host.notes) == ("NUC 11", "behind the red door\nand up")


def test_an_empty_cell_leaves_alone_and_a_dash_clears(lab):
    assert lines("host,notes,form\npi01,,\n") == []
    assert lines("host,notes\npi01,-\n") == ["change host pi01: notes behind the red door\nand up → nothing"]


def test_a_dash_behind_an_apostrophe_is_a_dash(lab):
    assert lines("host,location\npi01,'-\n") == ["change host pi01: location nothing → -"]


def test_hosts_that_are_not_named_stay(lab):
    apply("host,form\npi03,pi\n")
    assert set(Host.objects.values_list("name", "status")) == {
        ("pi01", "active"),
        ("pi02", "active"),
        ("pi03", "active"),
    }


def test_a_new_host_comes_with_its_interface(lab):
    text = "host;form;interface;mac;segment;ipv4;a_record\npi03;pi;eth0;02-DE-10-01-00-01;management;192.0.2.11;TRUE\n"
    assert lines(text) == ["create host pi03", "create interface pi03/eth0"]
    apply(text)
    made = Interface.objects.get(host__name="pi03")
    assert (made.mac, made.addressing, made.ipv4, made.a_record) == (
        "02:de:10:01:00:01",
        "static",
        "192.0.2.11",
        True,
    )


def test_a_table_out_of_a_spreadsheet_is_understood(lab):
    said = "sep=;\r\nHost Name;IP Address ;Switch-Port\r\nPI01;;\r\n".replace("PI01", "pi01")
    assert lines(said) == []
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        text = "host\tlocation\r\npi01\tRöschti\r\n\t\r\n".encode(encoding)
        assert lines(text) == ["change host pi01: location nothing → Röschti"], encoding
    assert "Windows-1252" in plan("host,location\npi01,ö\n".encode("cp1252")).plan.notes[0]


def test_the_one_interface_need_not_be_named(lab):
    assert lines("host,ipv4\npi01,192.0.2.11\n") == [
        "change interface pi01/eth0: ipv4 192.0.2.10 → 192.0.2.11"
    ]


def test_an_interface_moves_to_another_segment_with_its_address(lab):
    assert lines("host,interface,segment,ipv4\npi01,eth0,storage,192.0.2.130\n") == [
        "change interface pi01/eth0: segment management → storage, ipv4 192.0.2.10 → 192.0.2.130"
    ]


def test_clearing_the_address_says_what_the_interface_does(lab):
    assert lines("host,interface,ipv4\npi01,eth0,-\n") == [
        "change interface pi01/eth0: addressing static → none, ipv4 192.0.2.10 → nothing"
    ]


def test_groups_and_services_follow_their_cells(lab):
    assert lines("host,groups,services\npi01,rack_a,artifacts web\n") == [
        "remove membership pi01 in pis",
        "create membership pi01 in rack_a",
        "create service web on pi01",
    ]


def test_a_service_moves_with_its_port(lab):
    apply("service,host\nartifacts,pi02\n")
    assert Service.objects.values_list("host__name", "port").get() == ("pi02", 80)
    apply("host,services\npi01,artifacts\npi02,-\n")
    assert Service.objects.values_list("host__name", "port").get() == ("pi01", 80)


def test_macs_are_exchanged_in_one_table(lab):
    apply("host,interface,mac,ipv4,segment\npi02,eth0,02:00:00:00:00:02,192.0.2.12,management\n")
    apply("host,mac\npi01,02:00:00:00:00:02\npi02,bc:24:11:ce:51:ec\n")
    assert dict(Interface.objects.values_list("host__name", "mac")) == {
        "pi01": "02:00:00:00:00:02",
        "pi02": "bc:24:11:ce:51:ec",
    }


def test_the_mark_of_the_primary_interface_moves(lab):
    apply("host,interface,primary\npi01,eth0,yes\npi02,eth0,yes\npi02,eth1,no\n")
    assert lines("host,interface,primary\npi02,eth0,no\npi02,eth1,yes\n") == [
        "change interface pi02/eth0: primary True → False",
        "change interface pi02/eth1: primary False → True",
    ]
    apply("host,interface,primary\npi02,eth1,yes\n")
    assert Interface.objects.get(host__name="pi02", primary=True).name == "eth1"


def test_segments_groups_profiles_and_roles_have_tables(lab):
    text = "segment,vlan,pool_first,pool_last,dns_servers\nmanagement,98,192.0.2.100,192.0.2.110,192.0.2.1 192.0.2.2\n"
    assert lines(text) == [
        (
            "change segment management: vlan 99 → 98, dns_servers nothing → 192.0.2.1, 192.0.2.2, "
            "pool_first nothing → 192.0.2.100, pool_last nothing → 192.0.2.110"
        )
    ]
    assert lines("group,parents,hosts,priority\nnew,pis,pi01 pi02,-5\n") == [
        "create group new",
        "create group nesting new below pis",
        "create membership pi01 in new",
        "create membership pi02 in new",
    ]
    assert lines("profile,hosts\nmetrics,pi02\n") == [
        "create assignment pi02 in metrics",
        "create workload profile metrics",
    ]
    assert lines("name,code\nnetctrl,01\n", noun="roles") == ["change role netctrl: code nothing → 01"]


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a,b\n1,2\n", 1, "", "names no rows"),
        ("", 1, "", "the table is empty"),
        ("host,colour\npi01,red\n", 1, "colour", "is no column of hosts."),
        ("host,segmnt\npi01,x\n", 1, "segmnt", "Did you mean segment?"),
        ("host,form,form\npi01,pi,pi\n", 1, "form", "is there twice"),
        ("interface,mac,form\neth0,,pi\n", 1, "", "names no rows"),
        ("host,form\n,pi\n", 2, "host", "names no host"),
        ("host,form\npi01,pie\n", 2, "form", "“pie” is not one of hv"),
        ("host,form\n\npi01,toaster\n", 3, "form", "is not one of hv"),
        ("host,mac\npi01,12:34\n", 2, "mac", "is not a MAC address"),
        ("host,mac\npi01,1.2E+11\n", 2, "mac", "format the column as text"),
        ("host,mac\npi01,01:00:00:00:00:01\n", 2, "mac", "is a multicast address"),
        ("host,vmid\npi01,99\n", 2, "vmid", "must lie between 100"),
        ("host,a_record\npi01,perhaps\n", 2, "a_record", "neither yes nor no"),
        ("host,ipv4\npi01,2001:db8::1\n", 2, "ipv4", "belongs into the column ipv6"),
        ("host,ipv4\npi01,198.51.100.1\n", 2, "ipv4", "lies outside 192.0.2.0/25 of segment management"),
        ("host,segment\npi01,managemnt\n", 2, "segment", "Did you mean management?"),
        ("host,role\npi01,netctl\n", 2, "role", "Did you mean netctrl?"),
        ("host,groups\npi01,pis ghosts\n", 2, "groups", "the site has no group ghosts"),
        ("host,hypervisor\npi01,pi02\n", 2, "hypervisor", "is no hypervisor"),
        ("host,interface,mac\npi02,eth0,BC-24-11-CE-51-EC\n", 2, "mac", "which is pi01's"),
        ("host,interface,ipv4,segment\npi02,eth0,192.0.2.10,management\n", 2, "ipv4", "which is pi01's"),
        ("host,mac\npi02,02:00:00:00:00:09\n", 2, "interface", "of which interface?"),
        ("host,interface\npi01,eth0\npi01,eth0\n", 3, "interface", "stands on line 2 already"),
        ("host,interface,form\npi01,eth0,pi\npi01,eth1,vm\n", 3, "form", "say the same in all rows"),
        ("host,form\npi01,pi\npi01,pi\n", 3, "host", "stands on line 2 already"),
        ("site,host,form\nother,pi01,pi\n", 2, "site", "this imports into lab"),
        ("host,notes\npi01,\"open\n", 2, "", "a quote is opened here"),
        ("host,form\npi01,pi,more\n", 2, "", "the row has 3 cells"),
        ("service,host\nweb,pi09\n", 2, "host", "the site has no host pi09"),
        ("service,port\nweb,80\n", 2, "host", "is new; put the host"),
        ("segment,pool_first\nmanagement,192.0.2.100\n", 2, "pool_first", "give both pool_first and pool_last"),
        ("segment,gateway4\nmanagement,198.51.100.1\n", 2, "gateway4", "lies outside 192.0.2.0/25"),
        ("segment,network4\nnew,192.0.2.64/26\n", 2, "network4", "overlaps 192.0.2.0/25 of segment management"),
        ("group,parents\npis,ghosts\n", 2, "parents", "the site has no group ghosts"),
        ("group,parents\npis,pis\n", 2, "group", "circle"),
        ("host,form\npi04\0,pi\n", 2, "", "NUL"),
        (b"host,form\n\x81\x8d,pi\n", 2, "", "neither UTF-8 nor Windows-1252"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_column_and_a_way_out(lab, text, line, column, said):
    found = complaints(text)
    assert found, "nothing was complained of"
    assert [(one[0], one[1]) for one in found] == [(line, column)], found
    assert said in found[0][2]
    with pytest.raises(Refused):
        apply(text)
    assert Site.objects.get().revision == lab.revision


def test_every_mistake_is_told_at_once(lab):
    rows = ["pi01,toaster,,", "pi03,pi,eth0,nonsense,managment", ",pi,,"]
    rows += ["pi04,pi,eth0,02:00:00:00:00:04", "pi05,pi,eth0,02:00:00:00:00:04"]
    text = "\n".join(["host,form,interface,mac,segment", *rows])
    assert [(line, column) for line, column, _ in complaints(text)] == [
        (2, "form"),
        (3, "mac"),
        (3, "segment"),
        (4, "host"),
        (6, "mac"),
    ]


def test_unknown_columns_are_ignored_when_a_person_says_so(lab):
    found = plan("host,colour,platform\npi01,red,NUC\n", ignore_unknown=True)
    assert found.plan.notes == ["Ignored: colour, which hosts do not have."]
    assert [str(entry) for entry in found.entries] == ["change host pi01: platform nothing → NUC"]


def test_an_assigned_mac_is_not_edited_by_a_table(lab):
    apply("host,mac,mac_kind\npi01,02:de:10:01:00:01,assigned\n")
    (found,) = complaints("host,mac\npi01,02:de:10:01:00:02\n")
    assert "re-identify" in found[2]


def test_a_service_with_an_alias_is_not_taken_away(lab):
    with change(lab):
        Alias(service=Service.objects.get(), site=lab, name="artifacts").save()
    (found,) = complaints("host,services\npi01,-\n")
    assert "at which alias artifacts points" in found[2]


# --- aliases and hypervisors ---


@pytest.fixture
def with_alias(lab):
    with change(lab):
        Alias(service=Service.objects.get(), site=lab, name="artifacts").save()
        Service(host=Host.objects.get(name="pi02"), name="metrics", tenant="ten").save()


def test_aliases_are_made_moved_and_taken_away_by_a_table(with_alias):
    text = "alias,service\nartifacts,metrics.ten\nfiles,artifacts\n"
    assert lines(text) == [
        "change alias artifacts: service artifacts → metrics.ten",
        "create alias files",
    ]
    apply(text)
    assert {alias.name: alias.service.label for alias in Alias.objects.all()} == {
        "artifacts": "metrics.ten",
        "files": "artifacts",
    }
    assert lines(text) == []
    assert lines("alias,service\nfiles,-\n") == ["remove alias files"]
    apply("alias,service\nfiles,-\n")
    assert [alias.name for alias in Alias.objects.all()] == ["artifacts"]


def test_an_alias_points_at_a_service_that_somebody_carries(with_alias):
    text = (
        "alias,service\nartifacts,metric\nfiles,\nweb,artifacts\nweb,artifacts\n,artifacts\nBad_,artifacts\n"
    )
    told = {line: sentence for line, _, sentence in complaints(text)}
    assert "which no host carries" in told[2]
    assert "is new; put the service" in told[3]
    assert "stands on line 4 already" in told[5]
    assert "names no alias" in told[6]
    assert "alias Bad_" in told[7]


def test_an_alias_stays_when_another_host_carries_its_service_on(with_alias, lab):
    with change(lab, source="import"):
        Service(host=Host.objects.get(name="pi02"), name="artifacts").save()
    text = "host,services\npi01,-\n"
    assert lines(text) == ["change alias artifacts: carrier", "remove service artifacts on pi01"]
    apply(text)
    assert Alias.objects.get().service.host.name == "pi02"


def test_the_api_of_a_hypervisor_comes_out_of_a_table(lab):
    text = "hypervisor,api_url,secret,pool\npi01,https://192.0.2.10:8006,env:PVE,mgmt\n"
    assert "is no hypervisor; set its form to hv first" in complaints(text)[0][2]
    apply("host,form\npi01,hv\n")
    assert lines(text) == ["create hypervisor pi01"]
    apply(text)
    assert lines(text) == []
    assert lines("hypervisor,pool,node\npi01,-,\n") == ["change hypervisor pi01: pool mgmt → nothing"]
    assert "declare it first, of form hv" in complaints("hypervisor,node\nhv09,a\n")[0][2]
    assert "stands on line 2 already" in complaints("hypervisor,node\npi01,a\npi01,b\n")[0][2]
    (found,) = complaints("hypervisor,secret\npi01,Sesame\n")
    assert found[0] == 2 and "secret" in found[2]
    apply("hypervisor,read_token_id,read_secret\npi01,mgmtplane@pve!survey,vault:PVE_SURVEY\n")
    api = Host.objects.get(name="pi01").proxmox
    assert (api.read_token_id, api.read_secret) == ("mgmtplane@pve!survey", "vault:PVE_SURVEY")
    (found,) = complaints("hypervisor,read_secret\npi01,Sesame\n")
    assert found[0] == 2 and "Sesame" not in found[2]


def test_specifications_of_machines_come_out_of_a_table(lab):
    text = "machine,cores,memory,template,start_on_boot\npi01,4,4096,debian-13-,no\n"
    assert "is no virtual machine; set its form to vm first" in complaints(text)[0][2]
    apply("host,form\npi01,vm\n")
    assert lines(text) == ["create machine specification pi01"]
    apply(text)
    assert lines(text) == []
    assert lines("machine,template,cores\npi01,-,\n") == [
        "change machine specification pi01: template debian-13- → nothing"
    ]
    assert "declare it first, of form vm" in complaints("machine,cores\nvm09,1\n")[0][2]
    (found,) = complaints("machine,data_disk\npi01,10\n")
    assert found[:2] == (2, "machine") and "carries a serial" in found[2]


def test_what_is_in_quarantine_goes_to_nobody_else(lab):
    apply("host,mac\npi01,02:00:00:00:00:01\n")
    (found,) = complaints("host,interface,mac\npi02,eth0,bc:24:11:ce:51:ec\n")
    assert "was pi01's and is in quarantine" in found[2]


# --- applied as shown, or not at all ---


def test_a_plan_that_is_no_longer_true_is_not_applied(lab):
    text = "host,platform\npi01,NUC 11\n"
    seen = amending.fingerprint_of([plan(text)])
    with change(lab, by="eve", why="meanwhile"):
        host = Host.objects.get(name="pi01")
        host.platform = "NUC 10"
        host.save()
    with pytest.raises(Moved) as moved:
        amending.amend(makers(text), seen=seen, by="ada", why="a test")
    assert [str(entry) for entry in moved.value.now[0].entries] == [
        "change host pi01: platform NUC 10 → NUC 11"
    ]
    assert Host.objects.get(name="pi01").platform == "NUC 10"


def test_applying_is_one_change_and_applying_again_none(lab):
    text = "host,platform,groups\npi01,NUC 11,pis rack_a\npi02,NUC 12,\n"
    before = Site.objects.get().revision
    apply(text)
    assert Site.objects.get().revision == before + 1
    apply(text)
    assert Site.objects.get().revision == before + 1


def test_queries_do_not_grow_with_the_rows(lab, django_assert_max_num_queries):
    text = "host,form,interface,mac\n" + "".join(
        f"vm{n},vm,eth0,02:00:00:00:{n // 256:02x}:{n % 256:02x}\n" for n in range(300)
    )
    with django_assert_max_num_queries(40):
        plan(text)
    apply(text)
    text = text.replace("eth0,02", "eth0,06")
    reading.forget()
    with django_assert_max_num_queries(40):
        assert len(plan(text).entries) == 300


# --- the export, imported ---


def unchanged(site: Snapshot | None = None) -> None:
    stored = reading.load("lab") if site is None else site
    (content,) = get_export("csv").render(stored, None).files.values()
    found = plan(content)
    assert [str(one) for one in found.complaints] == []
    assert [str(entry) for entry in found.entries] == []


def test_the_export_of_a_site_imported_again_changes_nothing(lab):
    unchanged()


def test_the_export_of_the_sample_imported_again_changes_nothing():
    site = imported(require_sample(), password=None)
    stored = reading.load("dvntm")
    (content,) = get_export("csv").render(stored, None).files.values()
    (found,) = amending.plan({"dvntm": lambda snapshot: tables.read(content, "hosts.csv", snapshot)})
    assert ([str(c) for c in found.complaints], [str(e) for e in found.entries]) == ([], [])
    assert found.unchanged["hosts"] == Host.objects.active().count() > 10, site


@pytest.mark.timeout(600)
def test_the_export_of_generated_sites_imported_again_changes_nothing():
    @seed(1)
    @examples(share(60))
    @given(whole_sites())
    def comes_back(site: Snapshot) -> None:
        assume(all(tables.cells.plain(host.name) for host in site.hosts))  # a blank cell names nobody
        with rolled_back():
            declare(get_export("site").render(site, None).files["site.yml"])
            unchanged()

    comes_back()


# --- the command ---


def run(*arguments: str) -> tuple[str, str, str]:
    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command("import_csv", *arguments, stdout=output, stderr=errors)
    except CommandError as error:
        return output.getvalue(), errors.getvalue(), str(error)
    return output.getvalue(), errors.getvalue(), ""


def test_the_command_plans_and_with_apply_stores(lab, tmp_path):
    file = tmp_path / "hosts.csv"
    file.write_text("host,platform\npi01,NUC 11\n")
    output, _, _ = run(str(file), "--site", "lab")
    assert "change host pi01: platform nothing → NUC 11" in output
    assert "Nothing was written." in output
    output, _, _ = run(str(file), "--site", "lab", "--apply", "--why", "new boards")
    assert f"Stored as revision {lab.revision + 1}." in output
    made = Change.objects.latest("id")
    assert (made.source, made.why) == ("import_csv", "new boards")


def test_the_command_tells_every_mistake_and_fails(lab, tmp_path):
    file = tmp_path / "hosts.csv"
    file.write_text("host,form\npi01,toaster\n,pi\n")
    _, errors, last = run(str(file), "--site", "lab", "--apply")
    assert "hosts.csv:2: host pi01: form" in errors and "hosts.csv:3: the row names no host" in errors
    assert last == "2 errors; nothing was stored."
    assert "There is no site" in run(str(file), "--site", "nowhere")[2]
