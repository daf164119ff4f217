"""What lists can be narrowed to, searched for and ordered by."""

from __future__ import annotations

import ipaddress
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import Field
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from inventory.api.v1.problems import FieldError, invalid
from inventory.identity import canonical_mac, is_ip_address
from inventory.models import Authority, Group, Host, HostNeed, Identity, Interface
from inventory.querysets import host_search, mac_spellings

LONGEST = 200


class Search(BaseFilterBackend):
    """``search``: rows in which each word occurs somewhere; a MAC in any spelling."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        text = request.query_params.get("search", "").strip()
        if len(text) > LONGEST:
            raise invalid([FieldError("search", f"Search for at most {LONGEST} characters.")])
        if not text or not view.search_in:
            return queryset
        whole = _anywhere(text, view)
        every = Q()
        for word in text.split():
            every &= _anywhere(word, view)
        found = queryset.model._default_manager.filter(whole | every).order_by()
        return queryset.filter(pk__in=found.values("pk"))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if not view.search_in:
            return []
        schema = {"type": "string", "maxLength": LONGEST}
        description = "Rows in which each word occurs: " + ", ".join(
            name.replace("__", " ") for name in view.search_in
        )
        return [_parameter("search", description, schema)]


def _anywhere(text: str, view: Any) -> Q:
    if view.noun == "host":
        return host_search(text) | Q(notes__icontains=text)
    found = Q()
    for path in view.search_in:
        found |= Q(**{f"{path}__icontains": text})
        if path in ("mac", "value"):
            for spelling in mac_spellings(text):
                found |= Q(**{f"{path}__contains": spelling})
    return found


class Ordering(BaseFilterBackend):
    """``ordering``: columns by name, ``-`` before one turns it round; equal rows by id, so that pages do not overlap."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        text = request.query_params.get("ordering")
        wanted = text.split(",") if text else list(view.ordering)
        known = dict(_columns(view))
        if strange := [name for name in wanted if name.removeprefix("-") not in known]:
            raise invalid(
                [FieldError("ordering", f"“{strange[0][:60]}” is no order; there are {', '.join(known)}.")]
            )
        columns = [("-" if name[:1] == "-" else "") + known[name.removeprefix("-")] for name in wanted]
        return queryset.order_by(*columns, "pk")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [name for name, _ in _columns(view)]
        description = f"By {', '.join(names)}; - before one turns it round; several with commas."
        one = "-?(?:" + "|".join(names) + ")"
        schema = {"type": "string", "pattern": f"^{one}(?:,{one})*$", "default": ",".join(view.ordering)}
        return [_parameter("ordering", description, schema)]


def _columns(view: Any) -> list[tuple[str, str]]:
    """(name, column): ``site`` is ordered by its name, ``id`` by the key, whatever it is called."""
    columns = {"site": f"{view.site_path}__slug" if view.site_path else "slug", "id": "pk"}
    names = dict.fromkeys(("id", *view.ordering_fields))
    return [(name, columns.get(name, name)) for name in names]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


class Filters(DjangoFilterBackend):
    """django-filter's own, but for its refusals: it takes a “%” in a sentence for a placeholder."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset: Any = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            found = filterset.errors.items()
            raise invalid([FieldError(name, message) for name, messages in found for message in messages])
        narrowed: QuerySet[Any] = filterset.qs
        return narrowed


FILTERS: list[Any] = [Filters, Search, Ordering]


# --- by value ---


class _Mac(Field):
    def clean(self, value: Any) -> str:
        if not value:
            return ""
        try:
            return canonical_mac(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class _Address(Field):
    def clean(self, value: Any) -> str:
        if not value:
            return ""
        if not is_ip_address(value) or "%" in value:
            raise ValidationError(f"“{value}” is no IP address; write one such as 192.0.2.10.")
        return str(ipaddress.ip_address(value))


class _Flag(Field):
    def clean(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise ValidationError(f"“{str(value)[:50]}” is neither true nor false.")
        return bool(value == "true")


class FlagFilter(django_filters.BooleanFilter):
    """``true`` or ``false``, as in JSON; nothing that could be taken for either."""

    field_class = _Flag


class MacFilter(django_filters.CharFilter):
    """A whole MAC in any spelling."""

    field_class = _Mac


class AddressFilter(django_filters.CharFilter):
    """An IPv4 or IPv6 address in any spelling, of the interfaces at *field_name* (a path that ends in ``__`` or none)."""

    field_class = _Address

    def filter(self, qs: Any, value: str) -> Any:
        if not value:
            return qs
        path = "" if self.field_name == "address" else f"{self.field_name}__"
        found = Q(**{f"{path}ipv4": value}) | Q(**{f"{path}ipv6__contains": f'"{value}"'})
        return qs.filter(pk__in=qs.model._default_manager.filter(found).order_by().values("pk"))


class Sited(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__slug", label="The site's short name.")


class SiteFilters(django_filters.FilterSet):
    slug = django_filters.CharFilter()


class RoleFilters(Sited):
    code = django_filters.CharFilter()
    slug = django_filters.CharFilter()


class AuthorityFilters(Sited):
    mode = django_filters.ChoiceFilter(choices=Authority.Mode.choices)


class SegmentFilters(Sited):
    name = django_filters.CharFilter()
    vlan = django_filters.NumberFilter(min_value=0, max_value=4094, decimal_places=0, max_digits=4)
    policy = django_filters.CharFilter()


class HostFilters(Sited):
    name = django_filters.CharFilter()
    status = django_filters.ChoiceFilter(choices=Host.Status.choices)
    form = django_filters.CharFilter(label="hv, vm, ph, pi, em, rt, sw or ap.")
    plane = django_filters.ChoiceFilter(choices=Host.Plane.choices)
    role = django_filters.CharFilter(field_name="role__slug")
    hypervisor = django_filters.CharFilter(field_name="hypervisor__name")
    needs = django_filters.CharFilter(method="of_need", label="Name of a host that it needs besides.")
    vmid = django_filters.NumberFilter(min_value=0, max_value=999_999_999, decimal_places=0, max_digits=9)
    segment = django_filters.CharFilter(method="of_segment", label="Name of a segment.")
    group = django_filters.CharFilter(method="of_group", label="Name of a group that names it directly.")
    profile = django_filters.CharFilter(method="of_profile", label="Name of a workload profile.")
    service = django_filters.CharFilter(method="of_service", label="Name of a service that it carries.")
    mac = MacFilter(method="of_mac", label="A MAC in any spelling.")
    address = AddressFilter(field_name="interfaces", label="An address, IPv4 or IPv6.")

    def of_segment(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=Interface.objects.filter(segment__name=value).values("host"))

    def of_group(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=_members(value, Group.Kind.GROUP))

    def of_profile(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=_members(value, Group.Kind.PROFILE))

    def of_need(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=HostNeed.objects.filter(needed__name=value).values("host"))

    def of_service(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=Host.objects.filter(services__name=value).order_by().values("pk"))

    def of_mac(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(pk__in=Interface.objects.filter(mac=value).values("host"))


def _members(name: str, kind: str) -> Any:
    return Group.hosts.through._default_manager.filter(group__name=name, group__kind=kind).values("host")


class OfHostFilters(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="host__site__slug", label="The site's short name.")
    host = django_filters.CharFilter(field_name="host__name")


class InterfaceFilters(OfHostFilters):
    segment = django_filters.CharFilter(field_name="segment__name")
    mac = MacFilter(label="A MAC in any spelling.")
    address = AddressFilter(field_name="address", label="An address, IPv4 or IPv6.")
    switch = django_filters.CharFilter(field_name="switch__name")


class ServiceFilters(OfHostFilters):
    name = django_filters.CharFilter()
    tenant = django_filters.CharFilter()


class AliasFilters(Sited):
    name = django_filters.CharFilter()
    service = django_filters.CharFilter(field_name="service__name")


class GroupFilters(Sited):
    name = django_filters.CharFilter()
    host = django_filters.CharFilter(method="of_host", label="Name of a host that it names directly.")

    def of_host(self, rows: Any, _: str, value: str) -> Any:
        links = Group.hosts.through._default_manager.filter(host__name=value)
        return rows.filter(pk__in=links.values("group"))


class OverrideFilters(Sited):
    finding = django_filters.CharFilter()
    subject = django_filters.CharFilter()


class EmergencyUseFilters(Sited):
    who = django_filters.CharFilter()


class ScheduleFilters(Sited):
    name = django_filters.CharFilter()
    kind = django_filters.CharFilter()
    owner = django_filters.CharFilter()
    enabled = FlagFilter()


class KitPlaceFilters(Sited):
    name = django_filters.CharFilter()
    kind = django_filters.CharFilter()
    enabled = FlagFilter()


class ProjectFilters(Sited):
    name = django_filters.CharFilter()
    source = django_filters.CharFilter()


class JobTemplateFilters(Sited):
    name = django_filters.CharFilter()
    project = django_filters.CharFilter(field_name="project__name", label="Name of the project.")
    playbook = django_filters.CharFilter()


class IdentityFilters(Sited):
    kind = django_filters.ChoiceFilter(choices=Identity.Kind.choices)
    state = django_filters.ChoiceFilter(choices=Identity.State.choices)
    value = django_filters.CharFilter()
    host = django_filters.CharFilter(field_name="host_name")
    mac = MacFilter(method="of_mac", label="A MAC in any spelling.")
    address = django_filters.CharFilter(method="of_address")

    def of_mac(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(kind="mac", value=value)

    def of_address(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(kind="ip", value=value)


class ChangeFilters(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="site__slug", label="The site's short name.")
    source = django_filters.CharFilter()
    by = django_filters.CharFilter(field_name="by_name")
    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", label="ISO 8601.")


class RenderingFilters(Sited):
    format = django_filters.CharFilter()
    variant = django_filters.CharFilter()


class ConsumerFilters(Sited):
    format = django_filters.CharFilter()
    name = django_filters.CharFilter()
