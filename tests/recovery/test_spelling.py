"""A kit on a disk that tells no upper from lower case: every file is there, with what it says."""

from __future__ import annotations

from dataclasses import replace

import yaml

from inventory.recovery import kit
from inventory.recovery.spelling import apart
from inventory.snapshot import GroupFacts
from tests.exports.client_site import CLIENTS, FEDORA


def test_of_equal_files_one_stays_and_others_get_a_number():
    found = apart({"a/X.txt": b"1", "a/x.txt": b"1", "a/x.TXT": b"2", "b/x.txt": b"3", "X": b""})
    assert found.files == {"a/x.txt": b"1", "a/x-2.TXT": b"2", "b/x.txt": b"3", "X": b""}
    assert found.same == ("a/X.txt",)
    assert found.renamed == {"a/x.TXT": "a/x-2.TXT"}


def test_directories_are_kept_apart_as_well():
    found = apart({"vars/Web/main.yml": b"1", "vars/Web/vault.yml": b"2", "vars/web/main.yml": b"3"})
    assert found.files == {
        "vars/web/main.yml": b"3", "vars/Web-2/main.yml": b"1", "vars/Web-2/vault.yml": b"2",
    }  # fmt: skip
    assert not found.same and len(found.renamed) == 2


def test_a_kit_has_no_two_names_that_differ_in_case_and_says_what_it_left_out():
    booting = replace(CLIENTS.hosts[0], variables={"mgmtplane_pxe": FEDORA})
    site = replace(CLIENTS, hosts=(booting, *CLIENTS.hosts[1:]))
    files = kit.files(site)
    assert len({name.casefold() for name in files}) == len(files)
    assert any("/pxe/mac-" in name for name in files) and not any("/pxe/MAC-" in name for name in files)
    assert "a boot server that is asked for one in upper case" in files["README.txt"].decode()
    assert "have a number here" not in files["README.txt"].decode()


def test_groups_whose_names_differ_in_case_keep_their_variables():
    groups = tuple(GroupFacts(name, hosts=("pi01",), variables={"said": name}) for name in ("Web", "web"))
    files = kit.files(replace(CLIENTS, groups=groups))
    assert not [name for name in files if name.startswith("ansible/group_vars/")]
    tree = yaml.safe_load(files["ansible/hosts.yml"])["all"]["children"]
    assert {name: tree[name]["vars"]["said"] for name in ("Web", "web")} == {"Web": "Web", "web": "web"}
