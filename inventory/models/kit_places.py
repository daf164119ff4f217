"""Places that recovery kits are delivered to. Whether they can be reached is not known here."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory import kit_places, validators
from inventory.models.base import SiteRow


class KitPlace(SiteRow):
    """One place that each new kit of the site is brought to: it tells everything about the site."""

    class Kind(models.TextChoices):
        DIRECTORY = "directory", "a directory of the machine that runs it"
        MOUNT = "mount", "a mounted stick or disk"
        GIT = "git", "a private git repository"
        SSH = "ssh", "a directory of another machine, over SSH"

    name = models.CharField(max_length=63, help_text="Such as red-stick.")
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.DIRECTORY)
    location = models.CharField(
        max_length=500,
        help_text="An absolute path; of a repository also ssh://… or user@host:path; of another machine "
        "user@host:/directory. Where nothing is mounted, a mounted stick gets nothing.",
    )
    private = models.BooleanField(
        default=False,
        help_text="I know who reads this repository: nobody who may not know every address and cable of the site.",
    )
    host_key = models.CharField(
        max_length=1500,
        blank=True,
        help_text="Of the server, such as “ssh-ed25519 AAAA…”: ssh-keyscan -t ed25519 HOST shows it; compare it there.",
    )
    key = models.CharField(
        "SSH key",
        max_length=300,
        blank=True,
        validators=[validators.run_secret],
        help_text="Reference to the key that the server is entered with, such as file:/path or unlock:NAME.",
    )
    enabled = models.BooleanField(default=True, help_text="Without it nothing is brought there.")

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="kitplace_name_once",
                violation_error_message="The site has a place of this name already.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="git") | Q(private=True),
                name="kitplace_git_is_private",
                violation_error_message="Confirm that the repository is private, or deliver the kit elsewhere.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found = kit_places.problems(self)
        told = {field: said for field, said in found.items() if self.differs(*_WITH.get(field, (field,)))}
        if told:
            raise ValidationError(told)


#: fields that mean something only beside others
_WITH = {
    "location": ("location", "kind"),
    "private": ("private", "kind"),
    "host_key": ("host_key", "kind", "location"),
    "key": ("key", "kind", "location"),
}
