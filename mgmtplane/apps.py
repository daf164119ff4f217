"""The project as an application, so that its system checks are found."""

from django.apps import AppConfig


class MgmtplaneConfig(AppConfig):
    name = "mgmtplane"

    def ready(self) -> None:
        """Register the system checks, and the Celery application as the one that tasks belong to.

        Without the latter a message sent by a page or a command goes to Celery's default broker, not to ours.
        """
        from mgmtplane import celery, checks  # noqa: F401
