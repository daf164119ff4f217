"""What Ansible resolves from a tree it resolves from the site that was imported from it."""

from __future__ import annotations

import itertools

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from inventory.exports import ansible
from tests import ansible_reference as reference
from tests.importers import generated_trees, nasty_trees
from tests.importers.site_support import PASSWORD, assert_equal, imported, rendered
from tests.importers.tree_support import write_tree
from tests.scale import share
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db

EXAMPLES = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes: ask for it when a case is found
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MORE = settings(EXAMPLES, max_examples=share(400), derandomize=False)


def test_the_sample(tmp_path):
    snapshot = assert_equal(require_sample(), tmp_path, password=PASSWORD)
    assert len(snapshot.hosts) == 16
    assert len(snapshot.segments) == 12


@pytest.mark.parametrize("name", nasty_trees.ALL)
def test_a_nasty_tree(name, tmp_path):
    tree = write_tree(tmp_path / "tree", nasty_trees.ALL[name])
    hosts = "hosts" if name == "ini" else "hosts.yml"
    # where inline variables and files of groups meet, Ansible's own order of names cannot be kept
    assert_equal(tree, tmp_path, hosts=hosts, password=PASSWORD, ordered=name == "values")


def test_three_hundred_hosts_in_many_groups(tmp_path):
    hosts = "".join(f"      h{n:03}: {{n: {n}}}\n" for n in range(300, 0, -1))
    groups = ""
    for g in range(2, 30):
        members = ", ".join(f"h{n:03}" for n in range(1, 301) if n % g == 0)
        groups += f"    g{g:02}:\n      vars: {{of: {g}}}\n      hosts: {{{members}}}\n"
    tree = write_tree(
        tmp_path / "tree",
        {"hosts.yml": f"all:\n  hosts:\n{hosts}  children:\n{groups}", "group_vars/g07.yml": "of: file\n"},
    )
    snapshot = assert_equal(tree, tmp_path, ordered=False)
    assert len(snapshot.hosts) == 300


def test_groups_nested_deeper_than_a_yaml_reader_likes(tmp_path):
    """Only INI can say it; our own hosts.yml must stay readable."""
    chain = "".join(f"[g{n}:children]\ng{n + 1}\n[g{n}:vars]\nv={n}\nv{n}={n}\n" for n in range(150))
    tree = write_tree(tmp_path / "tree", {"hosts": f"[g150]\nbottom\n{chain}"})
    assert_equal(tree, tmp_path, hosts="hosts")


def test_a_host_with_the_name_of_a_group(tmp_path):
    """Ansible itself gives inline variables of such a host to the group; files tell them apart."""
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {children: {bastion: {hosts: {bastion: {}}}, web: {hosts: {bastion: {}, w1: {}}}}}\n",
            "group_vars/bastion.yml": "who: group\n",
            "host_vars/bastion.yml": "who: host\n",
        },
    )
    snapshot = imported(tree)
    theirs = reference.listing(tree / "hosts.yml")
    for source in rendered(snapshot, tmp_path / "rendered"):
        assert not reference.differences(theirs, reference.listing(source), ordered=False)
    assert not ansible.render(snapshot).findings


def test_a_host_that_a_script_cannot_tell_from_a_group(tmp_path):
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {children: {web: {hosts: {web: {}, w1: {}}}}}\n",
            "host_vars/web.yml": "who: only the host\nansible_host: 192.0.2.1\n",
        },
    )
    snapshot = imported(tree)
    script, plain = rendered(snapshot, tmp_path / "rendered")
    theirs = reference.listing(tree / "hosts.yml")
    assert not reference.differences(theirs, reference.listing(plain))
    ours = reference.hosts_of(reference.listing(script))
    assert "who" not in ours["w1"]
    assert "ansible_host" not in ours["w1"]
    (finding,) = ansible.render(snapshot).findings
    assert (finding.id, finding.severity, finding.subject) == ("host-named-as-group", "error", "host web")


def test_a_sealed_file_stands_between_plain_ones(tmp_path):
    """Without its password nobody knows what a sealed file holds; Ansible, with it, reads all files in their old order."""
    tree = write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": "all: {hosts: {h: {inline: 1, b: inline}}, children: {g: {hosts: {h: {}}}}}\n",
            "group_vars/all/10.yml": "a: first\nb: first\n",
            "group_vars/all/20.yml": nasty_trees.sealed("a: sealed\nb: sealed\nc: sealed\nonly: sealed\n"),
            "group_vars/all/30.yml": "b: third\n",
            "group_vars/all/40/x.yml": nasty_trees.sealed("b: fourth\nd: fourth\n"),
            "group_vars/all/50.yml": "d: fifth\n",
            "group_vars/g.yml": nasty_trees.sealed("only: g\n"),
            "host_vars/h/a.yml": nasty_trees.sealed("e: sealed\nf: sealed\n"),
            "host_vars/h/b.yml": "f: plain\n",
        },
    )
    snapshot = imported(tree)
    _, plain = rendered(snapshot, tmp_path / "rendered")
    theirs = reference.listing(tree / "hosts.yml", password=PASSWORD)
    ours = reference.listing(plain, password=PASSWORD)
    assert not reference.differences(theirs, ours, PASSWORD, ordered=False)
    assert {finding.id for finding in ansible.render(snapshot).findings} == {"vault-sealed"}


_count = itertools.count()


def _assert_generated(files, tmp_path):
    directory = tmp_path / str(next(_count))
    tree = write_tree(directory / "tree", files)

    with transaction.atomic():
        assert_equal(tree, directory, ordered=False)
        transaction.set_rollback(True)


@given(files=generated_trees.trees())
@EXAMPLES
def test_generated_trees(files, tmp_path):
    _assert_generated(files, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(files=generated_trees.trees())
@MORE
def test_many_generated_trees(files, tmp_path):
    _assert_generated(files, tmp_path)
