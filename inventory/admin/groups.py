"""Ansible groups and workload profiles: variables, hosts and parents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest
from unfold.decorators import display

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.forms import DoorForm, LinksField
from inventory.admin.lists import without_bulk
from inventory.admin.many.editing import EditsMany
from inventory.admin.variables import GroupTold
from inventory.changes import SiteChange
from inventory.models import Group, Host, Membership, Nesting, WorkloadProfile

#: Above this a page would carry more members than anybody reads, and more fields than a request may have.
MOST_MEMBERS = 1000


class GroupForm(DoorForm):
    members = LinksField(
        Membership._meta.get_field("host"), label="Hosts", help_text="Direct members; type to find them."
    )
    parents_above = LinksField(
        Nesting._meta.get_field("parent"), label="Parents", help_text="Groups that contain this one."
    )

    class Meta:
        model = Group
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site_id = getattr(self, "site_id", None)
        members, parents = self.fields.get("members"), self.fields.get("parents_above")
        if isinstance(members, LinksField):
            self._offer_members(members, site_id)
        if isinstance(parents, LinksField):
            others = Group.objects.filter(kind=Group.Kind.GROUP).exclude(pk=self.instance.pk)
            parents.limit(others, site_id, kind=Group.Kind.GROUP.value)
            if self.instance.pk:
                above = Nesting.objects.filter(child=self.instance)
                self.initial["parents_above"] = list(above.values_list("parent", flat=True))

    def _offer_members(self, field: LinksField, site_id: int | None) -> None:
        field.limit(Host.objects.all(), site_id)
        if not self.instance.pk:
            return
        members = Membership.objects.filter(group=self.instance)
        count = members.count()
        if count > MOST_MEMBERS:
            field.disabled = True
            field.widget = forms.HiddenInput()
            field.queryset = Host.objects.none()
            self.initial["members"] = []
            self.fields[
                "variables"
            ].help_text = (
                f"The group has {count} hosts, too many to edit on one page; change membership on the hosts."
            )
        else:
            self.initial["members"] = list(members.values_list("host", flat=True))


class GroupPages(GroupTold, DoorAdmin):
    """What groups and profiles share."""

    form = GroupForm
    search_fields = ["name"]
    search_help_text = "Name"
    list_filter = [SiteFilter]
    list_select_related = ["site"]
    ordering = ["site__slug", "name"]
    bulky_shown = ("variables",)  # they are counted

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        members = Membership.objects.filter(group=OuterRef("pk")).order_by().values("group")
        number = Subquery(members.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(members_number=number)

    @display(description="hosts", ordering="members_number")
    def host_count(self, group: Any) -> int:
        return group.members_number or 0

    @display(description="variables")
    def variable_count(self, group: Group) -> int:
        return len(group.variables)

    def write_links(self, the_change: SiteChange, form: Any) -> None:
        cleaned, changed = form.cleaned_data, set(form.changed_data)
        if "members" in changed:
            the_change.set_links(Membership, {"group": form.instance}, "host", cleaned["members"])
        if "parents_above" in changed:
            the_change.set_links(Nesting, {"child": form.instance}, "parent", cleaned["parents_above"])


@admin.register(Group)
class GroupAdmin(EditsMany, GroupPages):
    list_display = ["name", "site", "parents_shown", "host_count", "variable_count", "priority"]
    fieldsets = [
        (
            None,
            {"fields": ["site", "name", "priority", "parents_above", "members", "why"]},
        ),
        ("Variables", {"fields": ["variables"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All kinds where hosts look up groups to be in; the list and its pages show plain groups."""
        rows = (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("parents", queryset=without_bulk(Group.objects.all())))
        )
        match = request.resolver_match
        if match and match.url_name == "autocomplete":
            return rows
        return rows.filter(kind=Group.Kind.GROUP)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[Any, bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        kind = request.GET.get("kind")
        return (found.filter(kind=kind) if kind in Group.Kind.values else found), duplicates

    @display(description="parents")
    def parents_shown(self, group: Group) -> str:
        return ", ".join(sorted(parent.name for parent in group.parents.all()))


@admin.register(WorkloadProfile)
class WorkloadProfileAdmin(GroupPages):
    list_display = ["name", "site", "state", "host_count", "variable_count"]
    fieldsets = [
        (None, {"fields": ["site", "name", "members", "why"]}),
        ("Job templates", {"fields": ["configure_template", "retire_template"]}),
        ("Variables", {"fields": ["variables"]}),
    ]

    @display(description="state", label={"assigned": "success", "parked": "warning"})
    def state(self, profile: Any) -> str:
        return "assigned" if profile.members_number else "parked"
