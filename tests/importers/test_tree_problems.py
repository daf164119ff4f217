"""What is wrong in a tree is said with file and line, all of it at once; nothing is run, nothing leaks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from inventory import vault
from inventory.importers.tree import Secret, Tree, builder, read_tree
from tests.importers.tree_support import PASSWORD, messages, write_tree

HOSTS = "all: {children: {web: {hosts: {a: , b: }}}}\n"


def tree_of(root: Path, files: dict[str, str | bytes], password: str | None = None) -> Tree:
    return read_tree(write_tree(root, files), vault_password=password.encode() if password else None)


def sealed(text: str, password: str = PASSWORD) -> str:
    return vault.encrypt(text.encode(), password.encode())


@pytest.mark.parametrize(
    ("hosts", "where", "words"),
    [
        ("all:\n  vars: [a]\n", "hosts.yml:2", "must be a mapping"),
        ("all:\n  hosts: 5\n", "hosts.yml:2", "must be a mapping"),
        ("all:\n  hosts:\n  - a\n", "hosts.yml:2", "a list"),
        ("all:\n  hosts:\n    a: text\n", "hosts.yml:3", "Its variables are a mapping"),
        ("all:\n  hosts:\n    1:\n", "hosts.yml:3", "must be text"),
        ("all:\n  children:\n    yes: {}\n", "hosts.yml:3", "must be text"),
        ("all:\n  children:\n    '': {}\n", "hosts.yml:3", "no name"),
        ("all:\n  hosts:\n    '': {}\n", "hosts.yml:3", "no name"),
        ("a:\n  children:\n    b:\n      children:\n        a:\n", "hosts.yml:3", "contain itself"),
        ("a:\n  children:\n    a:\n", "hosts.yml:3", "contain itself"),
        ("a:\n  children:\n    all:\n", "hosts.yml:3", "contain itself"),
        ("a:\n  children:\n    b: text\n", "hosts.yml:3", "not defined"),
        ("a:\n  children:\n    ungrouped:\n      hosts: {h: }\n", "hosts.yml:3", "ungrouped"),
        ("a: {vars: {ansible_group_priority: high}}\n", "hosts.yml:1", "whole number"),
        ("all: {hosts: {'a[1:2': }}\n", "hosts.yml:1", "not closed"),
        ("all: {hosts: {'a[1]': }}\n", "hosts.yml:1", "[first:last]"),
        ("all: {hosts: {'a[01:3]': }}\n", "hosts.yml:1", "number of digits"),
        ("all: {hosts: {'a[b:a]': }}\n", "hosts.yml:1", "ends before"),
        ("all: {hosts: {'a[1:9:0]': }}\n", "hosts.yml:1", "neither of numbers"),
        ("all: {hosts: {'a[1:]': }}\n", "hosts.yml:1", "no end"),
        ("all: {hosts: {'a[0:999999999]': }}\n", "hosts.yml:1", "more than 100,000"),
        ("all: {hosts: {'a[0:999]b[0:999]': }}\n", "hosts.yml:1", "more than 100,000"),
        ("all: {hosts: {a: {b: {__ansible_vault: x}}}}\n", "hosts.yml:1", "belongs to Ansible"),
        ("plugin: aws_ec2\n", "hosts.yml:1", "nothing in a tree is ever run"),
        ("- a\n- b\n", "hosts.yml:1", "no mapping of groups"),
        ("all:\n\thosts:\n", "hosts.yml:2", "tab"),
        ("all:\n  hosts:\n    a: {}\n    a: {}\n", "hosts.yml:4", "lines 3 and 4"),
        ("all: {vars: {x: !vault abc}}\n", "hosts.yml:1", "damaged"),
    ],
)
def test_a_wrong_hosts_file_is_an_error_with_its_line(
    tmp_path: Path, hosts: str, where: str, words: str
) -> None:
    tree = tree_of(tmp_path, {"hosts.yml": hosts})
    assert where in messages(tree)
    assert words in messages(tree)


@pytest.mark.parametrize(
    ("hosts", "line", "words"),
    [
        ("a\n[web:vars]\nx=1\n", 2, "not defined"),
        ("[a:children]\nb\n", 2, "not defined"),
        ("[a:odd]\nb\n", 1, "no kind of section"),
        ("[a b]\nc d\n", 1, "not a section"),
        ("[a]\nb c\n", 2, "key=value"),
        ("[a]\nb c='d\n", 2, "not closed"),
        ("[a:vars]\nb\n[a]\n", 2, "no `=`"),
        ("[a:children]\nb:c\n", 2, "no group name"),
        ("[a:children]\nb\n[b:children]\na\n", 4, "contain itself"),
        ("a:\n", 1, "colon"),
        ("h[1:2\n", 1, "not closed"),
        ("h x=1e999\n", 1, "infinity"),
        ("h x={(1,2):3}\n", 1, "key"),
        ("[g]\n[g:vars]\nansible_group_priority=x\n", 3, "whole number"),
    ],
)
def test_a_wrong_ini_file_is_an_error_with_its_line(
    tmp_path: Path, hosts: str, line: int, words: str
) -> None:
    tree = tree_of(tmp_path, {"hosts.ini": hosts})
    assert f"hosts.ini:{line}:" in messages(tree)
    assert words in messages(tree)


def test_every_error_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "hosts.ini": "a[1:\n[b:odd]\nx y\n[c\n[d]\ne f\n",
            "group_vars/d.yml": "a: 1\na: 2\n",
            "group_vars/all.yml": "a: !!python/name:os.system x\n",
            "host_vars/gone.yml": "x: [\n",
        },
    )
    found = messages(tree)
    assert [line.split(": ")[0] for line in found.splitlines()] == [
        "group_vars/all.yml:1", "group_vars/d.yml:2", "hosts.ini:1", "hosts.ini:2", "hosts.ini:6",
    ]  # fmt: skip
    assert "host_vars/gone.yml" in messages(tree, "warning")


@pytest.mark.parametrize("path", ["group_vars/web.yml", "host_vars/a.yml", "group_vars/all/x.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, 2]\n", "holds a mapping"),
        ("text\n", "holds a mapping"),
        ("a: 1\na: 2\n", "lines 1 and 2"),
        (b"a: \xff\n", "UTF-8"),
        (b"a: 1\n" * 1_100_000, "limit"),
        ("a: !!python/object:x.y {}\n", "python/object"),
        ("$ANSIBLE_VAULT;1.1;AES256\n313\n", "damaged"),
        ("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  zz\n", "damaged"),
        ("a: !vault |\n  $ANSIBLE_VAULT;9.9;AES256\n  3132\n", "rekey"),
    ],
)
def test_a_wrong_variables_file_is_an_error(
    tmp_path: Path, path: str, content: str | bytes, words: str
) -> None:
    tree = tree_of(tmp_path, {"hosts.yml": HOSTS, path: content})
    assert len(tree.errors) == 1
    assert tree.errors[0].path == path
    assert words in messages(tree)
    assert tree.hosts.keys() == {"a", "b"}


def test_links_out_of_the_tree_are_refused_and_links_inside_are_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yml"
    secret.write_text("password: hush\n")
    root = write_tree(tmp_path / "tree", {"hosts.yml": HOSTS, "shared/real.yml": "x: 1\n"})
    (root / "group_vars").mkdir()
    (root / "group_vars" / "web.yml").symlink_to(secret)
    (root / "group_vars" / "all").symlink_to("../shared")
    (root / "host_vars").symlink_to(tmp_path)
    tree = read_tree(root)
    assert [problem.path for problem in tree.errors] == ["group_vars/web.yml", "host_vars"]
    assert all("out of the tree" in problem.message for problem in tree.errors)
    assert tree.resolved("a") == {"x": 1}
    assert "hush" not in repr(tree)


def test_a_hosts_file_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real.yml").write_text(HOSTS)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "hosts.yml").symlink_to(tmp_path / "real.yml")
    assert "out of the tree" in messages(read_tree(tmp_path / "tree"))


def test_a_tree_reached_through_a_link_is_read(tmp_path: Path) -> None:
    write_tree(tmp_path / "real", {"hosts.yml": HOSTS, "group_vars/web.yml": "x: 1\n"})
    (tmp_path / "link").symlink_to("real")
    for path in (tmp_path / "link", tmp_path / "link" / "hosts.yml"):
        assert read_tree(path).resolved("a") == {"x": 1}
        assert not read_tree(path).problems


def test_loops_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path, {"hosts.yml": HOSTS, "group_vars/web/a.yml": "x: 1\n", "group_vars/all/z": ""}
    )
    (root / "group_vars/web/loop").symlink_to(".")
    os.mkfifo(root / "group_vars/all/pipe")
    (root / "host_vars").mkdir()
    (root / "host_vars/a.yml").symlink_to("/dev/zero")
    (root / "host_vars/b.yml").symlink_to("nowhere")
    tree = read_tree(root)
    assert [problem.path for problem in tree.errors] == [
        "group_vars/all/pipe", "group_vars/web/loop", "host_vars/a.yml",
    ]  # fmt: skip
    assert "leads nowhere" in messages(tree, "warning")


def test_a_name_cannot_climb_out_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text("x: 1\n")
    tree = tree_of(tmp_path / "tree", {"hosts.yml": "all: {hosts: {../../secret: }}\n", "host_vars/x": ""})
    assert "out of the tree" in messages(tree)
    assert tree.resolved("../../secret") == {}


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree(tmp_path, {"hosts.yml": HOSTS, "group_vars/web.yml": "x: 1\n"})
    real = Path.open

    def refusing(path: Path, *arguments: Any, **named: Any) -> Any:  # root may read whatever its mode says
        if path.name == "web.yml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refusing)
    assert "cannot be read" in messages(read_tree(root))


def test_many_large_ranges_end_in_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "MAX_MENTIONS", 1_500)
    names = "".join(f"    h{number}-[0:999]: {{}}\n" for number in range(20))
    tree = tree_of(tmp_path, {"hosts.yml": "all:\n  hosts:\n" + names})
    assert [problem.message for problem in tree.errors] == ["The hosts file names more than 1,000,000 hosts."]


def test_a_sealed_hosts_file_that_is_wrong_is_told_without_its_words(tmp_path: Path) -> None:
    text = "all:\n  hosts: {'hush[': , 'hush[2:1]': }\n  hush: {}\n"
    tree = tree_of(tmp_path, {"hosts.yml": sealed(text)}, PASSWORD)
    assert len(tree.errors) == 1
    assert "hush" not in messages(tree) + messages(tree, "warning")


def test_scripts_are_never_run(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"hosts": f"#!{sys.executable}\nopen({str(tmp_path / 'ran')!r}, 'w')\n"})
    (root / "hosts").chmod(0o755)
    assert "script" in messages(read_tree(root))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "No hosts file"),
        ({"site.yml": "x", "other.yml": "x"}, "site.yml"),
        (
            {"hosts.yml": HOSTS, "inventory.ini": "a\n"},
            "Several hosts files lie here: hosts.yml, inventory.ini",
        ),
        ({"hosts.toml": "x", "group_vars/all": ""}, "No hosts file"),
        ({"hosts/inner.yml": HOSTS}, "No hosts file"),
    ],
)
def test_a_directory_without_one_hosts_file_is_an_error(
    tmp_path: Path, files: dict[str, str | bytes], words: str
) -> None:
    tmp_path.joinpath("tree").mkdir()
    assert words in messages(tree_of(tmp_path / "tree", files))


def test_what_is_not_there_is_an_error_and_toml_is_refused(tmp_path: Path) -> None:
    assert "no such file" in messages(read_tree(tmp_path / "nothing"))
    (tmp_path / "hosts.toml").write_text("[all]\n")
    assert "TOML" in messages(read_tree(tmp_path / "hosts.toml"))


def test_another_name_is_taken_beside_group_vars(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"lab.yml": HOSTS, "group_vars/web.yml": "x: 1\n", "README.md": "x"})
    assert tree.resolved("b") == {"x": 1}
    assert tree.hosts_path == "lab.yml"


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "---\n# nothing\n...\n"])
def test_an_empty_hosts_file_declares_nothing(tmp_path: Path, content: str) -> None:
    tree = tree_of(tmp_path, {"hosts.yml": content})
    assert not tree.errors
    assert not tree.hosts
    assert "declares nothing" in messages(tree, "warning")


def test_what_nobody_reads_is_a_warning(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "hosts.yml": HOSTS,
            "ansible.cfg": "[defaults]\n",
            "group_vars/gone.yml": "x: 1\n",
            "group_vars/web/a.yml": "y: 1\n",
            "group_vars/web/notes.txt": "",
            "group_vars/web/.gitkeep": "",
            "group_vars/web.yml": "y: 2\n",
            "group_vars/README.md": "",
            "host_vars/gone/x.yml": "x: [\n",
            "host_vars/a.yml": "inventory_hostname: x\n",
        },
    )
    assert not tree.errors
    assert [(problem.path, problem.line) for problem in tree.problems] == [
        ("ansible.cfg", None),
        ("group_vars/README.md", None),
        ("group_vars/gone.yml", None),
        ("group_vars/web.yml", None),
        ("group_vars/web/notes.txt", None),
        ("host_vars/a.yml", 1),
        ("host_vars/gone", None),
    ]


# --- the vault


def test_without_a_password_sealed_files_are_kept_closed(tmp_path: Path) -> None:
    text = sealed("secret: hush\n")
    files = {
        "hosts.yml": HOSTS,
        "group_vars/web/1.yml": "a: 1\n",
        "group_vars/web/vault": text,
        "host_vars/a": text,
    }
    tree = tree_of(tmp_path, {**files})
    assert not tree.errors
    assert [(kept.owner_kind, kept.owner, kept.path) for kept in tree.sealed] == [
        ("group", "web", "group_vars/web/vault"),
        ("host", "a", "host_vars/a"),
    ]
    assert tree.sealed[0].text == text
    assert tree.sealed[0].order == ("group_vars/web/1.yml", "group_vars/web/vault")
    assert messages(tree, "warning").count("sealed and was not opened") == 2


def test_a_wrong_password_is_an_error_that_tells_nothing(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"hosts.yml": HOSTS, "group_vars/web": sealed("secret: hush\n")}, "wrong")
    assert "undecryptable" in messages(tree)
    assert "hush" not in repr(tree)


def test_opened_values_hide_themselves_everywhere(tmp_path: Path) -> None:
    text = "secret: hush\nnumber: 4711\nwhole: '{{ hushed }}'\nmixed: '{{ name }}:hush'\nyes_no: true\n"
    tree = tree_of(tmp_path, {"hosts.yml": HOSTS, "group_vars/web": sealed(text)}, PASSWORD)
    resolved = tree.resolved("a")
    assert resolved["secret"] == Secret("hush")
    assert resolved["number"] == Secret("4711")
    assert resolved["whole"] == "{{ hushed }}"
    assert resolved["mixed"] == Secret("{{ name }}:hush")
    assert resolved["yes_no"] is True
    assert "'number' is a number and is sealed as text" in messages(tree, "warning")
    assert "'mixed' is a template" in messages(tree, "warning")
    everything = repr(tree) + repr(resolved) + str(resolved["secret"]) + f"{resolved['secret']}"
    assert "hush'" not in everything
    assert "4711" not in everything
    assert tree.where("group", "web", ("secret",)) == ("group_vars/web", 1)


@pytest.mark.parametrize(
    "text", ["hush: hush: hush", "hush: 1\nhush: 2\n", "a: !hush x", "a: *hush", "[hush]", "hush"]
)
def test_bad_yaml_in_a_sealed_file_is_told_without_its_words(tmp_path: Path, text: str) -> None:
    tree = tree_of(tmp_path, {"hosts.yml": HOSTS, "group_vars/web": sealed(text)}, PASSWORD)
    assert len(tree.errors) == 1
    assert "hush" not in repr(tree)


def test_a_sealed_hosts_file_needs_the_password(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"hosts.yml": sealed("all: {hosts: {h: {x: hush}}}")}
    assert "Give the vault password" in messages(tree_of(tmp_path, files))
    assert tree_of(tmp_path, files, PASSWORD).resolved("h") == {"x": Secret("hush")}


def test_an_inline_value_under_another_password_is_kept_with_a_warning(tmp_path: Path) -> None:
    other = sealed("hush", "another")
    value = other.replace("\n", "\n    ").rstrip()
    text = f"a: 1\nb:\n  c: !vault |\n    {value}\n"
    tree = tree_of(tmp_path, {"hosts.yml": HOSTS, "group_vars/web": text}, PASSWORD)
    assert tree.resolved("a")["b"] == {"c": {"__ansible_vault": other}}
    assert "group_vars/web:3: The vault password does not open" in messages(tree, "warning")


def test_where_names_the_file_whose_value_counts(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "hosts.yml": "all:\n  vars: {a: 1, b: 1}\n  hosts:\n    h:\n      c: 1\n      d:\n        e: 1\n",
            "group_vars/all/1.yml": "x: 0\na: 2\n",
            "group_vars/all/2.yml": "# c\n\na: 3\n",
            "host_vars/h.yml": "c: 2\n",
        },
    )
    assert tree.where("group", "all", ("a",)) == ("group_vars/all/2.yml", 3)
    assert tree.where("group", "all", ("b",)) == ("hosts.yml", 2)
    assert tree.where("group", "all", ("x", "deeper")) == ("group_vars/all/1.yml", 1)
    assert tree.where("host", "h", ("c",)) == ("host_vars/h.yml", 1)
    assert tree.where("host", "h", ("d", "e")) == ("hosts.yml", 7)
    assert tree.where("host", "h") == ("hosts.yml", 4)
    assert tree.where("host", "h", ("nothing",)) == ("hosts.yml", 4)
    assert tree.where("host", "gone") is None
    assert tree.where("group", "ungrouped") is None


def test_positions_in_ini(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"hosts": "\n# c\nh x=1\n[g]\nh y=2\n[g:vars]\nz=1\n"})
    assert tree.where("host", "h", ("x",)) == ("hosts", 3)
    assert tree.where("host", "h", ("y",)) == ("hosts", 5)
    assert tree.where("group", "g", ("z",)) == ("hosts", 7)
    assert tree.where("group", "g") == ("hosts", 4)
