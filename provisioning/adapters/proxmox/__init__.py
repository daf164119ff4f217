"""Proxmox VE: ``Proxmox`` for looking and changing, ``Reader`` for looking alone. Nothing else imports proxmoxer."""

from provisioning.adapters.proxmox.access import Access, Patience, access_for
from provisioning.adapters.proxmox.machine import Proxmox, TaskResult
from provisioning.adapters.proxmox.reading import Reader

__all__ = ["Access", "Patience", "Proxmox", "Reader", "TaskResult", "access_for"]
