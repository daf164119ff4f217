"""Bodies of aliases, groups, profiles, lowered severities, schedules and places of kits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.api.v1 import fields
from inventory.api.v1.bodies import Body, SiteName
from inventory.api.v1.nouns.automation import NAMED, named_template
from inventory.api.v1.problems import FieldError, errors_of, invalid
from inventory.changes import SiteChange
from inventory.models import (
    Alias,
    EmergencyUse,
    Group,
    Host,
    KitPlace,
    Membership,
    Nesting,
    Schedule,
    Service,
    SeverityOverride,
    WorkloadProfile,
)


@extend_schema_field({"type": "string", "examples": ["pi01/artifacts"]})
class ServiceOnHost(fields.Named):
    """``host/service``; several hosts may carry a service of one name. For a tenant's: ``host/service.tenant``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Service, **kwargs)

    def to_representation(self, value: Any) -> str:
        return f"{value.host.name}/{value.label}"

    def find(self, name: str) -> Any:
        host, _, label = name.rpartition("/")
        rows = Service.objects.select_related("host__site").filter(site=fields.site_of(self), host__name=host)
        return next((row for row in rows if row.label == label), None)


class AliasBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    service = ServiceOnHost(help_text="The service as host/service: pi01/artifacts.")
    service_id = serializers.IntegerField(read_only=True)

    class Meta:
        model = Alias
        fields = ("id", "site", "site_id", "name", "service", "service_id", "why")

    def new(self, given: dict[str, Any]) -> Any:
        return Alias()


class GroupBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    priority = fields.Number(
        min_value=-(2**31),
        max_value=2**31 - 1,
        required=False,
        help_text="ansible_group_priority; the higher wins at equal depth.",
    )
    hosts = fields.Names(
        "host",
        lambda group: [link.host.name for link in group.memberships.all()],
        lambda: Host.objects.all(),
        help_text="All direct members. Without the list they stay.",
    )
    parents = fields.Names(
        "group",
        lambda group: [link.parent.name for link in group.nestings_above.all()],
        lambda: Group.objects.filter(kind="group"),
        help_text="All groups that contain this one. Without the list they stay.",
    )
    children = fields.Names(
        "group", lambda group: [link.child.name for link in group.nestings_below.all()], list, read_only=True
    )

    links: ClassVar[dict[str, str]] = {"hosts": "membership", "parents": "nesting"}

    class Meta:
        model = Group
        fields: tuple[str, ...] = (
            "id", "site", "site_id", "name", "priority", "parents", "children", "hosts", "variables", "why",
        )  # fmt: skip

    def write_links(
        self, the_change: SiteChange, row: Any, links: dict[str, Any], *, written: bool
    ) -> list[FieldError]:
        if not written:
            return []
        if "hosts" in links:
            self._set(the_change, Membership, {"group": row}, "host", links["hosts"])
        if "parents" in links:
            self._set(the_change, Nesting, {"child": row}, "parent", links["parents"])
        return []

    def _set(
        self, the_change: SiteChange, through: Any, fixed: dict[str, Any], field: str, wanted: Any
    ) -> None:
        present = set(through._default_manager.filter(**fixed).values_list(f"{field}_id", flat=True))
        if present == {row.pk for row in wanted}:
            return
        self.require_links(through._meta.model_name)
        try:
            the_change.set_links(through, fixed, field, wanted)
        except ValidationError as error:
            name = "hosts" if field == "host" else "parents"
            raise invalid([FieldError(name, message) for message in error.messages]) from None


class WorkloadProfileBody(GroupBody):
    priority: Any = None
    parents: Any = None
    children: Any = None
    configure_template = named_template()
    configure_template_id = serializers.IntegerField(read_only=True, allow_null=True)
    retire_template = named_template()
    retire_template_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = WorkloadProfile
        fields = ("id", "site", "site_id", "name", "hosts", *NAMED, "variables", "why")

    links: ClassVar[dict[str, str]] = {"hosts": "membership"}


class SeverityOverrideBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    why = fields.Text(max_length=1000, help_text="Why the site may live with it; people will ask.")

    class Meta:
        model = SeverityOverride
        fields = ("id", "site", "site_id", "finding", "subject", "severity", "expires", "why")


class EmergencyUseBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    why = fields.Text(max_length=1000, help_text="What was broken, and what was done.")

    class Meta:
        model = EmergencyUse
        fields = ("id", "site", "site_id", "at", "who", "done_at", "done_by", "why")


class KitPlaceBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)

    class Meta:
        model = KitPlace
        fields = (
            "id", "site", "site_id", "name", "kind", "location", "private", "host_key", "key", "enabled", "why",
        )  # fmt: skip


class ScheduleBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    owner = serializers.CharField(read_only=True, help_text=Schedule._meta.get_field("owner").help_text)
    why = fields.Text(max_length=1000, help_text="What it is for; each of its jobs says it.")

    class Meta:
        model = Schedule
        fields = (
            "id", "site", "site_id", "name", "kind", "parameters", "cron", "every_hours", "time_zone", "enabled", "owner",
            "why",
        )  # fmt: skip

    def write_row(self, row: Any, given: dict[str, Any]) -> Iterator[FieldError]:
        """Whoever writes it owns it: it asks in that one's name, and for what that one may ask."""
        moved = row._state.adding or any(getattr(row, name) != value for name, value in given.items())
        for name, value in given.items():
            setattr(row, name, value)
        if not moved:
            return
        row.owner = str(self.caller)
        found = [FieldError(name, message) for name, said in row.judged().items() for message in said]
        try:
            row.save()
        except ValidationError as error:
            yield from errors_of(error)
        yield from found
