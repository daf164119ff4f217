"""Handing out over HTTP: what a segment or a site has, the lowest free, once for each Idempotency-Key."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from inventory.addressing import Range, canonical_address
from inventory.allocation import Handout, Wanted, allocate
from inventory.api.answers import unshared
from inventory.api.v1 import fields, remembering
from inventory.api.v1.bodies import WHY_HELP, Strict
from inventory.api.v1.callers import Caller
from inventory.api.v1.problems import FieldError, invalid
from inventory.api.v1.reasons import reason_of
from inventory.models import Host, Interface, Role, Segment, Site

_View = Any
NOT_SURVEYED = (
    "The hypervisors were not asked: a machine there that nobody declared may have this VMID. "
    "Name those that exist as “surveyed”."
)
DRY_RUN = OpenApiParameter(
    "dry_run",
    str,
    enum=["0", "1"],
    description="1: answer what would be handed out now, and hand out nothing.",
)


@fields.extend_schema_field({"type": "string", "examples": ["192.0.2.2-192.0.2.49"]})
class Span(serializers.Field):
    def to_internal_value(self, data: Any) -> Range:
        first, dash, last = data.partition("-") if isinstance(data, str) else ("", "", "")
        if not dash:
            raise serializers.ValidationError("Write first and last address: 192.0.2.2-192.0.2.49.")
        try:
            return Range(canonical_address(first.strip()), canonical_address(last.strip()))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: Any) -> str:
        return str(value)


class FromSegment(Strict):
    """An address of the segment, for a host by name, or for the next host of a role or form."""

    host = fields.Named(
        Host, required=False, help_text="Without it the next host by the naming pattern is made."
    )
    role = fields.Named(Role, by="slug", required=False, help_text="Of the next host.")
    form = fields.Choice(Host.Form.choices, required=False, help_text="Of the next host.")
    hypervisor = fields.Named(Host, required=False, help_text="Of the next host.")
    plane = fields.Choice(Host.Plane.choices, required=False, help_text="Of the next host.")
    interface = fields.Text(
        required=False,
        max_length=64,
        help_text="Made if need be. Without it: the primary, the only, or a new eth0.",
    )
    mac = fields.Flag(required=False, help_text="A MAC as well.")
    vmid = fields.Flag(required=False, help_text="A VMID as well.")
    surveyed = serializers.ListField(
        child=fields.Number(min_value=0, max_value=999_999_999),
        required=False,
        help_text="VMIDs that the hypervisors were seen to have; they are not handed out.",
    )
    family = fields.Choice(["4", "6", "both"], required=False)
    range = Span(required=False, help_text="Instead of the segment's static range.")
    group = fields.Text(
        required=False,
        max_length=2,
        help_text="NN in the MAC encoding role: node or service group, two hex digits.",
    )
    why = fields.Text(required=False, max_length=1000, help_text=WHY_HELP)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        new = [name for name in ("role", "form", "hypervisor", "plane") if name in given]
        if "host" in given and new:
            raise serializers.ValidationError(
                {new[0]: [f"This is of a new host, and {given['host']} exists."]}
            )
        if "host" not in given and "form" not in given and "role" not in given:
            raise serializers.ValidationError({"host": ["Name a host, or a role or form for a new one."]})
        return given

    def wanted(self) -> Wanted:
        given: dict[str, Any] = {**self.validated_data}
        given.pop("why", None)
        names = {"host": "name", "role": "slug", "hypervisor": "name", "segment": "name"}
        for field, attribute in names.items():
            if field in given:
                given[field] = getattr(given[field], attribute)
        if "range" in given:
            given["span"] = given.pop("range")
        return Wanted(**{"address": True, **given})


class FromSite(FromSegment):
    """The next host, or what a host lacks: say which of MAC, address and VMID."""

    address = fields.Flag(required=False, help_text="An address of the segment.")
    segment = fields.Named(Segment, required=False, help_text="Without it: where the interface is.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        given = super().validate(given)
        asked = [name for name in ("mac", "address", "vmid") if given.get(name)]
        if "host" in given and not asked:
            raise serializers.ValidationError("Say what is to be handed out: mac, address, vmid.")
        if ("range" in given or "family" in given) and "address" not in asked:
            field = "range" if "range" in given else "family"
            raise serializers.ValidationError({field: ["This is for an address; ask for the address too."]})
        return {"address": False, **given}


class HandoutBody(serializers.Serializer):
    """What the host has now."""

    site = serializers.CharField()
    host = serializers.CharField()
    host_id = serializers.IntegerField(allow_null=True, help_text="Null after a dry run that made the host.")
    interface = serializers.CharField(allow_blank=True)
    interface_id = serializers.IntegerField(allow_null=True)
    segment = serializers.CharField(allow_blank=True)
    mac = serializers.CharField(allow_null=True)
    ipv4 = serializers.CharField(allow_null=True)
    ipv6 = serializers.ListField(child=serializers.CharField())
    vmid = serializers.IntegerField(allow_null=True)
    given = serializers.ListField(
        child=serializers.ChoiceField(["name", "vmid", "segment", "mac", "ipv4", "ipv6"]),
        help_text="What this call handed out; the rest the host had before.",
    )
    dry_run = serializers.BooleanField()
    warning = serializers.CharField(allow_blank=True)


class SegmentAllocation:
    """For the view of segments."""

    @extend_schema(request=FromSegment, responses=HandoutBody, parameters=[DRY_RUN])
    @action(detail=True, methods=["post"])
    def allocate(self: _View, request: Request, pk: str) -> HttpResponse:
        """Hand out the lowest free address of the segment, and a MAC or VMID with it."""
        segment = self.row(pk)
        body = FromSegment(data=request.data, context={"site": segment.site})
        body.is_valid(raise_exception=True)
        wanted = dataclasses.replace(body.wanted(), segment=segment.name)
        return handed_out(request, self.caller, segment.site, wanted)

    allocate.parameters = ("dry_run",)  # type: ignore[attr-defined]


class SiteAllocation:
    """For the view of sites."""

    @extend_schema(request=FromSite, responses=HandoutBody, parameters=[DRY_RUN])
    @action(detail=True, methods=["post"])
    def allocate(self: _View, request: Request, pk: str) -> HttpResponse:
        """Make the next host of the site, or hand out what a host lacks: a MAC, an address, a VMID."""
        site = self.row(pk)
        body = FromSite(data=request.data, context={"site": site})
        body.is_valid(raise_exception=True)
        return handed_out(request, self.caller, site, body.wanted())

    allocate.parameters = ("dry_run",)  # type: ignore[attr-defined]


def handed_out(request: Request, caller: Caller, site: Site, wanted: Wanted) -> HttpResponse:
    _require(caller, site, wanted)
    why, dry_run = reason_of(request), _is_dry_run(request)

    def act() -> str:
        handout = allocate(site, wanted, by=caller.by, why=why, source="api", dry_run=dry_run)
        return json.dumps(_told(site, wanted, handout, dry_run), ensure_ascii=False)

    key = None if dry_run else remembering.key_of(request)
    if key is None:
        return _answer(act())
    answered, again = remembering.once(caller.key, key, remembering.digest_of(request), act)
    response = _answer(answered)
    if again:
        response["Idempotency-Replayed"] = "true"
    return response


def _require(caller: Caller, site: Site, wanted: Wanted) -> None:
    permissions = ["change_host" if wanted.host else "add_host"]
    if wanted.mac or wanted.address:
        permissions += ["add_interface", "change_interface"]
    for name in permissions:
        caller.require(f"inventory.{name}", site)


def _is_dry_run(request: Request) -> bool:
    text = request.query_params.get("dry_run", "0")
    if text not in ("0", "1"):
        raise invalid([FieldError("dry_run", "?dry_run= takes 1 or 0.")])
    return text == "1"


def _told(site: Site, wanted: Wanted, handout: Handout, dry_run: bool) -> dict[str, Any]:
    host = Host.objects.filter(site=site, name=handout.host).values_list("pk", flat=True).first()
    interface = (
        Interface.objects.filter(host=host, name=handout.interface) if host else Interface.objects.none()
    )
    return {
        "site": handout.site,
        "host": handout.host,
        "host_id": host,
        "interface": handout.interface,
        "interface_id": interface.values_list("pk", flat=True).first(),
        "segment": handout.segment,
        "mac": handout.mac or None,
        "ipv4": handout.ipv4 or None,
        "ipv6": list(handout.ipv6),
        "vmid": handout.vmid,
        "given": list(handout.given),
        "dry_run": dry_run,
        "warning": NOT_SURVEYED if handout.unasked else "",
    }


def _answer(text: str) -> HttpResponse:
    return unshared(HttpResponse(text.encode(), content_type="application/json"))
