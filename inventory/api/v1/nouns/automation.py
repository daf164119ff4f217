"""Bodies of projects and job templates, and the templates that roles and profiles name."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from inventory.api.v1 import fields
from inventory.api.v1.bodies import Body, SiteName
from inventory.models import JobTemplate, Project

#: what a role or a profile says of templates
NAMED = ("configure_template", "configure_template_id", "retire_template", "retire_template_id")


def named_template(**more: Any) -> Any:
    """A job template of the same site, or none."""
    return fields.Named(JobTemplate, required=False, allow_null=True, **more)


class ProjectBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)

    class Meta:
        model = Project
        fields = (
            "id", "site", "site_id", "name", "source", "location", "ref", "key", "collections", "image", "why",
        )  # fmt: skip


class JobTemplateBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    project = fields.Named(Project)
    project_id = serializers.IntegerField(read_only=True)
    prompts = fields.Objects(required=False, help_text=JobTemplate._meta.get_field("prompts").help_text)

    class Meta:
        model = JobTemplate
        fields = (
            "id", "site", "site_id", "name", "project", "project_id", "playbook", "limit", "limit_required", "tags",
            "skip_tags", "check_mode", "diff", "forks", "verbosity", "extra_vars", "prompts", "vault_secrets", "ssh_key",
            "remote_user", "time_limit_minutes", "why",
        )  # fmt: skip
