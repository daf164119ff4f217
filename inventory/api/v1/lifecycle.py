"""Acts on one row: retire and reactivate a host, free an identity before its quarantine has passed."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from inventory import quarantine
from inventory.api.v1 import fields, versions
from inventory.api.v1.bodies import WHY_HELP, Strict
from inventory.api.v1.problems import Problem
from inventory.api.v1.reasons import required_reason
from inventory.models import Host, Identity

_View = Any


class Reason(Strict):
    """Why it is done."""

    why = fields.Text(required=False, max_length=1000, help_text=WHY_HELP)


class RetireActions:
    """For the view of hosts."""

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def retire(self: _View, request: Request, pk: str) -> HttpResponse:
        """Names, reservations, records and boot files leave every export; the identities go into quarantine."""
        return self._to(pk, Host.Status.RETIRED, "nothing was retired")

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def reactivate(self: _View, request: Request, pk: str) -> HttpResponse:
        """Active again, and back in every export. What another host claims by now is refused (409)."""
        return self._to(pk, Host.Status.ACTIVE, "nothing was reactivated")

    def _to(self: _View, pk: str, status: str, undone: str) -> HttpResponse:
        _check_body(self.request)
        with self.opened(pk, "inventory.change_host", lambda row: required_reason(self.request, undone)) as (
            _,
            row,
        ):
            if (row.status == Host.Status.RETIRED) != (status == Host.Status.RETIRED):
                row.status = status
                row.save()
        answered: HttpResponse = self.shown(self.row(pk))
        return answered


class FreeAction:
    """For the view of identities."""

    @extend_schema(request=Reason)
    @action(detail=True, methods=["post"])
    def free(self: _View, request: Request, pk: str) -> HttpResponse:
        """End a quarantine before its time: the value can be handed out again at once."""
        _check_body(request)
        row = self.row(pk)
        self.caller.require("inventory.change_identity", row)
        why = required_reason(request, "nothing was freed")
        versions.require_match(request, versions.etag_of(self.represented(row)))
        freed = quarantine.free([row], by=self.caller.by, why=why, source="api")
        if not freed:
            state = Identity.objects.filter(pk=row.pk).values_list("state", flat=True).first()
            raise Problem(409, f"{row} is {state}, not in quarantine; there is nothing to free.")
        answered: HttpResponse = self.shown(self.row(pk))
        return answered


def _check_body(request: Request) -> None:
    body: Any = Reason(data=request.data)
    body.is_valid(raise_exception=True)
