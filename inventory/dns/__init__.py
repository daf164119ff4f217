"""What a site's name server answers, for every DNS export. Pure."""

from inventory.dns.plan import TTL, DnsPlan, Record, RecordType, Zone, plan

__all__ = ["TTL", "DnsPlan", "Record", "RecordType", "Zone", "plan"]
