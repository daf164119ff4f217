"""What goes with a machine where it is destroyed, as the node has it: more than its configuration names."""

from __future__ import annotations

from provisioning.adapters.proxmox import Reader
from provisioning.machines import rebuilding
from provisioning.machines.facts import Config

IMAGES = "images"


def going(proxmox: Reader, vmid: int, found: Config) -> tuple[str, ...]:
    """The volumes of *vmid*, by name: attached, unused, and those on the node's storages that nothing refers to.

    Proxmox takes the last ones by their name as well. Backups stay. Raises AdapterError.
    """
    lying = {
        volume.volume
        for storage in proxmox.storages()
        if storage.enabled and storage.active and IMAGES in storage.content
        for volume in proxmox.volumes(storage.name, vmid=vmid, content=IMAGES)
        if volume.vmid == vmid
    }
    return tuple(sorted(lying.union(rebuilding.volumes(found))))
