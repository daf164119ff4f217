"""Projects and job templates: which playbooks there are, and what one run of each is given."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory import validators
from inventory.automating import automation
from inventory.automating.automation import MOST_FORKS, MOST_MINUTES, MOST_VERBOSITY
from inventory.models.base import SiteRow
from inventory.models.fields import OrderedJSONField


class Project(SiteRow):
    """Where playbooks come from. What it names is code that runs with a site's secrets."""

    class Source(models.TextChoices):
        DIRECTORY = "directory", "a directory of the machine that runs it"
        GIT = "git", "a git repository"

    name = models.CharField(max_length=63, help_text="Such as lab-playbooks.")
    source = models.CharField(max_length=9, choices=Source, default=Source.DIRECTORY)
    location = models.CharField(
        max_length=500,
        help_text="An absolute path; of a git repository also https://…, ssh://… or user@host:path, without a password.",
    )
    ref = models.CharField(
        max_length=200,
        blank=True,
        help_text="Branch, tag or commit of a git repository; empty: its default branch.",
    )
    key = models.CharField(
        "SSH key",
        max_length=300,
        blank=True,
        validators=[validators.run_secret],
        help_text="Reference to the key that a git repository is read with: unlock:NAME, file:/path, env:NAME or "
        "vault:VARIABLE. The key itself is never stored here.",
    )
    collections = models.CharField(
        "collections at",
        max_length=500,
        blank=True,
        help_text="Absolute path of collections and roles that are there already, for machines without the internet. "
        "Empty: what its requirements files name is fetched.",
    )
    image = models.CharField(
        "container image",
        max_length=255,
        blank=True,
        help_text="Its playbooks run in it, by podman; empty: in the local virtual environment.",
    )

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="project_name_once",
                violation_error_message="The site has a project of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found = automation.project_problems(self)
        _refuse(
            {field: told for field, told in found.items() if self.differs(*_WITH_SOURCE.get(field, (field,)))}
        )


#: fields of a project that mean something only beside others
_WITH_SOURCE = {
    "location": ("location", "source"),
    "ref": ("ref", "source"),
    "key": ("key", "source", "location"),
}


class JobTemplate(SiteRow):
    """A playbook of a project with all that one run of it is given."""

    name = models.CharField(max_length=63, help_text="Such as base-system.")
    project = models.ForeignKey(Project, on_delete=models.RESTRICT, related_name="templates")
    playbook = models.CharField(
        max_length=300, help_text="Path inside the project, such as playbooks/site.yml."
    )
    limit = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Which hosts, as Ansible's --limit: web*,!web03. Empty: all that the playbook names.",
    )
    limit_required = models.BooleanField(
        default=False, help_text="A run without a limit is refused: nobody runs it on everything by mistake."
    )
    tags = models.CharField(
        max_length=300, blank=True, help_text="Only tasks of these, with a comma between."
    )
    skip_tags = models.CharField(
        max_length=300, blank=True, help_text="No tasks of these, with a comma between."
    )
    #: not ``check``, which every model has as a method
    check_mode = models.BooleanField(
        "check only", default=False, help_text="Says what would change, and changes nothing (--check)."
    )
    diff = models.BooleanField(default=False, help_text="Shows the lines that change (--diff).")
    forks = models.PositiveIntegerField(default=5, help_text=f"So many hosts at once: 1 to {MOST_FORKS}.")
    verbosity = models.PositiveIntegerField(
        default=0, help_text=f"0 to {MOST_VERBOSITY}: how much Ansible says."
    )
    extra_vars: Any = OrderedJSONField(
        "extra variables",
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="Stronger than every other variable. Never a secret.",
    )
    prompts: Any = OrderedJSONField(
        default=list,
        blank=True,
        help_text="What is asked before each run: a list of name, label, kind (string, number, choice, list, yes_no, "
        "secret), required, default, choices, minimum, maximum, help.",
    )
    vault_secrets: Any = OrderedJSONField(
        "vault passwords",
        default=dict,
        blank=True,
        help_text="Vault id and reference, such as “default: unlock:vault”: entered by a person, never stored.",
    )
    ssh_key = models.CharField(
        "SSH key",
        max_length=300,
        blank=True,
        validators=[validators.run_secret],
        help_text="Reference to the key that hosts are entered with, such as unlock:ssh; empty: what the machine has.",
    )
    remote_user = models.CharField(
        max_length=64, blank=True, help_text="Who hosts are entered as; empty: what the inventory says."
    )
    time_limit_minutes = models.PositiveIntegerField(
        "time limit",
        default=60,
        help_text=f"In minutes, 1 to {MOST_MINUTES}; what takes longer is ended with all its children.",
    )

    class Meta:
        verbose_name = "job template"
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="jobtemplate_name_once",
                violation_error_message="The site has a job template of this name already.",
            ),
            models.CheckConstraint(
                name="jobtemplate_forks",
                condition=Q(forks__gte=1, forks__lte=MOST_FORKS),
                violation_error_message=f"Forks are how many hosts at once: 1 to {MOST_FORKS}.",
            ),
            models.CheckConstraint(
                name="jobtemplate_verbosity",
                condition=Q(verbosity__lte=MOST_VERBOSITY),
                violation_error_message=f"Verbosity is 0 to {MOST_VERBOSITY}.",
            ),
            models.CheckConstraint(
                name="jobtemplate_time_limit",
                condition=Q(time_limit_minutes__gte=1, time_limit_minutes__lte=MOST_MINUTES),
                violation_error_message=f"The time limit is 1 to {MOST_MINUTES} minutes.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found = {
            field: told for field, told in automation.template_problems(self).items() if self.differs(field)
        }
        project = getattr(self, "project", None)  # none yet on the page of a new one
        if project and self.differs("project") and project.site_id != self.site_id:
            found["project"] = [f"Project {project} belongs to another site."]
        if self.differs("prompts", "extra_vars") and (
            told := automation.prompt_problems(self.prompts, self.extra_vars)
        ):
            found["prompts"] = told
        if self.differs("vault_secrets"):
            found |= _vault_problems(self.vault_secrets)
        _refuse(found)


def templates_elsewhere(row: Any) -> dict[str, list[str]]:
    """Field → sentence for each template that *row*, a role or a profile, takes from another site."""
    found = {}
    for field in ("configure_template", "retire_template"):
        template = getattr(row, field)
        if template is not None and row.differs(field) and template.site_id != row.site_id:
            found[field] = [f"Job template {template} belongs to another site."]
    return found


def _vault_problems(secrets: Any) -> dict[str, list[str]]:
    """What the references of vault passwords have to say; their form was judged before."""
    if not isinstance(secrets, dict):
        return {
            "vault_secrets": [
                "Vault passwords are vault ids with references, such as “default: unlock:vault”."
            ]
        }
    told: list[str] = []
    for name, reference in secrets.items():
        if problem := automation.vault_id_problem(str(name)):
            told.append(problem)
        try:
            validators.run_secret(reference)
        except ValidationError as error:
            told += [f"{name}: {message}" for message in error.messages]
    return {"vault_secrets": told} if told else {}


def _refuse(problems: dict[str, list[str]]) -> None:
    if problems:
        raise ValidationError(problems)
