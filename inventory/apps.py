from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What is declared."""

    name = "inventory"
    verbose_name = "Inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from inventory import changes, level_groups  # noqa: F401 - the door listens to history

        # After every migrate, and after Django's own handler, which makes the permissions.
        post_migrate.connect(level_groups.keep, sender=self, dispatch_uid="inventory.level_groups")
