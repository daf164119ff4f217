"""The example site with what clients read: ways in, boot files, scrape targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inventory.snapshot import AuthorityFacts, GroupFacts, Snapshot
from tests.exports.example_site import SITE

ARGS = "inst.repo=http://artifacts.lab.example.net/43 ds=nocloud-net;s=http://artifacts.lab.example.net/ci/ quiet"
FEDORA = {"kernel": "fedora/43/vmlinuz", "initrd": "fedora/43/initrd.img", "args": ARGS}
ACCESS: dict[str, dict[str, Any]] = {
    "access-sw01": {"access": {"user": "admin", "jump": "none"}},
    "core-rt02": {"access": {"user": "vyos", "port": 2222, "jump": "hv02"}},
    "hv01": {
        "out_of_band": {"address": "192.0.2.121", "user": "root"},
        "variables": {"mgmtplane_prometheus": {"port": 9221, "path": "/pve?module=default"}},
    },
    "hv02": {"access": {"user": "root", "identity": "~/.ssh/id_hv", "jump": ""}},
    "pi01": {"variables": {"mgmtplane_pxe": {"local": True}}},
    "pi03": {"variables": {"mgmtplane_pxe": FEDORA}},
    "pi04": {"access": {"user": "a b", "shell": "zsh"}},
    "provisioner-ph01": {
        "access": {
            "user": "ada",
            "forward": [
                {"local": 8006, "to": "hv01:8006"},
                {"local": 8443, "to": "unifi.example.net:8443"},
                {"local": 8444, "to": "[2001:db8::5]:443"},
            ],
        }
    },
    "provisioner-vm05": {"variables": {"mgmtplane_pxe": FEDORA}},
}

CLIENTS: Snapshot = replace(
    SITE,
    site=replace(SITE.site, variables={"mgmtplane_ssh": {"user": "operator", "jump": "provisioner-ph01"}}),
    authorities=(
        AuthorityFacts("bootstrap", "ada", "2026-01-01", "first", "provisioner-ph01"),
        SITE.authority,
    ),
    hosts=tuple(
        replace(
            host,
            **ACCESS.get(host.name, {}),
            services=tuple(
                replace(service, port=9090, metrics_path="/metrics")
                if service.label in ("artifacts", "pve", "web.tenant-a", "snake_case")
                else service
                for service in host.services
            ),
        )
        for host in SITE.hosts
    ),
    groups=(
        GroupFacts(
            "nodes",
            hosts=("pi01", "pi02"),
            variables={"mgmtplane_prometheus": {"port": 9100, "labels": {"rack": "a"}}},
        ),
    ),
)
