"""What hypervisors are entered by and machines are made from, as parts of a Snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class HypervisorFacts:
    """Where the Proxmox API of a host is; ``secret`` and ``read_secret`` are references, never secrets."""

    api_url: str = ""
    node: str = ""
    #: writes, and reads where there is no token for reading
    token_id: str = ""
    secret: str = ""
    read_token_id: str = ""
    read_secret: str = ""
    ca_file: str = ""
    fingerprint: str = ""
    storage: str = ""
    bridge: str = ""
    pool: str = ""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a virtual machine is made from. Memory in MiB, disks in GiB; empty: the hypervisor's default."""

    cores: int = 2
    memory: int = 2048
    os_disk: int = 32
    data_disk: int | None = None
    data_disk_serial: str = ""
    #: a rebuild leaves the data disk
    keep_data_disk: bool = True
    boot: Literal["cloud-init", "pxe"] = "cloud-init"
    #: how the template's name begins; the newest by version sort is taken
    template: str = ""
    ciuser: str = ""
    #: public keys, a line each
    ssh_keys: str = ""
    cpu: str = "host"
    #: the guest agent is expected to answer
    agent: bool = True
    rng: bool = False
    start_on_boot: bool = True
    startup_order: int | None = None
    storage: str = ""
    bridge: str = ""
    pool: str = ""
