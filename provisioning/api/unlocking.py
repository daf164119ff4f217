"""Entering secrets over the API, for the view of jobs. No answer holds a value, and none is remembered."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from inventory.api.answers import unshared
from inventory.api.v1 import fields
from inventory.api.v1.bodies import Strict
from inventory.api.v1.problems import FieldError, Problem, invalid
from inventory.models import Site
from provisioning import requests
from provisioning.engine.asking import Refused
from provisioning.keeper import client
from provisioning.keeper.client import KeeperAway, KeeperRefused, of_site
from provisioning.unlocks.unlocking import PERMISSION

_View = Any


class UnlockBody(Strict):
    """A secret, and for how long it is held in memory."""

    site = fields.Text(max_length=63)
    name = fields.Text(max_length=63, help_text="As in unlock:NAME.")
    value = fields.Text(trim_whitespace=False, write_only=True, help_text="The secret. No answer repeats it.")
    minutes = fields.Number(help_text="At most UNLOCK_MINUTES_MOST.")


class LockBody(Strict):
    """What is forgotten at once."""

    site = fields.Text(max_length=63)
    name = fields.Text(required=False, max_length=63, help_text="Left out: all that is unlocked at the site.")


class AnswerBody(Strict):
    """Secrets for one job, by the names that its needs have."""

    secrets = serializers.DictField(child=fields.Text(trim_whitespace=False), write_only=True)


class HeldBody(serializers.Serializer):
    """A name that is unlocked, until when, and who entered it."""

    site = serializers.CharField()
    name = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField()


SITE = OpenApiParameter("site", str, required=True, description="The site's short name.")


class UnlockActions:
    """For the view of jobs; the scope ``provision`` may, as operators may."""

    @extend_schema(request=UnlockBody, responses={200: HeldBody})
    @action(detail=False, methods=["post"])
    def unlock(self: _View, request: Request) -> HttpResponse:
        """Hold a secret for a site; its jobs that waited for it go on."""
        site, given = self._opened_for(request, UnlockBody)
        found = _done(
            lambda: requests.unlock(
                site, given["name"], given["value"], minutes=given["minutes"], by=self.caller.by
            )
        )
        held = {"site": site.slug, "name": found.name, "by": _name(self.caller.by), "until": found.until}
        return unshared(Response(HeldBody(held).data))

    @extend_schema(request=LockBody, responses={200: HeldBody(many=True)})
    @action(detail=False, methods=["post"])
    def lock(self: _View, request: Request) -> HttpResponse:
        """Forget it; what is still unlocked at the site."""
        site, given = self._opened_for(request, LockBody)
        _done(lambda: requests.lock(site, given.get("name") or None, by=self.caller.by))
        return _held_at(site)

    @extend_schema(parameters=[SITE], responses={200: HeldBody(many=True)}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def unlocked(self: _View, request: Request) -> HttpResponse:
        """What is unlocked at a site, without values."""
        self.caller.require(PERMISSION)
        site = self.site_named({"site": request.query_params.get("site")})
        self.caller.require(PERMISSION, site)
        return _held_at(site)

    unlocked.parameters = ("site",)  # type: ignore[attr-defined]

    @extend_schema(request=AnswerBody)
    @action(detail=True, methods=["post"])
    def answer(self: _View, request: Request, pk: str) -> HttpResponse:
        """Give a waiting job its secrets, held for it alone until it ends."""
        job = self._job(pk, PERMISSION)
        body: Any = AnswerBody(data=request.data)
        body.is_valid(raise_exception=True)
        answered = _done(lambda: requests.answer(job, body.validated_data["secrets"], by=self.caller.by))
        shown: HttpResponse = self.shown(answered)
        return shown

    def _opened_for(self: _View, request: Request, body_class: Any) -> tuple[Site, dict[str, Any]]:
        self.caller.require(PERMISSION)
        site = self.site_named(request.data if isinstance(request.data, dict) else {})
        self.caller.require(PERMISSION, site)
        body: Any = body_class(data=request.data)
        body.is_valid(raise_exception=True)
        return site, body.validated_data


def _held_at(site: Site) -> HttpResponse:
    held = _done(lambda: client.held(of_site(site.slug)))
    rows = [{"site": site.slug, "name": one.name, "by": one.by, "until": one.until} for one in held]
    return unshared(Response(HeldBody(rows, many=True).data))


def _done(act: Any) -> Any:
    """What *act* returns; its refusal as the problem that it is."""
    try:
        return act()
    except Refused as refusal:
        if refusal.fields:
            raise invalid(
                [FieldError(name, said) for name, told in refusal.fields.items() for said in told]
            ) from None
        raise Problem(409, str(refusal)) from None
    except (KeeperAway, KeeperRefused) as reason:
        raise Problem(409, str(reason)) from None


def _name(by: Any) -> str:
    return by if isinstance(by, str) else str(by.get_username())
