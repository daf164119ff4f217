"""``manage.py keeper``: the process that holds unlocked secrets."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from provisioning.keeper import process


class Command(BaseCommand):
    help = "Hold unlocked secrets in memory until it is stopped; `make up` runs one itself."
    requires_system_checks: list[str] = []  # it needs neither database nor broker

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends by SIGTERM or Ctrl-C; what was held is gone then."""
        try:
            process.serve(settings.DATA_DIR)
        except process.Refused as reason:
            raise CommandError(str(reason), returncode=2) from None
