"""What people declare, key by key. Pure."""

from __future__ import annotations

from inventory.exports.site import vocabulary as words

SECRETS = "Secrets only as !vault ciphertext."
#: for every list of them
_HOST_NAME = words.needed("A host of this site.", 253)

FACTS = words.fields(
    "The site itself.",
    {
        "name": words.text("What people call the site, such as mobile lab.", 200),
        "root_domain": words.text(
            "The zone of the site is <site>.<root_domain>. Without one of your own use home.arpa (RFC 8375).",
            180,
            format="domain",
        ),
        "block": words.formed("The site's own network.", "network", "192.0.2.0/24", default=""),
        "organisation": words.text(
            "Second octet of assigned MACs: two hex digits in quotes, such as 'de'.", 2, format="octet"
        ),
        "environment": words.text(
            "Third octet of assigned MACs: two hex digits in quotes, such as '20'.", 2, format="octet"
        ),
        "mac_encoding": words.choice(
            "How assigned MACs are made. role: 02:organisation:environment:role:node:instance; vmid: "
            "02:organisation:environment and the VMID in three octets.",
            ["role", "vmid"],
            "role",
        ),
        "vmid_first": words.number("The lowest VMID that is handed out.", 100, 999_999_999, default=None),
        "vmid_last": words.number("The highest VMID that is handed out.", 100, 999_999_999, default=None),
    },
)

AUTHORITY = words.fields(
    "One declaration of who serves DHCP and DNS.",
    {
        "mode": words.choice(
            "gateway: the core router; bootstrap: the bootstrap node.", ["gateway", "bootstrap"]
        ),
        "at": words.formed("When it was declared.", "date-time", words.MOMENT),
        "by": words.text("Who declared it.", 150),
        "why": words.text("Why; people will ask."),
        "bootstrap_host": words.text("The bootstrap node.", 253),
    },
    "mode",
    "at",
)

ROLE = words.fields(
    "What hosts are for.",
    {
        "code": words.text(
            "RR code: fourth octet of assigned MACs, two hex digits in quotes. Empty until a MAC is assigned.",
            2,
            format="octet",
        ),
        "title": words.text("What people call it.", 200),
    },
)

SEVERITY = words.fields(
    "A finding that people looked at and live with, for a while.",
    {
        "finding": words.needed("Id of the finding, such as address-in-pool.", 60),
        "subject": words.text("As the finding names it: host pi01. Left out: wherever it occurs.", 300),
        "severity": words.choice("What it counts as.", ["warning", "info"]),
        "why": words.needed("Why the site may live with it."),
        "expires": words.formed("The last day on which it counts as lowered.", "date", "2026-12-31"),
    },
    "finding",
    "severity",
    "why",
    "expires",
)

SEGMENT = words.fields(
    "A VLAN with its networks.",
    {
        "vlan": words.number("VLAN id, 0 to 4094; left out when untagged.", 0, 4094, default=None),
        "network4": words.formed("IPv4 network.", "network4", "192.0.2.0/24", default=None),
        "network6": words.formed("IPv6 network.", "network6", "2001:db8:99::/64", default=None),
        "gateway4": words.formed("IPv4 gateway.", "ipv4", "192.0.2.1", default=None),
        "gateway6": words.formed("IPv6 gateway.", "ipv6", "2001:db8:99::1", default=None),
        "policy": words.choice(
            "What DHCP does here: static = reservations only, dynamic = pool only, both, none = no DHCP.",
            ["static", "dynamic", "both", "none"],
            "static",
        ),
        "pool": {**words.span("The DHCP pool."), "default": None},
        "static_range": {**words.span("Where static addresses are handed out."), "default": None},
        "delegated": words.listed(
            "Ranges that another allocator hands out; skipped here.",
            {
                "type": "array",
                "items": words.formed("First or last address.", "address", "192.0.2.60"),
                "minItems": 2,
                "maxItems": 2,
                "description": "First and last address.",
            },
        ),
        "dns_servers": words.listed(
            "Handed out by DHCP; left out: the gateway.", words.formed("An address.", "address", "192.0.2.53")
        ),
        "search_domains": words.listed("Search domains, handed out by DHCP.", words.needed("A domain.", 253)),
        "next_server": words.formed(
            "Boot server, which UEFI PXE reads as siaddr.", "ipv4", "192.0.2.95", default=None
        ),
        "trust": words.text("How far it is trusted, in a word.", 40),
        "suffix": words.text("Second interfaces here are named <host>-<suffix>.", 40, format="label"),
        "variables": words.data("Further keys of the segment in Ansible."),
    },
)

INTERFACE = words.fields(
    "One network interface: MAC, address, name.",
    {
        "mac": words.formed(
            "Six lower-case octets with colons, in quotes; left out while unknown.",
            "mac",
            "02:de:20:01:00:01",
            default=None,
        ),
        "mac_kind": words.choice(
            "observed: read off real hardware. assigned: generated here; it changes only by re-identifying.",
            ["observed", "assigned"],
            "observed",
        ),
        "segment": words.needed("A segment of this site.", 63, default=None),
        "addressing": words.choice(
            "static, dhcp (whatever DHCP gives) or none. Left out: static with an address, else none.",
            ["static", "dhcp", "none"],
        ),
        "ipv4": words.formed("The IPv4 address.", "ipv4", "192.0.2.10", default=None),
        "ipv6": words.listed("IPv6 addresses.", words.formed("An address.", "ipv6", "2001:db8:99::10")),
        "bootstrap_ipv4": words.formed(
            "Of the bootstrap node: its address here while it is the authority.",
            "ipv4",
            "192.0.2.1",
            default=None,
        ),
        "a_record": words.flag("A, AAAA and PTR records for its addresses."),
        "reservation": words.flag("A DHCP reservation for its IPv4 address."),
        "management": words.flag("Ansible comes in here."),
        "primary": words.flag(
            "Carries the host's own name. Left out everywhere: the first one with an address record."
        ),
        "wake_on_lan": words.flag("Answers Wake-on-LAN."),
        "pxe_server": words.text("Boot server: an address or a name.", 253),
        "pxe_file": words.text("Boot file.", 127),
        "switch": words.needed("The switch it is plugged into: a host of this site.", 253, default=None),
        "switch_port": words.text("The port there.", 64),
        "variables": words.data("Further keys of the interface in Ansible."),
    },
)

SERVICE = words.fields(
    "A name that consumers use, carried by this host: a CNAME.",
    {
        "name": words.needed("DNS label below the site's zone: artifacts.", 190),
        "tenant": words.text("Tenant services are <name>.<tenant>.<zone>.", 63),
        "port": words.number("Port it listens on.", 0, 65535, default=None),
        "health_check": words.text("URL path or tcp: how to see that it answers.", 200),
        "metrics_path": words.text("URL path of its Prometheus metrics.", 200),
    },
    "name",
)

PROXMOX = words.fields(
    "The Proxmox API of a host of form hv. The secret is a reference, never the secret.",
    {
        "api_url": words.text(
            "Such as https://192.0.2.21:8006; left out: the host's primary address, port 8006.",
            300,
            format="https-url",
        ),
        "node": words.text("Name of the node; left out: the host's name.", 63),
        "token_id": words.text("user@realm!name, such as mgmtplane@pve!write.", 200, format="token-id"),
        "secret": words.text(
            "Where the token's secret lies: env:NAME, file:/path or vault:VARIABLE.",
            300,
            format="secret-reference",
        ),
        "ca_file": words.text("Absolute path of the CA that signed its certificate.", 300),
        "fingerprint": words.text(
            "SHA-256 of its certificate, while there is no CA.", 95, format="fingerprint"
        ),
        "storage": words.text("Where new disks go by default.", 100),
        "bridge": words.text("Bridge of new interfaces by default.", 40),
        "pool": words.text("Resource pool of new machines by default.", 100),
    },
)

HOST = words.fields(
    "A machine, real or virtual.",
    {
        "form": words.text(
            "hv hypervisor, vm virtual, ph physical, pi Raspberry Pi, em embedded, rt router, sw switch, ap access point.",
            40,
        ),
        "role": words.text("What it is for: one of the roles.", 40),
        "status": words.choice(
            "Where it is in its life. retired: out of every export, its identities in quarantine.",
            ["provisioning", "active", "standby", "maintenance", "retired"],
            "active",
        ),
        "plane": words.choice("Whose it is.", ["management", "tenant"], "management"),
        "platform": words.text("Hardware or image.", 100),
        "location": words.text("Rack, shelf, room.", 200),
        "notes": words.text("Anything people should know."),
        "hypervisor": words.text(
            "The hypervisor that this virtual machine runs on: a host of this site.", 253
        ),
        "vmid": words.number("Proxmox's number of the virtual machine.", 100, 999_999_999, default=None),
        "proxmox": {**PROXMOX, "default": None},
        "access": words.data(f"How people get in. {SECRETS}"),
        "out_of_band": words.data(f"IPMI, Redfish, console. {SECRETS}"),
        "interfaces": {
            **words.named(
                "Name of the interface, as the system calls it, to the interface. In their order.",
                INTERFACE,
                64,
            ),
            "default": {},
        },
        "services": words.listed("What it carries now.", SERVICE),
        "variables": words.data(f"The host's own Ansible variables. {SECRETS}"),
    },
)

_MEMBERS = words.listed("Hosts in it, directly.", _HOST_NAME)
GROUP = words.fields(
    "An Ansible group.",
    {
        "children": words.listed("Groups directly below it.", words.needed("A group.", 253)),
        "hosts": _MEMBERS,
        "priority": words.number(
            "ansible_group_priority; the higher wins at equal depth.", -(2**31), 2**31 - 1, default=1
        ),
        "variables": words.data(f"Variables of the group. {SECRETS}"),
    },
)
PROFILE = words.fields(
    "Intent that is not bound to a host: the group profile_<name> in Ansible.",
    {
        "hosts": {**_MEMBERS, "description": "Hosts that have it; none: it is parked."},
        "variables": words.data(f"Variables of the profile. {SECRETS}"),
    },
)
