"""Ansible trees that are legal and mean trouble. Each is files by path; ``VAULTED`` ones are sealed before writing."""
# ruff: noqa: E501, RUF001, UP031

from __future__ import annotations

from inventory import vault
from tests.importers.site_support import PASSWORD

Files = dict[str, str]


def sealed(text: str) -> str:
    return vault.encrypt(text.encode(), PASSWORD.encode())


def inline_vault(text: str, indent: int) -> str:
    return _inline(sealed(text), indent)


def _inline(ciphertext: str, indent: int) -> str:
    pad = " " * indent
    return "!vault |\n" + "".join(f"{pad}{line}\n" for line in ciphertext.splitlines())


#: Always the same bytes, for golden files.
CIPHERTEXT = """$ANSIBLE_VAULT;1.1;AES256
39656538666630366637383431643531373766663564343938616330633432646334313464626537
6235643861376631353031393065346335356339323065340a343030326238613034643262393430
61623932346562653034336364356261323833616163383333653335353338656338313334613165
3262376439666361650a363162643565393161636431386165353839633162663861343737353832
63626532636539383439613838376231346234666566383933313239643564323662
"""


GROUPS: Files = {
    "hosts.yml": """
all:
  vars: {everywhere: inline all, order_z: 1, order_a: 2, only_inline: all}
  hosts:
    loner:
    in_all_too:
  children:
    top: {children: {left: {}, right: {}}, vars: {who: top, only_inline: top}}
    left: {children: {bottom: {}}, vars: {who: left, left_only: 1}}
    right: {children: {middle: {children: {bottom: {}}}}, vars: {who: right}}
    bottom:
      vars: {who: bottom}
      hosts: {zz: {}, aa: {own: 1}, mm: {}}
    strong: {vars: {ansible_group_priority: 10, tie: strong, who: strong}, hosts: {aa: {}, mm: {}}}
    weak: {vars: {tie: weak, ansible_group_priority: -3}, hosts: {mm: {}, aa: {}}}
    b_same: {vars: {tie: b, same: b}, hosts: {zz: {}}}
    a_same: {vars: {tie: a, same: a}, hosts: {zz: {}, in_all_too: {}}}
    empty: {}
    empty_with_vars: {vars: {nobody: sees}}
    only_children: {children: {empty: {}}}
    "null": {hosts: {"null_host": {}, "yes": {}, "1.5": {}, "0x1F": {}, "~": {}, "2024-01-01": {}}}
    "yes": {hosts: {zz: {}}, vars: {a: "yes", b: "null", c: "1.5", d: "012", e: "1_000", f: "1:30"}}
    "1.5": {children: {"null": {}}, vars: {point: five}}
    vars: {hosts: {zz: {}}, vars: {hosts: [1], vars: {vars: 2}, children: {x: null}}}
    hosts: {children: {vars: {}}}
    children: {hosts: {aa: {}}}
    Grüße-☃: {hosts: {zz: {}}, vars: {über: "schön 🦊"}}
    "with space": {hosts: {aa: {}}, vars: {spaced: out}}
    "dotted.yml": {hosts: {aa: {}}, vars: {dotted: 1}}
    ungrouped: {vars: {who: nobody}, hosts: {stray: {}}}
""",
    "group_vars/ungrouped.yml": "who: nobody by file\nungrouped_file: true\n",
    "host_vars/zz.yml": "own_z: 1\nown_a: 2\nown_m: {z: 1, a: {c: 1, b: 2}}\n",
}

PRECEDENCE: Files = {
    "hosts.yml": """
all:
  vars: {a: all inline, b: all inline, c: all inline, deep: {all: inline}}
  children:
    web:
      vars: {a: web inline, b: web inline, d: web inline, deep: {web: inline}, truth: true, number: 1}
      hosts:
        w1: {c: w1 inline, e: w1 inline}
        w2: {}
      children:
        special: {hosts: {w3: {}}, vars: {a: special inline, d: special inline, ansible_group_priority: 5}}
    db: {hosts: {w2: {}}, vars: {d: db inline, a: db inline}}
""",
    "group_vars/all.yml": "a: all file\nd: all file\nfile_only: all\ntruth: 1\nnumber: 1.0\n",
    "group_vars/web/a.yml": "b: web file a\nf: web file a\n",
    "group_vars/web/b.yml": "b: web file b\n",
    "group_vars/web/sub/c.yml": "g: web sub\nb: web sub\n",
    "group_vars/special.yml": "ansible_group_priority: 7\nfile_only: special\n",
    "group_vars/db.json": '{"file_only": "db", "j": [1, {"b": 1, "a": null}]}',
    "host_vars/w1.yml": "c: w1 file\nf: w1 file\n",
    "host_vars/w3/main.yaml": "a: w3 file\n",
    "host_vars/w3/more": "h: w3 without extension\n",
}

VALUES: Files = {
    "hosts.yml": "all: {hosts: {one: {}, zwölf: {inline: '🚀'}, 'Ünïcode-Host': {}}}\n",
    "host_vars/one.yml": r"""
%s: 1
z: {3: int, 1.5: float, true: bool, null: nothing, "2": text, yes_: text, 2_0: twenty}
y: [2024-01-02, 2024-01-02T03:04:05Z, 2024-01-02 03:04:05.678]
x: [012, 0o12, 0b11, 0x1F, 1_000, 190:20:30, 1:30, 12e03, 1e100, -0.0, 0.1, 1.0, 1e-7]
big: [9223372036854775807, 9223372036854775808, -9223372036854775809, 123456789012345678901234567890]
texts: ["012", "yes", "null", "~", "", " ", "1e3", "0x1F", "- a", "a: b", "#x", "@at", "`tick", "%%p", "!t", "&a", "*a", "{{ jinja }}", "{%% raw %%}"]
empties: {a: {}, b: [], c: null, d: "", e: [[], {}], f: {g: {}}}
multi: |
  first

    indented
  last
kept: |+
  text

folded: >-
  one
  two
tabs: "a\tb\nc\r\nd\x07\u2028e\ufeff"
trailing: "line \n  next\n"
leading: "\n x"
unsafe: !unsafe "{{ not a template }}"
unsafe_list: [!unsafe "{%% x %%}", {k: !unsafe "{{ y }}"}]
emoji: "👩‍👩‍👧 é é"
"key with: colon": 1
"": empty key
"{{ key }}": templated key
anchors: {a: &x {q: 1, p: 2}, b: *x, c: {<<: *x, r: 3}}
hosts: [a]
vars: {a: 1}
children: null
fqdn: one.elsewhere.example
ansible_host: 192.0.2.1
ansible_ssh_common_args: "-o X=Y"
date: 2024-12-31
quote: "it's \"both\""
backslash: 'C:\new\table'
very_long: "%s"
nested: {z: {y: {x: {w: {v: {a: [[[[1]]]]}}}}}}
"""
    % ("k" * 300, "word " * 400),
    "host_vars/zwölf.yml": "größe: 3\nliste: [ä, ö]\nmap: {ß: 1, Z: 2, é: 3}\n",
    "group_vars/all.yml": "ansible_host: '{{ inventory_hostname }}.example'\nпривет: мир\n",
}

VAULTED: Files = {
    "hosts.yml": "all: {hosts: {h1: {}, h2: {}}, children: {g: {hosts: {h1: {}}, vars: {inline_key: 1}}}}\n",
    "group_vars/all/main.yml": "plain: '{{ vault_a }}'\ninline: "
    + inline_vault("geheim é\nzweite Zeile", 2)
    + "nested:\n  k: "
    + inline_vault("inner", 4)
    + "  l: [1, x]\n",
    "group_vars/all/vault.yml": sealed(
        "vault_a: secret-a\nvault_list: [s1, {k: s2, n: 5, f: 1.5, t: true, z: null}]\nvault_number: 42\n"
        "vault_float: 2.50\nvault_empty: ''\nvault_map: {b: 1, a: {c: deep}}\nvault_ref: '{{ plain }}'\n"
        "vault_multi: |\n  one\n  two\nvault_unsafe: !unsafe '{{ raw }}'\nvault_none: null\nvault_bool: false\n"
    ),
    "group_vars/g.yml": sealed("g_secret: of g\ninline_key: sealed wins\n"),
    "host_vars/h1/zz_vault.yml": sealed("h_secret: of h1\nplain: h1 sealed\n"),
    "host_vars/h1/vars.yml": "plain: h1\nenv: {role: r, interfaces: {e: {ip: dhcp}}}\n",
    "host_vars/h2.yml": sealed("infrastructure: {form: vm, interfaces: {e: {mac: '02:de:20:00:00:01'}}}\n"),
}

IDENTITY: Files = {
    "hosts.yml": """
all:
  children:
    half:
      hosts: {h1: {}, h2: {}, h3: {}, h4: {}, h5: {}}
      vars:
        infrastructure: {form: vm, interfaces: {eth0: {mac: "{{ deevnet_assigned_mac | default('') }}", more: 1}}, rack: r1}
    foreign:
      hosts: {f1: {}, f2: {}, f3: {}, f4: {}, f5: {}, f6: {}}
      vars: {env: production}
    inherits_env:
      hosts: {i1: {}, i2: {}}
      vars: {env: {role: web, interfaces: {eth0: {ip: dhcp, segment: lan}}, note: shared}}
    nulls: {hosts: {n1: {}, n2: {}, n3: {}, n4: {}, n5: {}, n6: {}, n7: {}, n8: {}}}
    jinja: {hosts: {j1: {}, j2: {}, j3: {}, j4: {}, j5: {}, j6: {}, j7: {}, j8: {}}}
    addresses: {hosts: {a1: {}, a2: {}, a3: {}, a4: {}}}
  hosts:
    192.0.2.77: {}
    "2001:db8::77": {}
    srv.example.com: {}
    under_score: {}
    UPPER: {}
""",
    "group_vars/all.yml": """
deevnet_root_domain: Example.NET.
deevnet_substrate: dvntm
deevnet_vlans:
  lan: {vlan_id: 10, subnet: 192.0.2.0/24, gateway: 192.0.2.1, dhcp_enabled: yes, dhcp_range_start: 192.0.2.100, dhcp_range_end: 192.0.2.200, note: x}
  six: {gateway: "2001:DB8::1", subnet: "2001:db8::/64", vlan_id: "20"}
  both: {subnet: 198.51.100.0/24, subnet6: "2001:db8:1::/64", gateway6: "2001:db8:1::1"}
  hostbits: {subnet: 203.0.113.5/24, vlan_id: 999999}
  nothing: null
  empty: {}
  jinja: "{{ other_segment }}"
  odd: {subnet: "{{ net }}", gateway: nonsense, vlan_id: true, dhcp_range_start: a, dhcp_range_end: null, extra: {z: 1, a: 2}}
  guest: {subnet: 10.0.40.0/24, dhcp_range_start: 10.0.40.100, dhcp_range_end: 10.0.40.200}
  off: {subnet: 10.0.50.0/24, dhcp_enabled: false, dhcp_range_start: 10.0.50.100, dhcp_range_end: 10.0.50.200}
""",
    "host_vars/h1/identity.yml": "deevnet_assigned_mac: 02-DE-20-00-00-C8\n",
    "host_vars/h2.yml": "env: {interfaces: {eth0: {ip: 192.0.2.12, segment: lan, dns: {host_a_record: true}}}}\n",
    "host_vars/h3.yml": "deevnet_assigned_mac: '{{ again }}'\nenv: {role: 5, interfaces: null}\n",
    "host_vars/h4.yml": 'infrastructure: {interfaces: {eth0: {mac: "BC:24:11:CE:51:EC"}, x: {}}, form: hv}\n',
    "host_vars/h5.yml": "infrastructure: {form: hv, interfaces: {eth0: {mac: 12:34:56:12:34:56}}}\n",
    "host_vars/f1.yml": "env: {FOO: bar, PATH: /bin}\n",
    "host_vars/f2.yml": "env: [role, interfaces]\ninfrastructure: https://example.com\n",
    "host_vars/f3.yml": "env: null\ninfrastructure: {}\n",
    "host_vars/f4.yml": "env: '{{ base_env }}'\ninfrastructure: '{{ base }}'\n",
    "host_vars/f5.yml": "infrastructure: {form: vm}\n",
    "host_vars/f6.yml": "env: {}\nz: 1\ninfrastructure: null\na: 2\n",
    "host_vars/i2.yml": "env: {role: db, interfaces: {eth1: null}}\n",
    "host_vars/n1.yml": "infrastructure: {form: null, interfaces: null}\nenv: {role: null, interfaces: {}}\n",
    "host_vars/n2.yml": "infrastructure: {form: '', interfaces: {a: null, b: {}, c: {mac: null}, d: {mac: ''}}}\n"
    "env: {interfaces: {d: null, a: {}, e: {ip: null, segment: null, dns: null, wol: null}}, role: ''}\n",
    "host_vars/n3.yml": "env: {interfaces: {a: {dns: {}}, b: {dns: {cnames: null}}, c: {dns: {cnames: []}}, d: {dns: {pxe_boot: null}},"
    " e: {dns: {pxe_boot: {}}}, f: {dns: {pxe_boot: {tftp_server: null, boot_file: ''}}}}}\n",
    "host_vars/n4.yml": "env: {interfaces: {a: {ip: 192.0.2.40, segment: lan, dns: {cnames: one}}, "
    "b: {dns: {cnames: [two.dvntm.example.net, two.dvntm.example.net., Three, Three, '{{ four }}', 5, null, outside.example.org., a.b.c, web.tenant]}}}}\n",
    "host_vars/n5.yml": "env: {interfaces: ''}\ninfrastructure: {interfaces: []}\n",
    "host_vars/n6.yml": "env: {interfaces: {a: {ip: [], dns: '{{ dns }}'}, b: '{{ b }}'}}\ninfrastructure: {interfaces: '{{ all_of_them }}'}\n",
    "host_vars/n7.yml": "infrastructure: {form: vm, interfaces: {a: {mac: unknown}, b: {mac: UNKNOWN}, c: {mac: tbd, speed: 10}}}\n",
    "host_vars/n8.yml": "env: {interfaces: {a: {infrastructure: theirs, zone: 1, dns: {x: 1, pxe_boot: {y: 2}}}}}\n"
    "infrastructure: {interfaces: {a: {infrastructure: ours, mac: 02:DE:20:00:00:09}}}\n",
    "host_vars/j1.yml": 'infrastructure: {interfaces: {a: {mac: "{{ undefined_mac }}"}}, form: "{{ f }}"}\n'
    "env: {role: '{{ r }}', interfaces: {a: {ip: '{{ ip }}', segment: '{{ s }}', wol: '{{ w }}'}}}\n",
    "host_vars/j2.yml": 'infrastructure: {interfaces: {a: {mac: "{{ lookup(\'env\', \'M\') }}"}}}\n',
    "host_vars/j3.yml": "my_ip: 192.0.2.33\nenv: {interfaces: {a: {ip: '{{ my_ip }}', segment: '{{ my_segment | default(\"lan\") }}'}}}\n",
    "host_vars/j4.yml": "env: {interfaces: {a: {ip: ['{{ x | default(\"192.0.2.34\") }}', '{{ y }}']}}}\n",
    "host_vars/j5.yml": "env: {interfaces: {a: {ip: dhcp, segment: nowhere, ansible: yes, dns: {host_a_record: 'no', dhcp_reservation: 'on', extra: [1]}}}}\n",
    "host_vars/j6.yml": "env: !unsafe {role: '{{ r }}', interfaces: {a: {ip: 192.0.2.36}}}\n",
    "host_vars/j7.yml": "env:\n  role: app\n  interfaces:\n    a:\n      ip: " + _inline(CIPHERTEXT, 8) + "      segment: lan\n",
    "host_vars/j8.yml": "env: " + _inline(CIPHERTEXT, 2) + "infrastructure:\n  interfaces: " + _inline(CIPHERTEXT, 4),
    "host_vars/a1.yml": "env: {interfaces: {a: {ip: [192.0.2.41, '2001:db8::41', '2001:DB8:0::42'], segment: lan}}}\n",
    "host_vars/a2.yml": "env: {interfaces: {a: {ip: 192.0.2.42/24, ip6: eui64, segment: both}, b: {ip: 'fe80::1%eth0'}, c: {ip6: ['2001:db8:1::9', 1.2.3.4]}}}\n"
    "infrastructure: {interfaces: {a: {mac: 0200.0000.0042}}}\n",
    "host_vars/a3.yml": "env: {interfaces: {a: {ip: [192.0.2.43, 192.0.2.44]}, b: {ip: [dhcp, 192.0.2.45, '2001:db8::45']}, c: {ip: 5}, d: {ip: true}, e: {ip: 999.1.1.1}}}\n",
    "host_vars/a4.yml": "env: {interfaces: {a: {ip: '2001:db8::a', segment: six}, b: {segment: six, ip: DHCP}}}\n",
}  # fmt: skip

INI: Files = {
    "hosts": """
lonely ansible_port=2200 quoted="a b" single='c d' # comment
10.0.0.1:2222 x=1
[web]
web[01:12:3].example.com:22 n=[1,2] d={'z':1,'a':2} t=True f=1.5 s=text none=None
db-[a:c] o=010 h=0x1F e= eq=a=b
r[1:2]-[a:b]
[web:vars]
types_int=5
types_str="5"
types_list=[1, 'two', {"k": None}]
types_tuple=(1, 2)
unicode=größe 🦊
jinja={{ lookup('env', 'HOME') }}
spaces = around the = sign
bool_yes=yes
ansible_group_priority=4
[parent:children]
web
late
[late]
late1 v=1
[all:vars]
everywhere=1
types_int=all
[empty]
""",
    "group_vars/web": "types_int: 6\nfile: web\n",
    "group_vars/parent.yml": "file: parent\ntypes_str: parent\n",
    "host_vars/10.0.0.1.yml": "y: 2\n",
    "host_vars/late1.yml": "v: 2\n",
}

ALL: dict[str, Files] = {
    "groups": GROUPS,
    "precedence": PRECEDENCE,
    "values": VALUES,
    "vaulted": VAULTED,
    "identity": IDENTITY,
    "ini": INI,
}
