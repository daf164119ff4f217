"""Findings of a site, narrowed and in pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from inventory import reading
from inventory.api.answers import unshared
from inventory.api.v1.problems import FieldError, invalid
from inventory.findings import SEVERITIES, Finding
from inventory.serving.judgement import findings_of

_View = Any


class FindingBody(serializers.Serializer):
    """Something a person should know about a site; docs/findings.md explains every id."""

    id = serializers.CharField(help_text="Names the rule.")
    severity = serializers.ChoiceField(SEVERITIES)
    subject = serializers.CharField(help_text="host pi01, interface pi01/eth0, segment iot.")
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    lowered_from = serializers.ChoiceField(
        SEVERITIES, allow_blank=True, help_text="Empty unless it was lowered."
    )
    lowered_because = serializers.CharField(allow_blank=True)
    lowered_until = serializers.CharField(allow_blank=True)


PARAMETERS = [
    OpenApiParameter("severity", str, enum=list(SEVERITIES)),
    OpenApiParameter("rule", str, description="Id of the finding."),
    OpenApiParameter("subject", str, description="As the finding names it: host pi01."),
]


class SiteFindings:
    """For the view of sites."""

    @extend_schema(
        responses=FindingBody(many=True),
        parameters=PARAMETERS,
        operation_id="sites_findings_list",
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def findings(self: _View, request: Request, pk: str) -> HttpResponse:
        """What the rules say about the site today, worst first, as its people lowered it."""
        found = findings_of(reading.load(self.row(pk).slug))
        page = self.paginate_queryset([one for one in found if _matches(one, request)])
        return unshared(self.get_paginated_response(FindingBody(page, many=True).data))

    findings.parameters = ("severity", "rule", "subject", "limit", "offset")  # type: ignore[attr-defined]


def _matches(finding: Finding, request: Request) -> bool:
    severity = request.query_params.get("severity")
    if severity is not None and severity not in SEVERITIES:
        raise invalid([FieldError("severity", f"?severity= takes one of {', '.join(SEVERITIES)}.")])
    wanted = {"severity": severity, "id": request.query_params.get("rule")}
    wanted["subject"] = request.query_params.get("subject")
    return all(value is None or getattr(finding, name) == value for name, value in wanted.items())
