"""Pages of the acts (``inventory.acts``): what will change, what names the old value, why; then it is done."""

from inventory.admin.acts import new_hosts, on_hosts, on_services

__all__ = ["new_hosts", "on_hosts", "on_services"]
