"""Bodies of what the application keeps by itself: identities, changes, renderings, consumers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.api.v1.written import rows_written
from inventory.models import Change, Consumer, Identity, Rendering


class IdentityBody(serializers.ModelSerializer):
    site = serializers.CharField(source="site.slug")
    host = serializers.CharField(source="host_name", help_text="The host's name, kept when its row is gone.")
    host_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Identity
        fields = ("id", "site", "site_id", "kind", "value", "state", "host", "host_id", "since", "until")
        read_only_fields = fields


class ChangeSummary(serializers.ModelSerializer):
    site = serializers.CharField(source="site_slug")
    site_id = serializers.IntegerField(allow_null=True)
    by = serializers.CharField(source="by_name")

    class Meta:
        model = Change
        fields: tuple[str, ...] = ("id", "site", "site_id", "revision", "by", "why", "source", "at")
        read_only_fields = fields


class FieldChange(serializers.Serializer):
    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class RowWritten(serializers.Serializer):
    noun = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    what = serializers.ChoiceField(["added", "changed", "removed"])
    fields_changed = FieldChange(many=True)


class ChangeBody(ChangeSummary):
    rows = serializers.SerializerMethodField(help_text="What was written: at most 200 rows of each noun.")

    class Meta(ChangeSummary.Meta):
        fields = (*ChangeSummary.Meta.fields, "rows")

    @extend_schema_field(RowWritten(many=True))
    def get_rows(self, change: Change) -> list[dict[str, Any]]:
        return rows_written(change)


class RenderedFinding(serializers.Serializer):
    id = serializers.CharField()
    severity = serializers.CharField()
    subject = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class RenderingBody(serializers.ModelSerializer):
    site = serializers.CharField(source="site.slug")
    findings = serializers.SerializerMethodField()

    class Meta:
        model = Rendering
        fields = (
            "id", "site", "site_id", "format", "variant", "revision", "sha256", "size", "findings", "created",
            "fetched", "applied",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(RenderedFinding(many=True))
    def get_findings(self, rendering: Any) -> Any:
        return rendering.findings


class ConsumerBody(serializers.ModelSerializer):
    site = serializers.CharField(source="site.slug")

    class Meta:
        model = Consumer
        fields = (
            "id", "site", "site_id", "format", "variant", "name", "first_seen", "fetched_at", "fetched_etag",
            "fetched_revision", "applied_at", "applied_etag", "applied_revision", "ok", "message",
        )  # fmt: skip
        read_only_fields = fields
