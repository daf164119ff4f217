"""``/api/v1/drift``: what hypervisors carry otherwise than declared, to read. Nothing is decided here."""

from __future__ import annotations

from typing import Any

import django_filters
from rest_framework import serializers

from inventory.api.v1.views import Noun
from provisioning.models import DriftFinding
from provisioning.models.drift import ACCEPTED, IGNORED
from provisioning.surveying.kinds_of_drift import CLOSED, KINDS, STANDINGS


class DriftBody(serializers.ModelSerializer):
    site = serializers.CharField(source="site.slug")
    state = serializers.ChoiceField(
        list(STANDINGS), help_text="unknown: its hypervisor could not be looked at; lost: it will not be."
    )
    kind = serializers.ChoiceField(list(KINDS))
    host = serializers.CharField(
        source="host_name", allow_blank=True, help_text="Empty: no host declares the guest."
    )
    declared = serializers.CharField(source="wanted", allow_blank=True)
    found = serializers.CharField(allow_blank=True, help_text="Empty: not there.")
    elsewhere = serializers.CharField(
        allow_blank=True, help_text="The hypervisor on which the machine is instead."
    )
    decision = serializers.ChoiceField(["", ACCEPTED, IGNORED])
    revision = serializers.IntegerField(help_text="Of the site, that it was last judged against.")

    class Meta:
        model = DriftFinding
        fields: tuple[str, ...] = (
            "id", "site", "site_id", "kind", "state", "hypervisor", "host", "vmid", "field", "declared", "found",
            "elsewhere", "opened", "last_seen", "closed", "revision", "decision", "ignored_until", "decided",
            "decided_by", "decided_why",
        )  # fmt: skip
        read_only_fields = fields


class DriftFilters(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__slug", label="The site's short name.")
    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in KINDS])
    state = django_filters.ChoiceFilter(
        choices=[(state, state) for state in STANDINGS], label="Left out: all but the closed ones."
    )
    hypervisor = django_filters.CharFilter()
    host = django_filters.CharFilter(field_name="host_name", label="Name of the host.")

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("state") else rows.exclude(state=CLOSED)


class DriftView(Noun):
    """What a survey found otherwise than declared. Seen by who sees the site; decided about in the browser."""

    http_method_names = ["get", "head"]
    app, noun = "provisioning", "driftfinding"
    queryset = DriftFinding.objects.select_related("site")
    serializer_class = DriftBody
    filterset_class = DriftFilters
    search_in = ("subject", "found", "wanted", "hypervisor", "decided_why")
    ordering_fields = ("id", "opened", "last_seen", "kind", "hypervisor", "vmid", "field")
    ordering = ("hypervisor", "vmid", "kind", "field")

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.judged()
