"""Pages that show a site as pictures: thin, what they draw comes from ``inventory.pictures``."""

from inventory.admin.pictures import falling, giving, macs, powering, segments, somewhere, topology

__all__ = ["falling", "giving", "macs", "powering", "segments", "somewhere", "topology"]
