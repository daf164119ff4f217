from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What is declared."""

    name = "inventory"
    verbose_name = "Inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from inventory import changes  # noqa: F401 - the door listens to history
