"""Machines as Proxmox speaks of them: their words parsed, written and compared. Pure."""
