"""``/api/v1/observations``: what runs gathered of hosts, to read. Beside the declaration, and never in its place."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.api.v1.views import Noun
from provisioning.models import Observation
from provisioning.models.observations import KINDS


class ObservationBody(serializers.ModelSerializer):
    site = serializers.CharField(source="site.slug")
    host = serializers.CharField(source="host_name")
    kind = serializers.ChoiceField(list(KINDS))
    value = serializers.SerializerMethodField(
        "get_said", help_text="Interfaces are a list; the others have names."
    )
    run_id = serializers.IntegerField(
        allow_null=True, help_text="The run that gathered it; null: it is not kept any more."
    )

    class Meta:
        model = Observation
        fields: tuple[str, ...] = ("id", "site", "site_id", "host", "kind", "value", "at", "run_id")
        read_only_fields = fields

    @extend_schema_field(
        {
            "oneOf": [
                {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
                {"type": "object", "additionalProperties": {}},
            ]
        }
    )
    def get_said(self, row: Observation) -> Any:
        return row.value


class ObservationFilters(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__slug", label="The site's short name.")
    host = django_filters.CharFilter(field_name="host_name", label="Name of the host.")
    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in KINDS])


class ObservationView(Noun):
    """The newest that runs gathered of each host, in each respect. Read by who may read what runs said."""

    http_method_names = ["get", "head"]
    app, noun = "provisioning", "observation"
    verbs = {"view": "provisioning.view_run"}
    queryset = Observation.objects.select_related("site")
    serializer_class = ObservationBody
    filterset_class = ObservationFilters
    search_in = ("host_name",)
    ordering_fields = ("id", "host_name", "kind", "at")
    ordering = ("host_name", "kind")
