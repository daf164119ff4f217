"""What people declare, key by key. Pure."""

from __future__ import annotations

from inventory.exports.site import vocabulary as words
from inventory.exports.site.automation import NAMED
from inventory.local_ports import FIRST, LAST

CONSOLES = ["serial", "sol", "redfish", "kvm", "proxmox", "local"]
POWERS = ["pdu", "wol", "ipmi", "redfish", "proxmox", "hand"]
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
        "emergency_who": words.text("Who may come in when nothing else works, and who has to be told."),
        "emergency_how": words.text("The way in, step by step. No secret: say where it lies."),
        "emergency_secret": words.text(
            "Where its secret lies, as a reference: env:NAME, file:/path, vault:VARIABLE or unlock:NAME.",
            300,
            format="secret-reference",
        ),
        "emergency_after": words.text("What is done after a use."),
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
        **NAMED,
    },
)

EMERGENCY_USE = words.fields(
    "One use of the emergency access.",
    {
        "at": words.formed("When.", "date-time", words.MOMENT),
        "who": words.needed("Who came in.", 150),
        "why": words.needed("What was broken, and what was done."),
        "done_at": words.formed(
            "When what is to be done after it was done; left out: not yet.",
            "date-time",
            words.MOMENT,
            default="",
        ),
        "done_by": words.text("Who did that.", 150),
    },
    "at",
    "who",
    "why",
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

SCHEDULE = words.fields(
    "A job that a clock asks for.",
    {
        "kind": words.needed("Kind of job, as in manage.py job KIND.", 60),
        "parameters": words.data("What the kind asks for. Never a secret."),
        "cron": words.text("Minute, hour, day of month, month, day of week; or every_hours instead.", 100),
        "every_hours": words.number("Every so many hours, counted from midnight UTC.", 1, 8784, default=None),
        "time_zone": words.needed(
            "Time zone of the cron expression, such as Europe/Berlin.", 64, default="UTC"
        ),
        "enabled": words.flag("Whether it asks for anything.", default=True),
        "owner": words.text("In whose name it asks. Empty: of whoever runs commands.", 150),
        "why": words.text("What it is for."),
    },
    "kind",
)

KIT_PLACE = words.fields(
    "A place that each new recovery kit is brought to.",
    {
        "kind": words.choice(
            "directory: of the machine that runs it; mount: the same, where something is mounted; git: a private "
            "repository; ssh: a directory of another machine.",
            ["directory", "mount", "git", "ssh"],
            "directory",
        ),
        "location": words.needed(
            "An absolute path; of a repository also ssh://… or user@host:path; of another machine user@host:/directory.",
            500,
        ),
        "private": words.flag("A person knows who reads the repository. Of git it must be true."),
        "host_key": words.text("Of the server, such as ssh-ed25519 AAAA….", 1500),
        "key": words.text(
            "SSH key that the server is entered with. A reference: unlock:NAME, env:NAME, file:/path or vault:VARIABLE.",
            300,
            format="run-secret",
        ),
        "enabled": words.flag("Whether anything is brought there.", default=True),
    },
    "location",
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
        "jump_host": words.text("Operators come in through it: a host of this site.", 253),
        "jump_alternative": words.text(
            "The way in that does not cross the access switch: a host of this site.", 253
        ),
        "wake_relay": words.text("Sends Wake-on-LAN on this segment: a host of this site.", 253),
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
        "web_scheme": words.choice("People open it in a browser.", ["http", "https"], ""),
        "local_port": words.number(
            "Where a tunnel to the web page ends; left out: the one that it has, or the next free one.",
            FIRST,
            LAST,
            default=None,
        ),
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
            "Where the token's secret lies: env:NAME, file:/path, vault:VARIABLE or unlock:NAME.",
            300,
            format="secret-reference",
        ),
        "read_token_id": words.text(
            "The token that only reads, for surveys and checks; left out: token_id reads as well.",
            200,
            format="token-id",
        ),
        "read_secret": words.text(
            "Where the secret of the reading token lies, as a reference.", 300, format="secret-reference"
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

_GIB = 131_072
MACHINE = words.fields(
    "What a host of form vm is made from. Its MACs, addresses and VLANs are its interfaces'.",
    {
        "cores": words.number("Virtual processor cores.", 1, 1024, default=2),
        "memory": words.number("In MiB: 2048 is 2 GiB.", 16, 16_777_216, default=2048),
        "os_disk": words.number(
            "In GiB. Grown to this before the first boot; a disk never shrinks.", 1, _GIB, default=32
        ),
        "data_disk": words.number(
            "In GiB; left out: none. Made only where it is absent.", 1, _GIB, default=None
        ),
        "data_disk_serial": words.text(
            "Needed with a data disk: the guest finds it by this.", 20, format="disk-serial"
        ),
        "keep_data_disk": words.flag("A rebuild makes the OS disk anew and leaves this one.", default=True),
        "boot": words.choice(
            "cloud-init: a clone of the template; pxe: from the network, with UEFI.",
            ["cloud-init", "pxe"],
            "cloud-init",
        ),
        "template": words.text(
            "How the template's name begins, such as debian-13-; of several the newest by version.",
            100,
            format="template-prefix",
        ),
        "ciuser": words.text("Cloud-init user; left out: the template's own.", 32, format="user-name"),
        "ssh_keys": words.text("SSH public keys, one a line.", format="ssh-keys"),
        "cpu": {
            **words.text("CPU type as Proxmox calls it; empty: Proxmox's default.", 40),
            "default": "host",
        },
        "agent": words.flag("The QEMU guest agent is expected to answer.", default=True),
        "rng": words.flag("VirtIO RNG, without which a UEFI guest never boots from the network."),
        "start_on_boot": words.flag("Starts when its hypervisor does (onboot).", default=True),
        "startup_order": words.number("Lower starts first; left out: last.", 0, 99_999, default=None),
        "storage": words.text("Where its disks go; left out: the hypervisor's default.", 100),
        "bridge": words.text("Bridge of its interfaces; left out: the hypervisor's default.", 40),
        "pool": words.text("Resource pool; left out: the hypervisor's default.", 100),
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
        "needs": words.listed(
            "Hosts that it needs besides: up before it, down after it. In their order.", _HOST_NAME
        ),
        "vmid": words.number("Proxmox's number of the virtual machine.", 100, 999_999_999, default=None),
        "proxmox": {**PROXMOX, "default": None},
        "machine": {
            **MACHINE,
            "type": ["object", "null"],
            "description": f"{MACHINE['description']} Left out: left alone; null: none.",
            "default": None,
        },
        "console_kind": words.choice("How one sees its screen without its network.", CONSOLES, ""),
        "console_address": words.text("Where: an address, an URL, or a port of a serial server.", 300),
        "power_kind": words.choice("How it is switched on from afar.", POWERS, ""),
        "power_address": words.text("Of the BMC, or name of the PDU.", 300),
        "power_outlet": words.text("The outlet at the PDU.", 64),
        "host_keys": words.text(
            "Public SSH host keys that somebody compared, one a line: ssh-ed25519 AAAA….",
            format="ssh-host-keys",
        ),
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

#: What of a host is rows of their own.
PARTS = ("proxmox", "machine", "interfaces", "services")

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
        **NAMED,
    },
)
