"""``manage.py ensure_admin``: the first administrator."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError
from django.db import transaction

PASSWORD_BYTES = 15  # 20 characters to type


class Command(BaseCommand):
    help = "Create an administrator if there is none; with ADMIN_PASSWORD, or a password printed once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Nothing happens while there is any superuser: a changed ADMIN_PASSWORD resets nobody's password."""
        users = get_user_model()._default_manager
        password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(PASSWORD_BYTES)
        name = settings.ADMIN_USERNAME
        with transaction.atomic():
            if users.filter(is_superuser=True).exists():
                return
            if users.filter(username=name).exists():
                raise CommandError(
                    f"there is no administrator, and the user {name!r} is not one; "
                    "set ADMIN_USERNAME to another name, or run `manage.py createsuperuser`"
                )
            users.create_superuser(username=name, password=password)
        self.stdout.write(f"Created the administrator {name!r}.")
        if not settings.ADMIN_PASSWORD:
            self.stdout.write(f"Password (shown only now): {password}")
        self.stdout.flush()
