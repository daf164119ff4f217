"""Trees made to be nasty resolve exactly as the real ``ansible-inventory`` resolves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory import vault
from inventory.importers.tree import Secret, read_tree
from tests.importers.tree_support import PASSWORD, assert_like_ansible, messages, write_tree
from tests.shared_data import require_sample

SEALED = vault.encrypt(b"sealed", PASSWORD.encode())
INDENTED = SEALED.replace("\n", "\n        ").rstrip()


def vaulted(text: str) -> str:
    return vault.encrypt(text.encode(), PASSWORD.encode())


TREES: dict[str, dict[str, str | bytes]] = {
    "deep groups, priorities and depth by the longest way down": {
        "hosts.yml": """
all:
  vars: {a: all, b: all, c: all, d: all}
  children:
    top:
      vars: {a: top, order: top}
      children:
        middle:
          vars: {a: middle, order: middle}
          children:
            bottom: {vars: {a: bottom, order: bottom}, hosts: {one: {}, two: {}}}
    short: {vars: {a: short, b: short, order: short}, children: {bottom: {}}}
    loud: {vars: {ansible_group_priority: 10, a: loud, c: loud}, hosts: {one: {}}}
    quiet: {vars: {ansible_group_priority: "-3", a: quiet, c: quiet}, hosts: {one: {}, two: {a: host}}}
    zeta: {vars: {d: zeta}, hosts: {one: {}}}
    alpha: {vars: {d: alpha}, hosts: {one: {}}}
    late: {children: {top: {}}, vars: {a: late, late: 1}}
""",
    },
    "inline variables against files, of groups against all": {
        "hosts.yml": """
all:
  vars: {a: inline all, b: inline all, m: {x: 1, y: 2}}
  hosts: {h: {a: inline host, d: inline host}}
  children:
    web:
      vars: {a: inline web, b: inline web, c: inline web, m: {x: 3}}
      hosts: {h: {}}
""",
        "group_vars/all.yml": "a: file all\nb: file all\nc: file all\ne: file all\n",
        "group_vars/web.yml": "a: file web\nd: file web\ne: file web\nansible_group_priority: 7\n",
        "host_vars/h.yml": "d: file host\n",
    },
    "a directory beats files, extensions in order, nested, hidden and backups": {
        "hosts.yml": "all: {hosts: {h: , i.example.com: , j: , k: }, children: {g: {hosts: {h: }}}}",
        "group_vars/all/10.yml": "a: 10\nb: 10\n",
        "group_vars/all/20": "a: 20\n",
        "group_vars/all/sub/30.json": '{"b": 30, "deep": true}',
        "group_vars/all/Z.yaml": "z: upper\n",
        "group_vars/all/sub.d/40.yml": "b: not read\n",
        "group_vars/all/.hidden.yml": "a: hidden\n",
        "group_vars/all/50.yml~": "a: backup\n",
        "group_vars/all/60.txt": "a: text\n",
        "group_vars/all.yml": "a: beaten\n",
        "group_vars/g.yml/inner.yml": "from: a directory with an extension\n",
        "host_vars/h": "ext: none\n",
        "host_vars/h.yml": "ext: yml\n",
        "host_vars/i.example.com.yaml": "ext: yaml\n",
        "host_vars/i.example.com.json": '{"ext": "json"}',
        "host_vars/j.json": '{"number": 1e3, "text": "\\ud83d\\ude00", "a": [1.0, null, true]}',
        "host_vars/k.yml": "",
    },
    "ranges, steps, ports and IPv6": {
        "hosts.yml": """
all:
  hosts:
    web[01:03]: {n: 1}
    db[8:12:2]-[a:c].example.com: {}
    "x[:2]:2222": {}
    "plain:22": {p: 1}
    "plain:23": {}
    "[fd00::1]:2200": {}
    "fd00::2": {}
    "192.0.2.[1:3]:5555": {}
    "fd00::[10:12]": {}
    "[h[1:2].example.com]:99": {}
    "under_score-[x:Z]": {}
    "empty[5:4]end": {}
    "a:b:c": {}
    "zero:0": {}
""",
    },
    "INI with everything": {
        "hosts": """# comment
; another
lonely ansible_host=192.0.2.1
web[1:3] a=1 b="two words" c='[1, 2]' d="{'k': 'v', 1: None}" e=True f=None g=1.50 # trailing
[fe80::1]:2200 x='"quoted"' y=a=b=c z=0644 w=0x1F v=1_000
[web]
web[1:2]
"host with space" k=v
[web:vars]
s = a string # not a comment
n=5
t=(1, 2)
l=[1, {'a': (2, 3)}]
q='quoted'
e=
u=ünïcode
j={{ n + 1 }}
[parent:children]
web
late # declared below
[all:vars]
from_all=yes
[ungrouped:vars]
u=1
[late]
late1 x='a # b'
[parent:vars]
ansible_group_priority=5
p=c'
dots=...
complex=1+2j
bytes=b'abc'
""",
        "group_vars/parent": "pf: 1\n",
    },
    "INI sections in any order": {
        "hosts.ini": """[a:children]
b
c
[c:children]
d
[b]
h1
[b:vars]
x=1
[d]
h1
h2
[c:vars]
x=2
[e:vars]
y=1
[e]
h3
[ungrouped]
h1
h4
""",
    },
    "a .yml file that is INI inside": {"hosts.yml": "[web]\na x=1\nb\n[web:vars]\ny=2\n"},
    "an extensionless INI file with colons and quotes": {
        "hosts": "web01 note='a: b'\nweb02:22\t x='{\"k\": 1}'\n[g]\nweb01\ty=1\n\t# tab\n",
    },
    "an extensionless file that is YAML": {"hosts": "all:\n  hosts:\n    a: {x: 1}\n"},
    "an inventory in JSON": {
        "inventory.json": '{"all": {"hosts": {"a": {"x": 1e2, "u": {"__ansible_unsafe": "{{ x }}"}},'
        '\t"b[1:2]": null}, "vars": {"t": "2020-01-01"}}}',
    },
    "groups at the top level, without all": {
        "hosts.yml": """
web: {hosts: {a: {}, b: {}}, vars: {x: web}}
db: {children: {web: {}}, vars: {x: db}}
ungrouped: {hosts: {c: {}, a: {}}}
other: {hosts: just-one, vars: {y: other}}
nothing:
skipped: text
all: {vars: {z: all}, hosts: {d: {}}}
""",
        "group_vars/ungrouped.yml": "u: 1\n",
    },
    "scalars that YAML 1.1 reads its own way": {
        "hosts.yml": "all: {hosts: {h: {}}}",
        "host_vars/h.yml": """
bools: [yes, No, on, OFF, true, y, n, Y, "yes"]
ints: [0644, 0o644, 0x1F, 0b101, 1_000, 190:20:30, +5, -0, 685_230, 08, 99999999999999999999]
floats: [1.5, 1e3, 1.0e+3, 6.8523015e+5, 1:30.5, .5, 5., -.5, 1_0.5]
nulls: [~, null, Null, NULL, ""]
empty:
dates: [2020-01-01, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43.10, 2001-12-15T02:59:43.1Z]
nodates: ["2020-01-01", 2020-1, 20-01-01]
tags: [!!str 12, !!int "12", !!float 1, !!str yes, !!bool "yes", !!null "", !!str , ! 12]
keys: {2: two, 1.5: f, true: t, null: n, ~x: y, 0x10: hex, "yes": quoted}
literal: |
  one
    two

  three
folded: >-
  one
  two

  three
kept: |+
  x

unicode: ["ü", "\\u00e9", "\\U0001F600", 😀, "\\x85", "\\L", "a\\tb", "\\e"]
plain: a b  c
multi: one
  two
   three
quoted: 'it''s'
colon: a:b
hash: a#b
jinja: "{{ a }}"
""",
    },
    "anchors, aliases and merge keys": {
        "hosts.yml": """
all:
  vars: &v {x: 1, y: {z: 1}}
  hosts:
    a: *v
    b: {<<: *v, x: 2}
    c: &c
      <<: [{x: 3, q: 1}, *v]
      w: 4
    d: {w: 5, <<: *c}
    e: {"<<": quoted}
    f: {<<: {a: 1}, <<: {a: 2, b: 3}}
""",
    },
    "vault and unsafe values in line": {
        "hosts.yml": f"""
all:
  vars:
    sealed: !vault |
        {INDENTED}
    folded: !vault-encrypted |-
        {INDENTED}
    deep: [{{a: !vault "{SEALED.replace(chr(10), chr(92) + "n")}"}}]
    raw: !unsafe "{{{{ x }}}}"
    raws: !unsafe [a, 1, yes, {{k: v, d: 2020-01-01}}, "12"]
    rawdict: !unsafe {{k: {{l: m}}}}
    number: !unsafe "12"
    empty: !unsafe ""
    block: !unsafe |
      a
      b
  hosts: {{h: {{}}}}
""",
        "host_vars/h.yml": 'k: !unsafe "{% raw %}"\n!unsafe u: 1\n',
    },
    "a group and a host of one name": {
        "hosts.yml": "all: {children: {web: {vars: {g: 1}, hosts: {web: {h: 1}, other: {}}}}}",
        "group_vars/web.yml": "gf: 1\n",
        "host_vars/web.yml": "hf: 1\n",
    },
    "a group and an ungrouped host of one name": {
        "hosts.yml": "all: {hosts: {web: {h: 1}, x: }, children: {web: {hosts: {y: }}}}",
        "group_vars/ungrouped.yml": "u: 1\n",
    },
    "names Ansible owns, names that are no identifiers": {
        "hosts.yml": """
all:
  vars: {inventory_hostname: x, groups: [], environment: prod, hostvars: 1, odd-name: 1, "with space": 2}
  hosts: {h: {role_path: 1, ansible_version: 2, name: n}}
""",
        "host_vars/h.yml": "inventory_dir: x\nplaybook_dir: y\n1: int\nansible_facts: {a: 1}\n",
    },
    "unicode all over": {
        "hosts.yml": "all: {children: {zürich: {hosts: {höst: {ö: ü}, 主机: }}}}",
        "group_vars/zürich.yml": "grüße: 'ß'\n",
        "host_vars/höst.yml": "k: '\u2028\u2029\ufeff x'\n",
        "host_vars/主机/a.yml": "n: 名\n",
    },
    "empty groups, empty files, files that say nothing": {
        "hosts.yml": "all: {hosts: , vars: , children: {a: , b: {hosts: , vars: , children: }, c: {x: }}}\n",
        "group_vars/a.yml": "# nothing\n",
        "group_vars/b.yml": "---\n",
        "group_vars/c.yml": "[]\n",
        "group_vars/all.yml": "{}\n",
    },
    "a child that is really a host": {
        "hosts.yml": "a: {hosts: {h: {}}}\nb: {children: {h: text, a: [odd]}}\n",
    },
    "one host in many groups, variables repeated": {
        "hosts.yml": """
g1: {hosts: {h: {a: 1, b: {x: 1}}}}
g2: {hosts: {h: {a: 2, b: {y: 2}}, "h[1:1]": {}}, vars: {ansible_group_priority: 2.9, v: 2}}
g3: {hosts: {h: }, vars: {v: 3}}
""",
    },
    "hosts below all and ungrouped": {
        "hosts.yml": "all: {hosts: {a: , b: }, children: {ungrouped: {hosts: {c: }}, g: {hosts: {b: }}}}",
    },
    "ungrouped with children": {
        "hosts": "x\n[ungrouped:children]\nweb\n[web]\na\n[ungrouped:vars]\nu=1\n",
    },
    "localhost": {"hosts.yml": "all: {hosts: {localhost: {ansible_connection: local}, 127.0.0.1: }}"},
    "host_vars in a subdirectory by a name with a slash": {
        "hosts.yml": "all: {hosts: {a/b: {}, /chroot: {}}}",
        "host_vars/a/b.yml": "x: 1\n",
        "host_vars/chroot.yml": "x: 2\n",
    },
}


@pytest.mark.parametrize("files", TREES.values(), ids=list(TREES))
def test_a_nasty_tree_resolves_as_in_ansible(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    root = write_tree(tmp_path, files)
    assert_like_ansible(root, next(iter(files)))
    assert read_tree(root).hosts.keys() == read_tree(root / next(iter(files))).hosts.keys()


def test_a_yaml_file_that_is_executable_by_accident_is_read(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"hosts.yml": "all: {hosts: {h: {x: 1}}}\n"})
    (root / "hosts.yml").chmod(0o755)
    assert_like_ansible(root, "hosts.yml")


def test_the_sample_resolves_as_in_ansible() -> None:
    tree = assert_like_ansible(require_sample(), "hosts.yml", password=PASSWORD)
    assert len(tree.hosts) == 16
    assert tree.where("host", "hv01", ("env", "interfaces", "eth0", "ip")) == ("host_vars/hv01/vars.yml", 10)


def test_wholly_vaulted_files_resolve_as_in_ansible(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "hosts.yml": vaulted("all: {hosts: {h: {inline: secret}}, vars: {n: 5}}"),
        "group_vars/all/a.yml": "plain: 1\nboth: plain\n",
        "group_vars/all/vault.yml": vaulted(
            "both: sealed\nlist: [a, 1, 1.5, yes, null, {k: 2020-01-01}]\n"
            "unsafe: !unsafe '{{ x }}'\nref: '{{ plain }}'\n"
        ),
        "host_vars/h.json": vaulted('{"j": 1e3}'),
    }
    tree = assert_like_ansible(write_tree(tmp_path, files), "hosts.yml", password=PASSWORD)
    resolved = tree.resolved("h")
    assert resolved["both"] == Secret("sealed")
    assert resolved["plain"] == 1
    assert resolved["ref"] == "{{ plain }}"
    assert tree.secret_keys("group", "all") == {"n", "both", "list", "unsafe"}
    assert "number" in messages(tree, "warning")
