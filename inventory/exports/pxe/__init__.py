"""PXE: boot files by MAC, in every spelling that GRUB, PXELINUX and iPXE ask a boot server for."""

from inventory.exports.pxe.files import EXPORT
from inventory.exports.pxe.plan import findings

__all__ = ["EXPORT", "findings"]
