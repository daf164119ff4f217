"""A site that was imported and then edited: the exports follow the person, and keep everything else as written."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from inventory import reading, yaml11
from inventory.addressing import Range
from inventory.changes import SiteChange, change
from inventory.exports import ansible, ansible_cut, ansible_tree
from inventory.models import Group, Host, Interface, Membership, Role, Segment, Service, Site, WorkloadProfile
from tests.importers import nasty_trees
from tests.importers.site_support import PASSWORD, imported
from tests.importers.tree_support import write_tree
from tests.shared_data import REPOSITORY, require_sample

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "golden"


def document(name="dvntm"):
    return json.loads(ansible.render(reading.load(name)).files["inventory.json"])


def files(name="dvntm"):
    rendered = ansible_tree.render(reading.load(name)).files
    return {
        path: yaml11.read(content, path)[0] for path, content in rendered.items() if path.endswith(".yml")
    }


def differing(before, after, at=()):
    """The paths at which two values differ; order of keys included."""
    if isinstance(before, dict) and isinstance(after, dict):
        if list(before) != list(after):
            return {(*at, key) for key in before.keys() ^ after.keys()} or {(*at, "order")}
        return {path for key in before for path in differing(before[key], after[key], (*at, key))}
    return set() if json.dumps(before) == json.dumps(after) else {at}


@pytest.fixture
def sample():
    imported(require_sample(), password=PASSWORD)
    return document(), files()


@pytest.fixture
def site(sample):
    return Site.objects.get()


def edit(row, **values):
    with change(row if isinstance(row, Site) else getattr(row, "site", None) or row.host.site, by="test"):
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


def only_change(sample, host=None):
    """The paths that differ in the document now, below hostvars of *host*; the tree must say the same."""
    paths = differing(sample[0], document())
    if host is not None:
        prefix = ("_meta", "hostvars", host)
        assert all(path[:3] == prefix for path in paths), paths
        tree = differing(sample[1], files())
        assert {path[1:] for path in tree} == {path[3:] for path in paths}
        assert {path[0] for path in tree} == {f"host_vars/{host}.yml"}
        return {path[3:] for path in paths}
    return paths


VM02 = ("interfaces", "eth0")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"mac": "02:de:20:00:00:c9"}, {("infrastructure", *VM02, "mac")}),
        ({"ipv4": "10.20.99.48"}, {("env", *VM02, "ip"), ("ansible_host",)}),
        ({"reservation": False}, {("env", *VM02, "dns", "dhcp_reservation")}),
        (
            {"pxe_file": "other.efi"},
            {("env", *VM02, "dns", "pxe_boot"), ("env", *VM02, "dns", "pxe_boot", "boot_file")},
        ),
    ],
)
def test_an_edited_interface(values, expected, sample):
    edit(Interface.objects.get(host__name="provisioner-vm02", name="eth0"), **values)
    found = only_change(sample, "provisioner-vm02")
    assert found
    assert found <= expected


def test_an_edited_host(sample, site):
    host = Host.objects.get(name="provisioner-vm02")
    with change(site, by="test"):
        host.role = Role.objects.create(site=site, slug="other")
        host.form = "ph"
        host.save()
    assert only_change(sample, "provisioner-vm02") == {("infrastructure", "form"), ("env", "role")}


def test_an_interface_in_another_segment(sample):
    interface = Interface.objects.get(host__name="provisioner-vm02", name="eth0")
    edit(interface, segment=Segment.objects.get(name="platform"), ipv4="10.20.25.40")
    assert ("env", *VM02, "segment") in only_change(sample, "provisioner-vm02")


def test_a_service_that_moved(sample):
    service = (
        Service.objects.exclude(host__name="provisioner-vm02")
        .exclude(name__in=["gateway", "dns", "dhcp"])
        .first()
    )
    old = service.host.name
    edit(service, host=Host.objects.get(name="provisioner-vm02"))
    paths = differing(sample[0], document())
    assert {path[2] for path in paths} == {old, "provisioner-vm02"}
    assert all("cnames" in path for path in paths)
    hostvars = document()["_meta"]["hostvars"]
    assert service.label in hostvars["provisioner-vm02"]["env"]["interfaces"]["eth0"]["dns"]["cnames"]


def test_an_edited_segment(sample):
    segment = Segment.objects.get(name="trusted")
    edit(segment, gateway4="10.20.10.2", pool_first="10.20.10.110")
    assert only_change(sample) == {
        ("all", "vars", "deevnet_vlans", "trusted", "gateway"),
        ("all", "vars", "deevnet_vlans", "trusted", "dhcp_range_start"),
    }
    assert reading.load("dvntm").segment_by_name["trusted"].pool == Range("10.20.10.110", segment.pool_last)


def test_a_new_segment_stands_behind_the_others(sample, site):
    with change(site, by="test"):
        Segment(site=site, name="added", vlan=77, network4="10.20.77.0/24", policy="static").save()
    vlans = document()["all"]["vars"]["deevnet_vlans"]
    assert list(vlans) == [*sample[0]["all"]["vars"]["deevnet_vlans"], "added"]
    assert vlans["added"] == {"vlan_id": 77, "subnet": "10.20.77.0/24", "dhcp_enabled": False}


def test_another_root_domain(sample, site):
    edit(site, root_domain="example.net")
    found = differing(sample[0], document())
    assert ("all", "vars", "deevnet_root_domain") in found
    assert {path[-1] for path in found} == {"deevnet_root_domain", "fqdn"}
    assert document()["_meta"]["hostvars"]["pi01"]["fqdn"] == "pi01.dvntm.example.net"


def test_a_retired_host_is_nowhere(sample):
    edit(Host.objects.get(name="provisioner-vm02"), status="retired")
    assert b"provisioner-vm02" not in ansible.render(reading.load("dvntm")).files["inventory.json"].replace(
        b"provisioner-vm02.", b""
    )
    assert "host_vars/provisioner-vm02.yml" not in files()
    with pytest.raises(LookupError, match="is retired in site dvntm"):
        ansible.host_document(reading.load("dvntm"), "provisioner-vm02")


def test_a_host_made_by_hand_is_written_canonically(sample, site):
    with change(site, by="test"):
        host = Host(site=site, name="new-vm01", form="vm", variables={"own": 1})
        host.save()
        Interface(host=host, name="eth0", mac="02:de:20:00:01:01", ipv4="10.20.99.47", addressing="static", a_record=True,
                  segment=Segment.objects.get(name="management")).save()  # fmt: skip
        Membership(group=Group.objects.get(name="pis"), host=host).save()
    assert document()["_meta"]["hostvars"]["new-vm01"] == {
        "own": 1,
        "infrastructure": {"form": "vm", "interfaces": {"eth0": {"mac": "02:de:20:00:01:01"}}},
        "env": {
            "interfaces": {
                "eth0": {"ip": "10.20.99.47", "segment": "management", "dns": {"host_a_record": True}}
            }
        },
        "fqdn": "new-vm01.dvntm.deevnet.net",
    }  # ansible_host comes from all, where the sample declares it
    assert "new-vm01" in document()["pis"]["hosts"]


def test_a_workload_profile_is_a_group(sample, site):
    with change(site, by="test"):
        profile = WorkloadProfile(site=site, name="builder", variables={"packages": ["make"]})
        profile.save()
        Membership(group=profile, host=Host.objects.get(name="pi01")).save()
        WorkloadProfile(site=site, name="parked").save()
    found = document()
    assert found["profile_builder"] == {"hosts": ["pi01"], "vars": {"packages": ["make"]}}
    assert found["profile_parked"] == {"hosts": []}
    assert files()["group_vars/profile_builder.yml"] == {"packages": ["make"]}


def test_the_documents_of_one_host_and_one_group(sample):
    snapshot = reading.load("dvntm")
    whole = document()
    assert json.loads(ansible.host_document(snapshot, "pi01")) == whole["_meta"]["hostvars"]["pi01"]
    part = json.loads(ansible.group_document(snapshot, "pis"))
    assert set(part["_meta"]["hostvars"]) == {"pi01", "pi02", "pi03", "pi04"}
    assert part["pis"] == whole["pis"]
    assert not part["hypervisors"].get("hosts")
    assert json.loads(ansible.group_document(snapshot, "all")) == whole
    above = json.loads(ansible.group_document(snapshot, "compute"))
    assert {"hv01", "pi01"} <= set(above["_meta"]["hostvars"])
    for call in (ansible.host_document, ansible.group_document):
        with pytest.raises(LookupError, match="nowhere"):
            call(snapshot, "nowhere")


def test_what_is_cut_from_the_document_is_what_would_be_rendered(sample):
    """Byte by byte, for each host and each group."""
    snapshot = reading.load("dvntm")
    whole = ansible.render(snapshot).files["inventory.json"]
    found = document()
    assert len(found["_meta"]["hostvars"]) > 5
    for name in found["_meta"]["hostvars"]:
        assert ansible_cut.cut_host(whole, name) == ansible.host_document(snapshot, name), name
    for name in found.keys() - {"_meta"}:
        assert ansible_cut.cut_group(whole, name) == ansible.group_document(snapshot, name), name
    for call in (ansible_cut.cut_host, ansible_cut.cut_group):
        with pytest.raises(LookupError, match="nowhere"):
            call(whole, "nowhere")


def test_deleting_the_group_that_held_the_segments_leaves_them_to_all(tmp_path):
    tree = write_tree(
        tmp_path / "t",
        {
            "hosts.yml": "all: {hosts: {h: {}}, children: {net: {vars: {deevnet_vlans: {lan: {vlan_id: 5}}}}}}\n"
        },
    )
    imported(tree)
    assert document()["net"]["vars"] == {"deevnet_vlans": {"lan": {"vlan_id": 5}}}
    with change(Site.objects.get(), by="test"):
        Group.objects.get(name="net").delete()
    assert document()["all"]["vars"] == {"deevnet_vlans": {"lan": {"vlan_id": 5}}}


# --- the same facts, the same bytes ---

DETERMINED = [name for name in nasty_trees.ALL if name != "vaulted"]


@pytest.mark.parametrize("name", DETERMINED)
def test_both_databases_render_the_bytes_that_were_reviewed(name, tmp_path):
    """Run with ``MGMTPLANE_GOLDEN=write`` after a wanted change, and read the diff."""
    snapshot = imported(write_tree(tmp_path / "tree", nasty_trees.ALL[name]))
    rendered = {**ansible.render(snapshot).files, **ansible_tree.render(snapshot).files}
    kept = GOLDEN / f"{name}.txt"
    content = b"".join(b"=== %s\n%s" % (path.encode(), text) for path, text in sorted(rendered.items()))
    if os.environ.get("MGMTPLANE_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        kept.write_bytes(content)
    assert kept.read_bytes() == content


@pytest.mark.parametrize("name", DETERMINED)
def test_the_order_of_insertion_does_not_show(name, tmp_path, monkeypatch):
    tree = write_tree(tmp_path / "tree", nasty_trees.ALL[name])
    first = imported(tree, site="lab")
    create = SiteChange.create

    def backwards(self, rows, **options):
        return create(self, list(rows)[::-1], **options)

    with change(Site.objects.get(), by="test"):
        Site.objects.get().delete()
    monkeypatch.setattr(SiteChange, "create", backwards)
    second = imported(tree, site="lab")
    assert first.site.uid != second.site.uid
    assert ansible.render(first).files == ansible.render(second).files
    assert ansible_tree.render(first).files == ansible_tree.render(second).files


_RENDER = """
import hashlib, pickle, sys
from inventory.exports import ansible, ansible_tree
snapshot = pickle.load(sys.stdin.buffer)
digest = hashlib.sha256()
for export in (ansible, ansible_tree):
    for path, content in export.render(snapshot).files.items():
        digest.update(path.encode() + content)
print(digest.hexdigest())
"""


def test_the_hash_seed_does_not_show(sample):
    pickled = pickle.dumps(reading.load("dvntm"))
    digests = {
        subprocess.run(
            [sys.executable, "-c", _RENDER],
            input=pickled,
            capture_output=True,
            check=True,
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": seed, "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(digests) == 1


def test_nothing_in_the_files_names_a_revision_or_a_time(sample, site):
    edit(site, name="another name")
    assert (document(), files()) == sample
