"""The browser: every noun listed, found, and edited through the door. One module per family of nouns."""

from inventory.admin import access, groups, hosts, interfaces, log, segments, services, sites

__all__ = ["access", "groups", "hosts", "interfaces", "log", "segments", "services", "sites"]
