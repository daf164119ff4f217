"""Projects, which playbooks come from, and job templates."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.models import JobTemplate, Project


@admin.register(Project)
class ProjectAdmin(DoorAdmin):
    list_display = ["name", "site", "source", "location", "ref", "template_count"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, ("source", ChoicesDropdownFilter)]
    search_fields = ["name", "location", "ref"]
    search_help_text = "Name, location or ref"
    ordering = ["site__slug", "name"]
    change_form_outer_before_template = "admin/provisioning/project_before.html"
    fieldsets = [
        (None, {"fields": ["site", "name", "source", "location", "ref", "key", "why"]}),
        ("Surroundings", {"fields": ["collections", "image"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        taking = JobTemplate.objects.filter(project=OuterRef("pk")).order_by().values("project")
        number = Subquery(taking.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(templates_number=number)

    @display(description="job templates", ordering="templates_number")
    def template_count(self, project: Any) -> int:
        return project.templates_number or 0


@admin.register(JobTemplate)
class JobTemplateAdmin(DoorAdmin):
    list_display = ["name", "site", "project", "playbook", "limit", "asks"]
    list_select_related = ["site", "project"]
    list_filter = [SiteFilter]
    search_fields = ["name", "playbook", "limit", "project__name"]
    search_help_text = "Name, playbook, limit or project"
    ordering = ["site__slug", "name"]
    bulky_shown = ("prompts",)  # they are counted
    change_form_outer_before_template = "admin/provisioning/runs/template_before.html"
    fieldsets = [
        (None, {"fields": ["site", "name", "project", "playbook", "why"]}),
        ("Hosts", {"fields": ["limit", "limit_required"]}),
        ("Variables", {"fields": ["extra_vars", "prompts"]}),
        ("Secrets", {"fields": ["vault_secrets", "ssh_key", "remote_user"]}),
        (
            "How it runs",
            {
                "fields": [
                    "tags", "skip_tags", "check_mode", "diff", "forks", "verbosity", "time_limit_minutes",
                ]
            },
        ),
    ]  # fmt: skip

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """What the projects have is suggested; any other path may be typed."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "playbook" and field is not None:
            field.widget.attrs["list"] = "mp-playbooks"
        return field

    @display(description="prompts")
    def asks(self, template: JobTemplate) -> int:
        return len(template.prompts)
