"""``/api/v1/resolve``: a name, address, MAC or VMID in, everything known about it out."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import knowledge
from inventory.api.answers import unshared
from inventory.api.v1.callers import caller_of
from inventory.api.v1.problems import FieldError, invalid
from inventory.api.v1.queries import refuse_unknown
from inventory.models import Site

LONGEST = 300
PERMISSION = "inventory.view_host"


class ClaimBody(serializers.Serializer):
    """A line of the ledger."""

    kind = serializers.CharField()
    value = serializers.CharField()
    state = serializers.CharField()
    host = serializers.CharField(allow_blank=True)
    since = serializers.CharField(allow_blank=True)
    until = serializers.CharField(allow_blank=True)


class DeclaredBody(serializers.Serializer):
    """A row that declares it."""

    subject = serializers.CharField()
    role = serializers.CharField()


class ExportedBody(serializers.Serializer):
    """A line of an export that names it."""

    what = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    authority = serializers.CharField(allow_blank=True)


class TouchedBody(serializers.Serializer):
    """A change that touched it."""

    revision = serializers.IntegerField()
    at = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)


class PlaceBody(serializers.Serializer):
    """A place that names it."""

    subject = serializers.CharField()
    where = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    sealed = serializers.BooleanField()


class AnswerBody(serializers.Serializer):
    """What one site knows of it."""

    site = serializers.CharField()
    asked = serializers.CharField()
    kind = serializers.CharField(help_text="What it was taken for: mac, address, vmid, vlan, name, text.")
    value = serializers.CharField(allow_blank=True, help_text="In its canonical form.")
    says = serializers.ListField(child=serializers.CharField(), help_text="What it is by its place or form.")
    declared = DeclaredBody(many=True)
    claims = ClaimBody(many=True)
    exported = ExportedBody(many=True)
    changes = TouchedBody(many=True)
    references = PlaceBody(many=True)
    near = serializers.ListField(
        child=serializers.CharField(), help_text="What looks alike, when nothing is known."
    )
    hosts = serializers.ListField(child=serializers.CharField())
    is_known = serializers.BooleanField()


class ResolvedBody(serializers.Serializer):
    results = AnswerBody(
        many=True, help_text="One of each site that the caller may see, those that know it first."
    )


class Resolve(APIView):
    """Everything known about a value: declared, exported, held, in quarantine, by whom, since when."""

    http_method_names = ["get", "head"]
    parameters = ("q", "site")

    @extend_schema(
        operation_id="resolve",
        responses=ResolvedBody,
        parameters=[
            OpenApiParameter(
                "q",
                {"type": "string", "minLength": 1, "maxLength": LONGEST},
                required=True,
                description="A name, FQDN, address, VMID, or a MAC in any spelling.",
            ),
            OpenApiParameter("site", str, description="Ask this site alone."),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown(request, self)
        caller = caller_of(request)
        caller.require(PERMISSION)
        text = request.query_params.get("q", "").strip()
        if not text or len(text) > LONGEST:
            raise invalid(
                [FieldError("q", f"Say what to look for, as ?q=, in at most {LONGEST} characters.")]
            )
        sites = caller.within(Site.objects.order_by("slug"), PERMISSION, "")
        if slug := request.query_params.get("site"):
            sites = sites.filter(slug=slug)
            if not sites:
                raise invalid([FieldError("site", f"There is no site “{slug}”, or you may not see it.")])
        answers = sorted(knowledge.ask(text, sites, may=caller.may), key=lambda answer: not answer.is_known)
        told: dict[str, Any] = {"results": [answer.as_dict() for answer in answers]}
        return unshared(Response(told))
