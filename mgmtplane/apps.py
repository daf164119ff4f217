"""The project as an application, so that its system checks are found."""

from django.apps import AppConfig


class MgmtplaneConfig(AppConfig):
    name = "mgmtplane"

    def ready(self) -> None:
        from mgmtplane import checks  # noqa: F401  registers them
