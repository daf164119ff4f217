"""Which hosts a playbook would touch, by Ansible itself."""

from __future__ import annotations

import json
import re

import pytest

from inventory.vault import encrypt
from provisioning.adapters.ansible import AnsibleFault, Play, plays
from provisioning.adapters.ansible.processes import marked
from provisioning.adapters.ansible.surroundings import in_memory
from provisioning.adapters.ansible.words import plays_in

TWO_PLAYS = """
- name: Configure web servers
  hosts: web
  tasks: [ping: ]
- hosts: all:!web
  tasks: [ping: ]
"""


@pytest.fixture
def groups(stage):
    stage.inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {"db1": {}},
                    "children": {"web": {"hosts": {"web2": {}, "web10": {}, "web1": {}}}},
                }
            }
        )
    )
    return stage


def test_each_play_has_its_hosts_sorted(groups):
    assert plays(groups.launch(TWO_PLAYS)) == [
        Play("Configure web servers", ("web1", "web10", "web2")),
        Play("all:!web", ("db1",)),
    ]
    assert marked(groups.marker) == []
    assert not in_memory(groups.marker).exists()


def test_the_limit_is_applied_as_ansible_reads_it(groups):
    assert plays(groups.launch(TWO_PLAYS, limit="web:&web1*")) == [
        Play("Configure web servers", ("web1", "web10")),
        Play("all:!web", ()),
    ]


def test_a_limit_that_matches_nothing_leaves_no_hosts(groups):
    assert plays(groups.launch(TWO_PLAYS, limit="nobody")) == [
        Play("Configure web servers", ()),
        Play("all:!web", ()),
    ]


def test_hosts_that_a_variable_names_are_found(groups):
    listed = plays(groups.launch("- hosts: '{{ target }}'\n  tasks: []\n", answers={"target": "db1"}))

    assert [play.hosts for play in listed] == [("db1",)]


def test_an_inventory_under_vault_is_read(groups):
    groups.inventory.write_text(encrypt(groups.inventory.read_bytes(), b"password-of-it"))

    assert [
        play.hosts for play in plays(groups.launch(TWO_PLAYS, vault_passwords={"default": "password-of-it"}))
    ] == [
        ("web1", "web10", "web2"),
        ("db1",),
    ]


@pytest.mark.parametrize(
    ("playbook", "sentence"),
    [
        ("- hosts: all\n  tasks:\n    - debug: [\n", r"site\.yml, line 4: .*"),
        ("- hosts: all\n  roles: [nowhere]\n", r"site\.yml, line 2: the role 'nowhere' was not found"),
        ("- hosts: all\n  tasks:\n    - no_such_module: x\n", r"site\.yml, line 3: .*no_such_module"),
        ("just text\n", r"site\.yml, line 1: .*"),
        ("- import_playbook: other.yml\n", r".*access 'other\.yml'"),
    ],
)
def test_what_ansible_cannot_read_is_named_with_file_and_line(groups, playbook, sentence):
    with pytest.raises(
        AnsibleFault, match=r"^Ansible cannot read the playbook site\.yml \(exit code \d\)"
    ) as refused:
        plays(groups.launch(playbook))

    assert re.match(sentence, refused.value.complaint)
    assert "\n" not in refused.value.complaint
    assert str(groups.root) not in refused.value.complaint


def test_a_listing_in_another_form_is_refused_and_not_guessed():
    with pytest.raises(AnsibleFault, match="in another form than known"):
        plays_in("\nplaybook: x.yml\n\n  play #1 (all): Name\tTAGS: []\n    hosts (2):\n      a\n")
    with pytest.raises(AnsibleFault, match="in another form than known, at “something new”"):
        plays_in("something new\n")
