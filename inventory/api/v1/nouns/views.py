"""The lists and objects of every noun."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils.module_loading import import_string

from inventory.api.v1 import filters
from inventory.api.v1.allocating import SegmentAllocation, SiteAllocation
from inventory.api.v1.judgement import SiteFindings
from inventory.api.v1.lifecycle import FreeAction, RetireActions
from inventory.api.v1.nouns import automation, hosts, kept, others, sites
from inventory.api.v1.others import OTHERS
from inventory.api.v1.reasons import reason_of, required_reason
from inventory.api.v1.views import Noun, WritableNoun
from inventory.models import (
    Alias,
    Authority,
    Change,
    Consumer,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Identity,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Rendering,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
    WorkloadProfile,
)


class SiteView(SiteAllocation, SiteFindings, WritableNoun):
    noun, site_path = "site", ""
    queryset = Site.objects.annotate(
        authority_mode=Subquery(
            Authority.objects.filter(site=OuterRef("pk")).order_by("-at", "-id").values("mode")[:1]
        )
    )
    serializer_class = sites.SiteBody
    filterset_class = filters.SiteFilters
    search_in = ("slug", "name", "root_domain", "block")
    ordering_fields = ("slug", "name", "revision")
    ordering = ("slug",)

    def create(self, request: Any) -> Any:
        """A new site; the door stores it, as the first write of its own first revision."""
        self.caller.require_everywhere("inventory.add_site")
        site = Site()
        context = {**self.get_serializer_context(), "site": site, "caller": self.caller}
        body = sites.SiteBody(data=request.data, context=context)
        body.is_valid(raise_exception=True)
        for name, value in body.validated_data.items():
            setattr(site, name, value)
        with self.door(site, reason_of(request)):
            pass
        return self.created(site.pk)


class RoleView(WritableNoun):
    noun = "role"
    queryset = Role.objects.select_related("site", "configure_template", "retire_template")
    serializer_class = sites.RoleBody
    filterset_class = filters.RoleFilters
    search_in = ("slug", "code", "title")
    ordering_fields = ("site", "slug", "code")
    ordering = ("site", "slug")


class AuthorityView(WritableNoun):
    """Append-only: a declaration is a fact of the day it was made; the newest counts."""

    http_method_names = ["get", "head", "post"]
    noun = "authority"
    queryset = Authority.objects.select_related("site", "bootstrap_host")
    serializer_class = sites.AuthorityBody
    filterset_class = filters.AuthorityFilters
    search_in = ("why", "by_name")
    ordering_fields = ("site", "at")
    ordering = ("-at",)


class SegmentView(SegmentAllocation, WritableNoun):
    noun = "segment"
    queryset = Segment.objects.select_related("site", "jump_host", "jump_alternative", "wake_relay")
    serializer_class = sites.SegmentBody
    filterset_class = filters.SegmentFilters
    search_in = ("name", "network4", "network6", "trust")
    ordering_fields = ("site", "vlan", "name", "network4")
    ordering = ("site", "vlan", "name")


INTERFACES = Interface.objects.select_related("host__site", "segment", "switch")


class HostView(RetireActions, WritableNoun):
    noun = "host"
    queryset = Host.objects.select_related("site", "role", "hypervisor").prefetch_related(
        Prefetch("interfaces", INTERFACES.order_by("position", "name")),
        "services",
        Prefetch("needs", HostNeed.objects.select_related("needed").order_by("position", "needed_id")),
        Prefetch(
            "memberships",
            Membership.objects.select_related("group").only("host_id", "group__name", "group__kind"),
        ),
    )
    serializer_class = hosts.HostBody
    filterset_class = filters.HostFilters
    search_in = ("name", "notes", "interfaces__ipv4", "interfaces__mac", "services__name")
    ordering_fields = ("site", "name", "form", "status", "vmid")
    ordering = ("site", "name")

    def reason_to_change(self, row: Any) -> str:
        """Retiring and reactivating are asked why, and so are another name and taking an interface away."""
        given: Any = self.request.data
        status = given.get("status", row.status)
        listed = given.get("interfaces")
        if isinstance(listed, list):
            names = {one.get("name") for one in listed if isinstance(one, dict) and _is_text(one.get("name"))}
            if lost := sorted({interface.name for interface in row.interfaces.all()} - names):
                return required_reason(self.request, f"{', '.join(lost)} would be deleted, nothing was")
        if status != row.status and Host.Status.RETIRED in (status, row.status):
            return required_reason(self.request, "nothing was retired or reactivated")
        if _is_text(given.get("name")) and given["name"] != row.name:
            return required_reason(self.request, "nothing was renamed")
        return super().reason_to_change(row)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


class InterfaceView(WritableNoun):
    noun, site_path = "interface", "host__site"
    queryset = INTERFACES
    serializer_class = hosts.InterfaceBody
    filterset_class = filters.InterfaceFilters
    search_in = ("name", "host__name", "mac", "ipv4", "ipv6", "switch_port")
    ordering_fields = ("site", "host__name", "name", "mac", "ipv4")
    ordering = ("site", "host__name", "name")


class ServiceView(WritableNoun):
    noun, site_path = "service", "host__site"
    queryset = Service.objects.select_related("host__site")
    serializer_class = hosts.ServiceBody
    filterset_class = filters.ServiceFilters
    search_in = ("name", "tenant", "host__name")
    ordering_fields = ("site", "name", "host__name")
    ordering = ("site", "name")


class HypervisorView(WritableNoun):
    noun, site_path = "hypervisor", "host__site"
    queryset = Hypervisor.objects.select_related("host__site")
    serializer_class = hosts.HypervisorBody
    filterset_class = filters.OfHostFilters
    search_in = ("host__name", "api_url", "node")
    ordering_fields = ("site", "host__name")
    ordering = ("site", "host__name")


class MachineView(WritableNoun):
    noun, site_path = "virtualmachine", "host__site"
    queryset = VirtualMachine.objects.select_related("host__site")
    serializer_class = hosts.MachineBody
    filterset_class = filters.OfHostFilters
    search_in = ("host__name", "template")
    ordering_fields = ("site", "host__name", "cores", "memory")
    ordering = ("site", "host__name")


class AliasView(WritableNoun):
    noun = "alias"
    queryset = Alias.objects.select_related("site", "service__host__site")
    serializer_class = others.AliasBody
    filterset_class = filters.AliasFilters
    search_in = ("name", "service__name")
    ordering_fields = ("site", "name")
    ordering = ("site", "name")


MEMBERS = Prefetch("memberships", Membership.objects.select_related("host").only("group_id", "host__name"))


class GroupView(WritableNoun):
    noun = "group"
    queryset = (
        Group.objects.filter(kind=Group.Kind.GROUP)
        .select_related("site")
        .prefetch_related(
            MEMBERS,
            Prefetch("nestings_above", Nesting.objects.select_related("parent")),
            Prefetch("nestings_below", Nesting.objects.select_related("child")),
        )
    )
    serializer_class = others.GroupBody
    filterset_class = filters.GroupFilters
    search_in = ("name",)
    ordering_fields = ("site", "name", "priority")
    ordering = ("site", "name")


class WorkloadProfileView(WritableNoun):
    noun = "workloadprofile"
    queryset = WorkloadProfile.objects.select_related(
        "site", "configure_template", "retire_template"
    ).prefetch_related(MEMBERS)
    serializer_class = others.WorkloadProfileBody
    filterset_class = filters.GroupFilters
    search_in = ("name",)
    ordering_fields = ("site", "name")
    ordering = ("site", "name")


class SeverityOverrideView(WritableNoun):
    noun = "severityoverride"
    queryset = SeverityOverride.objects.select_related("site")
    serializer_class = others.SeverityOverrideBody
    filterset_class = filters.OverrideFilters
    search_in = ("finding", "subject", "why")
    ordering_fields = ("site", "finding", "subject", "expires")
    ordering = ("site", "finding", "subject")


class EmergencyUseView(WritableNoun):
    noun = "emergencyuse"
    queryset = EmergencyUse.objects.select_related("site")
    serializer_class = others.EmergencyUseBody
    filterset_class = filters.EmergencyUseFilters
    search_in = ("who", "why")
    ordering_fields = ("site", "at", "who")
    ordering = ("site", "at", "id")


class ScheduleView(WritableNoun):
    """When each runs next, and how it went, is the application's; the jobs of a schedule are listed at jobs?schedule=."""

    noun = "schedule"
    queryset = Schedule.objects.select_related("site")
    serializer_class = others.ScheduleBody
    filterset_class = filters.ScheduleFilters
    search_in = ("name", "kind", "why")
    ordering_fields = ("site", "name", "kind")
    ordering = ("site", "name")


class ProjectView(WritableNoun):
    noun = "project"
    queryset = Project.objects.select_related("site")
    serializer_class = automation.ProjectBody
    filterset_class = filters.ProjectFilters
    search_in = ("name", "location")
    ordering_fields = ("site", "name", "source")
    ordering = ("site", "name")


class JobTemplateView(WritableNoun):
    """A run is a job of the kind run_playbook: POST jobs."""

    noun = "jobtemplate"
    queryset = JobTemplate.objects.select_related("site", "project")
    serializer_class = automation.JobTemplateBody
    filterset_class = filters.JobTemplateFilters
    search_in = ("name", "playbook", "limit")
    ordering_fields = ("site", "name", "playbook")
    ordering = ("site", "name")


class KitPlaceView(WritableNoun):
    """Whether the newest kit is there is the application's; see the jobs of the kind build_kit."""

    noun = "kitplace"
    queryset = KitPlace.objects.select_related("site")
    serializer_class = others.KitPlaceBody
    filterset_class = filters.KitPlaceFilters
    search_in = ("name", "location")
    ordering_fields = ("site", "name", "kind")
    ordering = ("site", "name")


# --- what the application keeps ---


class IdentityView(FreeAction, Noun):
    noun = "identity"
    queryset = Identity.objects.select_related("site")
    serializer_class = kept.IdentityBody
    filterset_class = filters.IdentityFilters
    search_in = ("value", "host_name")
    ordering_fields = ("site", "kind", "value", "state", "since", "until")
    ordering = ("site", "kind", "value")


class ChangeView(Noun):
    http_method_names = ["get", "head"]
    noun = "change"
    queryset = Change.objects.all()
    serializer_class = kept.ChangeBody
    list_serializer_class = kept.ChangeSummary
    filterset_class = filters.ChangeFilters
    search_in = ("why", "by_name")
    ordering_fields = ("at", "revision")
    ordering = ("-at",)


class RenderingView(Noun):
    http_method_names = ["get", "head"]
    noun = "rendering"
    queryset = Rendering.objects.select_related("site")
    serializer_class = kept.RenderingBody
    filterset_class = filters.RenderingFilters
    ordering_fields = ("site", "format", "created", "revision")
    ordering = ("-created",)


class ConsumerView(Noun):
    http_method_names = ["get", "head"]
    noun = "consumer"
    queryset = Consumer.objects.select_related("site")
    serializer_class = kept.ConsumerBody
    filterset_class = filters.ConsumerFilters
    search_in = ("name", "message")
    ordering_fields = ("site", "format", "name", "fetched_at", "applied_at")
    ordering = ("site", "format", "name")


NOUNS: dict[str, type[Noun]] = {
    "sites": SiteView,
    "roles": RoleView,
    "authority": AuthorityView,
    "segments": SegmentView,
    "hosts": HostView,
    "interfaces": InterfaceView,
    "services": ServiceView,
    "aliases": AliasView,
    "groups": GroupView,
    "profiles": WorkloadProfileView,
    "hypervisors": HypervisorView,
    "machines": MachineView,
    "overrides": SeverityOverrideView,
    "emergencies": EmergencyUseView,
    "schedules": ScheduleView,
    "projects": ProjectView,
    "templates": JobTemplateView,
    "kitplaces": KitPlaceView,
    "identities": IdentityView,
    "changes": ChangeView,
    "renderings": RenderingView,
    "consumers": ConsumerView,
    **{name: import_string(path) for name, path in OTHERS.items()},
}
