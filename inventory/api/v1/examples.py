"""Bodies as one would send them, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "sites"): {
        "slug": "lab",
        "root_domain": "example.net",
        "block": "192.0.2.0/24",
        "why": "A new lab.",
    },
    ("post", "roles"): {"site": "lab", "slug": "dns", "code": "01"},
    ("post", "authority"): {"site": "lab", "mode": "gateway", "why": "The router is up."},
    ("post", "segments"): {
        "site": "lab",
        "name": "management",
        "vlan": 99,
        "network4": "192.0.2.0/25",
        "gateway4": "192.0.2.1",
        "static_first": "192.0.2.2",
        "static_last": "192.0.2.49",
    },
    ("post", "hosts"): {
        "site": "lab",
        "name": "pi01",
        "form": "pi",
        "interfaces": [
            {
                "name": "eth0",
                "mac": "BC-24-11-CE-51-EC",
                "segment": "management",
                "addressing": "static",
                "ipv4": "192.0.2.10",
                "a_record": True,
                "reservation": True,
            }
        ],
        "groups": ["pis"],
        "why": "It arrived today.",
    },
    ("patch", "hosts/{id}"): {"status": "maintenance", "why": "Its fan is loud."},
    ("post", "interfaces"): {"site": "lab", "host": "pi01", "name": "eth1"},
    ("post", "services"): {"site": "lab", "host": "pi01", "name": "artifacts", "port": 443},
    ("post", "aliases"): {"site": "lab", "name": "artifacts", "service": "pi01/artifacts"},
    ("post", "groups"): {
        "site": "lab",
        "name": "pis",
        "hosts": ["pi01"],
        "variables": {"ntp_server": "192.0.2.1"},
    },
    ("post", "profiles"): {"site": "lab", "name": "metrics", "hosts": ["pi01"]},
    ("post", "projects"): {
        "site": "lab",
        "name": "playbooks",
        "source": "git",
        "location": "ssh://git@git.example.net/lab/playbooks.git",
        "ref": "main",
        "key": "unlock:deploy",
        "why": "Reviewed there.",
    },
    ("post", "templates"): {
        "site": "lab",
        "name": "base-system",
        "project": "playbooks",
        "playbook": "base.yml",
        "limit_required": True,
        "prompts": [{"name": "release", "label": "Release", "kind": "string"}],
        "vault_secrets": {"default": "unlock:vault"},
    },
    ("post", "kitplaces"): {
        "site": "lab",
        "name": "red-stick",
        "kind": "mount",
        "location": "/media/red",
    },
    ("post", "schedules"): {
        "site": "lab",
        "name": "hourly-survey",
        "kind": "survey",
        "every_hours": 1,
        "why": "VMIDs are handed out after it.",
    },
    ("post", "jobs"): {"kind": "survey", "site": "lab", "why": "VMIDs are to be handed out."},
    ("post", "jobs/plan"): {"kind": "survey", "site": "lab"},
    ("post", "segments/{id}/allocate"): {"host": "pi01", "mac": True},
    ("post", "sites/{id}/allocate"): {
        "role": "dns",
        "form": "vm",
        "vmid": True,
        "mac": True,
        "address": True,
        "segment": "management",
        "surveyed": [100, 101],
    },
    ("post", "hosts/{id}/retire"): {"why": "It was sold."},
}
