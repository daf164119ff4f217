"""``manage.py import_ansible``: what it stores, what it refuses, what a second import changes."""

# ruff: noqa: E501

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from inventory import reading, vault
from inventory.changes import change
from inventory.models import Change, Group, Host, Identity, Interface, Segment, Service, Site
from inventory.rules import judge
from tests.importers import nasty_trees
from tests.importers.nasty_trees import sealed
from tests.importers.site_support import PASSWORD, assert_equal, imported, run_import
from tests.importers.tree_support import write_tree
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db

SMALL = {
    "hosts.yml": "all:\n  children:\n    web: {hosts: {w1: {}, w2: {}}}\n    db: {hosts: {d1: {}}}\n",
    "group_vars/all.yml": "deevnet_root_domain: example.net\nntp: 192.0.2.1\ndeevnet_vlans:\n"
    "  lan: {vlan_id: 10, subnet: 192.0.2.0/24, gateway: 192.0.2.1}\n",
    "group_vars/web.yml": "port: 80\n",
    "host_vars/w1.yml": "infrastructure: {form: vm, interfaces: {eth0: {mac: '02:de:20:00:00:01'}}}\n"
    "env: {role: web, interfaces: {eth0: {ip: 192.0.2.11, segment: lan, dns: {host_a_record: true, cnames: [www, shop]}}}}\n",
    "host_vars/w2.yml": "infrastructure: {form: vm, interfaces: {eth0: {mac: '02:de:20:00:00:02'}}}\n"
    "env: {role: web, interfaces: {eth0: {ip: 192.0.2.12, segment: lan, dns: {host_a_record: true}}}}\n",
}


@pytest.fixture
def small(tmp_path):
    return write_tree(tmp_path / "small", SMALL)


def changed_lines(output: str) -> set[str]:
    """The plan's lines that are about something that changes."""
    return {
        line for line in output.splitlines() if line.startswith(("create ", "change ", "remove ", "gone "))
    }


# --- the sample ---


def test_the_sample_yields_its_site(settings):
    outcome = run_import(require_sample(), password=PASSWORD)
    assert not outcome.refusal, outcome.everything
    snapshot = reading.load("dvntm")
    assert snapshot.site.zone == "dvntm.deevnet.net"
    assert (len(snapshot.hosts), len(snapshot.segments), snapshot.revision) == (16, 12, 1)
    assert (snapshot.site.organisation, snapshot.site.environment, snapshot.site.vmid_first) == ("", "", None)
    assert {service.label for host in snapshot.hosts for service in host.services} >= {
        "gateway",
        "dns",
        "dhcp",
    }


def test_the_samples_oddities_are_kept_and_reported():
    imported(require_sample(), password=PASSWORD)
    disputed = Identity.objects.filter(state="disputed").values_list("kind", "value", "host_name")
    holders = Identity.objects.filter(state="held", kind="name", value__in=["gateway", "dns", "dhcp"])
    assert {(kind, value) for kind, value, _ in disputed} >= {("name", n) for n in ("gateway", "dns", "dhcp")}
    assert {row.host_name for row in holders} | {host for *_, host in disputed} >= {"core-rt01", "core-rt02"}
    hv02 = Interface.objects.filter(host__name="hv02", reservation=True)
    assert [row.mac for row in hv02] == [None]
    assert not any(row.mac for row in hv02)
    edge = Interface.objects.filter(host__name="edge-rt01").exclude(ipv4=None)
    assert edge, "the addresses of edge-rt01 are stored as they are"
    found = {(finding.id, finding.subject) for finding in judge(reading.load("dvntm"))}
    assert {("identity-disputed", f"name {name}") for name in ("gateway", "dns", "dhcp")} <= found
    assert any(rule == "reservation-unknown-mac" and "hv02" in subject for rule, subject in found)
    assert sum(rule == "address-outside-segment" and "edge-rt01" in subject for rule, subject in found) == 2
    assert any(rule == "reservation-on-gateway" for rule, _ in found)
    assert ("service-on-vm", "service dns on core-rt01") in found


# --- dry run, apply, again ---


def test_a_dry_run_shows_everything_and_writes_nothing(small):
    outcome = run_import(small, apply=False)
    assert "create host w1" in outcome.output
    assert "create segment lan" in outcome.output
    assert "Nothing was written" in outcome.output
    assert not Site.objects.exists()
    assert not Change.objects.exists()


def test_apply_stores_it_as_one_revision_with_its_reason(small):
    outcome = run_import(small, why="first import")
    assert "Stored as revision 1." in outcome.output
    (record,) = Change.objects.all()
    assert (record.revision, record.why, record.source, record.by_name) == (
        1,
        "first import",
        "import",
        "import_ansible",
    )
    assert Host.objects.get(name="w1").history.count() == 1


@pytest.mark.parametrize("name", [*nasty_trees.ALL, "sample"])
def test_importing_twice_changes_nothing(name, tmp_path):
    tree = require_sample() if name == "sample" else write_tree(tmp_path / "tree", nasty_trees.ALL[name])
    first = imported(tree, password=PASSWORD)
    outcome = run_import(tree, password=PASSWORD)
    assert not changed_lines(outcome.output)
    assert "Nothing to change." in outcome.output
    assert reading.load("dvntm") == first
    assert Change.objects.count() == 1


def test_our_own_tree_can_be_imported_again(small, tmp_path):
    """Only what was added (fqdn, ansible_host) is new; nothing else moves."""
    before = assert_equal(small, tmp_path)
    run_import(tmp_path / "rendered" / "tree")
    after = reading.load("dvntm")
    assert after.segments == before.segments
    assert [host.interfaces for host in after.hosts] == [host.interfaces for host in before.hosts]
    assert [host.name for host in after.hosts if "fqdn" in host.variables] == ["d1", "w1", "w2"]


def test_a_changed_tree_changes_what_changed(small):
    imported(small)
    write_tree(
        small,
        {
            "group_vars/web.yml": "port: 8080\n",
            "host_vars/w2.yml": SMALL["host_vars/w2.yml"].replace("192.0.2.12", "192.0.2.22"),
        },
    )
    outcome = run_import(small)
    assert changed_lines(outcome.output) == {
        "change group web: variables",
        "change interface w2/eth0: ipv4 192.0.2.12 → 192.0.2.22, written",
    }
    assert reading.load("dvntm").revision == 2


def test_a_service_that_moves_is_moved(small):
    imported(small)
    shop = Service.objects.get(name="shop")
    write_tree(
        small,
        {
            "host_vars/w1.yml": SMALL["host_vars/w1.yml"].replace(", shop", ""),
            "host_vars/w2.yml": SMALL["host_vars/w2.yml"].replace("true}", "true, cnames: [shop]}"),
        },
    )
    outcome = run_import(small)
    assert "change service shop: host w1 → w2" in outcome.output
    shop.refresh_from_db()
    assert shop.host.name == "w2"


def test_what_is_gone_is_listed_and_stays(small):
    imported(small)
    write_tree(
        small,
        {
            "hosts.yml": "all:\n  children:\n    web: {hosts: {w1: {}}}\n",
            "group_vars/all.yml": "deevnet_root_domain: example.net\ndeevnet_vlans: {iot: {vlan_id: 20}}\n",
            "host_vars/w1.yml": "infrastructure: {form: vm, interfaces: {eth1: {}}}\n",
        },
    )
    outcome = run_import(small)
    gone = {line for line in changed_lines(outcome.output) if line.startswith("gone ")}
    assert gone == {"gone group db", "gone host d1", "gone host w2", "gone membership d1 in db", "gone membership w2 in web",
                    "gone segment lan"}  # fmt: skip
    assert {
        "remove interface w1/eth0",
        "create interface w1/eth1",
        "remove service www on w1",
    } <= changed_lines(outcome.output)
    assert set(Host.objects.values_list("name", "status")) == {
        (name, "active") for name in ("w1", "w2", "d1")
    }
    assert set(Segment.objects.values_list("name", flat=True)) == {"lan", "iot"}


def test_groups_that_are_gone_must_not_close_a_circle(small):
    write_tree(small, {"hosts.yml": "all: {children: {a: {children: {old: {children: {b: {}}}}}}}\n"})
    imported(small)
    write_tree(small, {"hosts.yml": "all: {children: {b: {children: {a: {hosts: {w1: {}}}}}}}\n"})
    outcome = run_import(small)
    assert outcome.refusal.startswith("Nothing was stored. Group ")
    assert "Take the group that is gone out of its parents first." in outcome.refusal
    assert reading.load("dvntm").revision == 1


def test_an_import_into_a_site_with_a_zone_of_its_own_knows_it(small):
    """Qualified service names are those of the site, wherever its domain was declared."""
    imported(small)
    site = Site.objects.get()
    with change(site, by="test"):
        site.root_domain = "home.example"
        site.save()
    write_tree(
        small,
        {
            "group_vars/all.yml": "ntp: 192.0.2.1\n",
            "host_vars/w1.yml": "env: {interfaces: {eth0: {dns: {cnames: [api.dvntm.home.example.]}}}}\n",
        },
    )
    snapshot = imported(small)
    assert snapshot.site.root_domain == "home.example"
    assert [service.label for service in snapshot.host_by_name["w1"].services] == ["api"]


def test_without_a_domain_a_new_site_gets_the_one_for_homes(tmp_path):
    tree = write_tree(tmp_path / "t", {"hosts.yml": "all: {hosts: {h: {}}}\n"})
    assert imported(tree).site.zone == "dvntm.home.arpa"


# --- what is refused ---

REFUSED = {
    "a duplicate key": ({"host_vars/w1.yml": "a: 1\nb: 2\na: 3\n"}, "host_vars/w1.yml:3: The key 'a' stands twice"),
    "a tab": ({"host_vars/w1.yml": "a:\n\tb: 1\n"}, "host_vars/w1.yml:2"),
    "an unsafe tag": ({"host_vars/w1.yml": "a: 1\nb: !!python/object/apply:os.system [id]\n"}, "host_vars/w1.yml:2"),
    "an alias bomb": (
        {"host_vars/w1.yml": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))},
        "Anchors and aliases expand to more than",
    ),
    "a large file": ({"host_vars/w1.yml": "a: " + "x" * 3000 + "\n"}, "the limit is 2,000"),
    "a circle of groups": ({"hosts.yml": "all:\n  children:\n    a:\n      children:\n        b:\n          children:\n            a: {}\n"}, "hosts.yml:5: The group 'b' cannot be below 'a'"),
    "interfaces that are a list": ({"host_vars/w1.yml": "x: 1\nenv:\n  interfaces: [eth0]\n"}, "host_vars/w1.yml:3: host w1: env.interfaces must be a mapping"),
    "segments that are a list": ({"group_vars/all.yml": "x: 1\ndeevnet_vlans: [lan]\n"}, "group_vars/all.yml:2: group all: deevnet_vlans must be a mapping"),
    "a segment that is a number": ({"group_vars/all.yml": "deevnet_vlans:\n  lan: 10\n"}, "group_vars/all.yml:2"),
    "dns that is a truth value": (
        {"host_vars/w1.yml": "env:\n  interfaces:\n    eth0:\n      ip: dhcp\n      dns: true\n"},
        "host_vars/w1.yml:5: host w1: env.interfaces.eth0.dns must be a mapping",
    ),
    "service names that are a mapping": ({"host_vars/w1.yml": "env: {interfaces: {eth0: {dns: {cnames: {a: 1}}}}}\n"}, "must be a list of names"),
    "a host name that is too long": ({"hosts.yml": "all: {hosts: {" + "x" * 300 + ": {}}}\n"}, "has a name of more than 253 characters"),
    "an interface name that is too long": ({"host_vars/w1.yml": "env: {interfaces: {" + "x" * 65 + ": {}}}\n"}, "under a name of 1 to 64 characters"),
    "a segment name that is too long": ({"group_vars/all.yml": "deevnet_vlans: {" + "x" * 64 + ": {}}\n"}, "needs a name of 1 to 63 characters"),
    "a group that scripts cannot serve": ({"hosts.yml": "all: {children: {_meta: {hosts: {w1: {}}}}}\n"}, "rename the group"),
    "a priority beyond all measure": (
        {"hosts.yml": "all: {children: {web: {hosts: {w1: {}}, vars: {ansible_group_priority: 99999999999}}}}\n"},
        "which is too large",
    ),
    "a vault of another password": ({"host_vars/w1.yml": vault.encrypt(b"a: 1\n", b"other")}, "undecryptable"),
    "a damaged vault": ({"host_vars/w1.yml": sealed("a: 1\n")[:-40] + "\n"}, "undecryptable"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, small, settings):
    settings.IMPORT_MAX_FILE_BYTES = 2000
    files, expected = REFUSED[name]
    write_tree(small, files)
    outcome = run_import(small, password=PASSWORD)
    assert outcome.refusal == "1 error; nothing was stored.", outcome.everything
    assert expected in outcome.errors
    assert not Site.objects.exists()


def test_a_link_out_of_the_tree_is_refused(small, tmp_path):
    (tmp_path / "outside.yml").write_text("secret: 1\n")
    (small / "host_vars/d1.yml").symlink_to(tmp_path / "outside.yml")
    outcome = run_import(small)
    assert "host_vars/d1.yml: This leads out of the tree." in outcome.errors
    assert outcome.refusal
    assert not Site.objects.exists()


def test_all_errors_are_told_at_once(small, settings):
    write_tree(
        small,
        {
            "host_vars/w1.yml": "a: 1\na: 2\n",
            "host_vars/w2.yml": "env: {interfaces: []}\nb: !!set {x}\n",
            "group_vars/web.yml": "\tx: 1\n",
        },
    )
    outcome = run_import(small)
    assert outcome.refusal == "3 errors; nothing was stored."
    assert all(
        f"error: {file}:" in outcome.errors
        for file in ("host_vars/w1.yml:2", "host_vars/w2.yml:2", "group_vars/web.yml:1")
    )


def test_type_clashes_are_told_at_once(small):
    write_tree(
        small,
        {
            "host_vars/w1.yml": "env: {interfaces: [1]}\n",
            "host_vars/w2.yml": "infrastructure:\n  form: vm\n  interfaces: 5\n",
            "group_vars/all.yml": "deevnet_vlans: 5\n",
        },
    )
    outcome = run_import(small)
    assert outcome.refusal == "3 errors; nothing was stored."


def test_an_error_leaves_a_stored_site_as_it_was(small):
    imported(small)
    write_tree(small, {"host_vars/w1.yml": "a: [\n"})
    assert run_import(small).refusal
    assert reading.load("dvntm").revision == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"site": "Not A Label"}, "--site: “Not A Label” cannot be a DNS label"),
        ({"vault_password_file": "/nowhere"}, "--vault-password-file: /nowhere cannot be read"),
        ({"mapping": "/nowhere"}, "--mapping: /nowhere cannot be read"),
    ],
)
def test_wrong_options(options, expected, small):
    assert expected in run_import(small, **options).refusal


def test_an_empty_password_file_is_refused(small, tmp_path):
    (tmp_path / "empty").write_text("\n")
    outcome = run_import(small, vault_password_file=str(tmp_path / "empty"))
    assert "is empty; it must hold the password" in outcome.refusal


def test_a_tree_that_is_not_there(tmp_path):
    assert "There is no such file or directory." in run_import(tmp_path / "nowhere").everything


# --- vaults ---


def test_a_sealed_file_without_password_is_kept_and_reported(small):
    write_tree(
        small, {"host_vars/d1.yml": sealed("secret: 1\n"), "group_vars/db/vault.yml": sealed("x: 1\n")}
    )
    snapshot = imported(small)
    assert [(file.owner_kind, file.owner, file.path) for file in snapshot.sealed] == [
        ("group", "db", "group_vars/db/vault.yml"),
        ("host", "d1", "host_vars/d1.yml"),
    ]
    found = [finding for finding in judge(snapshot) if finding.id == "vault-sealed"]
    assert [finding.subject for finding in found] == ["group db", "host d1"]


def test_the_password_opens_what_was_kept_sealed(small):
    write_tree(small, {"host_vars/d1.yml": sealed("secret: treasure\n")})
    imported(small)
    snapshot = imported(small, password=PASSWORD)
    assert not snapshot.sealed
    ciphertext = snapshot.host_by_name["d1"].variables["secret"]["__ansible_vault"]
    assert vault.decrypt(ciphertext, PASSWORD.encode()) == b"treasure"


def test_equal_plaintext_keeps_its_ciphertext(small):
    write_tree(small, {"host_vars/d1.yml": sealed("one: same\ntwo: old\nlist: [x, y]\n")})
    before = imported(small, password=PASSWORD).host_by_name["d1"].variables
    write_tree(small, {"host_vars/d1.yml": sealed("one: same\ntwo: new\nlist: [x, z]\n")})
    after = imported(small, password=PASSWORD).host_by_name["d1"].variables
    assert after["one"] == before["one"]
    assert after["list"][0] == before["list"][0]
    assert after["two"] != before["two"]
    assert after["list"][1] != before["list"][1]


@pytest.mark.django_db(transaction=True)
def test_no_plaintext_of_a_vault_is_stored_or_said(tmp_path):
    secrets = ("Zaubertrank-7731", "Drachenblut-8842", "Feenstaub-9953", "5550001234")
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {hosts: {h: {}}, children: {g: {hosts: {h: {}}, vars: {late: inline}}}}\n",
            "group_vars/all.yml": sealed(
                f"a: {secrets[0]}\ndeevnet_root_domain: {secrets[0]}\nlate: {secrets[1]}\n"
            ),
            "group_vars/g/x.yml": "plain: 1\nsealed_inline: " + nasty_trees.inline_vault(secrets[1], 2),
            "host_vars/h.yml": sealed(
                f"env: {{role: {secrets[2]}, interfaces: {{eth0: {{ip: {secrets[2]}}}}}}}\n"
                f"number: {secrets[3]}\nmany: [{{k: {secrets[1]}}}, '{{{{ {secrets[0].split('-')[0]} + x }}}}']\n"
            ),
        },
    )
    outcome = run_import(tree, password=PASSWORD, verbosity=2)
    assert not outcome.refusal, outcome.everything
    run_import(tree, password=PASSWORD, json=True)
    stored = _everything_stored()
    for secret in secrets:
        assert secret not in outcome.everything
        assert secret.encode() not in stored


def _everything_stored() -> bytes:
    """Every row of every table as text, and on SQLite the file with its journal too."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += repr(cursor.fetchall()).encode()
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        found += b"".join(Path(name + end).read_bytes() for end in ("", "-wal") if os.path.exists(name + end))
    return found


# --- other names for the nouns ---


def test_a_mapping_renames_every_noun_and_round_trips(tmp_path):
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {hosts: {h1: {}}}\n",
            "group_vars/all.yml": "domain: example.org\nplace: lab\nnetworks:\n  office: {tag: 7, cidr: 192.0.2.0/24, cidr6: '2001:db8::/64', "
            "router: 192.0.2.1, router6: '2001:db8::1', dynamic: yes, lowest: 192.0.2.100, highest: 192.0.2.150, x: 1}\n"
            "  visitors: {cidr: 198.51.100.0/24, lowest: 198.51.100.9, highest: 198.51.100.99}\n",
            "host_vars/h1.yml": "metal: {kind: pi, nics: {en0: {hw: B8-27-EB-00-00-01, speed: 1}}}\n"
            "duty: {job: dns, nics: {en0: {addr: 192.0.2.5, addr6: eui64, net: office, wakes: yes, ssh: true, "
            "names: {a: true, fixed: true, also: [ns, www.lab.example.org], boot: {from: 192.0.2.9, what: x.efi}}}}}\n",
        },
    )
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(
        "site.root_domain: domain\nsite.code: place\nsite.segments: networks\nsegment.vlan: tag\nsegment.network: cidr\n"
        "segment.network6: cidr6\nsegment.gateway: router\nsegment.gateway6: router6\nsegment.dhcp: dynamic\n"
        "segment.pool_first: lowest\nsegment.pool_last: highest\nsegment.dynamic_only: visitors\nhost.hardware: metal\n"
        "host.intent: duty\nhost.form: kind\nhost.role: job\nhost.interfaces: nics\ninterface.mac: hw\n"
        "interface.address: addr\ninterface.address6: addr6\ninterface.segment: net\ninterface.wake_on_lan: wakes\n"
        "interface.management: ssh\ninterface.dns: names\ndns.record: a\ndns.reservation: fixed\ndns.services: also\n"
        "dns.pxe: boot\npxe.server: from\npxe.file: what\n"
    )
    snapshot = assert_equal(tree, tmp_path, site="lab", mapping=str(mapping))
    (host,) = snapshot.hosts
    (interface,) = host.interfaces
    assert (host.form, host.role, interface.mac) == ("pi", "dns", "b8:27:eb:00:00:01")
    assert interface.addresses == ("192.0.2.5", "2001:db8::ba27:ebff:fe00:1")
    assert (interface.segment, interface.wake_on_lan, interface.management) == ("office", True, True)
    assert (interface.a_record, interface.reservation, interface.pxe_server, interface.pxe_file) == (
        True, True, "192.0.2.9", "x.efi",
    )  # fmt: skip
    assert [service.label for service in host.services] == ["ns", "www"]
    policies = {segment.name: (segment.policy, segment.vlan) for segment in snapshot.segments}
    assert policies == {"office": ("both", 7), "visitors": ("dynamic", None)}
    # the site remembers its mapping
    assert "Nothing to change." in run_import(tree, site="lab").output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "site.nothing: x\nsegment.vlan: tag\n",
            "The mapping names site.nothing; known are site.root_domain",
        ),
        ("segment.vlan: 5\n", "The mapping of segment.vlan must be a name"),
        ("host.hardware: env\n", "gives host.hardware and host.intent one name, “env”"),
        ("- x\n", "must be a mapping"),
        ("a: 1\na: 2\n", "stands twice"),
    ],
)
def test_a_wrong_mapping_is_refused(text, expected, small, tmp_path):
    (tmp_path / "m.yml").write_text(text)
    outcome = run_import(small, mapping=str(tmp_path / "m.yml"))
    assert expected in outcome.refusal
    assert not Site.objects.exists()


def test_a_group_that_is_a_profile_stays_one(small):
    imported(small)
    site = Site.objects.get()
    with change(site, by="test"):
        Group(site=site, name="builder", kind=Group.Kind.PROFILE, variables={"p": 1}).save()
    write_tree(small, {"hosts.yml": "all: {children: {profile_builder: {hosts: {w1: {}}}}}\n"})
    outcome = run_import(small)
    assert "stands for the workload profile “builder”" in outcome.errors
    assert not Group.objects.filter(name="profile_builder").exists()
