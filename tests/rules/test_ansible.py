"""What an import left unclear is a finding, from the Snapshot alone, until a person repairs it."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.exports.ansible_model import AnsibleModel
from inventory.models import Host, Interface, Site
from inventory.rules import ansible
from inventory.snapshot import GroupFacts, HostFacts, SealedFile, SiteFacts, Snapshot
from tests.importers import nasty_trees
from tests.importers.site_support import imported
from tests.importers.tree_support import write_tree

pytestmark = pytest.mark.django_db

VLANS = "deevnet_vlans:\n  lan: {subnet: 192.0.2.0/24}\n"


def found(tmp_path, host_vars, group_vars=VLANS):
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {hosts: {h: {}}}\n",
            "group_vars/all.yml": group_vars,
            "host_vars/h.yml": host_vars,
        },
    )
    return [(f.id, f.subject, f.message) for f in ansible.findings(imported(tree))]


def mac(text):
    return f"infrastructure: {{interfaces: {{eth0: {{mac: {text}}}}}}}\n"


def eth0(fields):
    return f"env: {{interfaces: {{eth0: {fields}}}}}\n"


ETH0 = "interface h/eth0"
CASES = [
    (mac('"{{ nowhere }}"'), mac('"{{ nowhere | default(\'\') }}"'), "identity-jinja", ETH0),
    (mac('"{{ a }}{{ b }}"'), mac("UNKNOWN"), "identity-jinja", ETH0),
    (mac("12:34:56:12:34:56"), mac("'12:34:56:12:34:56'"), "identity-unreadable", ETH0),
    (mac("nonsense"), mac("null"), "identity-unreadable", ETH0),
    (eth0("{ip: '{{ x | y }}'}"), eth0("{ip: dhcp}"), "identity-jinja", ETH0),
    (eth0("{ip: 300.1.1.1}"), eth0("{ip: 192.0.2.3}"), "identity-unreadable", ETH0),
    (eth0("{segment: nowhere}"), eth0("{segment: lan}"), "segment-undeclared", ETH0),
    (eth0("{segment: '{{ s }}'}"), eth0("{segment: lan}"), "identity-jinja", ETH0),
    (eth0("{wol: '{{ w }}'}"), eth0("{wol: yes}"), "identity-jinja", ETH0),
    (eth0("{dns: '{{ d }}'}"), eth0("{dns: {}}"), "identity-jinja", ETH0),
    (eth0("{dns: {pxe_boot: '{{ d }}'}}"), eth0("{dns: {pxe_boot: null}}"), "identity-jinja", ETH0),
    (eth0("{dns: {cnames: ['{{ d }}']}}"), eth0("{dns: {cnames: [d]}}"), "identity-jinja", ETH0),
    (eth0("{dns: {cnames: [d.example.org.]}}"), eth0("{dns: {cnames: [d.dvntm.home.arpa.]}}"), "identity-unreadable", ETH0),
    (eth0("{dns: {pxe_boot: {boot_file: [1]}}}"), eth0("{dns: {pxe_boot: {boot_file: x}}}"), "identity-unreadable", ETH0),
    (eth0("'{{ whole }}'"), eth0("null"), "identity-jinja", ETH0),
    ("env: {interfaces: '{{ i }}'}\n", "env: {interfaces: null}\n", "identity-jinja", "host h"),
    ("env: {role: '{{ r }}'}\n", "env: {role: r}\n", "identity-jinja", "host h"),
    ("infrastructure: {form: {a: 1}}\n", "infrastructure: {form: vm}\n", "identity-unreadable", "host h"),
    ("infrastructure: '{{ i }}'\n", "infrastructure: somebody else's\n", "identity-jinja", "host h"),
    ("env: '{{ e }}'\n" + mac("null"), "env: '{{ e }}'\n", "identity-jinja", "host h"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "repaired", "rule", "subject"), CASES)
def test_fires_on_the_wrong_and_not_on_the_repaired(wrong, repaired, rule, subject, tmp_path):
    assert [(one, two) for one, two, _ in found(tmp_path, wrong)] == [(rule, subject)]
    assert found(tmp_path, repaired) == []


@pytest.mark.parametrize(
    ("wrong", "repaired", "rule", "subject"),
    [
        ("{lan: {vlan_id: 5000}}", "{lan: {vlan_id: 500}}", "identity-unreadable", "segment lan"),
        (
            "{lan: {subnet: 192.0.2.5/24}}",
            "{lan: {subnet: 192.0.2.0/24}}",
            "identity-unreadable",
            "segment lan",
        ),
        ("{lan: {subnet: '{{ n }}'}}", "{lan: {}}", "identity-jinja", "segment lan"),
        ("{lan: '{{ n }}'}", "{lan: null}", "identity-jinja", "segment lan"),
        ("'{{ n }}'", "null", "identity-jinja", "group all"),
    ],
)
def test_segments(wrong, repaired, rule, subject, tmp_path):
    assert [(one, two) for one, two, _ in found(tmp_path, "{}\n", f"deevnet_vlans: {wrong}\n")] == [
        (rule, subject)
    ]
    assert found(tmp_path, "{}\n", f"deevnet_vlans: {repaired}\n") == []


def test_a_message_names_the_key_and_what_became_of_it(tmp_path):
    ((_, _, message),) = found(tmp_path, mac("12:34:56:12:34:56"))
    assert message == "mac was read as the number 9783981296 (YAML 1.1, base 60)."


def test_a_fact_that_a_person_repaired_is_no_finding(tmp_path):
    assert found(tmp_path, mac("nonsense") + eth0("{segment: nowhere}"))
    with change(Site.objects.get(), by="test"):
        interface = Interface.objects.get()
        interface.mac, interface.segment = "02:de:20:00:00:01", Site.objects.get().segments.get()
        interface.save()
    assert list(ansible.findings(reading.load("dvntm"))) == []


def test_a_retired_host_has_no_findings(tmp_path):
    assert found(tmp_path, mac("nonsense"))
    with change(Site.objects.get(), by="test"):
        host = Host.objects.get()
        host.status = "retired"
        host.save()
    assert list(ansible.findings(reading.load("dvntm"))) == []


def test_a_pinned_variable_is_told_and_one_place_is_enough(tmp_path):
    tree = write_tree(tmp_path / "tree", {"hosts.yml": "all: {children: {web: {hosts: {h: {}}, vars: {a: inline}}}}\n",
                                          "group_vars/all.yml": "a: file\n"})  # fmt: skip
    (pinned,) = ansible.findings(imported(tree))
    assert (pinned.id, pinned.severity, pinned.subject) == ("variable-pinned", "info", "host h")
    assert "repeats a from its groups" in pinned.message
    write_tree(tree, {"group_vars/all.yml": "b: file\n"})
    assert list(ansible.findings(imported(tree))) == []


def test_sealed_files_and_shared_names():
    site = SiteFacts("lab", "example.net")
    hosts = (HostFacts("web"), HostFacts("w1"), HostFacts("old", status="retired"))
    group = GroupFacts("web", hosts=("w1", "web"))
    sealed = tuple(
        SealedFile("host", name, f"host_vars/{name}.yml", nasty_trees.sealed("a: 1\n"))
        for name in ("w1", "old")
    )
    snapshot = Snapshot(site, hosts=hosts, groups=(group,), sealed=sealed)
    assert [(f.id, f.subject) for f in ansible.findings(snapshot)] == [
        ("vault-sealed", "host w1"),
        ("host-named-as-group", "host web"),
    ]
    assert (
        list(ansible.findings(Snapshot(site, hosts=hosts[1:], groups=(GroupFacts("web", hosts=("w1",)),))))
        == []
    )


def test_facts_that_a_foreign_variable_hides_are_told_and_appear_when_it_goes(tmp_path):
    assert found(tmp_path, "env: {stage: production}\n") == []
    site, row = Site.objects.get(), Host.objects.get()
    with change(site, by="ada"):
        Interface(host=row, name="eth0", addressing="static", ipv4="192.0.2.9").save()
    snapshot = reading.load(site.slug)
    (hidden,) = ansible.findings(snapshot)
    assert (hidden.id, hidden.subject) == ("identity-hidden", "host h")
    assert AnsibleModel(snapshot).host_variables(snapshot.hosts[0])["env"] == {"stage": "production"}
    with change(site, by="ada"):
        row.variables = {}
        row.save()
    snapshot = reading.load(site.slug)
    assert list(ansible.findings(snapshot)) == []
    written = AnsibleModel(snapshot).host_variables(snapshot.hosts[0])["env"]
    assert written == {"interfaces": {"eth0": {"ip": "192.0.2.9"}}}
