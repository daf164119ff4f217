"""Filters of the list of drift."""

from __future__ import annotations

from typing import Any

from unfold.contrib.filters.admin import DropdownFilter

from inventory.permissions import within
from provisioning.models import DriftFinding
from provisioning.observed import glancing
from provisioning.surveying.kinds_of_drift import STANDINGS

MOST_CHOICES = 200
EVERY = "every"


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "in_state"
    all_option = ["", "Not closed"]

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [*((state, state) for state in STANDINGS), (EVERY, "every")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() == EVERY:
            return queryset
        return queryset.filter(state=self.value()) if self.value() else queryset.filter(closed__isnull=True)


class _SeenFilter(DropdownFilter):
    """Values of a column in the rows that the person sees."""

    column = ""

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        rows = within(DriftFinding.objects.exclude(**{self.column: ""}), request.user, glancing.SEE)
        values = rows.order_by(self.column).values_list(self.column, flat=True).distinct()[:MOST_CHOICES]
        return [(value, value) for value in values]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class HypervisorFilter(_SeenFilter):
    title, parameter_name, column = "hypervisor", "on_hypervisor", "hypervisor"


class HostFilter(_SeenFilter):
    title, parameter_name, column = "host", "of_host", "host_name"
