"""Writes an Ansible tree of any size: the site that the benchmark imports."""

from __future__ import annotations

import ipaddress
from pathlib import Path

HOSTS_PER_SEGMENT = 200
FORMS = ("vm", "ph", "pi", "em")


def write_tree(root: Path, hosts: int) -> None:
    """*hosts* hosts with two interfaces each, a /22 for every 200, nested groups, variables, a service on every tenth."""
    root.mkdir(parents=True, exist_ok=True)
    for folder in ("group_vars", "host_vars"):
        (root / folder).mkdir(exist_ok=True)
    segments = -(-hosts // HOSTS_PER_SEGMENT)
    (root / "group_vars" / "all.yml").write_text(_all(segments))
    (root / "hosts.yml").write_text(_hosts(hosts, segments))
    for number in range(segments):
        (root / "group_vars" / f"rack_{number:03}.yml").write_text(
            f"rack: {number}\nntp_servers: [{_address(number, 1)}]\nsyslog_target: log{number:03}.example.net\n"
        )
    for number in range(hosts):
        (root / "host_vars" / f"{name(number)}.yml").write_text(_host(number))


def name(number: int) -> str:
    return f"node{number // 100:03}-{FORMS[number % 4]}{number % 100:02}"


def mac(number: int, interface: int) -> str:
    value = 0x02DE10000000 + number * 2 + interface
    return ":".join(f"{value:012x}"[i : i + 2] for i in range(0, 12, 2))


def _network(segment: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.32.0.0")) + segment * 1024, 22))


def _address(segment: int, host: int) -> str:
    return str(_network(segment)[host])


def _all(segments: int) -> str:
    lines = [
        "bench_root: example.net",
        "deevnet_root_domain: example.net",
        "deevnet_substrate: bench",
        "deevnet_vlans:",
    ]
    for number in range(segments):
        network = _network(number)
        lines += [
            f"  seg_{number:03}:",
            f"    vlan_id: {100 + number}",
            f'    subnet: "{network}"',
            f'    gateway: "{network[1]}"',
            f'    dhcp_range_start: "{network[768]}"',
            f'    dhcp_range_end: "{network[1000]}"',
        ]
    return "\n".join(lines) + "\n"


def _hosts(hosts: int, segments: int) -> str:
    lines = ["all:", "  children:", "    racks:", "      children:"]
    for number in range(segments):
        lines += [f"        rack_{number:03}:", "          hosts:"]
        first = number * HOSTS_PER_SEGMENT
        lines += [f"            {name(n)}: {{}}" for n in range(first, min(first + HOSTS_PER_SEGMENT, hosts))]
    for index, form in enumerate(FORMS):
        lines += [f"    form_{form}:", "      hosts:"]
        lines += [f"        {name(n)}: {{}}" for n in range(index, hosts, 4)]
    return "\n".join(lines) + "\n"


def _host(number: int) -> str:
    segment, place = divmod(number, HOSTS_PER_SEGMENT)
    services = f"[svc{number}]" if number % 10 == 0 else "[]"
    return f"""infrastructure:
  form: {FORMS[number % 4]}
  interfaces:
    eth0: {{mac: "{mac(number, 0)}"}}
    eth1: {{mac: "{mac(number, 1)}"}}
env:
  role: node
  interfaces:
    eth0:
      ip: {_address(segment, 10 + place)}
      purpose: mgmt
      segment: seg_{segment:03}
      dns: {{host_a_record: true, dhcp_reservation: true, cnames: {services}}}
    eth1:
      ip: {_address(segment, 300 + place)}
      purpose: stor
      segment: seg_{segment:03}
      dns: {{host_a_record: true, dhcp_reservation: true}}
disks: [{{device: sda, size_gb: 480}}, {{device: sdb, size_gb: 960}}]
serial: SN{number:08}
"""
