"""Bodies of sites, roles, authority and segments."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from inventory.api.v1 import fields
from inventory.api.v1.bodies import Body, SiteName
from inventory.api.v1.nouns.automation import NAMED, named_template
from inventory.models import Authority, Host, Role, Segment, Site

VMID: Any = {"min_value": 100, "max_value": 999_999_999, "allow_null": True, "required": False}


class SiteBody(Body):
    vmid_first = fields.Number(**VMID)
    vmid_last = fields.Number(**VMID)
    zone = serializers.CharField(read_only=True)
    uid = serializers.UUIDField(read_only=True)
    revision = serializers.IntegerField(read_only=True)
    authority = serializers.ChoiceField(
        Authority.Mode.choices,
        read_only=True,
        allow_null=True,
        source="authority_mode",
        help_text="Who serves, as declared last; null: nobody said.",
    )

    class Meta:
        model = Site
        fields = (
            "id", "slug", "name", "root_domain", "zone", "block", "organisation", "environment", "mac_encoding",
            "vmid_first", "vmid_last", "naming", "variables", "mapping", "emergency_who",
            "emergency_how", "emergency_secret", "emergency_after", "authority", "uid", "revision", "why",
        )  # fmt: skip


class RoleBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    configure_template = named_template()
    configure_template_id = serializers.IntegerField(read_only=True, allow_null=True)
    retire_template = named_template()
    retire_template_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Role
        fields = ("id", "site", "site_id", "slug", "code", "title", *NAMED, "why")


class AuthorityBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    bootstrap_host = fields.Named(Host, required=False, allow_null=True)
    bootstrap_host_id = serializers.IntegerField(read_only=True, allow_null=True)
    by = serializers.CharField(read_only=True, source="by_name")
    at = serializers.DateTimeField(read_only=True)
    why = fields.Text(max_length=1000, help_text="Why the authority is declared; people will ask.")

    class Meta:
        model = Authority
        fields = ("id", "site", "site_id", "mode", "bootstrap_host", "bootstrap_host_id", "by", "at", "why")

    def new(self, given: dict[str, Any]) -> Any:
        row = super().new(given)
        row.by, row.by_name = self.caller.user, str(self.caller)
        return row


class SegmentBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    vlan = fields.Number(
        min_value=0, max_value=4094, allow_null=True, required=False, help_text="Null when untagged."
    )
    delegated = fields.Ranges(required=False, help_text="Ranges that another allocator hands out.")
    dns_servers = fields.Texts(required=False, help_text="Handed out by DHCP; empty means the gateway.")
    search_domains = fields.Texts(required=False)
    jump_host = fields.Named(Host, required=False, allow_null=True)
    jump_host_id = serializers.IntegerField(read_only=True, allow_null=True)
    jump_alternative = fields.Named(Host, required=False, allow_null=True)
    jump_alternative_id = serializers.IntegerField(read_only=True, allow_null=True)
    wake_relay = fields.Named(Host, required=False, allow_null=True)
    wake_relay_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Segment
        fields = (
            "id", "site", "site_id", "name", "vlan", "network4", "network6", "gateway4", "gateway6", "pool_first",
            "pool_last", "static_first", "static_last", "delegated", "policy", "dns_servers", "search_domains",
            "next_server", "jump_host", "jump_host_id", "jump_alternative", "jump_alternative_id", "wake_relay",
            "wake_relay_id", "trust", "suffix", "variables", "why",
        )  # fmt: skip
