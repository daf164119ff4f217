"""What happens, below ``/api/v1/``: views that the inventory's API takes up (``inventory.api.v1.others``)."""
