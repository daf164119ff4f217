"""Ansible groups and workload profiles."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from inventory import validators
from inventory.ansible.grouping import PROFILE_PREFIX
from inventory.models.automation import templates_elsewhere
from inventory.models.base import Declared, SiteRow
from inventory.models.fields import OrderedJSONField
from inventory.querysets import GuardedQuerySet, OfSite


class Group(SiteRow):
    """An Ansible group. Its variables stay on it; ``all`` is the site, ``ungrouped`` is computed."""

    class Kind(models.TextChoices):
        GROUP = "group"
        PROFILE = "profile", "workload profile"

    name = models.CharField(max_length=253)
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.GROUP, editable=False)
    priority = models.IntegerField(
        default=1, help_text="ansible_group_priority; the higher wins at equal depth."
    )
    variables = OrderedJSONField(default=dict, blank=True, validators=[validators.mapping])
    sealed = OrderedJSONField(default=dict, blank=True, editable=False)
    configure_template = models.ForeignKey(
        "inventory.JobTemplate",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="configures_profiles",
        help_text="Create and rebuild end with a run of it, limited to the host. For workload profiles.",
    )
    retire_template = models.ForeignKey(
        "inventory.JobTemplate",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="retires_profiles",
        help_text="Cleans up behind a host that has this profile before it is retired.",
    )
    hosts = models.ManyToManyField(
        "inventory.Host", through="inventory.Membership", related_name="groups", blank=True
    )
    parents = models.ManyToManyField(
        "self",
        through="inventory.Nesting",
        through_fields=("child", "parent"),
        symmetrical=False,
        related_name="children",
        blank=True,
    )

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "name"],
                name="group_name",
                violation_error_message="The site has a group of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.differs("name"):
            try:
                validators.group_name(self.name)
            except ValidationError as error:
                raise ValidationError({"name": error.messages}) from None
            self._check_twin()
        if problems := templates_elsewhere(self):
            raise ValidationError(problems)

    def _check_twin(self) -> None:
        """Ansible knows a profile as the group ``profile_<name>``: there must not be two of that name."""
        if self.kind == self.Kind.PROFILE:
            twin, what = f"{PROFILE_PREFIX}{self.name}", "group"
        elif self.name.startswith(PROFILE_PREFIX):
            twin, what = self.name.removeprefix(PROFILE_PREFIX), "workload profile"
        else:
            return
        kind = self.Kind.GROUP if self.kind == self.Kind.PROFILE else self.Kind.PROFILE
        if Group.objects.filter(site=self.site_id, kind=kind, name=twin).exists():
            raise ValidationError(
                {
                    "name": f"The site has the {what} “{twin}”, which Ansible would see under the same name; choose another."
                }
            )


class WorkloadProfileQuerySet(OfSite):
    pass


class ProfileManager(models.Manager.from_queryset(WorkloadProfileQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(kind=Group.Kind.PROFILE)


class WorkloadProfile(Group):
    """Intent that is not bound to a host; rendered as group ``profile_<name>``, parked while nobody has it."""

    objects = ProfileManager()  # type: ignore[misc]

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = Group.Kind.PROFILE
        super().save(*args, **kwargs)


class Membership(Declared):
    """A host in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    host = models.ForeignKey("inventory.Host", on_delete=models.CASCADE, related_name="memberships")

    objects = GuardedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "host"],
                name="membership_once",
                violation_error_message="The host is in this group already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.host} in {self.group}"

    @property
    def owner_site_id(self) -> int | None:
        return self.group.site_id

    def clean(self) -> None:
        if self.host_id and self.group_id and self.host.site_id != self.group.site_id:
            raise ValidationError({"host": f"{self.host} belongs to another site than group {self.group}."})


class Nesting(Declared):
    """A group in a group."""

    parent = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="nestings_below")
    child = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="nestings_above")

    objects = GuardedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "child"],
                name="nesting_once",
                violation_error_message="The group is in that parent already.",
            ),
            models.CheckConstraint(
                name="nesting_not_itself",
                condition=~models.Q(parent=models.F("child")),
                violation_error_message="A group cannot be its own parent.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child} below {self.parent}"

    @property
    def owner_site_id(self) -> int | None:
        return self.parent.site_id

    def clean(self) -> None:
        if not (self.parent_id and self.child_id):
            return
        if self.parent.site_id != self.child.site_id:
            raise ValidationError({"parent": f"{self.parent} belongs to another site than {self.child}."})
        if self.child_id in ancestors(self.parent):
            raise ValidationError(
                {"parent": f"{self.parent} already lies below {self.child}; groups form no circle."}
            )


def ancestors(group: Group) -> set[int]:
    """The ids of *group* and of everything above it; two queries at most."""
    edges: dict[int, set[int]] = {}
    for child, parent in Nesting.objects.filter(parent__site_id=group.site_id).values_list(
        "child_id", "parent_id"
    ):
        edges.setdefault(child, set()).add(parent)
    seen: set[int] = set()
    todo = {group.pk}
    while todo:
        current = todo.pop()
        seen.add(current)
        todo |= edges.get(current, set()) - seen
    return seen
