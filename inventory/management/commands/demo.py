"""manage.py demo: two fictional sites, for looking around."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from inventory.demo import declare_demo
from inventory.models import Site


class Command(BaseCommand):
    help = "Declares two fictional sites, if the database has none; a database with sites is left as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        present = ", ".join(Site.objects.values_list("slug", flat=True))
        if present:
            self.stdout.write(
                f"The database has sites already ({present}); the demo is left out. Give it a DATA_DIR of its own to see it."
            )
            return
        self.stdout.write(f"Declared the fictional sites {' and '.join(declare_demo('demo'))}.")
