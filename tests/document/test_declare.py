"""``manage.py declare``: what it plans, what it stores, what it leaves alone."""

from __future__ import annotations

import pytest

from inventory import document, reading, vault
from inventory.allocation import Wanted, allocate, seeing
from inventory.changes import change
from inventory.document.declaring import Refused
from inventory.models import Change, Host, Identity, Interface, Role, Segment, Site
from tests.document.support import apply, delete, export, lines, plan, run
from tests.importers.site_support import imported
from tests.importers.tree_support import write_tree
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.django_db

SMALL = """\
mgmtplane: 1
site: lab
facts: {root_domain: example.net, organisation: de, environment: '10'}
roles:
  web: {code: '01'}
segments:
  lan: {vlan: 10, network4: 192.0.2.0/24, gateway4: 192.0.2.1, static_range: [192.0.2.2, 192.0.2.49]}
hosts:
  w1:
    form: vm
    role: web
    interfaces:
      eth0: {mac: '02:de:10:01:00:01', mac_kind: assigned, segment: lan, ipv4: 192.0.2.11, a_record: true}
    services:
      - {name: www, port: 80}
  w2:
    form: vm
    role: web
    interfaces:
      eth0: {mac: '00:00:5e:00:53:02', segment: lan, ipv4: 192.0.2.12, a_record: true}
groups:
  web: {hosts: [w1, w2], variables: {port: 80}}
aliases: {www: www}
"""


@pytest.fixture
def small():
    apply(SMALL)


def edited(*changes: tuple[str, str]) -> str:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_plan_writes_nothing(tmp_path):
    file = tmp_path / "lab.yml"
    file.write_text(SMALL)
    output, _, refusal = run(str(file))
    assert not refusal
    assert "host: 2 create" in output
    assert "create host w1" in output
    assert "Nothing was written." in output
    assert not Site.objects.exists()


def test_apply_is_one_revision_with_who_and_why(tmp_path):
    file = tmp_path / "lab.yml"
    file.write_text(SMALL)
    output, _, _ = run(str(file), apply=True, by="ana", why="first")
    assert "Stored as revision 1." in output
    (record,) = Change.objects.all()
    assert (record.revision, record.by_name, record.why, record.source) == (1, "ana", "first", "declare")
    run(str(file), apply=True)
    assert reading.load("lab").revision == 1, "nothing to do spends no revision"


def test_who_and_why_have_sensible_defaults(tmp_path):
    file = tmp_path / "lab.yml"
    file.write_text(SMALL)
    run(str(file), apply=True)
    record = Change.objects.get()
    assert record.by_name
    assert record.why == "declared from lab.yml"


def test_a_changed_fact_is_changed_and_nothing_else(small):
    text = edited(("192.0.2.12", "192.0.2.22"), ("port: 80}", "port: 8080}"))
    assert lines(text) == [
        "change group web: variables",
        "change interface w2/eth0: ipv4 192.0.2.12 → 192.0.2.22",
        "change service www on w1: port 80 → 8080",
    ]
    (done,) = apply(text)
    assert done.plan.revision == 2
    assert lines(text) == []


def test_a_noun_that_is_left_out_is_left_alone(small):
    assert lines("mgmtplane: 1\nsite: lab\nroles:\n  web: {code: '02'}\n") == [
        "change role web: code 01 → 02"
    ]


def test_a_host_that_is_left_out_is_retired_and_its_values_withheld(small):
    text = SMALL[: SMALL.index("  w2:")] + "groups:\n  web: {hosts: [w1], variables: {port: 80}}\n"
    assert lines(text) == ["retire host w2", "remove membership w2 in web"]
    apply(text)
    assert Host.objects.get(name="w2").status == "retired"
    assert Identity.objects.get(value="192.0.2.12").state == "quarantined"
    assert lines(text) == []


def test_what_else_is_left_out_is_removed_by_name(small):
    apply(edited(("roles:\n", "roles:\n  db: {}\n"), ("segments:\n", "segments:\n  dmz: {vlan: 20}\n")))
    assert lines(SMALL) == ["remove role db", "remove segment dmz"]
    apply(SMALL)
    assert list(Segment.objects.values_list("name", flat=True)) == ["lan"]
    assert list(Role.objects.values_list("slug", flat=True)) == ["web"]


def test_a_value_may_move_to_another_host_in_one_document(small):
    text = edited(
        ("192.0.2.11", "x"), ("192.0.2.12", "192.0.2.11"), ("ipv4: x", "ipv4: 192.0.2.12"),
        ("53:02", "53:03"), ("    services:\n      - {name: www, port: 80}\n", ""),
        ("groups:", "    services: [{name: www, port: 80}]\ngroups:"),
    )  # fmt: skip
    assert "change service www: host w1 → w2" in lines(text)
    apply(text)
    held = dict(Identity.objects.filter(state="held", kind="ip").values_list("value", "host__name"))
    assert held == {"192.0.2.11": "w2", "192.0.2.12": "w1"}
    assert Identity.objects.get(state="held", value="www").host.name == "w2"
    assert [alias.service for alias in reading.load("lab").aliases] == ["www"]


def test_the_primary_interface_and_a_code_may_change_hands(small):
    more = (
        "      eth1: {mac: '00:00:5e:00:53:09', segment: lan, ipv4: 192.0.2.13, primary: true}\n    services"
    )
    apply(edited(("    services", more)))
    text = edited(
        ("    services", more.replace(", primary: true", "")), ("  web: {code: '01'}", "  web: {}\n  app: {code: '01'}"),
        ("eth0: {mac: '02:de", "eth0: {primary: true, mac: '02:de"),
    )  # fmt: skip
    apply(text)
    assert Interface.objects.get(primary=True).name == "eth0"
    assert Role.objects.get(code="01").slug == "app"


def test_several_documents_are_several_sites_in_one_transaction():
    two = SMALL + "---\nmgmtplane: 1\nsite: other\nfacts: {root_domain: example.org}\n"
    assert [one.plan.slug for one in apply(two)] == ["lab", "other"]
    broken = two.replace("192.0.2.12", "192.0.2.22").replace("example.org", "not a domain")
    with pytest.raises(Exception, match="not a domain name"):
        apply(broken)
    assert Interface.objects.get(host__name="w2").ipv4 == "192.0.2.12"


def test_a_plan_tells_which_findings_are_new(small):
    (done,) = plan(edited(("192.0.2.12", "198.51.100.1")))
    assert {finding.id for finding in done.new_findings} >= {"address-outside-segment"}


# --- authority ---

AUTHORITY = "authority:\n  - {mode: bootstrap, at: '2026-01-02T03:04:05+00:00', by: ana, why: first, bootstrap_host: w1}\n"


def test_an_authority_is_declared_where_there_is_none(small):
    apply(SMALL + AUTHORITY)
    authority = reading.load("lab").authority
    assert (authority.mode, authority.by, authority.why, authority.bootstrap_host) == (
        "bootstrap",
        "ana",
        "first",
        "w1",
    )
    assert authority.at == "2026-01-02T03:04:05+00:00"
    assert lines(SMALL + AUTHORITY) == []
    assert lines(SMALL) == []


def test_an_authority_is_switched_by_its_job_alone(small):
    apply(SMALL + AUTHORITY)
    switched = (
        SMALL + AUTHORITY + "  - {mode: gateway, at: '2026-02-02T03:04:05+00:00', by: ana, why: back}\n"
    )
    with pytest.raises(Exception, match=r"run `manage.py job switch_authority --site lab --to gateway`"):
        apply(switched)
    with pytest.raises(Exception, match="the document's list is another"):
        apply(SMALL + "authority: []\n")
    assert reading.load("lab").authority.mode == "bootstrap"


# --- the ledger ---


def test_since_comes_back_and_never_gets_younger(small):
    line = "identities:\n  held:\n    ip:\n      192.0.2.11: [w1, '{}']\n"
    apply(SMALL + line.format("2020-01-01T00:00:00+00:00"))
    assert Identity.objects.get(value="192.0.2.11", state="held").since.year == 2020
    assert lines(SMALL + line.format("2021-01-01T00:00:00+00:00")) == []


def test_a_held_value_that_nobody_claims_is_noted_and_ignored(small):
    text = SMALL + "identities:\n  held:\n    ip:\n      192.0.2.99: [w1, '2020-01-01T00:00:00+00:00']\n"
    (done,) = plan(text)
    assert done.plan.is_empty
    assert done.plan.notes == [
        "1 of the identities in the document is not claimed by the host that is named, and ignored."
    ]


QUARANTINED = (
    "identities:\n  quarantined:\n    ip:\n      192.0.2.13: [gone, '2026-01-01T00:00:00+00:00', {}]\n"
)


def test_what_is_withheld_stays_withheld(small):
    apply(SMALL + QUARANTINED.format("null"))
    row = Identity.objects.get(value="192.0.2.13")
    assert (row.state, row.host_name, row.until) == ("quarantined", "gone", None)
    apply(SMALL)  # which does not list it
    assert lines(SMALL + QUARANTINED.format("'2030-01-01T00:00:00+00:00'")) == []
    row.refresh_from_db()
    assert (row.state, row.until) == ("quarantined", None)


def test_the_order_of_a_dispute_comes_back():
    contested = edited(("192.0.2.12", "192.0.2.11"))
    since = "'2026-01-0{}T00:00:00+00:00'"
    marked = (
        f"identities:\n  held: {{ip: {{192.0.2.11: [w2, {since.format(1)}]}}}}\n"
        f"  disputed: {{ip: {{192.0.2.11: {{w1: {since.format(2)}}}}}}}\n"
    )
    apply(contested + marked)
    states = dict(Identity.objects.filter(value="192.0.2.11").values_list("host__name", "state"))
    assert states == {"w2": "held", "w1": "disputed"}
    assert lines(contested) == [], "the database knows the dispute"


@pytest.mark.parametrize("slug", ["lab", "mobile"])
def test_the_next_allocation_is_that_of_the_lost_machine(slug, monkeypatch):
    """By the ledger alone: what hypervisors were seen to have is no part of a document."""
    monkeypatch.setattr(seeing, "LOOKERS", [])
    apply((REPOSITORY / "inventory/demo/demo.yml").read_bytes())
    retired = "exmbjmp001v01" if slug == "mobile" else "metrics-vm01"
    host = Host.objects.get(name=retired)
    with change(host.site, by="ana", why="a test", source="test"):
        host.status = "retired"
        host.save()
    wanted = Wanted(
        role="metrics", form="vm", vmid=True, surveyed=[100], mac=True, address=True, segment="management"
    )
    before, document = allocate(slug, wanted, by="ana", dry_run=True), export(slug)
    delete(slug)
    apply(document)
    assert allocate(slug, wanted, by="ana", dry_run=True) == before
    assert before.vmid not in (None, host.vmid), "what the retired one had is withheld"


def test_a_serial_never_goes_back(small):
    apply(SMALL + "serials: {lab.example.net: [5, x]}\n")
    apply(SMALL + "serials: {lab.example.net: [4, y]}\n")
    assert reading.load("lab").serials["lab.example.net"].serial == 5
    assert lines(SMALL + "serials: {lab.example.net: [6, y]}\n") == [
        "change zone serial lab.example.net: serial 5 → 6"
    ]


def test_an_import_that_comes_second_seals_nothing_anew(tmp_path, monkeypatch):
    """Between reading and the lock somebody else imports the same secret: its ciphertext stays."""
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all:\n  hosts: {w1: {}}\n",
            "group_vars/all/vault.yml": vault.encrypt(b"key: s3cret\n", b"example"),
        },
    )
    imported(write_tree(tmp_path / "bare", {"hosts.yml": "all:\n  hosts: {w1: {}}\n"}), site="lab")
    first = document.apply

    def late(draft, **more):
        monkeypatch.setattr(document, "apply", first)
        imported(tree, site="lab", password="example")
        stored.append(reading.load("lab").site.variables["key"])
        return first(draft, **more)

    stored = []
    monkeypatch.setattr(document, "apply", late)
    imported(tree, site="lab", password="example")
    assert [reading.load("lab").site.variables["key"]] == stored
    assert reading.load("lab").revision == 2


# --- machine specifications ---

SPECIFIED = (
    "  w1:\n    form: vm\n",
    "  w1:\n    form: vm\n    machine: {memory: 4096, template: debian-13-}\n",
)


def machine_of(host: str):
    return reading.load("lab").host_by_name[host].machine


def test_a_document_that_knows_no_specifications_takes_none_away(small):
    apply(edited(SPECIFIED))
    assert machine_of("w1").memory == 4096
    assert lines(SMALL) == []
    apply(edited(("vlan: 10", "vlan: 11")))
    assert machine_of("w1").template == "debian-13-"


def test_an_empty_specification_goes_and_a_key_left_out_has_its_default(small):
    apply(edited(SPECIFIED))
    less = edited((SPECIFIED[0], "  w1:\n    form: vm\n    machine: {template: debian-13-}\n"))
    assert lines(less) == ["change machine specification w1: memory 4096 → 2048"]
    none = edited((SPECIFIED[0], "  w1:\n    form: vm\n    machine:\n"))
    assert lines(none) == ["remove machine specification w1"]
    apply(none)
    assert machine_of("w1") is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{data_disk: 10}", "host w1: machine: data_disk_serial cannot be: A data disk carries a serial"),
        ("{memory: 4}", "must lie between 16 and 16777216"),
        ("{ssh_keys: ssh-rsa}", "ssh_keys cannot be: Line 1 is no whole ssh-rsa key"),
        ("{vlan: 10}", "is no key that is known here"),
    ],
)
def test_a_specification_that_cannot_be_is_refused_with_its_place(said, sentence):
    text = edited((SPECIFIED[0], f"  w1:\n    form: vm\n    machine: {said}\n"))
    with pytest.raises(Refused) as raised:
        plan(text)
    assert sentence in str(raised.value)
