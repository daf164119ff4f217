"""One small site by hand for what is looked up in it."""

from __future__ import annotations

from inventory.addressing import Range
from inventory.snapshot import (
    AliasFacts,
    GroupFacts,
    HostFacts,
    InterfaceFacts,
    RoleFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
)

VAULT = {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162636465663031\n"}

SITE = Snapshot(
    site=SiteFacts(
        "lab",
        "example.net",
        block="192.0.2.0/24",
        organisation="de",
        environment="10",
        vmid_first=100,
        vmid_last=199,
    ),
    segments=(
        SegmentFacts(
            "management",
            vlan=99,
            network4="192.0.2.0/25",
            network6="2001:db8:99::/64",
            gateway4="192.0.2.1",
            static_range=Range("192.0.2.2", "192.0.2.49"),
            pool=Range("192.0.2.100", "192.0.2.120"),
            delegated=(Range("192.0.2.60", "192.0.2.69"),),
            policy="both",
        ),
    ),
    roles=(RoleFacts("metrics", "03", "Metrics"),),
    groups=(GroupFacts("pis", hosts=("pi01",), variables={"ntp_server": "192.0.2.10"}),),
    aliases=(AliasFacts("files", "artifacts"),),
    hosts=(
        HostFacts(
            "pi01",
            form="pi",
            notes="behind the red door",
            variables={"serial_number": "SN-4711", "bmc_password": "hunter2secret", "sealed_key": VAULT},
            interfaces=(
                InterfaceFacts(
                    "pi01",
                    "eth0",
                    mac="bc:24:11:ce:51:ec",
                    segment="management",
                    addressing="static",
                    ipv4="192.0.2.10",
                    ipv6=("2001:db8:99::10",),
                    a_record=True,
                    reservation=True,
                    switch="sw01",
                    switch_port="gi0/7",
                ),
            ),
            services=(ServiceFacts("artifacts", "pi01"),),
        ),
        HostFacts("metrics-vm01", form="vm", vmid=120, status="retired"),
    ),
)
